//! Rows of our own doing: told by their mark or their id, and used up by the movements that are theirs.

use super::*;
use crate::{
    sync::{connection, own::Entry as Claimed, stock::decide},
    wire::sent,
};

/// The rows of product 8, newest first, are read.
fn reads(script: &Script, rows: &[Value]) {
    hint(script, "1", "8", &[]);
    script.will(200, &json!(rows));
    read(script).1.unwrap();
}

fn claims(script: &Script) -> Vec<i64> {
    let entries = store::list_all::<Claimed>(&script.ports(), &own::prefix("1", "8")).unwrap();
    let claims = entries.into_iter().map(|entry| entry.value.remaining);
    claims.collect()
}

fn unsent(script: &Script) -> Option<Unsent> {
    let unsent = store::read::<Unsent>(&script.ports(), &unsent_key("8")).unwrap();
    unsent.map(|unsent| unsent.value)
}

#[test]
fn a_row_with_our_mark_or_of_a_move_whose_id_we_were_given_does_not_travel() {
    let marked = || {
        let mut row = row(1, "-3", "05", "12:30:00");
        row["memo"] = own::mark("1001", 1, 1).into();
        row
    };
    let given = |script: &Script| {
        let commit = own::moved(Commit::new(), "1").unwrap();
        commit.apply(&script.ports()).unwrap();
    };
    let script = open(&["1"]);
    reads(&script, &[row(1, "-3", "05", "12:30:00")]);
    assert_eq!(waiting(&script, "8"), -3, "anybody's");
    let script = open(&["1"]);
    reads(&script, &[marked()]);
    assert_eq!(waiting(&script, "8"), 0, "marked");
    let script = open(&["1"]);
    given(&script);
    reads(&script, &[row(1, "-3", "05", "12:30:00")]);
    assert_eq!(waiting(&script, "8"), 0, "without its memo");
    let script = open(&["1"]);
    given(&script);
    reads(&script, &[marked()]);
    assert_eq!(waiting(&script, "8"), 0, "both");
}

#[test]
fn a_sale_of_ours_that_comes_in_several_rows_is_used_up_piece_by_piece() {
    let script = open(&["1"]);
    settled(&script, -5);
    reads(&script, &[row(1, "-2", "02", "13:00:00")]);
    assert_eq!((waiting(&script, "8"), claims(&script)), (0, vec![-3]));
    // A movement of another division leaves it as it is.
    let other = row(2, "4", "05", "13:00:01");
    reads(&script, &[other, row(1, "-2", "02", "13:00:00")]);
    assert_eq!((waiting(&script, "8"), claims(&script)), (4, vec![-3]));
    let last = row(3, "-4", "02", "13:00:02");
    reads(&script, &[last, row(2, "4", "05", "13:00:01")]);
    assert_eq!((waiting(&script, "8"), claims(&script)), (3, vec![]));
}

#[test]
fn only_what_settings_keep_back_is_for_the_comparison_to_explain() {
    let all_but_sales = |script: &Script| {
        let mut settings: Settings = script.tenant().settings;
        settings.stock.triggers.retain(|on| *on != Trigger::Sale);
        let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
        commit.apply(&script.ports()).unwrap();
    };
    let script = open(&["1"]);
    all_but_sales(&script);
    reads(&script, &[row(1, "0", "02", "12:30:00")]);
    assert_eq!(unsent(&script), None, "nothing was kept back");
    // The link knows of store 1 only: what happened before it, or elsewhere, is in no comparison.
    reads(&script, &[row(2, "-1", "02", "09:00:00")]);
    assert_eq!(unsent(&script), None, "before the link");
    reads(&script, &[row(3, "-1", "02", "12:31:00")]);
    assert_eq!(unsent(&script).unwrap()["trigger-off"], -1);
}

#[test]
fn a_row_drawn_on_by_a_sale_lets_products_be_read_with_what_they_draw_on() {
    let asks = |division| {
        let script = open(&["1"]);
        reads(&script, &[row(1, "-1", division, "12:30:00")]);
        store::read::<bool>(&script.ports(), "orders/draws")
            .unwrap()
            .is_some()
    };
    assert_eq!((asks("02"), asks("16")), (false, true));
}

#[test]
fn a_row_that_two_calls_decide_at_once_is_counted_by_one_of_them() {
    let script = open(&["1"]);
    let tenant = script.tenant();
    let link = connection::link(&tenant.ports).unwrap();
    let since = Since::read(&tenant, &link).unwrap();
    let rows = changes::decode(&sent!([row(1, "-2", "02", "12:30:00")]));
    let rows: Vec<_> = rows.iter().map(|row| row.as_ref().unwrap()).collect();
    let decide = || decide::decide_new(&tenant, &since, "1", "8", &rows);
    assert_eq!(decide(), Ok(1));
    assert!(matches!(decide(), Err(Error::Contended(..))));
    assert_eq!(waiting(&script, "8"), -2);
}
