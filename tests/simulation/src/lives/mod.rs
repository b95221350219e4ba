//! Long lives: seeded merchants over simulated weeks, in every weather, judged after each day. One seed is one life.
//!
//! [`dice`] and [`weather`] are chance; [`merchant`] is what people do; [`presses`] what they press here; [`fates`] and [`ledger`] what
//! must come of it by the documents; [`day`] plays a day and lets it settle; [`verdict`] holds both services' books against that; [`tour`] runs many. It must
//! not look into storage.

pub mod day;
pub mod dice;
pub mod fates;
pub mod ledger;
pub mod merchant;
pub mod presses;
pub mod tour;
pub mod verdict;
pub mod weather;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use tsunagi_guest::{settings::Settings, sync::report::Backlog};
use tsunagi_sandbox::Refused;

use crate::{
    lives::{dice::Dice, fates::Fates, ledger::Ledger},
    shop,
    stage::{Broken, Stage},
    world::{Line, Moment, Setting},
};

/// The product that comes and goes.
pub const SEASONAL: (u64, &str) = (5, "SEA");
/// How long a changed product may be believed as it was: an hour, and some.
const STALE: TimeDelta = TimeDelta::minutes(65);
/// Slips that people still touch.
pub const TOUCHED: usize = 40;

/// What a life is a function of.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The merchant.
    pub seed: u64,
    /// Days to trade.
    pub days: u32,
    /// Days before this one pass without acts and weather: the shortest way to a failure.
    pub first_day: u32,
    /// Without faults of any kind.
    pub calm: bool,
    /// 取り込む時点 stays as it was chosen first. One of a thousand days in which it may change is judged wrong, and it is open
    /// whether by the judge or by the guest: an order shipped anew meanwhile keeps its first day.
    pub same_moment: bool,
    /// Whether calls are written down.
    pub traced: bool,
    /// A hand that does something each evening that the script does not know of: to see that the judge sees it.
    pub meddling: Option<fn(&mut tsunagi_sandbox::World)>,
}

impl Plan {
    /// So many days of a merchant, in every weather.
    pub fn of(seed: u64, days: u32) -> Self {
        Self {
            seed,
            days,
            first_day: 0,
            calm: false,
            same_moment: false,
            traced: false,
            meddling: None,
        }
    }
}

/// Figures of a life.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Days lived and judged.
    pub days: u32,
    /// What people did in both services and pressed here.
    pub acts: u64,
    /// Faults that struck.
    pub faults: u64,
    /// Rounds of the schedule.
    pub rounds: u64,
    /// Orders in Next Engine.
    pub orders: u64,
    /// Verdicts on an order at an evening, over orders that something happened to.
    pub verdicts: u64,
    /// Those of them with exactly one right outcome.
    pub exact: u64,
    /// Stock rows people made, decided.
    pub rows: u64,
    /// Those of them with exactly one right outcome.
    pub rows_exact: u64,
    /// Products a person had to send again.
    pub resends: u64,
    /// Logins asked for.
    pub logins: u64,
}

/// How a life ended.
#[derive(Debug, Clone, Default)]
pub struct Ended {
    /// How it went.
    pub figures: Figures,
    /// The day on which it went wrong.
    pub failed_on: Option<u32>,
    /// Everything that is wrong.
    pub complaints: Vec<String>,
    /// The last day's acts; the whole life's where calls are written down.
    pub acts: Vec<(Moment, String)>,
    /// The last day's calls, if asked for.
    pub trace: Vec<Line>,
}

/// A merchant's life.
pub struct Life {
    /// Everything that is played.
    pub stage: Stage,
    plan: Plan,
    dice: Dice,
    settings: Settings,
    on: bool,
    baseline: Option<Moment>,
    chosen: BTreeMap<u32, Moment>,
    /// Products as they were, until when they may be believed.
    catalogs: Vec<(Moment, BTreeMap<String, Vec<u64>>)>,
    fates: Fates,
    /// By slip, what may have been read of it and was not booked before the link went off.
    prepared: BTreeMap<u64, BTreeSet<fates::Reading>>,
    ledger: Ledger,
    shelves: BTreeMap<(u64, u32), i64>,
    takings: i64,
    tills: Vec<u64>,
    serial: u32,
    /// The seasonal product was deleted once: what a sale took of it does not come back while it is gone (assumed), so its stock
    /// tells nothing any more.
    seasonal_gone: bool,
    /// Until when the link was off while the goods of a spoilt upload waited: nobody sends them again meanwhile.
    spoilt_while_off: Option<Moment>,
    /// Something changed that may have refused orders.
    terms_changed: bool,
    /// Nobody could reach Next Engine for days.
    away: bool,
    acts: Vec<(Moment, String)>,
    /// Acts of the days before this one.
    before: usize,
    figures: Figures,
}

/// Lives a life to its end or its first failure.
pub fn live(plan: Plan) -> Ended {
    match Life::begin(plan) {
        Ok(mut life) => life.play(),
        Err(Broken(why)) => Ended {
            failed_on: Some(0),
            complaints: vec![format!("set-up: {why}")],
            ..Ended::default()
        },
    }
}

/// The shortest plan that still fails: fewer days before, and without weather if that is enough.
pub fn shrink(plan: Plan, failed_on: u32) -> Plan {
    let mut best = Plan {
        days: failed_on + 1,
        ..plan
    };
    let fails = |plan: Plan| live(plan).failed_on.is_some();
    for first_day in (plan.first_day..=failed_on).rev() {
        let shorter = Plan { first_day, ..best };
        if fails(shorter) {
            best = shorter;
            break;
        }
    }
    let calm = Plan { calm: true, ..best };
    if fails(calm) { calm } else { best }
}

impl Life {
    fn begin(plan: Plan) -> Result<Self, Broken> {
        let mut dice = Dice::new(plan.seed, u64::MAX);
        let setting = Setting {
            seed: plan.seed,
            traced: plan.traced,
            switches: merchant::switches(&mut dice),
            ..Setting::default()
        };
        let mut settings = None;
        let mut stage = Stage::begin(setting, |made| {
            merchant::settings(&mut dice, made);
            settings = Some(made.clone());
        })?;
        stage.patience = 3_000;
        stage.world.disturb();
        let mut life = Self {
            stage,
            plan,
            dice,
            settings: settings.ok_or_else(|| Broken("no settings".to_owned()))?,
            on: false,
            baseline: None,
            chosen: BTreeMap::new(),
            catalogs: Vec::new(),
            fates: Fates::default(),
            prepared: BTreeMap::new(),
            ledger: Ledger::default(),
            shelves: shop::GOODS
                .iter()
                .flat_map(|row| shop::OPENING.map(|(store, pieces)| ((row.0, store), pieces)))
                .collect(),
            takings: 0,
            tills: Vec::new(),
            serial: 0,
            seasonal_gone: false,
            spoilt_while_off: None,
            terms_changed: false,
            away: false,
            acts: Vec::new(),
            before: 0,
            figures: Figures::default(),
        };
        life.bring_seasonal(true)?;
        life.stage.log_in()?;
        life.press_on(Backlog::Leave)?;
        life.learn()?;
        Ok(life)
    }

    /// Three sales, one undone in each way: what they do to stock is learnt once, and what cannot teach would wait for one that can.
    fn learn(&mut self) -> Result<(), Broken> {
        let ship = |life: &mut Self, number: &str| {
            let order = shop::order(shop::OWN, number, &[(shop::LID, 1)]);
            let placed = life.people(
                || format!("order {number}, shipped"),
                |services| {
                    let slip = services.next_engine.place(&order)?;
                    services.next_engine.ship(slip)?;
                    Ok(slip)
                },
            );
            placed.ok_or_else(|| Broken("nothing can be shipped".to_owned()))
        };
        let undone = [ship(self, "A-1")?, ship(self, "A-2")?];
        ship(self, "A-3")?;
        self.run(TimeDelta::minutes(150))?;
        self.looked();
        for (slip, cancel_type) in undone.into_iter().zip([1, 6]) {
            self.people(
                || format!("slip {slip} is cancelled, type {cancel_type}"),
                |services| services.next_engine.cancel(slip, cancel_type),
            );
        }
        self.run(TimeDelta::minutes(150))?;
        self.looked();
        Ok(())
    }

    fn play(&mut self) -> Ended {
        for number in 0..self.plan.days {
            let complaints = match self.live_day(number) {
                Ok(complaints) => complaints,
                Err(Broken(why)) => vec![why],
            };
            if !complaints.is_empty() {
                return self.ended(Some(number), complaints);
            }
        }
        self.ended(None, Vec::new())
    }

    fn ended(&mut self, failed_on: Option<u32>, complaints: Vec<String>) -> Ended {
        let shown_from = if self.plan.traced { 0 } else { self.before };
        let state = self.stage.world.state();
        self.figures.orders = state.services.next_engine.books().slips.len() as u64;
        self.figures.rounds = self.stage.rounds.into();
        self.figures.rows = self.ledger.decided;
        self.figures.rows_exact = self.ledger.exactly;
        Ended {
            figures: self.figures,
            failed_on,
            complaints,
            acts: self.acts.iter().skip(shown_from).cloned().collect(),
            trace: state.trace().to_vec(),
        }
    }

    /// People do something in the services; whatever rows it makes are theirs. `None` where the services do not let them.
    fn people<T>(
        &mut self,
        what: impl FnOnce() -> String,
        work: impl FnOnce(&mut tsunagi_sandbox::World) -> Result<T, Refused>,
    ) -> Option<T> {
        let (done, rows) = {
            let services = &mut self.stage.world.state().services;
            let before = services.smaregi.books().changes.len();
            let done = work(services);
            let changes = services.smaregi.books().changes.iter();
            (done, changes.skip(before).cloned().collect::<Vec<_>>())
        };
        for row in &rows {
            *self.shelves.entry((row.product, row.store)).or_default() += row.amount;
        }
        self.ledger.made(&rows);
        match done {
            Ok(done) => {
                self.did(what());
                self.observe(false);
                Some(done)
            }
            Err(_) => None,
        }
    }

    fn did(&mut self, what: String) {
        let now = self.stage.world.now();
        self.stage.world.note(|| format!("==== {what}"));
        self.acts.push((now, what));
        self.figures.acts += 1;
    }

    /// What decides about orders now, and with the products as the connector may still believe them.
    fn order_terms(&self) -> Vec<fates::Terms> {
        let now = self.stage.world.now();
        let current = self.catalog();
        let old = self.catalogs.iter().filter(|(until, _)| *until >= now);
        let catalogs = std::iter::once(current).chain(old.map(|(_, catalog)| catalog.clone()));
        catalogs
            .map(|catalog| fates::Terms {
                settings: self.settings.clone(),
                catalog,
                on: self.on,
            })
            .collect()
    }

    fn stock_terms(&self) -> ledger::Terms {
        ledger::Terms {
            settings: self.settings.stock.clone(),
            on: self.on,
            baseline: self.baseline,
            chosen: self.chosen.clone(),
        }
    }

    fn catalog(&self) -> BTreeMap<String, Vec<u64>> {
        let mut catalog: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let state = self.stage.world.state();
        for (id, listed) in &state.services.smaregi.books().products {
            let code = listed.product.code.clone();
            catalog.entry(code).or_default().push(*id);
        }
        catalog
    }

    /// Products are about to change: until an hour from now the connector may believe what it knew.
    fn catalog_changes(&mut self) {
        let until = self.stage.world.now() + STALE;
        let old = self.catalog();
        self.catalogs
            .retain(|(until, _)| *until >= self.stage.world.now());
        self.catalogs.push((until, old));
        self.terms_changed = true;
    }

    /// The connector may have looked at everything as it is now: of all slips where the terms changed, else of those being touched.
    fn observe(&mut self, all: bool) {
        let terms = self.order_terms();
        self.ledger.may_decide(&self.stock_terms());
        let state = self.stage.world.state();
        let slips = &state.services.next_engine.books().slips;
        let count = if all { slips.len() } else { TOUCHED + 10 };
        self.fates
            .may_look(slips.values().rev().take(count), &terms);
    }
}
