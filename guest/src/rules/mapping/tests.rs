//! The mapping as a whole: awkward orders one by one, and any order at all.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::{
    money::Rounding,
    rules::{order::OrderLine, sale::TaxMode, samples},
    settings::Settings,
};

fn mapped(order: &Order, products: &Products) -> Result<Sale, Reason> {
    let codes = Settings::default().stock.codes;
    map(
        order,
        &samples::store(),
        &samples::settings(),
        &codes,
        products,
    )
}

fn refusal(change: impl Fn(&mut Order)) -> String {
    let mut order = samples::order("1001");
    change(&mut order);
    mapped(&order, &samples::products()).unwrap_err().code
}

#[test]
fn an_order_becomes_a_sale() {
    let sale = mapped(&samples::order("1001"), &samples::products()).unwrap();
    assert_eq!(
        (sale.subtotal, sale.discount, sale.total),
        (3_080, 0, 3_080)
    );
    assert_eq!((sale.tax_included, sale.tax_added), (261, 0));
    assert_eq!(
        (sale.store_id.as_str(), sale.terminal_id.as_str()),
        ("10", "900001")
    );
    assert_eq!(sale.memo, "NE伝票 1001 / 受注 R-1001");
    assert_eq!(sale.tags, ["ネクストエンジン", "楽天 本店"]);
    assert_eq!(sale.sold_on.to_string(), "2026-11-21");
}

#[test]
fn cancelled_lines_are_left_out() {
    let mut order = samples::order("1001");
    order.lines.push(OrderLine {
        cancelled: true,
        ..samples::line("nobody-knows", 9_999, 1, Some(10))
    });
    assert_eq!(mapped(&order, &samples::products()).unwrap().lines.len(), 2);
}

#[test]
fn fees_points_and_a_coupon_keep_the_total() {
    let mut order = samples::order("1001");
    order.charge = 330.into();
    order.delivery = 550.into();
    order.other = Decimal::from(-200);
    order.points = 100.into();
    order.total = 3_660.into();
    let sale = mapped(&order, &samples::products()).unwrap();
    assert_eq!(
        (sale.subtotal, sale.discount, sale.total),
        (3_960, 300, 3_660)
    );
    let fees: Vec<_> = sale
        .lines
        .iter()
        .skip(2)
        .map(|line| (line.product_code.as_str(), line.unit_price))
        .collect();
    assert_eq!(fees, [("fee", 330), ("ship", 550)]);
}

#[test]
fn a_shop_that_adds_tax_adds_it_by_rate_and_not_to_fees() {
    let mut order = samples::order("1001");
    order.tax = 286.into();
    order.delivery = 550.into();
    order.total = 3_916.into();
    let sale = mapped(&order, &samples::products()).unwrap();
    assert_eq!(
        (sale.subtotal, sale.tax_added, sale.tax_included),
        (3_630, 286, 50)
    );
    let modes: Vec<_> = sale.lines.iter().map(|line| line.tax_mode).collect();
    assert_eq!(modes, [TaxMode::Added, TaxMode::Added, TaxMode::Included]);
}

#[test]
fn refusals_name_what_to_mend() {
    for (found, expected) in [
        (
            refusal(|order| order.total += Decimal::ONE),
            "totals-disagree",
        ),
        (refusal(|order| order.tax = 1.into()), "totals-disagree"),
        (
            refusal(|order| order.lines[0].code = "none".to_owned()),
            "unknown-product-code",
        ),
        (
            refusal(|order| order.lines[0].quantity = Decimal::new(15, 1)),
            "bad-quantity",
        ),
        (
            refusal(|order| order.lines[0].quantity = Decimal::ZERO),
            "totals-disagree",
        ),
        (
            refusal(|order| order.lines[0].unit_price = Decimal::new(25, 2)),
            "bad-unit-price",
        ),
        (
            refusal(|order| order.lines[0].unit_price = Decimal::from(-5)),
            "bad-unit-price",
        ),
        (
            refusal(|order| order.lines[0].tax_rate = Some(5.into())),
            "unknown-tax-rate",
        ),
        (refusal(|order| order.lines.clear()), "no-lines"),
        (
            refusal(|order| order.lines = vec![samples::line("a", 1, 1, None); 1_000]),
            "too-many-lines",
        ),
        (
            refusal(|order| order.delivery = Decimal::new(5505, 1)),
            "fraction-of-a-yen",
        ),
    ] {
        assert_eq!(found, expected);
    }
    let negative = refusal(|order| {
        order.points = 4_000.into();
        order.total = Decimal::from(-920);
    });
    assert_eq!(negative, "negative-total");
}

#[test]
fn a_line_of_no_pieces_sells_nothing() {
    let mut order = samples::order("1001");
    order
        .lines
        .push(samples::line("nobody-knows", 500, 0, Some(10)));
    let codes = Settings::default().stock.codes;
    assert_eq!(needed(&order, &samples::settings(), &codes).len(), 2);
    assert_eq!(mapped(&order, &samples::products()).unwrap().lines.len(), 2);
}

#[test]
fn a_price_with_a_fraction_is_booked_to_the_yen() {
    let mut order = samples::order("1001");
    order.lines[0].unit_price = Decimal::new(10_005, 1);
    (order.goods, order.total) = (3_081.into(), 3_081.into());
    let sale = mapped(&order, &samples::products()).unwrap();
    let prices: Vec<_> = sale
        .lines
        .iter()
        .map(|line| (line.product_code.as_str(), line.quantity, line.unit_price))
        .collect();
    assert_eq!(prices, [("a", 1, 1_000), ("a", 1, 1_001), ("b", 1, 1_080)]);
}

#[test]
fn a_missing_fee_product_names_the_setting() {
    let mut order = samples::order("1001");
    order.delivery = 550.into();
    order.total += Decimal::from(550);
    let mut products = samples::products();
    products.remove(&SmaregiKey::Code("ship".to_owned()));
    let reason = mapped(&order, &products).unwrap_err();
    assert_eq!(reason.field.as_deref(), Some("orders.delivery"));
    assert!(
        reason.message.ja.contains("発送代"),
        "{}",
        reason.message.ja
    );
}

#[test]
fn a_product_that_cannot_be_read_is_not_called_missing() {
    let mut products = samples::products();
    let product = products.get_mut(&SmaregiKey::Code("a".to_owned())).unwrap();
    product[0].flaw = Some(Reason::new("x", "x", "x").field("taxDivision").value("9"));
    let reason = mapped(&samples::order("1"), &products).unwrap_err();
    assert_eq!(
        (
            reason.code.as_str(),
            reason.field.as_deref(),
            reason.value.as_deref()
        ),
        ("unreadable-product", Some("taxDivision"), Some("9"))
    );
}

#[test]
fn a_tax_that_is_a_yen_off_names_its_rounding() {
    let names_rounding = |tax_off: i64, total_off: i64| {
        let mut order = samples::order("1001");
        order.tax = Decimal::from(286 + tax_off);
        order.total = Decimal::from(3_366 + total_off);
        let reason = mapped(&order, &samples::products()).unwrap_err();
        reason.message.ja.contains("端数処理")
    };
    // Three pieces at two rates: up to five yen can come of rounding, and only where nothing else is off.
    for (tax_off, total_off, rounding) in [
        (1, 1, true),
        (-2, -2, true),
        (5, 5, true),
        (-5, -5, true),
        (6, 6, false),
        (-6, -6, false),
        (90, 90, false),
        (1, 2, false),
        (0, 1, false),
    ] {
        let found = names_rounding(tax_off, total_off);
        assert_eq!(found, rounding, "tax {tax_off}, total {total_off}");
    }
}

#[test]
fn a_slip_without_added_tax_is_not_told_of_its_rounding() {
    let mut order = samples::order("1001");
    order.total += Decimal::ONE;
    let reason = mapped(&order, &samples::products()).unwrap_err();
    assert!(!reason.message.ja.contains("端数処理"));
}

#[test]
fn as_many_lines_as_smaregi_takes_are_taken() {
    let mut order = samples::order("1001");
    order.lines = vec![samples::line("a", 10, 1, None); MOST_LINES];
    (order.goods, order.total) = (9_990.into(), 9_990.into());
    let sale = mapped(&order, &samples::products()).unwrap();
    assert_eq!(sale.lines.len(), 999);
}

#[test]
fn an_order_paid_with_points_alone_is_a_sale_of_nothing() {
    let mut order = samples::order("1001");
    (order.points, order.total) = (3_080.into(), Decimal::ZERO);
    let sale = mapped(&order, &samples::products()).unwrap();
    assert_eq!(
        (sale.subtotal, sale.discount, sale.total),
        (3_080, 3_080, 0)
    );
}

#[test]
fn an_unknown_product_is_named() {
    let mut order = samples::order("1001");
    order.lines[1].code = "梅-9".to_owned();
    let reason = mapped(&order, &samples::products()).unwrap_err();
    assert_eq!(reason.field.as_deref(), Some("receive_order_row_goods_id"));
    assert_eq!(reason.value.as_deref(), Some("梅-9"));
}

#[test]
fn a_code_of_two_products_is_refused() {
    let mut products = samples::products();
    let twins = products.get_mut(&SmaregiKey::Code("a".to_owned())).unwrap();
    twins.push(twins[0].clone());
    assert_eq!(
        mapped(&samples::order("1"), &products).unwrap_err().code,
        "shared-product-code"
    );
}

#[test]
fn both_figures_of_a_disagreement_are_shown() {
    let mut order = samples::order("1001");
    order.total = 3_000.into();
    let reason = mapped(&order, &samples::products()).unwrap_err();
    assert!(
        reason.message.ja.contains("3000円") && reason.message.ja.contains("3080円"),
        "{}",
        reason.message.ja
    );
}

#[test]
fn only_what_is_needed_is_looked_up() {
    let mut order = samples::order("1001");
    order.delivery = 550.into();
    order.other = Decimal::from(-1);
    let needed = needed(
        &order,
        &samples::settings(),
        &Settings::default().stock.codes,
    );
    let needed: Vec<&str> = needed.iter().map(SmaregiKey::value).collect();
    assert_eq!(needed, ["a", "b", "ship"]);
}

/// Any order that adds up, written by its own arithmetic: integers, floor, one rounding per rate.
fn adding_up() -> impl Strategy<Value = Order> {
    let line = (0..3_usize, 0..30_000_i64, 1..30_i64, any::<bool>());
    let fees = (0..1_000_i64, 0..1_000_i64, -500..500_i64, 0..100_i64);
    (prop::collection::vec(line, 1..20), fees, any::<bool>())
        .prop_map(|(lines, fees, added)| build(&lines, fees, added))
}

fn build(
    lines: &[(usize, i64, i64, bool)],
    (charge, delivery, other, points): (i64, i64, i64, i64),
    added: bool,
) -> Order {
    let mut order = samples::order("1001");
    let mut bases = [0_i64; 3];
    order.lines.clear();
    for (kind, price, quantity, given) in lines {
        let (code, rate) = [("a", 10), ("b", 8), ("z", 0)][*kind];
        bases[*kind] += price * quantity;
        order.lines.push(samples::line(
            code,
            *price,
            *quantity,
            given.then_some(rate),
        ));
    }
    // A dear line keeps the total above what coupons and points can take.
    bases[2] += 10_000;
    order.lines.push(samples::line("z", 10_000, 1, None));
    let goods: i64 = bases.iter().sum();
    let tax = if added {
        bases[0] / 10 + bases[1] * 8 / 100
    } else {
        0
    };
    order.goods = goods.into();
    order.tax = tax.into();
    (order.charge, order.delivery, order.other, order.points) =
        (charge.into(), delivery.into(), other.into(), points.into());
    order.total = (goods + tax + charge + delivery + other - points).into();
    order
}

proptest! {
    #[test]
    fn what_adds_up_there_adds_up_here(order in adding_up()) {
        let sale = mapped(&order, &samples::products()).unwrap();
        prop_assert_eq!(sale.rounding, Rounding::Down);
        prop_assert_eq!(sale.subtotal, sale.lines.iter().map(SaleLine::amount).sum::<i64>());
        prop_assert_eq!(sale.total, sale.subtotal - sale.discount + sale.tax_added);
        prop_assert_eq!(Decimal::from(sale.total), order.total);
        prop_assert_eq!(Decimal::from(sale.tax_added), order.tax);
        prop_assert!(sale.discount >= 0 && sale.tax_included <= sale.subtotal);
    }

    #[test]
    fn what_does_not_is_refused(mut order in adding_up(), off in prop_oneof![-9_999..=-1_i64, 1..=9_999_i64]) {
        order.total += Decimal::from(off);
        prop_assert_eq!(mapped(&order, &samples::products()).unwrap_err().code, "totals-disagree");
    }
}
