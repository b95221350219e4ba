//! How many looks there are at one time, how long one lasts, and what looks of several kinds have to do with each other.

use super::*;

/// A look at one piece that had no history; its effect's intent is stored if `begun`.
fn look_of(script: &Script, tenant: &Tenant<'_>, kind: Kind, work: &str, begun: bool) {
    let session = at_once(Smaregi::open(tenant)).unwrap();
    script.will(200, &json!([]));
    let look = at_once(begin(&session, tenant, kind, work, &[piece("1")])).unwrap();
    let look = look.expect("there is room for one");
    if begun {
        let commit = note(Commit::new(), &look).unwrap();
        commit.apply(&tenant.ports).unwrap();
    } else {
        keep(tenant, &look).unwrap();
    }
}

fn is_room_for(script: &Script, kind: Kind, work: &str) -> bool {
    let tenant = script.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    script.will(200, &json!([]));
    let look = at_once(begin(&session, &tenant, kind, work, &[piece("1")])).unwrap();
    if look.is_none() {
        script.answers.borrow_mut().clear();
    }
    look.is_some()
}

#[test]
fn two_effects_of_a_kind_are_looked_at_and_other_kinds_do_not_count() {
    let script = opened();
    let tenant = script.tenant();
    for work in ["1-0", "2-0"] {
        assert!(is_room_for(&script, Kind::Sale, work));
        look_of(&script, &tenant, Kind::Sale, work, true);
    }
    assert!(!is_room_for(&script, Kind::Sale, "3-0"));
    assert!(
        is_room_for(&script, Kind::Sale, "2-0"),
        "one of the two itself"
    );
    assert!(is_room_for(&script, Kind::Cancel, "3-0"));
}

#[test]
fn a_known_effect_is_not_looked_at() {
    let script = opened();
    let tenant = script.tenant();
    assert!(is_room_for(&script, Kind::Sale, "1-0"));
    let commit = learn(&tenant, Commit::new(), Kind::Sale, &Effect::Nothing).unwrap();
    commit.apply(&script.ports()).unwrap();
    assert!(!is_room_for(&script, Kind::Sale, "1-0"));
}

#[test]
fn a_look_that_was_cut_off_is_gone_on_with_within_the_hour_and_only_before_its_effect() {
    for (begun, minutes, reads_again) in [(false, 59, false), (false, 60, true), (true, 1, true)] {
        let script = opened();
        let tenant = script.tenant();
        look_of(&script, &tenant, Kind::Sale, "1-0", begun);
        script
            .now
            .set(script.now.get() + TimeDelta::minutes(minutes));
        let before = script.requests.borrow().len();
        assert!(is_room_for(&script, Kind::Sale, "1-0"));
        let read = script.requests.borrow().len() > before;
        assert_eq!(read, reads_again, "begun {begun}, {minutes} minutes");
    }
}

#[test]
fn what_the_service_answers_does_not_keep_a_look() {
    let script = opened();
    let tenant = script.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    script.will(200, &json!([]));
    script.will(403, &json!({"title": "forbidden"}));
    let pieces = [piece("1"), piece("2")];
    let begun = at_once(begin(&session, &tenant, Kind::Sale, "1-0", &pieces));
    assert!(begun.is_err(), "{begun:?}");
    assert_eq!(looks(&tenant).unwrap(), Vec::new());
}

#[test]
fn a_look_whose_effect_never_began_is_given_up_after_an_hour() {
    let script = opened();
    let tenant = script.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    look_of(&script, &tenant, Kind::Sale, "1-0", false);
    let due = script.now.get() + TimeDelta::hours(1);
    assert_eq!(next_look(&tenant).unwrap(), Some(due));
    script.now.set(due);
    at_once(pending_looks(&session, &tenant)).unwrap();
    assert_eq!(looks(&tenant).unwrap().len(), 1, "to the hour it is kept");
    script.now.set(due + TimeDelta::seconds(1));
    at_once(pending_looks(&session, &tenant)).unwrap();
    assert_eq!(looks(&tenant).unwrap(), Vec::new());
}

#[test]
fn a_begun_look_is_gone_on_with_after_an_hour_too() {
    let script = opened();
    let tenant = script.tenant();
    look_of(&script, &tenant, Kind::Sale, "1-0", true);
    script.now.set(script.now.get() + TimeDelta::hours(2));
    let tenant = script.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    script.will(200, &json!([row("10", -2, "02", None)]));
    at_once(pending_looks(&session, &tenant)).unwrap();
    assert!(script.answers.borrow().is_empty(), "the row was not read");
    script.now.set(next_look(&tenant).unwrap().unwrap());
    at_once(pending_looks(&session, &tenant)).unwrap();
    assert_eq!(effect(&tenant, Kind::Sale).unwrap(), moves());
}

#[test]
fn after_nothing_a_minute_passes_before_the_second_look() {
    let script = opened();
    let tenant = script.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    look_of(&script, &tenant, Kind::Sale, "1-0", true);
    script.will(200, &json!([]));
    at_once(after(&session, &tenant, Kind::Sale, "1-0")).unwrap();
    script.now.set(script.now.get() + TimeDelta::seconds(59));
    let before = script.requests.borrow().len();
    at_once(after(&session, &tenant, Kind::Sale, "1-0")).unwrap();
    assert_eq!(script.requests.borrow().len(), before);
}

#[test]
fn a_row_of_ours_would_be_taken_for_another_kinds_on_the_same_piece_only() {
    let script = opened();
    let tenant = script.tenant();
    look_of(&script, &tenant, Kind::Sale, "1-0", false);
    let disturbs =
        |kind, piece: &Piece| would_disturb(&tenant, kind, std::slice::from_ref(piece)).unwrap();
    assert!(!disturbs(Kind::Cancel, &piece("1")), "nothing was begun");
    look_of(&script, &tenant, Kind::Sale, "2-0", true);
    assert!(disturbs(Kind::Cancel, &piece("1")));
    assert!(!disturbs(Kind::Sale, &piece("1")), "its own kind");
    assert!(!disturbs(Kind::Cancel, &piece("2")), "another product");
    let elsewhere = Piece {
        store_id: "2".to_owned(),
        ..piece("1")
    };
    assert!(!disturbs(Kind::Cancel, &elsewhere), "another store");
    let back = Piece {
        quantity: 1,
        ..piece("1")
    };
    assert!(!disturbs(Kind::Cancel, &back), "the other way");
    let fewer = Piece {
        quantity: -1,
        ..piece("1")
    };
    assert!(disturbs(Kind::Cancel, &fewer), "the same way, fewer");
}

/// A look that was late, so that it is evidence and not yet an answer.
fn late(script: &Script, kind: Kind, work: &str) {
    let tenant = &script.tenant();
    let session = at_once(Smaregi::open(tenant)).unwrap();
    look_of(script, tenant, kind, work, true);
    script.now.set(script.now.get() + TimeDelta::seconds(121));
    script.will(200, &json!([row("10", -2, "02", None)]));
    at_once(after(&session, tenant, kind, work)).unwrap();
}

#[test]
fn evidence_is_of_its_kind() {
    let script = opened();
    let tenant = script.tenant();
    for (kind, work) in [(Kind::Sale, "1-0"), (Kind::Cancel, "2-0")] {
        late(&script, kind, work);
        late(&script, kind, work);
    }
    assert_eq!(effect(&tenant, Kind::Sale).unwrap(), None);
    assert_eq!(effect(&tenant, Kind::Cancel).unwrap(), None);
    for work in ["3-0", "4-0", "5-0"] {
        late(&script, Kind::Sale, work);
    }
    assert_eq!(effect(&tenant, Kind::Sale).unwrap(), moves());
    assert_eq!(effect(&tenant, Kind::Cancel).unwrap(), None);
}

#[test]
fn what_is_learned_ends_the_looks_of_its_kind_and_no_others() {
    let script = opened();
    let tenant = script.tenant();
    look_of(&script, &tenant, Kind::Sale, "1-0", true);
    look_of(&script, &tenant, Kind::Cancel, "2-0", true);
    let commit = learn(&tenant, Commit::new(), Kind::Sale, &Effect::Nothing).unwrap();
    commit.apply(&script.ports()).unwrap();
    let left: Vec<String> = looks(&tenant)
        .unwrap()
        .into_iter()
        .map(|look| look.key)
        .collect();
    assert_eq!(left, ["own-look/cancel/2-0"]);
}

#[test]
fn a_close_look_is_believed_against_what_other_effects_seemed_to_show() {
    let script = opened();
    let tenant = script.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    look_of(&script, &tenant, Kind::Sale, "1-0", true);
    for _ in 0..2 {
        script.will(200, &json!([]));
        at_once(after(&session, &tenant, Kind::Sale, "1-0")).unwrap();
        script.now.set(script.now.get() + TimeDelta::seconds(61));
    }
    assert_eq!(effect(&tenant, Kind::Sale).unwrap(), None);
    look_of(&script, &tenant, Kind::Sale, "2-0", true);
    script.will(200, &json!([row("10", -2, "02", None)]));
    at_once(after(&session, &tenant, Kind::Sale, "2-0")).unwrap();
    assert_eq!(effect(&tenant, Kind::Sale).unwrap(), moves());
}
