//! The nightly comparison: when it comes, what is told of it, and what it costs when it fails.

use serde_json::{Value, json};

use super::*;
use crate::{
    error::Side,
    sync::{
        report::{ComparisonLine, Round},
        schedule,
        tenant::SETTINGS_KEY,
        testing::{Script, at_once},
    },
    time,
};

fn at(text: &str) -> Moment {
    time::parse_rfc3339(text).unwrap()
}

/// Switched on at noon, no store takes part, compared every so many days.
fn open(days: u32) -> Script {
    let script = Script::new();
    script.switch_on(&[]);
    let mut settings = script.tenant().settings;
    settings.pace.compare_days = days;
    let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
    commit.apply(&script.ports()).unwrap();
    script
}

fn round(script: &Script, requests: u32) -> Round {
    let tenant = Tenant::open(script.ports(), requests, 600).unwrap();
    at_once(schedule::run(&tenant)).unwrap()
}

/// Next Engine's list: these codes with so many pieces.
fn goods(codes: &[&str]) -> Value {
    let rows = codes.iter().map(|code| {
        json!({"goods_id": code, "goods_name": code, "stock_quantity": "3", "stock_free_quantity": "3", "stock_allocation_quantity": "0"})
    });
    json!({"result": "success", "count": codes.len().to_string(), "data": rows.collect::<Vec<_>>()})
}

fn billed(script: &Script) -> usize {
    let requests = script.requests.borrow();
    let billed = requests.iter();
    billed.filter(|one| one.url.contains("next-engine")).count()
}

/// Goes on to when the round says, until the comparison is due; nothing is called before.
fn to_the_night(script: &Script) -> Moment {
    for _ in 0..100 {
        let due = due_at(&script.tenant(), 0).unwrap().unwrap();
        if due <= script.now.get() {
            return due;
        }
        let round = round(script, 10);
        assert!(round.next_at <= due && !round.more);
        script.now.set(round.next_at);
    }
    panic!("it never is night");
}

#[test]
fn it_comes_once_a_night_and_is_told_from_then_on() {
    let script = open(1);
    assert_eq!(round(&script, 10).compared, None);
    let due = to_the_night(&script);
    assert!(due >= at("2026-11-25T03:00:00+09:00") && due < at("2026-11-25T05:00:00+09:00"));
    assert_eq!(billed(&script), 0);
    script.will(200, &goods(&["A", "B"]));
    let told = round(&script, 10).compared.unwrap();
    assert_eq!((told.both, told.one_side, told.unexplained), (0, 2, 0));
    assert_eq!(told.compared_at, script.now.get());
    assert_eq!(billed(&script), 1);
    let next = due_at(&script.tenant(), 0).unwrap();
    assert_eq!(next, Some(due + TimeDelta::days(1)));
    assert_eq!(round(&script, 10).compared, Some(told), "in each round");
}

#[test]
fn none_is_made_where_none_is_wanted_or_the_link_is_off() {
    let script = open(0);
    script.now.set(script.now.get() + TimeDelta::hours(20));
    assert_eq!(round(&script, 10).compared, None);
    let script = open(1);
    script.now.set(script.now.get() + TimeDelta::hours(20));
    let off = json!({"on": false, "baseline": null, "off_since": null});
    let commit = Commit::new().put("link", &off).unwrap();
    commit.apply(&script.ports()).unwrap();
    assert_eq!(round(&script, 10).compared, None);
    assert_eq!(billed(&script), 0);
}

#[test]
fn a_night_that_was_missed_is_made_up_for() {
    let script = open(1);
    script.now.set(at("2026-11-26T10:00:00+09:00"));
    let due = due_at(&script.tenant(), 0).unwrap().unwrap();
    assert!(due < at("2026-11-25T05:00:00+09:00"), "{due}");
}

#[test]
fn each_shop_has_a_minute_of_its_own() {
    let minute_of = |contract: &str| {
        let script = open(1);
        let mut tenant = script.tenant();
        tenant.settings.credentials.smaregi_contract_id = contract.to_owned();
        minute(&tenant)
    };
    let minutes: Vec<u32> = (0..200).map(|at| minute_of(&format!("sb_{at}"))).collect();
    let different: std::collections::BTreeSet<_> = minutes.iter().collect();
    assert!(minutes.iter().all(|minute| *minute < SPREAD));
    assert!(different.len() > 50, "{different:?}");
    assert_eq!(minute_of("sb_7"), minutes[7]);
}

#[test]
fn a_refusal_is_asked_about_seldom_and_the_rest_goes_on() {
    let script = open(1);
    to_the_night(&script);
    script.will(
        200,
        &json!({"result": "error", "code": "004001", "message": "x"}),
    );
    let failed = round(&script, 10);
    assert!(failed.trouble.is_some() && failed.compared.is_none() && !failed.more);
    assert!(failed.next_at >= script.now.get() + TimeDelta::minutes(5));
    assert!(round(&script, 10).trouble.is_some(), "while it rests");
    assert_eq!(billed(&script), 1);
    script.now.set(failed.next_at);
    script.will(200, &goods(&[]));
    let mended = round(&script, 10);
    assert!(mended.trouble.is_none() && mended.compared.is_some());
}

#[test]
fn a_budget_that_it_does_not_fit_into_is_tried_once_a_night() {
    let script = open(1);
    let due = to_the_night(&script);
    let tenant = Tenant::open(script.ports(), 0, 600).unwrap();
    let cut = at_once(compare(&tenant, 0));
    assert_eq!(cut, Err(Error::BudgetSpent));
    let rest = rest::of(&tenant, Part::Compare).unwrap().unwrap();
    assert_eq!(
        (rest.until, rest.reason.code.as_str()),
        (due + TimeDelta::days(1), "comparison-too-large")
    );
    let round = round(&script, 10);
    assert_eq!(round.trouble.unwrap().code, "comparison-too-large");
    assert_eq!((round.more, billed(&script)), (false, 0));
}

/// A page of Next Engine's list that another one follows.
fn full_page(from: usize) -> Value {
    let codes: Vec<String> = (from..from + 1_000).map(|at| at.to_string()).collect();
    goods(&codes.iter().map(String::as_str).collect::<Vec<_>>())
}

fn pages_kept(script: &Script) -> usize {
    let entries = script.storage.entries.borrow();
    let kept = entries.keys();
    kept.filter(|key| key.starts_with(PAGES)).count()
}

#[test]
fn one_that_a_budget_is_too_small_for_goes_on_in_later_rounds_and_reads_no_page_twice() {
    let script = open(1);
    to_the_night(&script);
    for from in [0, 1_000, 2_000] {
        script.will(200, &full_page(from));
    }
    script.will(200, &goods(&["last"]));
    let mut rounds = 0;
    let told = loop {
        rounds += 1;
        let round = round(&script, 1);
        assert_eq!(
            (round.trouble, round.more),
            (None, round.compared.is_none())
        );
        if let Some(told) = round.compared {
            break told;
        }
        assert_eq!(pages_kept(&script), billed(&script));
    };
    assert_eq!((told.one_side, billed(&script), rounds), (3_001, 4, 4));
    assert_eq!(pages_kept(&script), 0);
}

#[test]
fn what_was_read_an_hour_ago_is_read_anew() {
    for (minutes, calls) in [(59, 2), (60, 3)] {
        let script = open(1);
        to_the_night(&script);
        script.will(200, &full_page(0));
        assert!(round(&script, 1).more);
        script
            .now
            .set(script.now.get() + TimeDelta::minutes(minutes));
        if calls == 3 {
            script.will(200, &full_page(0));
        }
        script.will(200, &goods(&["last"]));
        let told = round(&script, 10).compared.unwrap();
        assert_eq!(
            (told.one_side, billed(&script)),
            (1_001, calls),
            "{minutes}"
        );
        assert_eq!(pages_kept(&script), 0);
    }
}

#[test]
fn one_that_sixty_calls_do_not_do_for_is_given_up_until_the_next_night() {
    let script = open(1);
    let due = to_the_night(&script);
    for call in 0..=MOST_CALLS {
        assert_eq!(
            rest::of(&script.tenant(), Part::Compare),
            Ok(None),
            "{call}"
        );
        script.will(200, &full_page(call as usize * 1_000));
        let tenant = Tenant::open(script.ports(), 1, 600).unwrap();
        assert_eq!(at_once(compare(&tenant, 0)), Err(Error::BudgetSpent));
    }
    let rest = rest::of(&script.tenant(), Part::Compare).unwrap().unwrap();
    assert_eq!(rest.until, due + TimeDelta::days(1));
    assert_eq!(rest.reason.code, "comparison-too-large");
    assert_eq!(pages_kept(&script), 0);
}

fn line(code: &str, smaregi: i64, next_engine: i64, unexplained: i64) -> ComparisonLine {
    ComparisonLine {
        code: code.to_owned(),
        name: String::new(),
        smaregi: Some(smaregi.into()),
        next_engine: Some(next_engine.into()),
        next_engine_free: None,
        next_engine_allocated: None,
        difference: (smaregi - next_engine).into(),
        unexplained: unexplained.into(),
        explanations: Vec::new(),
    }
}

fn look(before: Kept, hour: i64, lines: &[ComparisonLine]) -> Kept {
    let now = at("2026-11-25T03:00:00+09:00") + TimeDelta::hours(hour);
    let comparison = Comparison {
        lines: lines.to_vec(),
        unexplained_products: 0,
        compared_at: now,
    };
    after_look(before, &comparison, now + TimeDelta::hours(1))
}

fn unexplained(kept: &Kept) -> Option<u32> {
    kept.told.as_ref().map(|told| told.unexplained)
}

#[test]
fn a_difference_is_told_when_it_stood_twice() {
    let [moving, standing, other] = [line("M", 5, 4, 1), line("S", 3, 1, 2), line("O", 1, 1, 0)];
    let also = line("T", 2, 9, -7);
    let lines = [moving, standing.clone(), also.clone(), other.clone()];
    let first = look(Kept::default(), 0, &lines);
    assert_eq!((unexplained(&first), first.doubtful.len()), (None, 3));
    assert_eq!(first.again_at, Some(at("2026-11-25T04:00:00+09:00")));
    let lines = [line("M", 5, 3, 2), standing, also, other.clone()];
    let second = look(first, 1, &lines);
    assert_eq!(unexplained(&second), Some(2), "those that did not move");
    assert_eq!(second.told.as_ref().unwrap().both, 4);
    assert_eq!((second.again_at, second.doubtful.len()), (None, 0));
    let tomorrow = look(second.clone(), 24, &[line("N", 9, 8, 1)]);
    assert_eq!(tomorrow.told, second.told, "as before while it is doubtful");
    let mended = look(second, 24, &[other]);
    assert_eq!(unexplained(&mended), Some(0));
}

#[test]
fn the_second_look_comes_when_a_look_for_missed_movements_was_made_and_read() {
    let script = open(1);
    let mut tenant = script.tenant();
    tenant.settings.pace.catch_up_minutes = 60;
    let later = script.now.get() + TimeDelta::minutes(75);
    assert_eq!(look_again_at(&tenant), later);
}

#[test]
fn more_than_can_move_by_accident_is_told_at_once() {
    let many = |number: usize| {
        let lines = (0..number).map(|at| line(&at.to_string(), 2, 1, 1));
        lines.collect::<Vec<_>>()
    };
    let kept = look(Kept::default(), 0, &many(MOST_DOUBTFUL));
    assert_eq!((unexplained(&kept), kept.calls), (None, 2));
    let kept = look(Kept::default(), 0, &many(MOST_DOUBTFUL + 1));
    assert_eq!(unexplained(&kept), Some(1_001));
    assert_eq!(kept.again_at, None);
}

#[test]
fn an_outage_leaves_it_due() {
    let script = open(1);
    let due = to_the_night(&script);
    let failure = Err(crate::ports::HttpFailure::NotSent);
    script.answers.borrow_mut().push_back(failure);
    let failed = at_once(compare(&script.tenant(), 0)).unwrap_err();
    assert!(
        matches!(failed, Error::Unavailable(Side::NextEngine, ..)),
        "{failed:?}"
    );
    assert_eq!(due_at(&script.tenant(), 0), Ok(Some(due)));
}

#[test]
fn pages_are_gone_on_with_for_an_hour_and_never_from_the_future() {
    let now = Script::new().now.get();
    let is_fresh = |seconds| {
        let begun = now + TimeDelta::seconds(seconds);
        Reading { begun, cut_off: 1 }.is_fresh(now)
    };
    assert_eq!(
        [0, -3_599, -3_600, 1].map(is_fresh),
        [true, true, false, false]
    );
}
