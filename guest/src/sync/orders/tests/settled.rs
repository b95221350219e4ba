//! What is written of an effect whose outcome comes late: only the one under way is settled, and a stock move that is not wanted any
//! more keeps nobody waiting.

use super::shop::{Shop, shop_with};
use crate::{
    reason::Reason,
    rules::{goods::Products, source_store::Shift},
    sync::{
        orders::{
            bench::{Bench, Tally},
            records::{Act, Balance, Intent, Move, SlipRecord, slip_key},
            settling,
        },
        own::Effect,
        report::ImportProgress,
        smaregi_session::Smaregi,
        store::{self, Commit},
        testing,
    },
};

const SLIP: &str = "1001";

fn record(shop: &Shop) -> SlipRecord {
    let stored = store::read::<SlipRecord>(&shop.ports(), &slip_key(SLIP)).unwrap();
    stored.unwrap().value
}

fn put(shop: &Shop, change: impl FnOnce(&mut SlipRecord)) -> SlipRecord {
    let mut changed = record(shop);
    change(&mut changed);
    let commit = Commit::new().put(&slip_key(SLIP), &changed).unwrap();
    commit.apply(&shop.ports()).unwrap();
    changed
}

fn with_bench<T>(shop: &Shop, act: impl FnOnce(&Bench<'_>) -> T) -> (T, ImportProgress) {
    let tenant = shop.tenant(1_000);
    let session = testing::at_once(Smaregi::open(&tenant)).unwrap();
    let (products, tally) = (Products::default(), Tally::default());
    let done = act(&Bench {
        tenant: &tenant,
        session: &session,
        products: &products,
        on: true,
        restored: None,
        tally: &tally,
    });
    let mut progress = ImportProgress::default();
    tally.into_progress(&mut progress).unwrap();
    (done, progress)
}

/// The sale of an order that is registered, being cancelled.
fn cancelling(shop: &Shop) -> Intent {
    let registered = record(shop).registered.unwrap();
    Intent {
        act: Act::Cancel,
        revision: registered.revision,
        sale: registered.sale,
        made_from: None,
        transaction_id: Some(registered.transaction_id),
        tried_at: shop.world.now.get(),
        refused: None,
        second_way: false,
        why: None,
        earlier: false,
    }
}

#[test]
fn the_late_outcome_of_another_effect_settles_nothing() {
    let shop = shop_with(&[SLIP]);
    shop.import();
    let open = cancelling(&shop);
    let before = put(&shop, |record| record.intent = Some(open.clone()));
    let registration = Intent {
        act: Act::Register,
        ..open.clone()
    };
    let earlier = Intent {
        revision: open.revision - 1,
        ..open.clone()
    };
    let reason = || Reason::new("refused", "拒否", "refused");
    let ((), told) = with_bench(&shop, |bench| {
        for late in [&registration, &earlier] {
            settling::registered(bench, SLIP, late, "9", None).unwrap();
            assert_eq!(record(&shop), before);
            settling::refused(bench, SLIP, late, reason()).unwrap();
            assert_eq!(record(&shop), before);
        }
        settling::undone(bench, SLIP, &open).unwrap();
        settling::refused(bench, SLIP, &registration, reason()).unwrap();
    });
    let after = record(&shop);
    assert_eq!((after.intent, after.registered), (None, None));
    assert_eq!((told.registered, told.undone, told.refused), (0, 1, 0));
}

#[test]
fn returned_pieces_that_were_not_told_are_left_to_do() {
    let shop = shop_with(&[SLIP]);
    shop.import();
    let mut sale = record(&shop);
    assert!(!settling::has_more(&sale), "nothing is left");
    let mut order = sale.order.clone().unwrap();
    order.lines[0].returned = 2.into();
    sale.registered.as_mut().unwrap().made_from = order.clone();
    sale.order = Some(order);
    assert!(settling::has_more(&sale));
    for (told, left) in [(1, true), (2, false), (3, false)] {
        sale.told_returned = told.into();
        assert_eq!(settling::has_more(&sale), left, "{told}");
    }
}

/// A slip that waits for a person for this reason, with a refused move of two `A` in store 10, and a cancellation in balance that moves
/// so many there by itself.
fn balanced(code: &str, pieces: i64) -> SlipRecord {
    let shop = shop_with(&[SLIP]);
    shop.import();
    let shift = |quantity| Shift {
        store_id: "10".to_owned(),
        product_id: "A".to_owned(),
        quantity,
    };
    let told = put(&shop, |record| {
        record.balances = vec![Balance {
            act: Act::Cancel,
            revision: 1,
            wanted: Vec::new(),
            by_itself: vec![shift(pieces)],
        }];
        record.moves = vec![Move {
            number: 1,
            revision: 1,
            shift: shift(2),
            tried_at: None,
            refused: true,
            sought: false,
        }];
        record.moves_made = 1;
    });
    let moves = Effect::Moves {
        division: "02".to_owned(),
    };
    let reason = Reason::new(code, "理由", "reason");
    let commit = Commit::new().put("own-effect/cancel", &moves).unwrap();
    let settings = &shop.tenant(0).settings.orders;
    let now = shop.world.now.get();
    let happened = crate::sync::orders::records::Happened::NeedsPerson;
    let mut held = told;
    let commit =
        crate::sync::orders::journal::hold(commit, &mut held, settings, now, happened, reason);
    let commit = commit.unwrap().put(&slip_key(SLIP), &held).unwrap();
    commit.apply(&shop.ports()).unwrap();
    with_bench(&shop, |bench| settling::balance(bench, SLIP).unwrap());
    record(&shop)
}

#[test]
fn a_refused_move_that_is_not_wanted_any_more_waits_for_nobody() {
    let is_held = |code, pieces| balanced(code, pieces).is_held();
    // A cancellation that put two back by itself takes the place of the move.
    assert!(!is_held(settling::MOVE_REFUSED, 2));
    assert!(is_held("something-else", 2), "that is not mended by it");
    let refused = balanced(settling::MOVE_REFUSED, 0);
    assert!(refused.is_held(), "it is still to be made");
    assert_eq!(refused.moves.len(), 1);
}
