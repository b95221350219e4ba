//! Where a slip is found again by what it waits for, and which retry lets it go.

use super::shop::Shop;
use crate::{
    error::Error,
    reason::Reason,
    rules::{
        mapping,
        order::{Life, Order, OrderState},
        samples,
    },
    settings::Settings,
    sync::{
        orders::{
            records::{self, Registered, RetryRun, SlipRecord, Trouble},
            retry,
        },
        report::RetryChoice,
        store::{self, Commit},
    },
};

/// What the indexes hold of such a slip.
fn held(change: impl Fn(&mut SlipRecord)) -> Vec<&'static str> {
    let shop = Shop::open();
    let mut record = SlipRecord::new("1001", "1");
    record.order = Some(samples::order("1001"));
    change(&mut record);
    let commit = records::put(Commit::new(), None, &record).unwrap();
    commit.apply(&shop.tenant(0).ports).unwrap();
    let indexes = ["todo", "begun", "refused", "unshipped", "early"];
    let holds = |index: &&str| !shop.storage_of(&format!("orders/{index}/")).is_empty();
    indexes.into_iter().filter(holds).collect()
}

fn registered(record: &mut SlipRecord) {
    let order = samples::order("1001");
    let codes = Settings::default().stock.codes;
    let (store, settings) = (samples::store(), samples::settings());
    let sale = mapping::map(&order, &store, &settings, &codes, &samples::products());
    record.registered = Some(Registered {
        revision: 1,
        transaction_id: "1".to_owned(),
        sale: sale.unwrap(),
        made_from: order,
        refused: None,
    });
}

fn trouble() -> Trouble {
    Trouble {
        reason: Reason::new("code", "訳", "why"),
        entry: String::new(),
        again: false,
        outdated: false,
    }
}

fn at(state: OrderState) -> Option<Order> {
    Some(Order {
        state,
        ..samples::order("1001")
    })
}

#[test]
fn a_slip_is_found_by_what_it_waits_for() {
    assert!(held(|_| ()).is_empty(), "shipped and nothing to do");
    assert_eq!(held(|record| record.todo = true), ["todo"]);
    assert_eq!(held(|record| record.trouble = Some(trouble())), ["refused"]);
    assert!(held(registered).is_empty());
    let booked_early = |record: &mut SlipRecord| {
        registered(record);
        record.order = at(OrderState::Issued);
    };
    assert_eq!(held(booked_early), ["unshipped"]);
}

#[test]
fn what_waits_for_its_goods_is_early_unless_it_is_booked_or_cannot_be_read() {
    let early = |change: fn(&mut SlipRecord)| {
        held(|record| {
            record.order = at(OrderState::Issued);
            change(record);
        }) == ["early"]
    };
    assert!(early(|_| ()));
    assert!(early(|record| record.order = None));
    assert!(!early(|record| record.order = at(OrderState::Provisional)));
    assert!(!early(|record| record.unreadable = Some(trouble().reason)));
    assert!(!early(registered));
    assert!(!early(|record| {
        let cancelled = record.order.as_mut().unwrap();
        cancelled.life = Life::Cancelled;
    }));
}

#[test]
fn a_retry_goes_on_for_its_choice_until_it_ends_or_is_abandoned() {
    let shop = Shop::open();
    let slip = records::put(Commit::new(), None, &SlipRecord::new("1001", "1")).unwrap();
    slip.apply(&shop.tenant(0).ports).unwrap();
    let (all, one) = (
        RetryChoice::AllRefused(true),
        RetryChoice::Slip("1001".to_owned()),
    );
    let run = |choice: &RetryChoice| {
        let tenant = shop.tenant(0);
        retry::release(&tenant, choice).unwrap();
        let run = store::read::<RetryRun>(&tenant.ports, records::RETRY_KEY).unwrap();
        run.unwrap().value.number
    };
    assert_eq!([run(&all), run(&all)], [1, 1]);
    assert_eq!([run(&one), run(&one), run(&all)], [2, 2, 3]);
    shop.world.pass(retry::ABANDONED.num_minutes() - 1);
    assert_eq!(run(&all), 3);
    shop.world.pass(retry::ABANDONED.num_minutes());
    assert_eq!(run(&all), 4);
    retry::end(&shop.tenant(0)).unwrap();
    assert_eq!(run(&all), 5);
    let unknown = RetryChoice::Slip("9".to_owned());
    let refused = retry::release(&shop.tenant(0), &unknown);
    assert!(matches!(refused, Err(Error::NotFound("order", _))));
}
