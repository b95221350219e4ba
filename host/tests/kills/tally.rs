//! Chance by a seed, and what was counted. Judges nothing.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, SystemTime},
};

use super::shop::Shop;

/// Numbers that follow from a seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn upto(&mut self, most: u64) -> u64 {
        self.roll() % most.max(1)
    }

    pub fn below(&mut self, sides: usize) -> usize {
        usize::try_from(self.upto(sides as u64)).unwrap()
    }
}

/// One that no earlier run had.
pub fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_nanos() as u64 % 1_000_000_000
}

/// What a kill met.
pub struct Met {
    pub listens: bool,
    pub next_engine: u64,
    pub smaregi: u64,
    /// Requests to the server itself without an answer.
    pub waiting: usize,
    pub at: Duration,
}

/// What was counted.
#[derive(Default)]
pub struct Tally {
    pub kills: u32,
    pub pairs: u32,
    pub asked_to_end: u32,
    pub ended_in_time: u32,
    met: BTreeMap<&'static str, u32>,
    webhooks: BTreeMap<String, u32>,
    chapters: u32,
    orders: u64,
    cancelled: usize,
    movements: usize,
    requests: u64,
    simulated: Duration,
    most_rounds: u32,
    slowest_start: Duration,
    starts: Vec<Duration>,
}

impl Tally {
    pub fn killed(&mut self, met: Met) {
        self.kills += 1;
        let what = match met {
            Met { listens: false, .. } => "starting",
            Met {
                next_engine: 1.., ..
            } => "a request to Next Engine under way",
            Met { smaregi: 1.., .. } => "requests to Smaregi under way",
            Met { waiting: 1.., .. } => "a webhook or a call under way",
            _ => "nothing under way",
        };
        *self.met.entry(what).or_default() += 1;
        let millis = met.at.as_millis();
        println!("kill {}: after {millis} ms, {what}", self.kills);
    }

    pub fn webhook(&mut self, status: Option<u16>) {
        let what = match status {
            Some(200) => "acknowledged".to_owned(),
            Some(other) => format!("answered {other}"),
            None => "unanswered".to_owned(),
        };
        *self.webhooks.entry(what).or_default() += 1;
    }

    pub fn started(&mut self, took: Duration) {
        self.slowest_start = self.slowest_start.max(took);
        self.starts.push(took);
    }

    /// How long a start takes as a rule.
    pub fn start_millis(&self) -> u64 {
        let middle = self.starts.get(self.starts.len() / 2);
        middle.map_or(300, |took| u64::try_from(took.as_millis()).unwrap())
    }

    pub fn settled(&mut self, rounds: u32) {
        self.most_rounds = self.most_rounds.max(rounds);
    }

    /// As a row of the README's table.
    pub fn tried(&self) -> [(&'static str, usize); 4] {
        let acknowledged = self.webhooks.get("acknowledged").copied();
        [
            ("kills", self.kills as usize),
            (
                "webhooks acknowledged",
                acknowledged.unwrap_or_default() as usize,
            ),
            ("orders", usize::try_from(self.orders).unwrap()),
            ("movements", self.movements),
        ]
    }

    /// The shop's own counts so far.
    pub fn look(&mut self, shop: &Shop) {
        self.chapters += 1;
        self.orders = shop.orders;
        self.cancelled = shop.cancelled();
        self.movements = shop.movements;
        self.requests = shop.requests();
        self.simulated = shop.ahead();
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |counts: &mut dyn Iterator<Item = String>| counts.collect::<Vec<_>>().join(", ");
        let met = list(
            &mut self
                .met
                .iter()
                .map(|(what, count)| format!("{count} {what}")),
        );
        let webhooks = list(
            &mut self
                .webhooks
                .iter()
                .map(|(what, count)| format!("{count} {what}")),
        );
        writeln!(out, "kills      {}: {met}", self.kills)?;
        let (pairs, asked, in_time) = (self.pairs, self.asked_to_end, self.ended_in_time);
        writeln!(
            out,
            "           {pairs} lives of two at once, {asked} with SIGTERM before, {in_time} ended in time"
        )?;
        writeln!(out, "webhooks   {webhooks}")?;
        writeln!(
            out,
            "books      {} orders, {} of them sent back, {} movements",
            self.orders, self.cancelled, self.movements
        )?;
        let hours = self.simulated.as_secs() / 3600;
        writeln!(
            out,
            "work       {} requests to both services, {hours} hours on their clocks",
            self.requests
        )?;
        let slowest = self.slowest_start.as_millis();
        write!(
            out,
            "settled    {} times, within {} rounds; slowest start {slowest} ms",
            self.chapters, self.most_rounds
        )
    }
}
