//! Every fault planted in the guest is found, and says how many runs it took. A fault that is not is a hole in the scenarios or in the
//! judge: it must be closed there, never here.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use tsunagi_guest::planted::Planted;
use tsunagi_simulation::{
    planted::{self, Found},
    runner, scenarios,
    world::Setting,
};

const THREADS: usize = 2;
/// Runs within which each must be found; without planting, none of them fails.
const MOST_RUNS: u32 = 20_000;
/// What no fault is needed for: the scenarios show it undisturbed.
const PLAINLY_WRONG: [Planted; 14] = [
    Planted::StaleCopyRetried,
    Planted::SameIdentityAgain,
    Planted::UndoneMovesStay,
    Planted::RoundingPerLine,
    Planted::PointsLeftOut,
    Planted::DiscountTurned,
    Planted::UtcDay,
    Planted::CreditNotConsumed,
    Planted::RowCountedTwice,
    Planted::BaselineIgnored,
    Planted::CatchUpWithoutOverlap,
    Planted::MarkNotLookedFor,
    Planted::QueueBelieved,
    Planted::RestoreForgotten,
];

#[test]
fn what_is_plainly_wrong_is_found_undisturbed() {
    let most = u32::try_from(scenarios::every().len()).unwrap();
    for planted in PLAINLY_WRONG {
        let found = planted::find(planted, most);
        let found = found.unwrap_or_else(|| panic!("{} is not found", planted.name()));
        assert!(found.plan.0.is_empty(), "{}", planted.name());
        told(planted, &found);
    }
}

#[test]
#[ignore = "takes minutes; `cargo run --release -p tsunagi-simulation -- planted` does the same"]
fn every_planted_fault_is_found() {
    let next = AtomicUsize::new(0);
    let missed: Vec<&str> = thread::scope(|scope| {
        let search = || {
            let mut missed = Vec::new();
            while let Some(&planted) = Planted::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                match planted::find(planted, MOST_RUNS) {
                    Some(found) => told(planted, &found),
                    None => missed.push(planted.name()),
                }
            }
            missed
        };
        let searches: Vec<_> = (0..THREADS).map(|_| scope.spawn(search)).collect();
        searches
            .into_iter()
            .flat_map(|search| search.join().unwrap())
            .collect()
    });
    assert_eq!(missed, Vec::<&str>::new(), "not found in {MOST_RUNS} runs");
}

fn told(planted: Planted, found: &Found) {
    println!(
        "{}: {} runs, {} [{}]: {}",
        planted.name(),
        found.runs,
        found.scenario,
        found.plan,
        found.complaint
    );
}

#[test]
fn names_are_different_and_a_fault_ends_with_its_run() {
    let names: BTreeSet<&str> = Planted::ALL.iter().map(|planted| planted.name()).collect();
    assert_eq!(names.len(), Planted::ALL.len());
    assert!(names.iter().all(|name| planted::named(name).is_ok()));
    assert!(planted::named("nothing").is_err());
    let import = scenarios::named("import").unwrap();
    let with = |planted| {
        let setting = Setting {
            planted,
            ..Setting::default()
        };
        runner::play(&import, setting).complaints.len()
    };
    assert!(with(Some(Planted::PointsLeftOut)) > 0);
    assert_eq!(with(None), 0);
}
