//! What a shop changes on its slips: deleting, adding, reviving, merging, and the money that follows.

use rust_decimal::Decimal;
use serde_json::json;

use super::{Client, order};
use crate::next_engine::{AmountEdit, Rounding, TaxSequence};
use crate::switches::*;

#[test]
fn deleted_slips_and_lines_stay_readable_and_hold_no_stock() {
    let mut client = Client::new(Switches::default());
    let ne = &mut client.world.next_engine;
    let (first, second) = (
        ne.place(&order(1, 3)).unwrap(),
        ne.place(&order(1, 2)).unwrap(),
    );
    ne.delete_slip(first).unwrap();
    ne.delete_line(second, 1).unwrap();
    assert!(ne.ship(first).is_err(), "deleted");
    let goods = ne.books().slips[&second].goods_amount();
    assert_eq!(goods, Decimal::from(999), "line 2 alone");
    assert_eq!(client.stock("A-1"), (10, 10));
    let fields = "receive_order_id,receive_order_row_no,receive_order_deleted_flag,receive_order_row_deleted_flag";
    let rows = client.call(
        "/api_v1_receiveorder_row/search",
        &[("fields", fields), ("receive_order_row_no-eq", "1")],
    );
    let row = |id: u64, slip: &str, line: &str| {
        json!({"receive_order_id": id.to_string(), "receive_order_row_no": "1",
               "receive_order_deleted_flag": slip, "receive_order_row_deleted_flag": line})
    };
    assert_eq!(
        rows["data"],
        json!([row(first, "1", "0"), row(second, "0", "1")])
    );
}

#[test]
fn added_lines_and_revived_slips_take_stock_again() {
    let mut client = Client::new(Switches::default());
    let ne = &mut client.world.next_engine;
    let slip = ne.place(&order(1, 3)).unwrap();
    let line = order(1, 4).lines[0].clone();
    assert_eq!(ne.add_line(slip, &line).unwrap(), 3);
    ne.cancel(slip, 1).unwrap();
    assert_eq!(ne.books().goods["A-1"].allocated, 0);
    ne.revive(slip).unwrap();
    assert!(ne.revive(slip).is_err(), "it is live");
    ne.ship(slip).unwrap();
    assert_eq!(client.stock("A-1"), (3, 3));
}

#[test]
fn merging_and_returning_move_dates_as_the_switches_say() {
    for (yes, switches) in [
        (true, Switches::default()),
        (
            false,
            Switches {
                merge_modifies: MergeModifies::No,
                split_modifies: SplitModifies::No,
                line_change_modifies_slip: LineChangeModifiesSlip::No,
                ..Switches::default()
            },
        ),
    ] {
        let mut client = Client::new(switches);
        let ne = &mut client.world.next_engine;
        let (from, into) = (
            ne.place(&order(1, 1)).unwrap(),
            ne.place(&order(1, 1)).unwrap(),
        );
        ne.merge(from, into).unwrap();
        for id in [from, into] {
            assert_eq!(ne.books().slips[&id].modified.is_some(), yes);
        }
        ne.split(into, &[4]).unwrap();
        assert_eq!(ne.books().slips[&into].modified.is_some(), yes);
        let other = ne.place(&order(1, 1)).unwrap();
        ne.ship(other).unwrap();
        let shipped = ne.books().slips[&other].modified;
        client
            .world
            .clock
            .advance(std::time::Duration::from_secs(9));
        let ne = &mut client.world.next_engine;
        ne.take_return(other, 1, 1, 0).unwrap();
        assert_eq!(ne.books().slips[&other].modified != shipped, yes);
    }
}

#[test]
fn tax_follows_rounding_sequence_and_base() {
    // rounding, sequence, base, tax of 3 x 999 at 10 % and 999 at 8 % with fees of 330 + 550 - 100
    let table = [
        (
            Rounding::Down,
            TaxSequence::GoodsTotal,
            TaxBase::Goods,
            299 + 79,
        ),
        (
            Rounding::HalfUp,
            TaxSequence::GoodsTotal,
            TaxBase::Goods,
            300 + 80,
        ),
        (
            Rounding::Up,
            TaxSequence::UnitPrice,
            TaxBase::Goods,
            300 + 80,
        ),
        (
            Rounding::Down,
            TaxSequence::UnitPrice,
            TaxBase::GoodsAndFees,
            297 + 78 + 79,
        ),
    ];
    for (rounding, sequence, tax_base, tax) in table {
        let mut client = Client::new(Switches {
            tax_base,
            ..Switches::default()
        });
        let ne = &mut client.world.next_engine;
        ne.set_mall(2, rounding, sequence).unwrap();
        let slip = ne.place(&order(2, 3)).unwrap();
        let found = ne.books().slips[&slip].tax_amount();
        assert_eq!(found, Decimal::from(tax), "{rounding:?} {sequence:?}");
    }
}

#[test]
fn ratio_deposit_and_coupon_show_in_their_columns() {
    let mut client = Client::new(Switches::default());
    let ne = &mut client.world.next_engine;
    let slip = ne.place(&order(1, 2)).unwrap();
    ne.edit_ratio(slip, 1, Decimal::from(6)).unwrap();
    let edit = AmountEdit {
        deposit: Some(Decimal::from(500)),
        mall_coupon: Some(Decimal::from(200)),
        ..AmountEdit::default()
    };
    ne.edit_amounts(slip, &edit).unwrap();
    let fields = "receive_order_row_wholesale_retail_ratio,receive_order_row_sub_total_price,receive_order_deposit_type_id,\
                  receive_order_option_received_time_mall_coupon,receive_order_option_received_time_shop_coupon";
    let rows = client.call("/api_v1_receiveorder_row/search", &[("fields", fields)]);
    assert_eq!(
        rows["data"][0],
        json!({"receive_order_row_wholesale_retail_ratio": "6.0", "receive_order_row_sub_total_price": "1198.80",
               "receive_order_deposit_type_id": "1", "receive_order_option_received_time_mall_coupon": "200.00",
               "receive_order_option_received_time_shop_coupon": null})
    );
}
