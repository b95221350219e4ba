//! The verdict of an evening, from both services' books and what the script says must have come of the day. It must never look into
//! our storage, and it must not explain anything away.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use rust_decimal::Decimal;
use tsunagi_sandbox::{
    ServiceName,
    next_engine::MovementKind,
    smaregi::{Books, Transaction},
};

use super::{
    Life, SEASONAL,
    fates::{Booked, State},
};
use crate::shop::{self, GOODS, SHOP, STATION, WAREHOUSE};

/// How long after a hindrance is over a product may still wait for its turn: held products are looked at once a day.
const ITS_TURN: TimeDelta = TimeDelta::hours(27);
const STORES: [u32; 3] = [SHOP, STATION, WAREHOUSE];

impl Life {
    /// Everything that is wrong.
    pub(super) fn verdict(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        self.conduct(&mut found);
        let sources = self.sales(&mut found);
        self.on_shelves(&sources, &mut found);
        self.uploads(&mut found);
        found
    }

    fn conduct(&mut self, found: &mut Vec<String>) {
        self.figures.logins += u64::from(self.stage.logins);
        let state = self.stage.world.state();
        found.extend(state.breaches.iter().cloned());
        if self.stage.logins > 0 && !self.away && !state.pair_was_lost() {
            found.push("a login was asked for, and no pair of tokens was lost".to_owned());
        }
        let counters = &state.services.counters;
        if counters.most_in_flight_of_one_caller(ServiceName::NextEngine) > 1 {
            found.push("Next Engine saw two requests of one user at once".to_owned());
        }
    }

    /// Each slip is in one of its states. Answers the states that fit.
    fn sales(&mut self, found: &mut Vec<String>) -> Vec<BTreeSet<State>> {
        let state = self.stage.world.state();
        let books = state.services.smaregi.books();
        let mut standing = standing(books);
        let mut turnover = Decimal::from(self.takings);
        let mut fitting = Vec::new();
        for (slip, states) in &mut self.fates.states {
            let sales = standing.remove(slip).unwrap_or_default();
            self.figures.verdicts += 1;
            self.figures.exact += u64::from(states.len() == 1);
            let fit = |state: &&State| fits(state.booked.as_ref(), &sales);
            let kept: BTreeSet<State> = states.iter().filter(fit).cloned().collect();
            if !self.on {
                let postponed = states.iter().filter(|state| !kept.contains(state));
                let readings = postponed.filter_map(State::reading);
                self.prepared.entry(*slip).or_default().extend(readings);
            }
            if kept.is_empty() {
                found.push(format!("order {slip}: {}", disagreement(states, &sales)));
                continue;
            }
            turnover += sales
                .iter()
                .map(|sale| Decimal::from(sale.amounts.total))
                .sum::<Decimal>();
            fitting.push(kept.clone());
            *states = kept;
        }
        for slip in standing.keys() {
            found.push(format!("no order {slip}, and a sale of it"));
        }
        let booked: i64 = books.sales_by_day().values().sum();
        if found.is_empty() && Decimal::from(booked) != turnover {
            found.push(format!("the turnover is {booked} yen, not {turnover}"));
        }
        fitting
    }

    /// Smaregi's stock: opening, what people moved, what standing sales took from their source stores.
    fn on_shelves(&self, sales: &[BTreeSet<State>], found: &mut Vec<String>) {
        let mut expected = self.shelves.clone();
        let mut unclear = BTreeSet::new();
        for states in sales {
            let bookings: BTreeSet<_> = states
                .iter()
                .map(|state| {
                    state
                        .booked
                        .as_ref()
                        .map(|sale| (sale.source, &sale.pieces))
                })
                .collect();
            let Some(Some((source, pieces))) = bookings.first() else {
                continue;
            };
            for (product, quantity) in *pieces {
                *expected.entry((*product, *source)).or_default() -= quantity;
                if bookings.len() > 1 {
                    unclear.insert(*product);
                }
            }
        }
        let state = self.stage.world.state();
        let books = state.services.smaregi.books();
        let seasonal = (!self.seasonal_gone).then_some(SEASONAL.0);
        let products = GOODS.iter().map(|row| row.0).chain(seasonal);
        for product in products {
            let should =
                STORES.map(|store| expected.get(&(product, store)).copied().unwrap_or_default());
            let is = STORES.map(|store| books.stock_of(product, store));
            let same = if unclear.contains(&product) {
                is.iter().sum::<i64>() == should.iter().sum::<i64>()
            } else {
                is == should
            };
            if !same {
                found.push(format!(
                    "Smaregi has {is:?} of {product} in its stores, not {should:?}"
                ));
            }
        }
    }

    /// Next Engine's stock: what was uploaded must be what should have travelled.
    fn uploads(&mut self, found: &mut Vec<String>) {
        let now = self.stage.world.now();
        let spoilt = self.spoilt_lately();
        if spoilt && !self.on {
            self.spoilt_while_off = Some(now);
        }
        for (product, code, ..) in GOODS {
            let sent = self.sent(code);
            let standing = self.standing_of(product, code, sent);
            let hindered = self
                .ledger
                .products
                .get(&product)
                .and_then(|product| product.hindered);
            let either = self
                .ledger
                .products
                .get(&product)
                .and_then(|product| product.either_at);
            match standing {
                // What may or may not travel may still be held, and longer where something is or was in its way.
                Standing::Complete if either.is_some() && self.is_frozen(product, code) => {
                    self.ledger.hinder(product, now);
                }
                Standing::Complete
                    if either.is_some_and(|at| {
                        let held = spoilt || self.spoilt(false) >= Some(at);
                        held || now - at.max(hindered.unwrap_or(at)) < ITS_TURN * 2
                    }) => {}
                Standing::Complete => self.ledger.well(product, sent),
                Standing::Hindered => {
                    self.ledger.hinder(product, now);
                }
                Standing::Waiting if hindered.is_some_and(|at| now - at < ITS_TURN) => {}
                Standing::Waiting if !self.on => {}
                Standing::Waiting | Standing::Wrong => {
                    let (complete, reachable) = (
                        self.ledger.complete(product),
                        self.ledger.reachable(product),
                    );
                    found.push(format!(
                        "Next Engine was sent {sent} of {code}, not {complete:?}; nothing but {reachable:?} is thinkable"
                    ));
                }
            }
        }
        let state = self.stage.world.state();
        let goods = &state.services.next_engine.books().goods;
        let known = |code: &str| GOODS.iter().any(|row| row.1 == code) || code == SEASONAL.1;
        found.extend(
            goods
                .keys()
                .filter(|code| !known(code))
                .map(|code| format!("Next Engine has a new product {code}")),
        );
    }

    /// Products that nothing hinders any more and that lack something, where something was in the way.
    pub(super) fn lacking(&self) -> Vec<u64> {
        let now = self.stage.world.now();
        let stormy = self.stage.world.state().struck() > 0;
        let spoilt = self.spoilt_lately();
        let lacks = |product: u64, code: &str| {
            let hindered = self
                .ledger
                .products
                .get(&product)
                .and_then(|product| product.hindered);
            let excused = stormy || spoilt || hindered.is_some_and(|at| now - at < ITS_TURN);
            excused && self.standing_of(product, code, self.sent(code)) == Standing::Waiting
        };
        let lacking = GOODS.iter().filter(|row| lacks(row.0, row.1));
        lacking.map(|row| row.0).collect()
    }

    /// Whether an upload went wrong so late that what it held may still wait for a person.
    fn spoilt_lately(&self) -> bool {
        let now = self.stage.world.now();
        let waits_since = self.spoilt(false).max(self.spoilt_while_off);
        waits_since.is_some_and(|at| now - at < ITS_TURN * 2)
    }

    fn sent(&self, code: &str) -> i64 {
        let state = self.stage.world.state();
        let movements = state.services.next_engine.books().movements.iter();
        let uploads = movements
            .filter(|movement| movement.code == code && movement.kind == MovementKind::Upload);
        uploads
            .map(|movement| movement.after - movement.before)
            .sum()
    }

    /// Whether its code names it alone no more, so that nothing of it is sent.
    fn is_frozen(&self, product: u64, code: &str) -> bool {
        let catalog = self.catalog();
        catalog
            .get(code)
            .is_none_or(|ids| ids.as_slice() != [product])
    }

    fn standing_of(&self, product: u64, code: &str, sent: i64) -> Standing {
        let complete = self.ledger.complete(product);
        if complete.contains(&sent) {
            return Standing::Complete;
        }
        if !self.ledger.reachable(product).contains(&sent) {
            return Standing::Wrong;
        }
        let frozen = self.is_frozen(product, code);
        let state = self.stage.world.state();
        let free = state
            .services
            .next_engine
            .books()
            .goods
            .get(code)
            .map_or(0, |goods| goods.free());
        let short = complete.iter().any(|all| {
            let waits = all - sent;
            waits < 0 && free + waits < 0
        });
        if frozen || short {
            Standing::Hindered
        } else {
            Standing::Waiting
        }
    }
}

/// How a product's uploads stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Complete,
    /// Something waits, and something is in its way.
    Hindered,
    /// Something waits, and nothing is in its way.
    Waiting,
    /// No order of events leads here.
    Wrong,
}

fn standing(books: &Books) -> BTreeMap<u64, Vec<&Transaction>> {
    let mut standing: BTreeMap<u64, Vec<&Transaction>> = BTreeMap::new();
    for sale in books.transactions.values().filter(|sale| sale.stands()) {
        let rest = sale.uuid.strip_prefix("NE-");
        let slip = rest.and_then(|rest| rest.split('-').next()?.parse().ok());
        if let Some(slip) = slip {
            standing.entry(slip).or_default().push(sale);
        }
    }
    standing
}

fn fits(booked: Option<&Booked>, sales: &[&Transaction]) -> bool {
    match (booked, sales) {
        (None, []) => true,
        (Some(booked), [sale]) => is_the_sale(booked, sale),
        _ => false,
    }
}

fn is_the_sale(booked: &Booked, sale: &Transaction) -> bool {
    let paid = if booked.credit {
        sale.amounts.deposit_credit
    } else {
        sale.amounts.deposit_cash
    };
    let mut pieces: BTreeMap<u64, i64> = BTreeMap::new();
    for (product, quantity) in &booked.pieces {
        *pieces.entry(*product).or_default() += quantity;
    }
    for detail in sale
        .details
        .iter()
        .filter(|detail| !shop::is_fee(&detail.code))
    {
        *pieces
            .entry(detail.product.unwrap_or_default())
            .or_default() -= detail.quantity;
    }
    Decimal::from(sale.amounts.total) == booked.total
        && paid == sale.amounts.total
        && sale.store == booked.store
        && sale.day() == booked.day
        && pieces.values().all(|left| *left == 0)
}

fn disagreement(states: &BTreeSet<State>, sales: &[&Transaction]) -> String {
    let sale = |sale: &&Transaction| {
        format!(
            "{} yen in store {} on {} (cash {}, credit {})",
            sale.amounts.total,
            sale.store,
            sale.day(),
            sale.amounts.deposit_cash,
            sale.amounts.deposit_credit
        )
    };
    let is: Vec<String> = sales.iter().map(sale).collect();
    let should: Vec<String> = states
        .iter()
        .map(|state| match &state.booked {
            None => "nothing".to_owned(),
            Some(sale) => format!(
                "{} yen in store {} on {} (credit {}) {:?}",
                sale.total, sale.store, sale.day, sale.credit, sale.pieces
            ),
        })
        .collect();
    format!("booked {is:?}, not one of {should:?}")
}
