//! Reading places by script: what is decided, what is told, and what holds up nothing else.

mod ours;
mod pages;

use serde_json::{Value, json};

use super::*;
use crate::{
    settings::{Settings, Trigger},
    sync::{
        own::{self, Effect, Kind, Piece},
        stock::{
            self, intake,
            records::{
                Batch, BatchState, OPEN_BATCH_KEY, Out, Unsent, batch_key, out_key, unsent_key,
            },
            trouble::Trouble,
        },
        tenant::SETTINGS_KEY,
        testing::{Script, at_once},
    },
};

fn row(id: u32, amount: &str, division: &str, at: &str) -> Value {
    json!({"id": id.to_string(), "productId": "8", "storeId": "1", "amount": amount, "stockDivision": division,
        "memo": null, "updDateTime": format!("2026-11-24T{at}+09:00")})
}

fn open(stores: &[&str]) -> Script {
    let script = Script::new();
    switch_on(&script, stores);
    script.now.set(script.now.get() + TimeDelta::hours(1));
    script
}

/// With every cause sent.
fn switch_on(script: &Script, stores: &[&str]) {
    script.switch_on(stores);
    let mut settings: Settings = script.tenant().settings;
    settings.stock.triggers = Trigger::ALL.to_vec();
    let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
    commit.apply(&script.ports()).unwrap();
}

fn hint(script: &Script, store: &str, product: &str, ids: &[&str]) {
    let mut place = intake::Place::new(store, product);
    place.ids = ids.iter().map(|id| (*id).to_owned()).collect();
    intake::note(&script.tenant(), &[place], None).unwrap();
}

/// One call's Smaregi half; the rows decided, and how it ended.
fn read_within(script: &Script, requests: u32) -> (u32, Result<()>) {
    let tenant = Tenant::open(script.ports(), requests, 600).unwrap();
    let mut progress = crate::sync::report::SendProgress::default();
    let result = at_once(stock::read(&tenant, &mut progress));
    (progress.changes_decided, result)
}

fn read(script: &Script) -> (u32, Result<()>) {
    read_within(script, 1_000)
}

fn waiting(script: &Script, product: &str) -> i64 {
    let out = store::read::<Out>(&script.ports(), &out_key(product)).unwrap();
    out.map_or(0, |out| out.value.quantity)
}

fn hints(script: &Script) -> Vec<Hint> {
    let hints = store::list_all::<Hint>(&script.ports(), HINTS).unwrap();
    hints.into_iter().map(|hint| hint.value).collect()
}

fn told(script: &Script) -> usize {
    let index = store::list_all::<Value>(&script.ports(), "stock/sent/").unwrap();
    index.len()
}

#[test]
fn a_deleted_product_is_told_once_and_holds_up_no_other() {
    let script = open(&["1"]);
    for _ in 0..2 {
        hint(&script, "1", "7", &[]);
        hint(&script, "1", "8", &[]);
        script.will(404, &json!({"title": "NotFound", "type": "about:blank"}));
        script.will(200, &json!([row(1, "-2", "02", "12:30:00")]));
        read(&script).1.unwrap();
        assert!(hints(&script).is_empty());
    }
    assert_eq!((waiting(&script, "8"), told(&script)), (-2, 1));
}

#[test]
fn an_outage_postpones_places_and_does_not_keep_the_batch_from_being_followed() {
    let script = open(&["1"]);
    let tenant = script.tenant();
    let batch = Batch {
        number: 1,
        mark: "m".to_owned(),
        made_at: tenant.now(),
        sent_at: Some(tenant.now()),
        changed_at: tenant.now(),
        state: BatchState::Queued("5".to_owned(), 0),
        queue_id: None,
        queue_message: None,
        next_at: tenant.now(),
        rows: Vec::new(),
    };
    let commit = Commit::new().put(OPEN_BATCH_KEY, &1).unwrap();
    let commit = commit.put(&batch_key(1), &batch).unwrap();
    commit.apply(&script.ports()).unwrap();
    hint(&script, "1", "8", &[]);
    script.will(200, &json!({"result": "success", "data": []}));
    script.will(503, &json!({}));
    let error = at_once(stock::send(&tenant)).unwrap_err();
    assert!(matches!(error, Error::Unavailable(Side::Smaregi, ..)));
    let open = stock::deliver::open_batch(&tenant).unwrap().unwrap();
    assert_eq!(open.value.state, BatchState::Queued("5".to_owned(), 1));
    assert_eq!(hints(&script)[0].tries, 1);
    assert!(next_reading(&tenant).unwrap().unwrap() > tenant.now());
}

#[test]
fn a_row_that_appears_late_below_the_newest_is_decided_once() {
    let script = open(&["1"]);
    hint(&script, "1", "8", &[]);
    script.will(200, &json!([row(12, "-1", "02", "12:31:00")]));
    assert_eq!(read(&script).0, 1);
    for _ in 0..2 {
        hint(&script, "1", "8", &[]);
        let rows = [
            row(12, "-1", "02", "12:31:00"),
            row(11, "-5", "02", "12:30:00"),
        ];
        script.will(200, &json!(rows));
        read(&script).1.unwrap();
    }
    assert_eq!(waiting(&script, "8"), -6);
}

#[test]
fn a_row_named_by_a_delivery_is_waited_for_and_told_when_it_never_comes() {
    let script = open(&["1"]);
    hint(&script, "1", "8", &["12"]);
    script.will(200, &json!([]));
    read(&script).1.unwrap();
    assert_eq!(hints(&script).len(), 1);
    script
        .now
        .set(next_reading(&script.tenant()).unwrap().unwrap());
    script.will(200, &json!([row(12, "-1", "02", "12:31:00")]));
    assert_eq!(read(&script).0, 1);
    assert!(hints(&script).is_empty());
    hint(&script, "1", "8", &["13"]);
    while let Some(at) = next_reading(&script.tenant()).unwrap() {
        script.now.set(at);
        script.will(200, &json!([row(12, "-1", "02", "12:31:00")]));
        read(&script).1.unwrap();
    }
    assert_eq!(told(&script), 1);
}

#[test]
fn a_place_longer_than_the_budget_is_gone_on_with() {
    let script = open(&["1"]);
    hint(&script, "1", "8", &[]);
    let page = |from: u32| -> Value {
        (from - 999..=from)
            .rev()
            .map(|id| row(id, "-1", "02", "12:30:00"))
            .collect()
    };
    for from in [2_500, 1_500] {
        script.will(200, &page(from));
        let (decided, result) = read_within(&script, 1);
        assert_eq!((decided, result), (1_000, Err(Error::BudgetSpent)));
    }
    let last: Value = (1..=500)
        .rev()
        .map(|id| row(id, "-1", "02", "12:30:00"))
        .collect();
    script.will(200, &last);
    assert_eq!(read_within(&script, 1), (500, Err(Error::BudgetSpent)));
    // What came above it meanwhile.
    script.will(200, &page(2_501));
    assert_eq!(read_within(&script, 1), (1, Ok(())));
    assert_eq!((waiting(&script, "8"), hints(&script).len()), (-2_501, 0));
}

#[test]
fn an_unreadable_row_is_told_once_and_counted_when_it_becomes_readable() {
    let script = open(&["1"]);
    let good = row(13, "-1", "02", "12:40:00");
    for _ in 0..2 {
        hint(&script, "1", "8", &[]);
        script.will(200, &json!([good, row(12, "?", "02", "12:31:00")]));
        read(&script).1.unwrap();
    }
    assert_eq!(told(&script), 1);
    let troubles = trouble::of_place(&script.tenant(), "1", "8").unwrap();
    assert_eq!(troubles.len(), 1);
    // Days later the sweep looks again, far beyond the overlap.
    script.now.set(script.now.get() + TimeDelta::days(3));
    trouble::sweep(&script.tenant()).unwrap();
    let newest = json!({"id": "20", "productId": "8", "storeId": "1", "amount": "1", "stockDivision": "03",
        "updDateTime": "2026-11-27T13:00:00+09:00"});
    script.will(200, &json!([newest, good, row(12, "-4", "02", "12:31:00")]));
    read(&script).1.unwrap();
    assert_eq!(waiting(&script, "8"), -5 + 1);
    let left = store::list_all::<Trouble>(&script.ports(), "stock/trouble/").unwrap();
    assert!(left.is_empty());
}

/// What our own sales do is known, and one of so many pieces happened just now.
fn settled(script: &Script, quantity: i64) {
    let pieces = [Piece {
        drawn: false,
        product_id: "8".to_owned(),
        store_id: "1".to_owned(),
        quantity,
    }];
    let at = script.now.get();
    let moves = Effect::Moves {
        division: "02".to_owned(),
    };
    let commit = Commit::new().put("own-effect/sale", &moves).unwrap();
    let effect = Some(&moves);
    let commit = own::settle(commit, "1-0", Kind::Sale, &pieces, (at, at), effect).unwrap();
    commit.apply(&script.ports()).unwrap();
}

#[test]
fn what_settings_keep_back_is_the_rest_of_a_row_that_is_partly_ours() {
    let script = open(&["1"]);
    let mut settings: Settings = script.tenant().settings;
    settings.stock.triggers = vec![Trigger::Loss];
    let commit = Commit::new().put(SETTINGS_KEY, &settings).unwrap();
    commit.apply(&script.ports()).unwrap();
    settled(&script, -2);
    hint(&script, "1", "8", &[]);
    script.will(200, &json!([row(1, "-5", "02", "13:00:00")]));
    read(&script).1.unwrap();
    let unsent = store::read::<Unsent>(&script.ports(), &unsent_key("8")).unwrap();
    assert_eq!(unsent.unwrap().value["trigger-off"], -3);
}

#[test]
fn our_own_row_that_never_came_eats_no_sale_of_the_next_days() {
    let script = open(&["1"]);
    settled(&script, -2);
    script.now.set(script.now.get() + TimeDelta::days(2));
    trouble::sweep(&script.tenant()).unwrap();
    assert_eq!(hints(&script).len(), 1);
    let sold = json!({"id": "5", "productId": "8", "storeId": "1", "amount": "-2", "stockDivision": "02",
        "updDateTime": "2026-11-26T13:00:00+09:00"});
    script.will(200, &json!([sold]));
    read(&script).1.unwrap();
    assert_eq!((waiting(&script, "8"), told(&script)), (-2, 1));
    assert_eq!(own::effect(&script.tenant(), Kind::Sale).unwrap(), None);
}

#[test]
fn the_second_of_switching_on_uses_up_our_own_and_sends_nothing_else() {
    let script = Script::new();
    let beginning = script.now.get();
    settled(&script, -1);
    script.now.set(beginning + TimeDelta::milliseconds(720));
    switch_on(&script, &["1"]);
    script.now.set(beginning + TimeDelta::hours(1));
    hint(&script, "1", "8", &[]);
    let rows = [
        row(3, "-2", "02", "12:00:01"),
        row(2, "-1", "02", "12:00:00"),
        row(1, "200", "01", "12:00:00"),
    ];
    script.will(200, &json!(rows));
    assert_eq!(read(&script), (3, Ok(())));
    assert_eq!(waiting(&script, "8"), -2);
    let entries = store::list_all::<Value>(&script.ports(), &own::prefix("1", "8")).unwrap();
    assert!(entries.is_empty());
}

#[test]
fn what_happened_before_the_link_is_not_taken_for_a_sale_of_ours_after_it() {
    let script = Script::new();
    switch_on(&script, &["1"]);
    let beginning = script.now.get();
    settled(&script, -2);
    script.now.set(beginning + TimeDelta::hours(1));
    hint(&script, "1", "8", &[]);
    let rows = [
        row(2, "-2", "02", "12:00:01"),
        row(1, "-2", "02", "10:39:00"),
    ];
    script.will(200, &json!(rows));
    assert_eq!(read(&script), (2, Ok(())));
    assert_eq!(
        waiting(&script, "8"),
        0,
        "the till's is older, ours is ours"
    );
    let entries = store::list_all::<Value>(&script.ports(), &own::prefix("1", "8")).unwrap();
    assert!(entries.is_empty());
}
