//! A day: night, morning, acts in some weather, and the evening in which all must come to rest. It must not judge.

use chrono::{NaiveTime, TimeDelta};
use tsunagi_sandbox::next_engine::Spoil;

use super::{
    Life,
    dice::Dice,
    weather::{Outage, Weather},
};
use crate::{
    fault::{Class, Kind},
    stage::Broken,
    world::Moment,
};

/// Longer than the longest grace, retry and catch-up of the connector, once nothing is wrong any more.
const CALM: TimeDelta = TimeDelta::minutes(125);
/// Longer than an upload that hangs in the queue is waited for.
const HUNG: TimeDelta = TimeDelta::hours(9);
/// Rounds in an evening; more is no progress.
const MOST_ROUNDS: u32 = 600;
/// Nobody comes for so long, and no machine runs.
const HOLIDAY_DAYS: i64 = 4;

impl Life {
    /// Lives a day; says what is wrong in the evening.
    pub(super) fn live_day(&mut self, number: u32) -> Result<Vec<String>, Broken> {
        self.dice = Dice::new(self.plan.seed, u64::from(number));
        let skipped = number < self.plan.first_day;
        self.begin_day(number)?;
        if !skipped {
            if self.dice.percent(25) {
                self.morning()?;
            }
            self.opens(number);
            let acts = self.dice.from_to(6, 30);
            for _ in 0..acts {
                let gap = self.gap();
                self.run(gap)?;
                self.act()?;
            }
        }
        self.evening()?;
        self.figures.days += 1;
        Ok(self.verdict())
    }

    fn gap(&mut self) -> TimeDelta {
        match self.dice.below(10) {
            0 => TimeDelta::zero(),
            1..4 => TimeDelta::seconds(self.dice.from_to(0, 120)),
            _ => TimeDelta::minutes(self.dice.from_to(2, 45)),
        }
    }

    /// The night, with rounds; or a holiday without any.
    fn begin_day(&mut self, number: u32) -> Result<(), Broken> {
        self.before = self.acts.len();
        self.stage.world.state().forget_calls();
        self.stage.logins = 0;
        self.away = false;
        let holiday = number > 0 && self.dice.percent(6) && !self.plan.calm;
        let night = TimeDelta::seconds(self.dice.from_to(0, 1800));
        let morning = self.next(NaiveTime::from_hms_opt(8, 0, 0).unwrap_or_default()) + night;
        if holiday && number >= self.plan.first_day {
            let morning = morning + TimeDelta::days(HOLIDAY_DAYS);
            self.did("a holiday: no machine runs".to_owned());
            self.stage.world.clock.set(morning);
            self.away = true;
            return self.run(TimeDelta::minutes(125));
        }
        let left = morning - self.stage.world.now();
        self.run(left)
    }

    /// The next moment at this time of day.
    fn next(&self, time: NaiveTime) -> Moment {
        let now = self.stage.world.now();
        let today = now.with_time(time).single().unwrap_or(now);
        if today > now {
            today
        } else {
            today + TimeDelta::days(1)
        }
    }

    fn opens(&mut self, number: u32) {
        if self.plan.calm {
            return;
        }
        let mut dice = Dice::new(self.plan.seed, (1 << 32) + u64::from(number));
        let per_mille = match dice.below(10) {
            0..4 => 0,
            4..8 => dice.from_to(2, 15),
            _ => dice.from_to(20, 80),
        };
        let mut outages = Vec::new();
        if dice.percent(15) {
            outages.push(self.outage(&mut dice, Class::NextEngine, Kind::Code002007, 420));
        }
        if dice.percent(15) {
            outages.push(self.outage(&mut dice, Class::Smaregi, Kind::RefusedBefore, 240));
        }
        for outage in &outages {
            let text = format!(
                "weather: {:?} answers {} from {} to {}",
                outage.class,
                outage.kind.name(),
                outage.from.time(),
                outage.until.time()
            );
            self.acts.push((self.stage.world.now(), text));
        }
        self.acts.push((
            self.stage.world.now(),
            format!("weather: {per_mille} of 1000 calls meet a fault"),
        ));
        self.stage.world.state().weather = Some(Weather {
            per_mille: u64::try_from(per_mille).unwrap_or_default(),
            kinds: Kind::ALL.to_vec(),
            outages,
            dice,
        });
    }

    fn outage(&self, dice: &mut Dice, class: Class, kind: Kind, longest: i64) -> Outage {
        let from = self.stage.world.now() + TimeDelta::minutes(dice.from_to(0, 480));
        Outage {
            class,
            kind,
            from,
            until: from + TimeDelta::minutes(dice.from_to(5, longest)),
        }
    }

    /// Nothing goes wrong any more; everything comes to rest, and people mend what waits for them.
    fn evening(&mut self) -> Result<(), Broken> {
        self.figures.faults += self.stage.world.state().struck() as u64;
        self.stage.world.state().weather = None;
        self.stage.world.state().services.webhooks.clear_faults();
        if let Some(hand) = self.plan.meddling {
            hand(&mut self.stage.world.state().services);
        }
        self.settle()?;
        if self.on && self.terms_changed && self.dice.percent(80) {
            self.press_retry()?;
            self.settle()?;
            self.terms_changed = false;
        }
        self.looked();
        if self.on {
            self.mend()?;
        }
        Ok(())
    }

    /// When the last spoilt upload was taken in, of those that hang or of all.
    pub(super) fn spoilt(&self, hanging: bool) -> Option<Moment> {
        let state = self.stage.world.state();
        let queue = state.services.next_engine.books().queue.iter();
        let spoilt = queue.filter(|entry| match entry.spoil {
            Some(how) => how == Spoil::Hang || !hanging,
            None => false,
        });
        spoilt.map(|entry| entry.created).max()
    }

    pub(super) fn looked(&mut self) {
        let current = self.order_terms().into_iter().next();
        self.ledger.has_decided(&self.stock_terms());
        let state = self.stage.world.state();
        let slips = &state.services.next_engine.books().slips;
        if let Some(terms) = current {
            self.fates.has_looked(slips.values(), &terms);
        }
    }

    /// People send again what was hindered and is not any more.
    fn mend(&mut self) -> Result<(), Broken> {
        if self.lacking().is_empty() {
            return Ok(());
        }
        self.press_resend()?;
        self.settle()?;
        let lacking = self.lacking();
        if lacking.is_empty() {
            return Ok(());
        }
        let pressed = self.stage.world.now();
        for product in &lacking {
            self.press_resend_of(*product)?;
        }
        self.settle()?;
        if self.spoilt(false) >= Some(pressed) {
            self.hindered_again(&lacking);
        }
        Ok(())
    }

    /// What was sent again went wrong again: it waits for the next evening.
    fn hindered_again(&mut self, products: &[u64]) {
        let now = self.stage.world.now();
        for product in products {
            self.ledger.hinder(*product, now);
        }
    }

    /// Rounds for so long, whatever happens.
    pub(super) fn run(&mut self, time: TimeDelta) -> Result<(), Broken> {
        let end = self.stage.world.now() + time;
        loop {
            let next = self.stage.round()?;
            let now = self.stage.world.now();
            if next >= end {
                self.stage.world.clock.set(end.max(now));
                return Ok(());
            }
            self.stage.world.clock.set(next.max(now));
        }
    }

    /// Until nothing can be under way any more.
    fn settle(&mut self) -> Result<(), Broken> {
        self.rest(CALM)?;
        let until = self.spoilt(true).map(|at| at + HUNG);
        let now = self.stage.world.now();
        match until.filter(|until| *until > now) {
            Some(until) => self.rest(until - now),
            None => Ok(()),
        }
    }

    /// The same, where there must not be rounds without end.
    fn rest(&mut self, time: TimeDelta) -> Result<(), Broken> {
        let before = self.stage.rounds;
        self.run(time)?;
        let rounds = self.stage.rounds - before;
        if rounds > MOST_ROUNDS {
            return Err(Broken(format!(
                "{rounds} rounds in an evening: no progress"
            )));
        }
        Ok(())
    }
}
