//! Two instances at once: every order of the small scenarios, naps longer than a lease, random orders of the large ones; and that all
//! of it notices when something is wrong. All small scenarios to their end: `cargo run --release -p tsunagi-simulation -- together`.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::TimeDelta;
use tsunagi_simulation::{
    scenarios,
    shop::morning,
    together::{
        Crowd, Failure, every,
        pair::{Pair, Schedule, Who},
        partner::Grain,
        slow,
        small::{self, Small},
    },
    world::Setting,
};

const THREADS: usize = 2;
/// Small scenarios that take few seconds.
const QUICK: [&str; 6] = [
    "webhook-twice",
    "webhooks",
    "webhook-round",
    "off-round",
    "resend-twice",
    "resend-round",
];
const STATES: usize = 1_000;

fn told(failures: &[Failure]) -> Vec<String> {
    let told = failures.iter().map(|failure| {
        let Failure { replay, complaints } = failure;
        format!("cargo run -p tsunagi-simulation -- {replay}: {complaints:?}")
    });
    told.collect()
}

fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_nanos() as u64 % 1_000_000_007)
}

#[test]
fn every_order_of_two_instances_ends_well() {
    for name in QUICK {
        let tally = every::explore(&small::named(name).unwrap(), STATES);
        let (orders, states) = (tally.orders, tally.states);
        println!(
            "{name}: {orders:e} orders, {states} states, {} ends",
            tally.ends
        );
        assert_eq!(told(&tally.failures), Vec::<String>::new());
        assert_eq!(tally.bound, None, "{name} has grown");
        assert!(orders > 1.0 && tally.ends > 0, "{name}: nobody met");
    }
}

#[test]
fn a_late_one_changes_nothing() {
    for name in ["webhook-round", "token", "import-mall", "resend-twice"] {
        let tally = slow::explore(&small::named(name).unwrap());
        println!(
            "{name}: {} naps, {} asked for a login",
            tally.points, tally.asked
        );
        assert_eq!(told(&tally.failures), Vec::<String>::new());
        assert!(tally.points > 5);
    }
}

#[test]
fn naps_and_a_second_machine_beside_every_scenario() {
    const APART: u32 = 67;
    let seed = fresh_seed();
    println!("seed {seed}");
    for scenario in scenarios::all() {
        let tally = slow::explore_scenario(&scenario, APART, THREADS);
        println!("{}: {} naps", scenario.name, tally.points);
        assert_eq!(told(&tally.failures), Vec::<String>::new());
        let random = slow::explore_random(&scenario, seed, 6, THREADS);
        assert_eq!(told(&random), Vec::<String>::new());
    }
}

#[test]
fn a_lease_that_is_not_checked_lets_two_in() {
    let broken = Small {
        jobs: |stage| {
            let lease = "next-engine/lease";
            stage.world.state().memory.leave_unchecked(lease);
            (small::named("login-import").unwrap().jobs)(stage)
        },
        ..small::named("login-import").unwrap()
    };
    let tally = every::explore(&broken, STATES);
    println!("{} of {} ends", tally.failures.len(), tally.ends);
    let met = tally.failures.iter().filter(|failure| {
        let mut complaints = failure.complaints.iter();
        complaints.any(|complaint| complaint.starts_with("two at Next Engine"))
    });
    assert!(met.count() > 0);
}

#[test]
fn a_late_writer_that_no_check_stops_is_seen() {
    let broken = Small {
        jobs: |stage| {
            stage.world.state().memory.leave_unchecked("stock/");
            (small::named("rounds-movement").unwrap().jobs)(stage)
        },
        ..small::named("rounds-movement").unwrap()
    };
    let naps = (1..).step_by(5).map(|at| {
        let pair = Pair::begin(&broken, Setting::default(), Grain::Answers).unwrap();
        let nap = slow::Nap {
            who: Who::A,
            at,
            login: false,
        };
        slow::nap(pair, nap)
    });
    let runs = naps.map_while(|played| played);
    let wrong = runs.filter(|(_, run)| !run.complaints.is_empty()).count();
    println!("{wrong} naps");
    assert!(wrong > 0);
}

#[test]
fn two_at_next_engine_are_seen_while_both_leases_hold() {
    let now = morning();
    let soon = Some(now + TimeDelta::minutes(1));
    let mut crowd = Crowd::default();
    let (first, breach) = crowd.enter(now, soon);
    assert_eq!(breach, None);
    assert!(crowd.enter(now, soon).1.is_some() && !crowd.is_excused());
    crowd.leave(first);
    let mut crowd = Crowd::default();
    crowd.enter(now, soon);
    let late = now + TimeDelta::minutes(2);
    let until = Some(late + TimeDelta::minutes(1));
    assert_eq!(crowd.enter(late, until).1, None, "the first slept too long");
    assert!(crowd.is_excused());
    assert!(crowd.enter(late, None).1.is_some(), "nobody comes without");
}

#[test]
fn schedules_are_read_as_they_are_written() {
    for text in ["", "A12B3A1", "B7"] {
        assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
    }
    assert_eq!("AABA".parse::<Schedule>().unwrap().to_string(), "A2B1A1");
    assert!("A2C".parse::<Schedule>().is_err() && "2".parse::<Schedule>().is_err());
}
