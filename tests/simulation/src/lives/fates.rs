//! What orders should have become by the words of the settings' and orders' documents: for each slip the set of states that it may be
//! in, given that the connector may look at any time of the day and must have looked by the evening. One state is an exact
//! expectation. Written from the documents, it must not call the guest's rules.
//!
//! - An order that the settings take becomes a sale, or is refused and waits for its change or a person's retry.
//! - A booked order that is cancelled, merged, or set back behind where it was when it was booked is undone; one of other content is
//!   booked anew; settings alone undo nothing.
//! - What was booked keeps the settings of its booking.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use tsunagi_guest::settings::{FeeMode, ImportMoment, PaymentKind, PointMode, Settings};
use tsunagi_sandbox::next_engine::{ISSUED, SHIPPED, Slip, WAITING_FOR_PRINT};

/// What decides about orders at one moment.
#[derive(Debug, Clone)]
pub struct Terms {
    /// As set then.
    pub settings: Settings,
    /// Smaregi's products by code.
    pub catalog: BTreeMap<String, Vec<u64>>,
    /// 連携オン.
    pub on: bool,
}

/// What a sale is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Content {
    shop: u32,
    payment: u32,
    money: [Decimal; 6],
    lines: Vec<(String, i64, Decimal, u8)>,
}

/// A slip as it looks at one moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    content: Content,
    adds_up: bool,
    live: bool,
    cancel_type: u8,
    rank: u8,
    day: NaiveDate,
    returned: i64,
}

/// A sale as it should stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Booked {
    content: Content,
    rank: u8,
    /// 売上日.
    pub day: NaiveDate,
    /// Yen.
    pub total: Decimal,
    /// The store that books it.
    pub store: u32,
    /// The store whose goods leave.
    pub source: u32,
    /// Whether it is paid by credit.
    pub credit: bool,
    /// Pieces by Smaregi's product, fees not among them.
    pub pieces: Vec<(u64, i64)>,
}

/// A state that a slip may be in.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    /// The sale that stands.
    pub booked: Option<Booked>,
    /// Refused as it looked then.
    refused: Option<Reading>,
}

/// All slips.
#[derive(Debug, Clone, Default)]
pub struct Fates {
    /// By slip.
    pub states: BTreeMap<u64, BTreeSet<State>>,
    /// As each was when the connector had certainly looked.
    seen: BTreeMap<u64, Reading>,
    /// What a look since then may have left standing, and how the slip was: no later setting makes it look again.
    stood: BTreeMap<u64, BTreeSet<(Reading, Booked)>>,
}

impl Fates {
    /// Something happened: from now on the connector may have looked under these terms.
    pub fn may_look<'a>(&mut self, slips: impl Iterator<Item = &'a Slip>, terms: &[Terms]) {
        for slip in slips {
            let reading = Reading::of(slip);
            let mut stood = Vec::new();
            let states = self.states(slip.id);
            let mut fresh: Vec<State> = states.iter().cloned().collect();
            while let Some(state) = fresh.pop() {
                for terms in terms.iter().filter(|terms| terms.on) {
                    let next = looked(&state, &reading, terms);
                    let same = next.booked.clone().filter(|_| next.booked == state.booked);
                    stood.extend(same.map(|booked| (reading.clone(), booked)));
                    if states.insert(next.clone()) {
                        fresh.push(next);
                    }
                }
            }
            self.stood.entry(slip.id).or_default().extend(stood);
        }
    }

    /// All is quiet: the connector has looked under these terms. A sale of what has not changed since it looked last, or may have, may
    /// also stand as it is, whatever day or moment today's settings would ask for: settings alone undo nothing, nor need they make it look.
    pub fn has_looked<'a>(&mut self, slips: impl Iterator<Item = &'a Slip>, terms: &Terms) {
        for slip in slips.filter(|_| terms.on) {
            let reading = Reading::of(slip);
            let unchanged = self.seen.insert(slip.id, reading.clone()).as_ref() == Some(&reading);
            let stood = self.stood.remove(&slip.id).unwrap_or_default();
            let stands = |state: &State| {
                let same = |booked: &Booked| {
                    let left = || stood.contains(&(reading.clone(), booked.clone()));
                    booked.content == reading.content && (unchanged || left())
                };
                reading.live && state.booked.as_ref().is_some_and(same)
            };
            let states = self.states(slip.id);
            let standing: Vec<State> = states
                .iter()
                .filter(|state| stands(state))
                .cloned()
                .collect();
            *states = states
                .iter()
                .map(|state| looked(state, &reading, terms))
                .chain(standing)
                .collect();
        }
    }

    /// A person let every refused order go again, and was told that it is done: it is, or its attempt got lost and is made again
    /// as soon as the link is on, which [`Self::has_looked`] asks for. One whose receiving store is gone, or whose day is not taken
    /// any more, stays refused.
    pub fn retried(&mut self, terms: &Terms) {
        let again = |state: &State| match &state.refused {
            Some(reading) if has_place(reading, terms).is_some() => {
                let free = State {
                    refused: None,
                    ..state.clone()
                };
                vec![looked(&free, reading, terms), free]
            }
            _ => vec![state.clone()],
        };
        for states in self.states.values_mut().filter(|_| terms.on) {
            *states = states.iter().flat_map(again).collect();
        }
    }

    /// The link is on again: what was read before it went off and not booked yet may be booked as it was read, under today's terms.
    pub fn may_go_on(&mut self, prepared: &BTreeMap<u64, BTreeSet<Reading>>, terms: &Terms) {
        for (slip, readings) in prepared {
            let states = self.states(*slip);
            let unbooked = states.iter().filter(|state| state.booked.is_none());
            let gone_on: Vec<State> = unbooked
                .flat_map(|state| readings.iter().map(|then| looked(state, then, terms)))
                .collect();
            states.extend(gone_on);
        }
    }

    fn states(&mut self, slip: u64) -> &mut BTreeSet<State> {
        let fresh = || BTreeSet::from([State::default()]);
        self.states.entry(slip).or_insert_with(fresh)
    }
}

impl State {
    /// The reading that its sale is made of.
    pub fn reading(&self) -> Option<Reading> {
        let booked = self.booked.as_ref()?;
        Some(Reading {
            content: booked.content.clone(),
            adds_up: true,
            live: true,
            cancel_type: 0,
            rank: booked.rank,
            day: booked.day,
            returned: 0,
        })
    }
}

impl Reading {
    /// Of a slip now.
    pub fn of(slip: &Slip) -> Self {
        let lines = slip.live_lines();
        let goods = slip.goods_amount() + slip.tax_amount();
        let sum = goods + slip.charge + slip.delivery_fee + slip.other - slip.points;
        Self {
            content: Content {
                shop: slip.shop_id,
                payment: slip.payment_method,
                money: [
                    slip.total(),
                    slip.charge,
                    slip.delivery_fee,
                    slip.other,
                    slip.points,
                    slip.tax_amount(),
                ]
                .map(|amount| amount.normalize()),
                lines: lines
                    .map(|line| {
                        let price = line.unit_price.normalize();
                        (line.code.clone(), line.quantity, price, line.tax_rate)
                    })
                    .collect(),
            },
            adds_up: sum == slip.total(),
            live: slip.is_live(),
            cancel_type: slip.cancel_type,
            rank: match slip.status {
                SHIPPED => 3,
                status if status >= WAITING_FOR_PRINT => 2,
                ISSUED => 1,
                _ => 0,
            },
            day: slip.sent.unwrap_or(slip.ordered).date_naive(),
            returned: slip
                .live_lines()
                .map(|line| line.returned_good + line.returned_bad)
                .sum(),
        }
    }
}

/// The state after the connector looked.
fn looked(state: &State, now: &Reading, terms: &Terms) -> State {
    if state.refused.as_ref() == Some(now) {
        return state.clone();
    }
    let with = |booked: Option<Booked>| State {
        booked,
        refused: None,
    };
    let booked = state.booked.clone();
    if !terms
        .settings
        .orders
        .receiving_stores
        .iter()
        .any(|row| row.shop_id == now.content.shop.to_string())
    {
        return with(booked);
    }
    if !now.live {
        return with(None);
    }
    if now.rank < needed(terms) {
        let went_back = booked.as_ref().is_some_and(|booked| now.rank < booked.rank);
        return with(booked.filter(|_| !went_back));
    }
    let Some(sale) = has_place(now, terms) else {
        return with(booked);
    };
    if booked
        .as_ref()
        .is_some_and(|booked| same(booked, now, terms))
    {
        return with(booked);
    }
    match pieces(now, terms) {
        Some(pieces) => with(Some(Booked { pieces, ..sale })),
        // What stands, stands until a person has mended it.
        None => State {
            booked,
            refused: Some(now.clone()),
        },
    }
}

fn same(booked: &Booked, now: &Reading, terms: &Terms) -> bool {
    let day_counts = terms.settings.orders.moment == ImportMoment::Shipped && booked.rank == 3;
    booked.content == now.content && (!day_counts || booked.day == now.day)
}

fn needed(terms: &Terms) -> u8 {
    match terms.settings.orders.moment {
        ImportMoment::Issued => 1,
        ImportMoment::ReadyToShip => 2,
        ImportMoment::Shipped => 3,
    }
}

/// The sale it would be, without its pieces, where a receiving store takes its shop and its day.
fn has_place(now: &Reading, terms: &Terms) -> Option<Booked> {
    let orders = &terms.settings.orders;
    let shop = now.content.shop.to_string();
    let row = orders
        .receiving_stores
        .iter()
        .find(|row| row.shop_id == shop)?;
    if now.day < row.start_date {
        return None;
    }
    let store = row.store_id.parse().ok()?;
    let source = row.source_store_id.as_ref().and_then(|id| id.parse().ok());
    let method = now.content.payment.to_string();
    let rule = orders.payments.iter().find(|rule| rule.method_id == method);
    let kind = rule.map_or(orders.default_payment, |rule| rule.kind);
    Some(Booked {
        content: now.content.clone(),
        rank: now.rank,
        day: now.day,
        total: now.content.money.first().copied().unwrap_or_default(),
        store,
        source: source.unwrap_or(store),
        credit: kind == PaymentKind::Credit,
        pieces: Vec::new(),
    })
}

/// The pieces by product; `None` where it must be refused.
fn pieces(now: &Reading, terms: &Terms) -> Option<Vec<(u64, i64)>> {
    let orders = &terms.settings.orders;
    let [total, charge, delivery, other, points, _] = now.content.money;
    let modes = [
        (charge, &orders.charge),
        (delivery, &orders.delivery),
        (other, &orders.other),
    ];
    for (amount, mode) in modes {
        let fits = match mode {
            _ if amount.is_zero() => true,
            FeeMode::Unset => false,
            FeeMode::Line(_) if amount < Decimal::ZERO => true,
            FeeMode::Line(code) => the_one(code, terms).is_some(),
        };
        if !fits {
            return None;
        }
    }
    let points_fit = points.is_zero() || orders.points == PointMode::SubtotalDiscount;
    let sells = !now.content.lines.is_empty() || modes.iter().any(|mode| mode.0 > Decimal::ZERO);
    if !points_fit || !now.adds_up || total < Decimal::ZERO || !sells {
        return None;
    }
    let line = |(code, quantity, ..): &(String, i64, Decimal, u8)| {
        Some((the_one(code, terms)?, *quantity))
    };
    now.content.lines.iter().map(line).collect()
}

fn the_one(code: &str, terms: &Terms) -> Option<u64> {
    match terms.catalog.get(code)?.as_slice() {
        [product] => Some(*product),
        _ => None,
    }
}
