//! What a reading that cannot be understood says anew of its slip, so that what waits for a person goes again, or does not.

use crate::{
    reason::Reason,
    rules::{
        order::{Head, Life, OrderState},
        samples,
        source_store::Shift,
    },
    sync::{
        orders::{
            reading::Reading,
            records::{Move, SlipRecord, Trouble},
            scan,
        },
        store::Stored,
    },
};

fn reason(code: &str) -> Reason {
    Reason::new(code, "訳", "why")
}

/// Readable so far, and held by a person's trouble.
fn held() -> SlipRecord {
    let mut record = SlipRecord::new("1001", "1");
    record.order = Some(samples::order("1001"));
    hold(&mut record);
    record
}

fn hold(record: &mut SlipRecord) {
    record.trouble = Some(Trouble {
        reason: reason("held"),
        entry: String::new(),
        again: false,
        outdated: false,
    });
}

/// A reading of the slip whose numbers cannot be read.
fn unreadable(code: &str, change: impl Fn(&mut Head)) -> Reading {
    let order = samples::order("1001");
    let mut head = Head {
        state: order.state,
        state_id: order.state_id,
        life: order.life,
        cancel_type: order.cancel_type,
        sold_on: order.shipped_on,
    };
    change(&mut head);
    Reading {
        slip: "1001".to_owned(),
        shop_id: "1".to_owned(),
        head: Some(head),
        order: Err(reason(code)),
        partial: false,
    }
}

fn absorbed(record: SlipRecord, reading: &Reading) -> Option<SlipRecord> {
    let seen = Stored {
        key: String::new(),
        revision: 1,
        value: record,
    };
    scan::absorb(reading, Some(&seen), &samples::settings())
}

fn goes_again(record: &SlipRecord) -> bool {
    record.trouble.as_ref().is_some_and(|trouble| trouble.again)
}

#[test]
fn a_reason_is_news_once_and_another_one_or_another_state_is_news_again() {
    let mut record = absorbed(held(), &unreadable("one", |_| ())).unwrap();
    assert!(goes_again(&record) && record.todo);
    assert_eq!(record.unreadable, Some(reason("one")));
    hold(&mut record);
    assert_eq!(absorbed(record.clone(), &unreadable("one", |_| ())), None);
    let other = absorbed(record.clone(), &unreadable("two", |_| ())).unwrap();
    assert!(goes_again(&other));
    let shipped_later = unreadable("one", |head| head.state = OrderState::Issued);
    let moved = absorbed(record, &shipped_later).unwrap();
    assert!(goes_again(&moved));
}

#[test]
fn what_cannot_be_read_matters_where_it_may_be_taken_or_was() {
    let matters = |record: SlipRecord, change: fn(&mut Head)| {
        let after = absorbed(record, &unreadable("one", change));
        after.is_some_and(|record| record.unreadable.is_some())
    };
    assert!(matters(held(), |_| ()));
    assert!(!matters(held(), |head| head.life = Life::Cancelled));
    assert!(!matters(held(), |head| head.state = OrderState::Provisional));
}

#[test]
fn what_was_begun_is_work_whatever_the_order_says() {
    let mut record = SlipRecord::new("1001", "1");
    record.moves = vec![Move {
        number: 1,
        revision: 1,
        shift: Shift {
            product_id: "A".to_owned(),
            store_id: "20".to_owned(),
            quantity: -1,
        },
        tried_at: None,
        refused: false,
        sought: false,
    }];
    let cancelled = unreadable("one", |head| head.life = Life::Cancelled);
    assert!(absorbed(record, &cancelled).unwrap().todo);
    let mut waits = held();
    waits.order = None;
    assert!(absorbed(waits, &cancelled).is_none_or(|record| record.todo));
    let idle = SlipRecord::new("1001", "1");
    assert_eq!(absorbed(idle, &cancelled), None);
}
