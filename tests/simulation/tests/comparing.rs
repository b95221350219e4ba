//! The comparison that the schedule makes at night, with every fault at every call of its rounds. Not among the scenarios of the table:
//! those play hours, in which it is never due.

use chrono::{NaiveTime, TimeDelta};
use tsunagi_guest::sync::report::Backlog;
use tsunagi_simulation::{
    fault::{Fault, Kind, Plan},
    runner::{self, Depth},
    scenarios::Scenario,
    shop::{CUP, LID, OWN, WAREHOUSE, order},
    stage::{Broken, Stage},
    world::Setting,
};

/// Where the guest keeps what it found.
const KEPT: &str = "schedule/compared";

fn evening(setting: Setting) -> Result<Stage, Broken> {
    let mut stage = Stage::begin(setting, |settings| {
        settings.pace.compare_days = 1;
    })?;
    stage.log_in()?;
    stage.switch_on(Backlog::Leave)?;
    stage.run_for(TimeDelta::seconds(5))?;
    // No cancellation: whether Next Engine takes the goods back then is its own affair, and would be a true difference.
    stage.ship(&order(OWN, "N-1", &[(LID, 1)]))?;
    stage.loss(CUP, WAREHOUSE, 2)?;
    let now = stage.world.now();
    let night =
        (now + TimeDelta::days(1)).with_time(NaiveTime::from_hms_opt(5, 0, 0).unwrap_or_default());
    let night = night.single().unwrap_or(now);
    // Everything else that is due by then is done before.
    stage.run_for(night - now - TimeDelta::hours(3))?;
    stage.world.clock.set(night);
    Ok(stage)
}

fn night(stage: &mut Stage) -> Result<(), Broken> {
    stage.run_for(TimeDelta::minutes(10))
}

const COMPARING: Scenario = Scenario {
    name: "comparing",
    about: "stock is compared at night",
    set_up: evening,
    act: night,
};

#[test]
fn it_is_made_whatever_dies_and_moves_nothing() {
    let run = runner::play(&COMPARING, Setting::default());
    assert_eq!(run.complaints, Vec::<String>::new());
    let kept = |run: &runner::Run| {
        let kept = run.storage.get(&[KEPT.to_owned()]).pop().flatten();
        let kept = kept.map(|entry| String::from_utf8_lossy(&entry.value).into_owned());
        assert!(
            kept.as_ref()
                .is_some_and(|told| told.contains("\"unexplained\":0")),
            "{kept:?}"
        );
    };
    kept(&run);
    for at in 1..=u32::try_from(run.calls.len()).unwrap() {
        let kind = Kind::DiesAfter;
        let setting = Setting {
            plan: Plan(vec![Fault { at, kind }]),
            ..Setting::default()
        };
        let run = runner::play(&COMPARING, setting);
        assert_eq!(run.complaints, Vec::<String>::new(), "{at}");
        kept(&run);
    }
    let tally = runner::explore(&COMPARING, Depth::Singles, super::THREADS);
    let failures: Vec<String> = tally
        .failures
        .iter()
        .map(|failure| format!("{} {:?}", failure.plan, failure.complaints))
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(tally.singles > 50, "{} faults", tally.singles);
}
