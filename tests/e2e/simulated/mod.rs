//! The proof that the native simulation stands for the component: the same scenarios, the same faults, and equal storage to the
//! byte, equal books, equal calls at equal times. What differs is a fault of the glue (`guest/src/component`).
//!
//! More fault points: `TSUNAGI_POINTS=N` for every Nth call, or `all`. With `TSUNAGI_RECORD=1`
//! besides, the number of the README's row writes that row.

mod engine;
mod fuel;
mod imports;
mod sky;
mod words;

use std::sync::{Arc, Mutex};

use tsunagi_simulation::{
    export::Engine,
    fault::{Call, Fault, Kind, Plan},
    native::Native,
    proof::{Check, Proof},
    runner::{self, Run},
    scenarios::{self, Scenario},
    stage::Stage,
    world::{Line, Setting},
};

use engine::Wasm;

/// Every so manieth call meets a fault, when nothing else is asked for.
const USUAL: u32 = 97;

/// Runs at once; they do not share anything.
const THREADS: usize = 2;

/// Differences shown.
const SHOWN: usize = 20;

/// What is compared.
struct Seen {
    run: Run,
    books: [String; 2],
}

fn begin(scenario: &Scenario, engine: Arc<dyn Engine>) -> Stage {
    let setting = Setting {
        traced: true,
        engine,
        ..Setting::default()
    };
    let mut stage = (scenario.set_up)(setting).unwrap_or_else(|why| panic!("set-up: {why}"));
    stage.disturb();
    stage
}

fn play(scenario: &Scenario, beginning: &Stage, plan: &Plan) -> Seen {
    let mut stage = beginning.fork(plan.clone());
    let played = (scenario.act)(&mut stage).and_then(|()| stage.settle());
    let run = runner::verdict(&stage, played);
    let services = &stage.world.state().services;
    let books = [
        format!("{:#?}", services.smaregi.books()),
        format!("{:#?}", services.next_engine.books()),
    ];
    Seen { run, books }
}

/// The lines around the first difference.
fn apart(native: &[Line], wasm: &[Line]) -> String {
    let same = native
        .iter()
        .zip(wasm)
        .take_while(|(one, other)| one == other);
    let at = same.count();
    let shown = |trace: &[Line]| {
        let from = trace.get(at.saturating_sub(4)..).unwrap_or_default();
        let lines = from.iter().take(8).map(|line| format!("{line:?}\n"));
        lines.collect::<String>()
    };
    format!("native:\n{}component:\n{}", shown(native), shown(wasm))
}

/// What two runs differ in, the most telling first; `None` for nothing, and a content judge.
fn difference(native: &Seen, wasm: &Seen) -> Option<String> {
    let rest = |run: &Run| (run.complaints.clone(), run.logins, run.rounds);
    let (one, other) = (&native.run, &wasm.run);
    let checks = [
        (
            "calls",
            one.trace == other.trace && one.calls == other.calls,
        ),
        ("storage", one.storage == other.storage),
        ("books", native.books == wasm.books),
        ("ends", rest(one) == rest(other)),
    ];
    if let Some((what, _)) = checks.iter().find(|(_, equal)| !equal) {
        let complaints = (&one.complaints, &other.complaints);
        let apart = apart(&one.trace, &other.trace);
        return Some(format!("other {what}; complaints {complaints:?}\n{apart}"));
    }
    let complaints = &other.complaints;
    (!complaints.is_empty()).then(|| format!("the judge: {complaints:?}"))
}

/// A fault at every `each`th call, the kinds in turn.
fn spread(calls: &[Call], each: u32) -> Vec<Fault> {
    let mut turn = 0;
    let chosen = (1..).zip(calls).filter(|(at, _)| at % each == 0);
    chosen
        .filter_map(|(at, call)| {
            let kinds = Kind::ALL.iter().cycle().skip(turn).take(Kind::ALL.len());
            let kind = *kinds.into_iter().find(|kind| kind.fits(call.class))?;
            turn += 1;
            Some(Fault { at, kind })
        })
        .collect()
}

fn points(calls: &[Call]) -> Vec<Fault> {
    match std::env::var("TSUNAGI_POINTS").ok().as_deref() {
        None | Some("") => spread(calls, USUAL),
        Some("all") => runner::singles(calls),
        Some(each) => spread(calls, each.parse().unwrap()),
    }
}

/// Differences of a scenario, each with its plan, and the figures: calls undisturbed, faults.
fn differences(scenario: &Scenario, wasm: &Arc<dyn Engine>) -> (Vec<String>, usize, usize) {
    let native = begin(scenario, Arc::new(Native));
    let component = begin(scenario, wasm.clone());
    let played = |plan: &Plan| {
        let (one, other) = (
            play(scenario, &native, plan),
            play(scenario, &component, plan),
        );
        let told = difference(&one, &other);
        let told = told.map(|told| format!("{} --fault {plan}: {told}", scenario.name));
        (one.run.calls, told)
    };
    let (calls, told) = played(&Plan::default());
    let faults = points(&calls);
    let told = Mutex::new(Vec::from_iter(told));
    runner::share_out(THREADS, &faults, |fault| {
        let apart = played(&Plan(vec![*fault])).1;
        told.lock().unwrap().extend(apart);
    });
    (told.into_inner().unwrap(), calls.len(), faults.len())
}

#[test]
fn the_component_does_what_the_native_flows_do_undisturbed_and_whatever_dies() {
    let wasm: Arc<dyn Engine> = Arc::new(Wasm::new());
    let (mut told, mut calls, mut faults) = (Vec::new(), 0, 0);
    for scenario in scenarios::all() {
        let (apart, its_calls, its_faults) = differences(&scenario, &wasm);
        told.extend(apart);
        calls += its_calls;
        faults += its_faults;
    }
    println!(
        "component and native flows: {calls} calls undisturbed, {faults} single faults, {} differences",
        told.len()
    );
    let of_the_row = |points| {
        Check::Component
            .command()
            .starts_with(&format!("TSUNAGI_POINTS={points} "))
    };
    if std::env::var("TSUNAGI_POINTS").is_ok_and(of_the_row) {
        let tried = [
            ("scenarios", scenarios::all().len()),
            ("calls", calls),
            ("faults", faults),
        ];
        Proof::record_if_asked(Check::Component, &tried, told.len()).unwrap();
    }
    let shown = &told[..told.len().min(SHOWN)];
    assert!(told.is_empty(), "{}", shown.join("\n"));
}
