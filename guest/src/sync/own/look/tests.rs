//! Looks by table and by script: what is believed, when, and what a spent budget leaves.

mod limits;

use serde_json::{Value, json};

use super::*;
use crate::{
    sync::{
        own,
        tenant::Tenant,
        testing::{Script, at_once},
    },
    wire::sent,
};

fn row(id: &str, amount: i64, division: &str, memo: Option<&str>) -> Value {
    json!({"id": id, "productId": "1", "storeId": "1", "amount": amount.to_string(), "stockDivision": division,
        "memo": memo, "updDateTime": "2026-11-24T12:00:00+09:00"})
}

fn piece(product: &str) -> Piece {
    Piece {
        drawn: false,
        product_id: product.to_owned(),
        store_id: "1".to_owned(),
        quantity: -2,
    }
}

#[test]
fn learns_only_from_what_fits() {
    let spot = Spot {
        piece: piece("1"),
        before: Some("9".to_owned()),
        nothing_at: None,
    };
    let moved = || Finding::Moved("02".to_owned());
    for (rows, expected) in [
        (json!([]), Finding::Nothing),
        (json!([row("10", -2, "02", None)]), moved()),
        (
            json!([row("11", -1, "02", None), row("10", -1, "02", None)]),
            moved(),
        ),
        (
            json!([row("11", -1, "02", None), row("10", -1, "15", None)]),
            Finding::Nothing,
        ),
        (
            json!([
                row("12", 3, "02", None),
                row("11", -1, "02", None),
                row("10", -1, "02", None)
            ]),
            moved(),
        ),
        (
            json!([
                row("12", -1, "02", None),
                row("11", -1, "02", None),
                row("10", -1, "02", None)
            ]),
            Finding::Unclear,
        ),
        (json!([row("9", -2, "02", None)]), Finding::Nothing),
        (json!([row("10", -3, "02", None)]), Finding::Nothing),
        (
            json!([row("10", -2, "15", Some("tsunagi NE1-0-0"))]),
            Finding::Nothing,
        ),
        (
            json!([row("11", -2, "15", None), row("10", -2, "02", None)]),
            Finding::Unclear,
        ),
        // One row of two pieces, and two rows of one in another division: either may be ours.
        (
            json!([
                row("12", -2, "02", None),
                row("11", -1, "15", None),
                row("10", -1, "15", None)
            ]),
            Finding::Unclear,
        ),
    ] {
        let changes: Vec<Change> = changes::decode(&rows.clone().into())
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(judge(&spot, &changes), expected, "{rows}");
    }
}

fn opened() -> Script {
    let script = Script::new();
    script.will(
        200,
        &json!({"access_token": "t", "expires_in": 36_000, "token_type": "Bearer", "scope": ""}),
    );
    at_once(Smaregi::open(&script.tenant())).unwrap();
    script
}

/// One effect of a piece each, around which the history answers so; the script's answers follow each other.
fn effect_of(script: &Script, tenant: &Tenant<'_>, work: &str, pieces: &[Piece], rows: &[Value]) {
    let session = at_once(Smaregi::open(tenant)).unwrap();
    for _ in pieces {
        script.will(200, &json!([]));
    }
    let look = at_once(begin(&session, tenant, Kind::Sale, work, pieces)).unwrap();
    let commit = note(Commit::new(), &look.unwrap()).unwrap();
    let commit = own::open(commit, work, Kind::Sale, pieces, script.now.get()).unwrap();
    commit.apply(&script.ports()).unwrap();
    // While the outcome is open nothing is looked at, however long it takes.
    at_once(pending_looks(&session, tenant)).unwrap();
    assert_eq!(next_look(tenant).unwrap(), None);
    let at = tenant.now();
    let settled = own::settle(Commit::new(), work, Kind::Sale, pieces, (at, at), None).unwrap();
    settled.apply(&script.ports()).unwrap();
    for row in rows {
        script.will(200, &json!([row]));
    }
    at_once(after(&session, tenant, Kind::Sale, work)).unwrap();
}

fn moves() -> Option<Effect> {
    Some(Effect::Moves {
        division: "02".to_owned(),
    })
}

#[test]
fn two_places_of_one_effect_agree_at_once() {
    let script = opened();
    let tenant = script.tenant();
    let sold = row("10", -2, "02", None);
    effect_of(
        &script,
        &tenant,
        "1-0",
        &[piece("1"), piece("2")],
        &[sold.clone(), sold],
    );
    assert_eq!(effect(&tenant, Kind::Sale).unwrap(), moves());
    assert_eq!(next_look(&tenant).unwrap(), None);
}

#[test]
fn a_close_look_is_believed_at_once() {
    let script = opened();
    let tenant = script.tenant();
    let sold = row("10", -2, "02", None);
    effect_of(&script, &tenant, "1-0", &[piece("1")], &[sold]);
    assert_eq!(effect(&tenant, Kind::Sale).unwrap(), moves());
}

#[test]
fn a_late_look_is_not_believed_until_another_place_agrees_or_ten_minutes_pass() {
    for alone in [false, true] {
        let script = opened();
        let tenant = script.tenant();
        let sold = || row("10", -2, "02", None);
        late_effect_of(&script, &tenant, "1-0", "1", sold());
        late_effect_of(&script, &tenant, "2-0", "1", sold());
        assert_eq!(effect(&tenant, Kind::Sale).unwrap(), None);
        if alone {
            script.now.set(next_look(&tenant).unwrap().unwrap());
            let session = at_once(Smaregi::open(&tenant)).unwrap();
            at_once(pending_looks(&session, &tenant)).unwrap();
        } else {
            late_effect_of(&script, &tenant, "3-0", "2", sold());
        }
        assert_eq!(effect(&tenant, Kind::Sale).unwrap(), moves());
    }
}

/// The same, the second reading minutes after the first: a call died in between.
fn late_effect_of(script: &Script, tenant: &Tenant<'_>, work: &str, product: &str, row: Value) {
    let session = at_once(Smaregi::open(tenant)).unwrap();
    script.will(200, &json!([]));
    let pieces = [piece(product)];
    let look = at_once(begin(&session, tenant, Kind::Sale, work, &pieces)).unwrap();
    let commit = note(Commit::new(), &look.unwrap()).unwrap();
    commit.apply(&script.ports()).unwrap();
    script.now.set(script.now.get() + TimeDelta::seconds(121));
    script.will(200, &json!([row]));
    at_once(after(&session, tenant, Kind::Sale, work)).unwrap();
}

#[test]
fn a_coincidence_at_one_place_does_not_outweigh_the_other() {
    let script = opened();
    let tenant = script.tenant();
    let rows = [row("10", -2, "02", None), row("10", -2, "15", None)];
    effect_of(&script, &tenant, "1-0", &[piece("1"), piece("2")], &rows);
    assert_eq!(effect(&tenant, Kind::Sale).unwrap(), None);
}

#[test]
fn nothing_takes_two_looks_a_minute_apart_and_a_lone_place_ten_minutes() {
    let script = opened();
    let tenant = script.tenant();
    let other = || row("10", -7, "02", None);
    effect_of(&script, &tenant, "1-0", &[piece("1")], &[other()]);
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    let due = tenant.now() + TimeDelta::seconds(60);
    assert_eq!(next_look(&tenant).unwrap(), Some(due));
    script.now.set(due);
    script.will(200, &json!([other()]));
    at_once(pending_looks(&session, &tenant)).unwrap();
    assert_eq!(effect(&tenant, Kind::Sale).unwrap(), None);
    let due = next_look(&tenant).unwrap().unwrap();
    script.now.set(due);
    at_once(pending_looks(&session, &tenant)).unwrap();
    assert_eq!(effect(&tenant, Kind::Sale).unwrap(), Some(Effect::Nothing));
}

#[test]
fn a_budget_of_one_request_at_a_time_comes_through() {
    let script = opened();
    let pieces = [piece("1"), piece("2")];
    let one = || Tenant::open(script.ports(), 1, 60).unwrap();
    script.will(200, &json!([]));
    let tenant = one();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    let cut = at_once(begin(&session, &tenant, Kind::Sale, "1-0", &pieces));
    assert_eq!(cut, Err(Error::BudgetSpent));
    script.will(200, &json!([]));
    let tenant = one();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    let look = at_once(begin(&session, &tenant, Kind::Sale, "1-0", &pieces)).unwrap();
    let commit = note(Commit::new(), &look.unwrap()).unwrap();
    commit.apply(&script.ports()).unwrap();
    for last in [false, true] {
        script.will(200, &json!([row("10", -2, "02", None)]));
        let tenant = one();
        let session = at_once(Smaregi::open(&tenant)).unwrap();
        let looked = at_once(pending_looks(&session, &tenant));
        assert_eq!(looked.is_ok(), last, "{looked:?}");
    }
    assert_eq!(effect(&script.tenant(), Kind::Sale).unwrap(), moves());
}

#[test]
fn a_row_that_cannot_be_read_may_be_ours_unless_it_is_older() {
    let since = crate::time::parse_rfc3339("2026-11-24T12:00:00+09:00").unwrap();
    let spot = Spot {
        piece: piece("1"),
        before: Some("9".to_owned()),
        nothing_at: None,
    };
    let bent = |id: &str, field: &str| {
        let mut row = row(id, -2, "02", None);
        row[field] = json!(null);
        row
    };
    let mut long_ago = bent("8", "id");
    long_ago["updDateTime"] = json!("2026-09-24T12:00:00+09:00");
    for (row, expected) in [
        (bent("10", "amount"), Finding::Unread),
        (bent("10", "id"), Finding::Unread),
        (json!(null), Finding::Unread),
        (bent("9", "amount"), Finding::Nothing),
        (long_ago, Finding::Nothing),
    ] {
        let rows = changes::decode(&sent!([row]));
        assert_eq!(finding(&spot, since, rows), expected, "{row}");
    }
}
