//! Budgets of a few requests a call: everything gets there all the same, and nothing is asked for twice.

use super::shop::Shop;
use crate::{
    rules::samples,
    sync::report::{ImportProgress, RetryChoice},
};

const SLIPS: u32 = 12;

/// Every slip has a product of its own, which Smaregi does not have.
fn shop_of_many_products() -> Shop {
    let shop = Shop::open();
    for slip in 0..SLIPS {
        let mut order = samples::order(&(1_001 + slip).to_string());
        order.lines[0].code = format!("p{slip}");
        shop.world.put(order);
    }
    shop
}

fn add_products(shop: &Shop) {
    (0..SLIPS).for_each(|slip| shop.world.add_product(&format!("p{slip}")));
}

/// Calls until nothing is left; a few hundred must do.
fn until_done(mut call: impl FnMut() -> ImportProgress) -> (u32, u32) {
    let (mut registered, mut refused) = (0, 0);
    for _ in 0..400 {
        let progress = call();
        registered += progress.registered;
        refused += progress.refused;
        if !progress.more {
            return (registered, refused);
        }
    }
    panic!("it never ends")
}

#[test]
fn an_import_ends_whatever_a_call_may_spend() {
    for requests in 1..=7 {
        let shop = shop_of_many_products();
        add_products(&shop);
        assert_eq!(
            until_done(|| shop.import_within(requests)),
            (SLIPS, 0),
            "{requests}"
        );
        assert_eq!(shop.world.live().len(), 12);
    }
}

#[test]
fn a_retry_of_everything_ends_whatever_a_call_may_spend() {
    for requests in 1..=7 {
        let shop = shop_of_many_products();
        assert_eq!(shop.import().refused, SLIPS);
        let all = || shop.retry_within(RetryChoice::AllRefused(true), requests);
        assert_eq!(
            until_done(all),
            (0, SLIPS),
            "{requests}: nothing was mended"
        );
        add_products(&shop);
        assert_eq!(until_done(all), (SLIPS, 0), "{requests}");
    }
}

#[test]
fn products_are_asked_for_once() {
    let shop = shop_of_many_products();
    add_products(&shop);
    shop.import();
    let asked = shop.world.asked("GET /products");
    assert_eq!(asked, 1, "the whole list");
    for slip in 0..SLIPS {
        let mut order = samples::order(&(2_001 + slip).to_string());
        order.lines[0].code = format!("p{slip}");
        shop.world.put(order);
    }
    shop.world.pass(20);
    assert_eq!(shop.import().registered, SLIPS);
    assert_eq!(shop.world.asked("GET /products"), asked);
}
