//! The simulation as tests: runs repeat themselves, the judge can fail, and every single fault of every scenario is survived. Pairs
//! take longer: `cargo run --release -p tsunagi-simulation -- run --pairs`.

mod comparing;
mod lives;
mod planted;
mod together;

use tsunagi_simulation::{
    fault::{Fault, Kind, Plan},
    judge,
    proof::{Check, Proof},
    runner::{self, Depth, Tally},
    scenarios,
    stage::Stage,
    world::Setting,
};

#[cfg(test)]
mod hostile;

const THREADS: usize = 2;

#[test]
fn every_scenario_ends_well_when_nothing_goes_wrong() {
    for scenario in scenarios::every() {
        let run = runner::play(&scenario, Setting::default());
        assert_eq!(run.complaints, Vec::<String>::new(), "{}", scenario.name);
        assert!(
            !run.calls.is_empty() && run.logins == 0,
            "{}",
            scenario.name
        );
    }
}

#[test]
fn every_single_fault_is_survived() {
    let mut sum = Tally::default();
    for scenario in scenarios::all() {
        let tally = runner::explore(&scenario, Depth::Singles, THREADS);
        println!(
            "{}: {} calls, {} single faults, {} logins",
            scenario.name, tally.calls, tally.singles, tally.logins
        );
        let told: Vec<String> = tally
            .failures
            .iter()
            .map(|failure| format!("{} {:?}", failure.plan, failure.complaints))
            .collect();
        assert!(
            told.is_empty(),
            "replay {} --fault ...: {told:#?}",
            scenario.name
        );
        sum.add(tally);
    }
    table_is_fresh(&Proof::read().unwrap(), &sum);
}

/// What the README's table says of faults and pairs is what there is to try.
fn table_is_fresh(proof: &Proof, sum: &Tally) {
    let counted = |check, unit| proof.of(check).and_then(|counted| counted.of(unit));
    let again = "`tsunagi-simulation run --record`, and with `--pairs`, make it anew";
    let (faults, pairs) = (sum.singles as u64, sum.possible_pairs as u64);
    assert_eq!(counted(Check::Singles, "faults"), Some(faults), "{again}");
    let told = counted(Check::Pairs, "pairs");
    assert_eq!(told.unwrap_or(pairs), pairs, "{again}");
}

#[test]
fn the_readme_shows_what_was_counted() {
    assert!(
        Proof::read().unwrap().is_shown().unwrap(),
        "`tsunagi-simulation table` makes it anew"
    );
}

#[test]
fn a_run_is_a_function_of_its_plan_and_forking_does_not_change_it() {
    let scenario = scenarios::named("import").unwrap();
    let setting = |at| Setting {
        plan: Plan(vec![Fault {
            at,
            kind: Kind::DiesAfter,
        }]),
        traced: true,
        ..Setting::default()
    };
    for at in [20, 60, 200] {
        let (one, other) = (
            runner::play(&scenario, setting(at)),
            runner::play(&scenario, setting(at)),
        );
        assert_eq!((&one.trace, &one.calls), (&other.trace, &other.calls));
        assert_eq!(one.storage, other.storage);
        let forked = runner::play_forked(&scenario, &setting(at).plan);
        assert_eq!((one.calls, one.storage), (forked.calls, forked.storage));
    }
}

#[test]
fn the_judge_sees_what_is_twice_lost_or_off_by_a_yen() {
    let stage = || {
        let mut stage = Stage::lived_in(Setting::default(), |_| ()).unwrap();
        stage.till(1, 1).unwrap();
        stage.settle().unwrap();
        assert_eq!(verdict(&stage), Vec::<String>::new());
        stage
    };
    let mut twice = stage();
    twice
        .act(|services| services.smaregi.pos_sale(1, &[(1, 1)]))
        .unwrap();
    assert_eq!(
        verdict(&twice).len(),
        2,
        "turnover and shelf: {:?}",
        verdict(&twice)
    );
    let mut lost = stage();
    lost.script.travels("TEA", -1);
    assert_eq!(verdict(&lost).len(), 1);
    let mut off = stage();
    off.script.takings += 1;
    assert_eq!(verdict(&off).len(), 1);
    let mut unbooked = stage();
    unbooked
        .ship(&tsunagi_simulation::shop::order(1, "X", &[(1, 1)]))
        .unwrap();
    assert!(
        !verdict(&unbooked).is_empty(),
        "an order that nobody took in"
    );
}

fn verdict(stage: &Stage) -> Vec<String> {
    judge::judge(&stage.world.state().services, &stage.script)
}

#[test]
fn faults_are_read_as_they_are_written() {
    for kind in Kind::ALL {
        let fault = Fault {
            at: 17,
            kind: *kind,
        };
        assert_eq!(fault.to_string().parse(), Ok(fault));
    }
    assert!("17".parse::<Fault>().is_err() && "x:conflict".parse::<Fault>().is_err());
}
