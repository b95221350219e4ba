//! The kit against stores, clients and clocks that are broken on purpose: each must be caught by the check that is meant for it, and
//! one that is whole by none.

mod broken_store;
mod broken_web;

use std::{cell::Cell, collections::BTreeSet, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};

use crate::{
    contention,
    ports::{Storage, Surroundings},
    report::{Finding, Outcome},
    storage, surroundings,
};
use broken_store::{Flaw, Store};

/// The names of the checks that something was caught by.
fn caught(findings: &[Finding]) -> BTreeSet<&'static str> {
    let broken = findings
        .iter()
        .filter(|finding| matches!(finding.outcome, Outcome::Broken(_)));
    broken.map(|finding| finding.name).collect()
}

fn tried(store: &dyn Storage) -> BTreeSet<&'static str> {
    let findings: Vec<Finding> = storage::all()
        .iter()
        .map(|check| storage::run(check, store))
        .collect();
    caught(&findings)
}

#[test]
fn a_store_that_keeps_the_contract_passes() {
    assert_eq!(tried(&Store::new(None)), BTreeSet::new());
}

#[test]
fn every_flaw_of_a_store_is_caught_by_the_check_that_is_meant_for_it() {
    let checks = storage::all();
    for flaw in Flaw::ALL {
        let meant = checks
            .iter()
            .find(|check| check.name == flaw.meant())
            .unwrap();
        let finding = storage::run(meant, &Store::new(Some(*flaw)));
        assert!(
            matches!(finding.outcome, Outcome::Broken(_)),
            "{flaw:?} passes {}",
            meant.name
        );
    }
}

/// Every check has a flaw that it alone was written for, or it could not fail.
#[test]
fn every_check_of_storage_can_fail() {
    let meant: BTreeSet<&str> = Flaw::ALL.iter().map(|flaw| flaw.meant()).collect();
    let checks = storage::all();
    let idle: Vec<&str> = checks
        .iter()
        .map(|check| check.name)
        .filter(|name| !meant.contains(name))
        .collect();
    assert_eq!(idle, Vec::<&str>::new());
}

/// The contract's own words, wherever its lines break.
#[test]
fn every_sentence_is_the_contract_s() {
    let plain = |text: &str| {
        text.replace("///", " ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let contract = plain(include_str!("../../../wit/storage.wit"))
        + &plain(include_str!("../../../wit/world.wit"));
    let outside = surroundings::run(&Clocks::default(), None)
        .now_or_never()
        .unwrap();
    let web = crate::web::run(None).now_or_never().unwrap();
    let mut sentences: Vec<&str> = storage::all().iter().map(|check| check.sentence).collect();
    sentences.extend(outside.iter().chain(&web).map(|finding| finding.sentence));
    let store = Store::new(None);
    sentences.extend([
        contention::survived(&store).sentence,
        contention::contended(&store, 0).sentence,
    ]);
    for sentence in sentences {
        assert!(contract.contains(sentence), "not in wit/: {sentence}");
    }
}

#[test]
fn turns_taken_side_by_side_are_all_counted_and_a_store_that_checks_nothing_is_caught() {
    for (flaw, kept) in [(None, true), (Some(Flaw::ChecksIgnored), false)] {
        let store = Store::new(flaw);
        // Between each read of the one and its commit, the other takes a turn.
        let between = broken_store::Between::new(&store);
        contention::contend(&between, 5).unwrap();
        let finding = contention::contended(&store, 5 + between.taken());
        assert_eq!(finding.outcome == Outcome::Kept, kept, "{finding:?}");
    }
}

#[test]
fn what_a_death_took_away_is_missed() {
    let store = Store::new(None);
    assert_eq!(contention::leave(&store).outcome, Outcome::Kept);
    assert_eq!(contention::survived(&store).outcome, Outcome::Kept);
    let after = Store::new(None);
    assert!(matches!(
        contention::survived(&after).outcome,
        Outcome::Broken(_)
    ));
}

/// Clocks that a test sets.
#[derive(Default)]
struct Clocks {
    wall: Cell<u64>,
    monotonic: Cell<u64>,
    /// What a wait lets pass.
    stands: bool,
    /// What each look lets pass.
    step: i64,
    random: Cell<u64>,
    /// Added to the last random number for the next.
    stride: u64,
}

impl Clocks {
    fn sound() -> Self {
        let clocks = Self {
            stride: 0x9e37_79b9_7f4a_7c15,
            step: 1,
            ..Self::default()
        };
        clocks.wall.set(1_790_000_000_000);
        clocks.monotonic.set(5_000);
        clocks
    }
}

impl Surroundings for Clocks {
    fn wall(&self) -> u64 {
        self.wall.get()
    }

    fn monotonic(&self) -> u64 {
        self.monotonic
            .set(self.monotonic.get().saturating_add_signed(self.step));
        self.monotonic.get()
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        if !self.stands {
            let passed = u64::try_from(duration.as_millis()).unwrap();
            self.monotonic.set(self.monotonic.get() + passed);
        }
        Box::pin(async {})
    }

    fn random(&self) -> u64 {
        self.random.set(self.random.get().wrapping_add(self.stride));
        self.random.get()
    }
}

#[test]
fn clocks_and_random_that_are_off_are_caught() {
    let tried = |clocks: &Clocks, peer| {
        let findings = surroundings::run(clocks, peer).now_or_never().unwrap();
        caught(&findings).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(
        tried(&Clocks::sound(), Some(1_790_000_001_000)),
        Vec::<&str>::new()
    );
    let nine_hours = 9 * 3_600_000;
    assert_eq!(
        tried(&Clocks::sound(), Some(1_790_000_000_000 + nine_hours)),
        ["wall-clock"]
    );
    let before = Clocks::sound();
    before.wall.set(0);
    assert_eq!(tried(&before, None), ["wall-clock"]);
    let back = Clocks {
        step: -1,
        ..Clocks::sound()
    };
    assert_eq!(tried(&back, None), ["monotonic-clock"]);
    let standing = Clocks {
        stands: true,
        step: 0,
        ..Clocks::sound()
    };
    assert_eq!(tried(&standing, None), ["monotonic-clock"]);
    for stride in [0, 1] {
        let guessed = Clocks {
            stride,
            ..Clocks::sound()
        };
        assert_eq!(tried(&guessed, None), ["random"]);
    }
}
