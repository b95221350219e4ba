//! What goes into a batch and what is held, how batches grow and shrink, and what is written of a row that did not go.

use chrono::TimeDelta;

use super::{
    delivering::{resend, with_an_unclear_row},
    world::{Bend, Fault, World},
};
use crate::sync::{
    connection,
    report::{ResendChoice, SendProgress},
    stock::{
        self,
        batch::MOST_ROWS,
        records::{BOOK_KEY, Book, Held, MOST_IDS, Origin, Out, held_key, out_key},
    },
    store::{self, Commit},
    testing::at_once,
};

fn book(world: &World) -> Book {
    let book = store::read::<Book>(&world.ports(), BOOK_KEY).unwrap();
    book.unwrap().value
}

fn put_book(world: &World, change: impl Fn(&mut Book)) {
    let mut book = book(world);
    change(&mut book);
    let commit = Commit::new().put(BOOK_KEY, &book).unwrap();
    commit.apply(&world.ports()).unwrap();
}

fn hold(world: &World, id: usize, change: impl Fn(&mut Held)) {
    let mut held = world.held(id).unwrap();
    change(&mut held);
    let commit = Commit::new()
        .put(&held_key(&id.to_string()), &held)
        .unwrap();
    commit.apply(&world.ports()).unwrap();
}

fn allocate(world: &World, code: &str, pieces: i64) {
    world.goods.borrow_mut().get_mut(code).unwrap().allocated = pieces;
}

/// Smaregi's product 1 has this code; one of it was sold.
fn with_code(code: &str) -> World {
    let world = World::new(2);
    world.add(code, 100);
    let codes = [("1".to_owned(), code.to_owned())];
    world.codes.borrow_mut().extend(codes);
    world.waits(1, -1);
    world.work(3);
    world
}

#[test]
fn a_code_is_as_long_and_as_plain_as_next_engine_takes_it() {
    const LONGEST: &str = "123456789012345678901234567890";
    let world = with_code(LONGEST);
    assert_eq!((world.stock(LONGEST), world.held(1)), (99, None));
    for code in [&format!("{LONGEST}1"), "商品"] {
        let held = with_code(code).held(1).unwrap();
        assert_eq!(held.reason.code, "impossible-code", "{code}");
    }
}

#[test]
fn a_code_that_two_products_share_is_held() {
    let world = with_code("p2");
    assert_eq!(world.held(1).unwrap().reason.code, "shared-code");
    assert_eq!(world.stock("p2"), 100);
}

#[test]
fn a_hold_tells_since_when_it_stands_for_the_same_reason() {
    let world = World::new(1);
    allocate(&world, "p1", 100);
    world.waits(1, -1);
    let first = world.now.get();
    world.work(5);
    let held = world.held(1).unwrap();
    assert_eq!(held.since, first);
    assert!(held.looked_at > first);
    world.goods.borrow_mut().clear();
    let gone = world.now.get();
    world.work(3);
    let held = world.held(1).unwrap();
    assert_eq!(
        (held.reason.code.as_str(), held.since),
        ("unknown-code", gone)
    );
}

#[test]
fn what_goes_again_by_itself_has_its_old_place_among_what_is_free() {
    let world = World::new(3);
    allocate(&world, "p1", 100);
    world.waits(1, -1);
    world.work(2);
    allocate(&world, "p1", 0);
    let now = world.now.get();
    hold(&world, 1, |held| held.again_at = Some(now));
    world.waits(2, -1);
    let progress = stock::finish(&world.tenant(), &mut SendProgress::default(), Ok(()));
    let progress = progress.unwrap();
    assert_eq!((progress.products_waiting, progress.products_held), (2, 0));
    put_book(&world, |book| book.most_rows = 1);
    world.send();
    assert_eq!(
        (world.stock("p1"), world.stock("p2")),
        (99, 100),
        "oldest first"
    );
}

#[test]
fn what_is_due_now_is_no_time_to_come_while_the_link_is_off() {
    let world = World::new(1);
    allocate(&world, "p1", 100);
    world.waits(1, -1);
    world.work(1);
    let now = world.now.get();
    hold(&world, 1, |held| held.again_at = Some(now));
    world.link(false);
    let progress = world.try_send().unwrap();
    assert_eq!((progress.next_at, progress.more), (None, false));
}

#[test]
fn differences_of_very_many_stores_go_in_batches_that_storage_takes() {
    let world = World::new(MOST_ROWS);
    for id in 1..=MOST_ROWS {
        let mut out = Out::new(&id.to_string(), world.now.get());
        for store in 0..300 {
            let store = format!("{:0>9}", store);
            out.add(-1, Origin::Alignment, &store, "1");
        }
        out.quantity = 1;
        assert_eq!(out.changes.len(), MOST_IDS);
        let commit = Commit::new().put(&out_key(&id.to_string()), &out).unwrap();
        commit.apply(&world.ports()).unwrap();
    }
    world.work(2);
    let applied = |world: &World| {
        let ids = 1..=MOST_ROWS;
        ids.filter(|id| world.stock(&format!("p{id}")) == 101)
            .count()
    };
    let first = applied(&world);
    assert!((100..MOST_ROWS).contains(&first), "{first}");
    world.work(20);
    assert_eq!(applied(&world), MOST_ROWS);
}

#[test]
fn a_refused_upload_lets_the_schedule_wait_five_minutes() {
    let world = World::new(1);
    world.waits(1, -1);
    world.faults.borrow_mut().push(Fault::Refuse("003001"));
    world.send();
    let pause = TimeDelta::minutes(1);
    let next = stock::next_upload(&world.tenant(), pause).unwrap();
    assert_eq!(next, Some(world.now.get() + TimeDelta::minutes(5)));
}

#[test]
fn batches_after_storage_was_put_back_have_another_name() {
    let world = World::new(1);
    world.waits(1, -1);
    world.work(3);
    let before = book(&world);
    connection::restored(&world.ports(), world.now.get()).unwrap();
    let after = book(&world);
    assert_ne!(after.name, before.name);
    assert_eq!((after.name.len(), after.next), (8, before.next));
}

#[test]
fn a_batch_that_failed_for_an_unknown_row_goes_again_in_halves_after_ten_minutes() {
    let world = World::new(20);
    for id in 1..=20 {
        world.waits(id, -1);
    }
    world.poison.borrow_mut().insert("p7".to_owned());
    world.work(7);
    assert_eq!(world.uploads(), 1);
    world.work(1);
    let settled = world.now.get() - TimeDelta::minutes(1);
    let held = world.held(1).unwrap();
    assert_eq!(
        (held.reason.code.as_str(), held.needs_person),
        ("batch-refused", false)
    );
    assert_eq!(held.again_at, Some(settled + TimeDelta::minutes(10)));
    assert_eq!(book(&world).most_rows, 10);
    world.work(9);
    assert_eq!(world.uploads(), 1);
    world.send();
    assert_eq!(world.uploads(), 2);
    assert_eq!(world.uploaded_rows(), [20, 10]);
}

#[test]
fn an_upload_of_which_nothing_is_known_is_sent_again_and_told_as_not_received() {
    let world = World::new(2);
    world.waits(1, -1);
    world.waits(2, -1);
    world.faults.borrow_mut().push(Fault::LostBefore);
    world.send();
    world.others_upload();
    world.pass(1);
    world.work(20);
    let held = world.held(1).unwrap();
    assert_eq!(
        (held.reason.code.as_str(), held.needs_person),
        ("not-received", false)
    );
    world.work(15);
    assert_eq!((world.stock("p1"), world.stock("p2")), (99, 99));
}

#[test]
fn a_row_booked_by_another_quantity_is_told_now_or_when_it_is_seen_late() {
    let other: Bend = |answer| {
        for row in answer["data"].as_array_mut().unwrap() {
            row["stock_io_history_after_stock_quantity"] = "95".into();
        }
    };
    for late in [0, 45] {
        let world = World::new(1);
        world.waits(1, -3);
        world.movements_late.set(TimeDelta::minutes(late));
        world.bent.set(Some(("movements", other)));
        world.work(40);
        if late > 0 {
            assert_eq!(world.held(1).unwrap().reason.code, "outcome-unclear");
            world.movements_late.set(TimeDelta::zero());
            world.pass(10);
            resend(&world, ResendChoice::Entry("w-1".to_owned()));
            world.work(2);
        }
        let held = world.held(1).unwrap();
        assert_eq!(
            (held.reason.code.as_str(), held.needs_person),
            ("applied-wrong", true)
        );
        assert_eq!(world.uploads(), 1, "{late}");
    }
}

#[test]
fn what_a_person_sends_again_goes_with_the_very_next_call() {
    let world = with_an_unclear_row();
    resend(&world, ResendChoice::Entry("w-1".to_owned()));
    world.send();
    assert_eq!(world.uploads(), 2);
}

#[test]
fn a_new_movement_lets_go_what_is_short_of_stock_and_nothing_else() {
    let world = World::new(2);
    allocate(&world, "p1", 98);
    world.waits(1, -3);
    world.goods.borrow_mut().remove("p2");
    world.waits(2, -3);
    world.work(1);
    assert_eq!(world.held(1).unwrap().reason.code, "free-stock");
    let unknown = world.held(2).unwrap();
    assert_eq!(unknown.reason.code, "unknown-code");
    for id in ["1", "2"] {
        world.moves(id, 2, "03");
        world.hints(id);
    }
    let mut progress = SendProgress::default();
    at_once(stock::read(&world.tenant(), &mut progress)).unwrap();
    assert_eq!((world.out(1), world.out(2)), (Some(-1), Some(-1)));
    assert_eq!((world.held(1), world.held(2)), (None, Some(unknown)));
}
