//! What the story of an order says, word for word: whom each step concerns, what is under way, and what the order waits for.

use super::{
    shop::{Shop, shop_refusing_points, shop_with},
    world::Fault,
};
use crate::{
    rules::{
        order::{Life, Order},
        samples,
    },
    sync::{
        orders::records::MOST_TOLD,
        report::RetryChoice,
        story::{Event, Ids, Step, Story, Subject},
    },
};

const READ: &str = "Read from Next Engine.";
const CHANGED: &str = "Read anew after a change in Next Engine.";
const REGISTERING: &str = "Registering it in Smaregi was recorded, then begun.";
const UNDOING: &str = "Undoing its transaction in Smaregi was recorded, then begun.";
const REGISTERED: &str = "A transaction is registered in Smaregi.";
const UNDONE: &str = "Its transaction in Smaregi is undone.";
const ASKS: &str = "Waits until Smaregi is asked what became of it, with the next round.";
const MOVES: &str = "Stock of a store is to move; not confirmed yet.";
const MEND: &str = "Waits to be mended; then retry it.";
const AGAIN: &str = "Waits to be tried again, with the next round.";
const LEARNS: &str = "Waits until it is known what stock Smaregi moves by itself.";

fn told(story: &Story) -> Vec<(Step, &str)> {
    let events = story.events.iter();
    events
        .map(|event| (event.step, event.text.en.as_str()))
        .collect()
}

fn find<'a>(story: &'a Story, text: &str) -> Vec<&'a Event> {
    let events = story.events.iter();
    let found: Vec<&Event> = events.filter(|event| event.text.en == text).collect();
    assert!(!found.is_empty(), "{text} is not in {:#?}", story.events);
    found
}

fn cancel(order: &mut Order) {
    (order.life, order.cancel_type) = (Life::Cancelled, "1".to_owned());
}

/// Order 1001 of 3 080 yen.
fn of_the_order() -> Ids {
    Ids {
        slip: Some("1001".to_owned()),
        amount: Some(3_080.into()),
        ..Ids::default()
    }
}

/// The same at its store.
fn in_the_store() -> Ids {
    Ids {
        store: Some("10".to_owned()),
        ..of_the_order()
    }
}

/// The same as a transaction of Smaregi's.
fn as_a_transaction() -> Ids {
    Ids {
        transaction: Some("1".to_owned()),
        ..in_the_store()
    }
}

#[test]
fn each_step_of_a_sale_and_its_undoing_names_whom_it_concerns() {
    let shop = shop_with(&["1001"]);
    let first = shop.world.now.get();
    shop.import();
    shop.world.pass(60);
    let second = shop.world.now.get();
    shop.world.edit(1001, cancel);
    shop.import();
    let story = shop.story("1001").unwrap();
    use Step as S;
    let mut expected = [
        (S::CameIn, READ),
        (S::Intent, REGISTERING),
        (S::Settled, REGISTERED),
        (S::CameIn, CHANGED),
        (S::Decided, "It is no sale."),
        (S::Intent, UNDOING),
        (S::Settled, UNDONE),
    ];
    let mut steps = told(&story);
    steps.sort_unstable();
    expected.sort_unstable();
    assert_eq!(steps, expected);
    for (text, ids, at) in [
        (READ, of_the_order(), first),
        (REGISTERING, in_the_store(), first),
        (REGISTERED, as_a_transaction(), first),
        (CHANGED, of_the_order(), second),
        (UNDOING, as_a_transaction(), second),
        (UNDONE, as_a_transaction(), second),
    ] {
        let event = find(&story, text)[0];
        assert_eq!((&event.ids, event.at), (&ids, at), "{text}");
    }
    let no_sale = find(&story, "It is no sale.")[0];
    assert!(no_sale.reason.is_some() && no_sale.text.ja == "売上にはなりません。");
}

#[test]
fn an_effect_without_an_answer_is_told_as_one_that_is_to_be_asked_after() {
    let shop = shop_with(&["1001"]);
    shop.world.faults.borrow_mut().push(Fault::LostAfter);
    shop.import();
    let story = shop.story("1001").unwrap();
    use Step as S;
    let begun = [
        (S::CameIn, READ),
        (S::Intent, REGISTERING),
        (S::Waits, ASKS),
    ];
    assert_eq!(told(&story), begun);
    assert_eq!(find(&story, REGISTERING)[0].ids, in_the_store());
    assert_eq!(find(&story, ASKS)[0].ids, in_the_store());
    shop.settle();
    shop.world.pass(60);
    // What is undone is what was registered, whatever the order amounts to now.
    shop.world.edit(1001, |order| {
        cancel(order);
        (order.goods, order.total) = (0.into(), 0.into());
    });
    shop.world.faults.borrow_mut().push(Fault::LostAfter);
    shop.import();
    let story = shop.story("1001").unwrap();
    assert_eq!(find(&story, UNDOING)[0].ids, as_a_transaction());
    let asks = find(&story, ASKS);
    assert_eq!((asks.len(), &asks[0].ids), (1, &as_a_transaction()));
    assert_eq!(asks[0].at, shop.world.now.get());
    shop.settle();
    let story = shop.story("1001").unwrap();
    assert!(story.events.iter().all(|event| event.step != S::Waits));
}

#[test]
fn stock_moves_are_told_as_tried_or_to_come_each_with_its_store_product_and_pieces() {
    let shop = shop_with(&["1001"]);
    shop.source_store("20");
    shop.world
        .faults
        .borrow_mut()
        .extend([Fault::LostAfter, Fault::LostAfter]);
    shop.import();
    shop.settle();
    let story = shop.story("1001").unwrap();
    let moves = find(&story, MOVES);
    let of = |step: Step| {
        let moves = moves.iter().filter(|event| event.step == step);
        let ids = moves.map(|event| {
            let ids = &event.ids;
            assert_eq!(ids.slip.as_deref(), Some("1001"));
            let text = |text: &Option<String>| text.clone().unwrap();
            let pieces = ids.quantity.unwrap().to_string();
            format!("{} {} {pieces}", text(&ids.store), text(&ids.product))
        });
        let mut ids: Vec<String> = ids.collect();
        ids.sort();
        ids
    };
    // 65 and 66 are the ids of A and B.
    assert_eq!(of(Step::Sent), ["20 65 -2"]);
    assert!(moves.len() > 1, "{:#?}", story.events);
    assert!(of(Step::Waits).contains(&"20 66 -1".to_owned()));
    shop.settle();
    let story = shop.story("1001").unwrap();
    assert!(told(&story).iter().all(|(_, text)| *text != MOVES));
}

#[test]
fn a_sale_whose_stock_is_not_understood_yet_waits_for_that() {
    let shop = shop_with(&["1001"]);
    shop.source_store("20");
    shop.world.sales_move_stock.set(false);
    shop.import();
    let story = shop.story("1001").unwrap();
    let learns = find(&story, LEARNS)[0];
    assert_eq!((learns.step, &learns.ids), (Step::Waits, &of_the_order()));
}

#[test]
fn trouble_waits_for_a_person_until_the_retry_and_then_for_the_next_round() {
    let shop = shop_refusing_points();
    let last = |shop: &Shop| shop.story("1001").unwrap().events.pop().unwrap();
    let waits = last(&shop);
    assert_eq!((waits.step, waits.text.en.as_str()), (Step::Waits, MEND));
    assert_eq!(
        waits.text.ja,
        "直されるのを待っています。直したら再取込してください。"
    );
    assert_eq!(waits.ids.amount, Some(3_000.into()));
    shop.world.smaregi_down.set(true);
    let _ = shop.try_retry(&RetryChoice::Slip("1001".to_owned()));
    let waits = last(&shop);
    assert_eq!((waits.step, waits.text.en.as_str()), (Step::Waits, AGAIN));
    assert_eq!(
        waits.text.ja,
        "もう一度試すのを待っています。次の処理で試します。"
    );
}

#[test]
fn an_order_that_is_only_read_waits_for_the_next_round_or_the_switch() {
    let shop = shop_with(&["1001"]);
    shop.only_read();
    for (text, ja) in [
        ("Waits for the next round.", "次の処理を待っています。"),
        (
            "Waits for the link to be switched on.",
            "連携がオンになるのを待っています。",
        ),
    ] {
        let story = shop.story("1001").unwrap();
        assert_eq!(told(&story), [(Step::CameIn, READ), (Step::Waits, text)]);
        assert_eq!(story.events[1].text.ja, ja);
        assert_eq!(story.events[1].ids, of_the_order());
        shop.switch_off();
    }
}

#[test]
fn the_newest_outcomes_are_told_and_that_there_were_older_ones() {
    let shop = shop_refusing_points();
    let refusals = |story: &Story| {
        let refused = story.events.iter();
        refused.filter(|event| event.step == Step::Refused).count()
    };
    for times in 2..=MOST_TOLD + 2 {
        shop.world.pass(10);
        shop.retry(RetryChoice::Slip("1001".to_owned()));
        let story = shop.story("1001").unwrap();
        let expected = (times.min(MOST_TOLD), times > MOST_TOLD);
        assert_eq!((refusals(&story), story.cut), expected, "{times}");
    }
}

#[test]
fn a_code_that_smaregi_does_not_know_tells_the_orders_it_is_in() {
    let shop = Shop::open();
    for slip in ["1001", "1002"] {
        let mut order = samples::order(slip);
        order.lines[0].code = "unheard-of".to_owned();
        shop.world.put(order);
    }
    shop.import();
    let story = shop.story("unheard-of").unwrap();
    assert_eq!(story.subjects, [Subject::Product("unheard-of".to_owned())]);
    let slips: Vec<_> = find(&story, MEND)
        .iter()
        .map(|event| event.ids.slip.as_deref().unwrap())
        .collect();
    assert_eq!(slips.len(), 2, "{slips:?}");
}

#[test]
fn of_many_orders_with_a_product_the_newest_are_told() {
    for (orders, cut) in [(20, false), (21, true)] {
        let slips: Vec<String> = (1..=orders)
            .map(|slip| (1_000 + slip).to_string())
            .collect();
        let slips: Vec<&str> = slips.iter().map(String::as_str).collect();
        let shop = shop_with(&slips);
        shop.import();
        let story = shop.story("a").unwrap();
        assert_eq!((find(&story, READ).len(), story.cut), (20, cut), "{orders}");
        let newest = slips.last().copied();
        let has = |event: &&Event| event.ids.slip.as_deref() == newest;
        assert!(find(&story, READ).iter().any(has));
    }
}

#[test]
fn only_the_newest_slips_are_looked_through_for_a_product() {
    for (orders, cut) in [(199, false), (200, true)] {
        let shop = Shop::open();
        for slip in 1..=orders {
            let mut order = samples::order(&(1_000 + slip).to_string());
            if slip < orders {
                order.lines.remove(0);
                (order.goods, order.total) = (1_080.into(), 1_080.into());
            }
            shop.world.put(order);
        }
        shop.import();
        let story = shop.story("a").unwrap();
        assert_eq!((find(&story, READ).len(), story.cut), (1, cut), "{orders}");
    }
}
