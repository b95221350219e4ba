//! What a slip needs next, and what a reading changes, by table.

use chrono::TimeDelta;
use rust_decimal::Decimal;

use crate::{
    reason::Reason,
    rules::{
        cancellation::Undoing,
        codes::SmaregiKey,
        goods::Products,
        order::{Life, Order, OrderState},
        samples, source_store,
    },
    settings::Settings,
    sync::{
        orders::{
            plan::{self, Known, Next},
            reading::Reading,
            records::{
                self, Act, Balance, Intent, Move, Registered, SlipRecord, Trouble, slip_key,
                slip_of,
            },
            scan,
        },
        own::Kind,
        store::Stored,
    },
};

fn settings() -> Settings {
    Settings {
        orders: samples::settings(),
        ..Settings::default()
    }
}

fn fresh() -> SlipRecord {
    SlipRecord {
        order: Some(records::plain(&samples::order("1001"))),
        todo: true,
        ..SlipRecord::new("1001", "1")
    }
}

fn planned(record: &SlipRecord, products: &Products, on: bool, effects: &[Kind]) -> Next {
    plan::next(
        record,
        &Known {
            settings: &settings(),
            products,
            on,
            effects,
        },
    )
}

fn next(record: &SlipRecord) -> Next {
    planned(record, &samples::products(), true, &[])
}

fn booked() -> SlipRecord {
    let Next::Register(sale) = next(&fresh()) else {
        panic!("not registered")
    };
    let registered = Registered {
        revision: 1,
        transaction_id: "77".to_owned(),
        sale: *sale,
        made_from: records::plain(&samples::order("1001")),
        refused: None,
    };
    SlipRecord {
        registered: Some(registered),
        revision: 1,
        ..fresh()
    }
}

fn changed(change: impl FnOnce(&mut Order)) -> SlipRecord {
    let mut record = booked();
    change(record.order.as_mut().unwrap());
    record
}

fn trouble(again: bool) -> Option<Trouble> {
    Some(Trouble {
        reason: Reason::new("x", "x", "x"),
        entry: "e".to_owned(),
        again,
        outdated: false,
    })
}

#[test]
fn a_registered_slip_follows_its_order() {
    assert_eq!(next(&booked()), Next::Done);
    assert_eq!(
        next(&changed(|order| order.payment_method = "99".to_owned())),
        Next::Adopt
    );
    assert_eq!(
        next(&changed(|order| order.lines[0].returned = Decimal::ONE)),
        Next::TellReturned(Decimal::ONE)
    );
    let unknown = next(&changed(|order| order.lines[0].code = "none".to_owned()));
    assert_eq!(unknown, Next::Wait, "a code that was not looked up");
    for (record, undoing, why) in [
        (
            changed(|order| order.life = Life::Cancelled),
            Undoing::Cancel,
            "cancelled",
        ),
        (
            changed(|order| order.life = Life::Merged),
            Undoing::Cancel,
            "merged",
        ),
        (
            changed(|order| order.life = Life::Returned),
            Undoing::Dispose,
            "returned",
        ),
        (
            changed(|order| order.state = OrderState::Issued),
            Undoing::Cancel,
            "not-that-far",
        ),
        (
            changed(more_pieces),
            Undoing::Cancel,
            "changed-after-import",
        ),
    ] {
        let Next::Undo(found, reason) = next(&record) else {
            panic!("{why}")
        };
        assert_eq!((found, reason.code.as_str()), (undoing, why));
    }
}

fn more_pieces(order: &mut Order) {
    order.lines[0].quantity = 3.into();
    order.lines[0].amount = 3_000.into();
    order.goods = 4_080.into();
    order.total = 4_080.into();
}

#[test]
fn an_order_that_cannot_be_mapped_is_refused_and_then_held() {
    let mut products = samples::products();
    products.insert(SmaregiKey::Code("a".to_owned()), Vec::new());
    let mut record = fresh();
    assert!(matches!(
        planned(&record, &products, true, &[]),
        Next::Refuse(_)
    ));
    record.trouble = trouble(false);
    assert_eq!(planned(&record, &products, true, &[]), Next::Done);
    record.trouble = trouble(true);
    assert!(matches!(next(&record), Next::Register(_)));
}

#[test]
fn what_was_begun_goes_on_while_off_and_nothing_else() {
    let mut record = fresh();
    assert_eq!(
        planned(&record, &samples::products(), false, &[]),
        Next::Wait
    );
    let sale = booked().registered.unwrap().sale;
    record.intent = Some(Intent {
        act: Act::Register,
        revision: 1,
        sale: sale.clone(),
        made_from: Some(records::plain(&samples::order("1001"))),
        transaction_id: None,
        tried_at: samples::order("1001").changed_at,
        refused: None,
        second_way: false,
        why: None,
        earlier: false,
    });
    assert_eq!(
        planned(&record, &samples::products(), false, &[]),
        Next::Resolve
    );
    let mut record = booked();
    let (wanted, by_itself) = (
        source_store::wanted(&sale),
        source_store::by_selling_store(&sale),
    );
    record.moves = vec![Move {
        number: 1,
        revision: 1,
        shift: wanted[0].clone(),
        tried_at: None,
        refused: false,
        sought: false,
    }];
    assert_eq!(
        planned(&record, &samples::products(), false, &[]),
        Next::Move
    );
    record.moves.clear();
    record.balances = vec![Balance {
        act: Act::Register,
        revision: 1,
        wanted,
        by_itself,
    }];
    assert_eq!(next(&record), Next::Wait);
    assert_eq!(
        planned(&record, &samples::products(), false, &[Kind::Sale]),
        Next::Balance
    );
}

#[test]
fn goods_move_whatever_waits_for_a_person() {
    let sale = booked().registered.unwrap().sale;
    let made = |refused| Move {
        number: 1,
        revision: 1,
        shift: source_store::wanted(&sale)[0].clone(),
        tried_at: None,
        refused,
        sought: false,
    };
    let mut record = SlipRecord {
        trouble: trouble(false),
        ..booked()
    };
    record.moves = vec![made(true), made(false)];
    assert_eq!(next(&record), Next::Move);
    record.moves = vec![made(true)];
    assert_eq!(next(&record), Next::Done);
    record.release();
    assert_eq!(next(&record), Next::Move);
}

#[test]
fn a_way_that_was_refused_is_not_tried_again() {
    let mut record = changed(|order| order.life = Life::Cancelled);
    record.registered.as_mut().unwrap().refused = Some(Act::Cancel);
    assert!(matches!(next(&record), Next::Undo(Undoing::Dispose, _)));
    record.release();
    assert!(matches!(next(&record), Next::Undo(Undoing::Cancel, _)));
}

fn read(record: Option<SlipRecord>, change: impl FnOnce(&mut Order)) -> Option<SlipRecord> {
    let mut order = samples::order("1001");
    change(&mut order);
    let reading = Reading {
        slip: "1001".to_owned(),
        shop_id: "1".to_owned(),
        order: Ok(order),
        head: None,
        partial: false,
    };
    let seen = record.map(|value| Stored {
        key: slip_key("1001"),
        revision: 1,
        value,
    });
    scan::absorb(&reading, seen.as_ref(), &samples::settings())
}

#[test]
fn a_reading_is_stored_when_it_says_something() {
    assert!(read(None, |_| ()).unwrap().todo);
    assert_eq!(
        read(None, |order| order.state = OrderState::Printing),
        None,
        "of no interest"
    );
    assert_eq!(read(None, |order| order.life = Life::Cancelled), None);
    let settled = SlipRecord {
        todo: false,
        ..booked()
    };
    assert_eq!(read(Some(settled.clone()), |_| ()), None, "a repetition");
    let later = read(Some(settled.clone()), |order| {
        order.changed_at += TimeDelta::hours(1)
    })
    .unwrap();
    assert!(!later.todo, "only its time changed");
    assert!(
        read(Some(settled), |order| order.life = Life::Cancelled)
            .unwrap()
            .todo
    );
}

#[test]
fn a_change_lets_a_refused_order_go_again() {
    let refused = SlipRecord {
        trouble: trouble(false),
        todo: false,
        ..fresh()
    };
    let same = read(Some(refused.clone()), |order| {
        order.changed_at += TimeDelta::hours(1)
    })
    .unwrap();
    assert!(!same.todo && same.is_held());
    let changed = read(Some(refused), |order| order.lines[0].code = "b".to_owned()).unwrap();
    assert!(changed.todo && !changed.is_held());
}

#[test]
fn an_unreadable_slip_is_refused_and_mended_by_a_reading() {
    let bad = Reading {
        slip: "1001".to_owned(),
        shop_id: "1".to_owned(),
        order: Err(Reason::new("bad-row", "x", "x")),
        head: None,
        partial: false,
    };
    let record = scan::absorb(&bad, None, &samples::settings()).unwrap();
    assert!(record.todo && matches!(next(&record), Next::Refuse(_)));
    let mended = read(Some(record), |_| ()).unwrap();
    assert!(matches!(next(&mended), Next::Register(_)));
}

#[test]
fn keys_keep_the_order_of_slip_numbers() {
    assert!(slip_key("99") < slip_key("100"));
    assert_eq!(slip_of(&slip_key("100")), "100");
}
