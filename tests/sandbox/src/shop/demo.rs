//! The demo shop: two stores, a warehouse, two web shops, fifty products and two hundred orders of the past month.
//! It must be the same every time for the same moment, and hold nobody's data.

use chrono::{DateTime, FixedOffset, TimeDelta};
use rust_decimal::{Decimal, RoundingStrategy};

use super::products::{GOODS, ONLY_NEXT_ENGINE, Row, SERVICES};
use super::{Fate, Mall, MallTax, Order, OrderLine, Product, ShopData, Store};

/// Orders in the demo shop.
const ORDERS: usize = 200;
/// How far back they go.
const PAST: TimeDelta = TimeDelta::days(30);
/// The mall whose prices include tax; its orders have even positions.
pub const MALL: u32 = 1;
/// The own web shop whose prices exclude tax; its orders have odd positions.
pub const OWN_SHOP: u32 = 2;

/// Positions (in `ShopData::orders`) of the awkward orders.
pub mod awkward {
    /// One of its lines is cancelled.
    pub const CANCELLED_LINE: usize = 20;
    /// One of its products only Next Engine knows.
    pub const NOT_IN_SMAREGI: usize = 30;
    /// One of its products nobody knows.
    pub const UNKNOWN_CODE: usize = 31;
    /// Was merged into [`MERGE_TARGET`].
    pub const MERGED: usize = 40;
    /// Took over [`MERGED`]'s lines.
    pub const MERGE_TARGET: usize = 42;
    /// Its second line went to a slip of its own, which is not shipped yet.
    pub const SPLIT: usize = 50;
    /// Cancelled before shipping.
    pub const CANCELLED: usize = 70;
    /// Two tax rates, with points and a coupon.
    pub const MIXED_RATES: usize = 80;
    /// The same at the shop whose prices exclude tax.
    pub const MIXED_RATES_TAX_ADDED: usize = 81;
    /// Its total is ten yen less than its parts.
    pub const WRONG_TOTAL: usize = 90;
    /// Shipped like any other; meant to be cancelled or sent back later.
    pub const CANCEL_LATER: usize = 100;
    /// Shipped like any other; meant to be changed later.
    pub const CHANGE_LATER: usize = 101;
}

/// The demo shop as it stands at `now`.
pub fn demo_shop(now: DateTime<FixedOffset>) -> ShopData {
    let mut dice = Dice(20_261_124);
    let stores = [
        (1, "HONTEN", "つなぎ茶舗 本店"),
        (2, "EKIMAE", "つなぎ茶舗 駅前店"),
        (3, "SOKO", "つなぎ茶舗 倉庫"),
    ];
    let products = (1..)
        .zip(GOODS.iter())
        .map(|(id, row)| stocked(id, row, &mut dice))
        .collect::<Vec<_>>();
    let services = (901..).zip(SERVICES.iter()).map(|(id, row)| Product {
        stock_managed: false,
        in_next_engine: false,
        in_smaregi: true,
        ..bare(id, row)
    });
    let web_only = Product {
        in_next_engine: true,
        in_smaregi: false,
        stock: vec![(3, 30)],
        ..bare(0, &ONLY_NEXT_ENGINE)
    };
    ShopData {
        stores: stores
            .map(|(id, code, name)| Store {
                id,
                code: code.into(),
                name: name.into(),
                warehouse: id == 3,
            })
            .into(),
        linked_stores: vec![1, 3],
        products: products
            .into_iter()
            .chain(services)
            .chain([web_only])
            .collect(),
        malls: vec![
            mall(MALL, "つなぎ茶舗 モール店", "モール", MallTax::Included),
            mall(OWN_SHOP, "つなぎ茶舗 公式通販", "公式", MallTax::Added),
        ],
        orders: (0..ORDERS).map(|at| order(at, now, &mut dice)).collect(),
    }
}

/// A small fixed sequence of numbers.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }

    /// A product of the list's part between two positions.
    fn pick(&mut self, from: usize, to: usize) -> Row {
        let at = from + self.roll((to - from) as u64) as usize;
        GOODS.get(at).copied().unwrap_or(ONLY_NEXT_ENGINE)
    }
}

fn mall(id: u32, name: &str, short_name: &str, tax: MallTax) -> Mall {
    Mall {
        id,
        name: name.to_owned(),
        short_name: short_name.to_owned(),
        tax,
    }
}

fn bare(id: u64, row: &Row) -> Product {
    let (code, name, price, tax_rate) = *row;
    let price = Decimal::from(price);
    Product {
        id,
        code: code.to_owned(),
        name: name.to_owned(),
        price,
        cost: (price * Decimal::new(4, 1)).trunc(),
        tax_rate,
        stock_managed: true,
        in_next_engine: true,
        in_smaregi: true,
        stock: vec![],
    }
}

fn stocked(id: u64, row: &Row, dice: &mut Dice) -> Product {
    let mut shelf = |base: u64| (base + dice.roll(20)) as i64;
    Product {
        stock: vec![(1, shelf(10)), (2, shelf(5)), (3, shelf(60))],
        ..bare(id, row)
    }
}

fn order(at: usize, now: DateTime<FixedOffset>, dice: &mut Dice) -> Order {
    let mall = if at.is_multiple_of(2) { MALL } else { OWN_SHOP };
    let ordered_at = moment(at, now);
    let mut order = Order {
        mall,
        number: number(at),
        ordered_at,
        lines: lines(at, mall, dice),
        charge: Decimal::ZERO,
        delivery_fee: Decimal::from(if dice.roll(3) == 0 { 0 } else { 550 }),
        other: Decimal::ZERO,
        points: Decimal::from(if at.is_multiple_of(7) {
            100 + dice.roll(5) * 50
        } else {
            0
        }),
        total: None,
        payment_method: 0,
        fate: shipping(ordered_at, now),
    };
    if at % 5 == 1 {
        (order.charge, order.payment_method) = (Decimal::from(330), 1);
    }
    if at % 11 == 2 {
        order.other = Decimal::from(220);
    } else if at % 13 == 3 {
        order.other = Decimal::from(-300);
    }
    make_awkward(at, &mut order, now);
    order
}

/// When the order at this position was placed: evenly over the past month, whole seconds.
fn moment(at: usize, now: DateTime<FixedOffset>) -> DateTime<FixedOffset> {
    let step = PAST.num_seconds() / ORDERS as i64;
    now - PAST + TimeDelta::seconds(step * at as i64)
}

fn number(at: usize) -> String {
    if at.is_multiple_of(2) {
        format!("374512-1124-{at:07}")
    } else {
        format!("TW{at:06}")
    }
}

/// Shipped the day after, as far as that day has come.
fn shipping(ordered_at: DateTime<FixedOffset>, now: DateTime<FixedOffset>) -> Vec<Fate> {
    let sent = ordered_at + TimeDelta::hours(26);
    if sent < now {
        vec![Fate::Shipped(sent)]
    } else {
        vec![]
    }
}

fn lines(at: usize, mall: u32, dice: &mut Dice) -> Vec<OrderLine> {
    // Food first, then ware: awkward orders need both rates and two lines.
    let wanted = if (20..=110).contains(&at) && at.is_multiple_of(10)
        || at == awkward::MIXED_RATES_TAX_ADDED
    {
        2
    } else {
        1 + dice.roll(3)
    };
    let mut lines: Vec<OrderLine> = Vec::new();
    for position in 0..wanted {
        let row = match position {
            0 => dice.pick(0, 26),
            1 => dice.pick(26, GOODS.len()),
            _ => dice.pick(0, GOODS.len()),
        };
        lines.push(line(&row, mall, 1 + dice.roll(3) as i64));
    }
    lines
}

fn line(row: &Row, mall: u32, quantity: i64) -> OrderLine {
    let (code, name, price, tax_rate) = *row;
    let unit_price = if mall == MALL {
        Decimal::from(price)
    } else {
        without_tax(price, tax_rate)
    };
    OrderLine {
        code: code.to_owned(),
        name: name.to_owned(),
        quantity,
        unit_price,
        tax_rate,
        cancelled: false,
    }
}

fn without_tax(price: i64, rate: u8) -> Decimal {
    let net = Decimal::from(price * 100) / Decimal::from(100 + i64::from(rate));
    net.round_dp_with_strategy(0, RoundingStrategy::ToZero)
}

fn make_awkward(at: usize, order: &mut Order, now: DateTime<FixedOffset>) {
    let later = |hours| order.ordered_at + TimeDelta::hours(hours);
    match at {
        awkward::CANCELLED_LINE => order
            .lines
            .iter_mut()
            .skip(1)
            .for_each(|line| line.cancelled = true),
        awkward::NOT_IN_SMAREGI => order.lines.push(line(&ONLY_NEXT_ENGINE, order.mall, 1)),
        awkward::UNKNOWN_CODE => {
            order
                .lines
                .push(line(&("OLD-CODE-999", "旧商品", 1000, 10), order.mall, 1))
        }
        awkward::MERGED => {
            let at = moment(awkward::MERGE_TARGET, now) + TimeDelta::hours(1);
            order.fate = vec![Fate::MergedInto(at, number(awkward::MERGE_TARGET))];
        }
        awkward::SPLIT => order.fate.insert(0, Fate::SplitLine(later(1), 2)),
        awkward::CANCELLED => order.fate = vec![Fate::Cancelled(later(3), 1)],
        awkward::MIXED_RATES | awkward::MIXED_RATES_TAX_ADDED => {
            order.points = Decimal::from(257);
            order.other = Decimal::from(-300);
        }
        awkward::WRONG_TOTAL => {
            let goods: Decimal = order
                .lines
                .iter()
                .map(|line| line.unit_price * Decimal::from(line.quantity))
                .sum();
            let sum = goods + order.charge + order.delivery_fee + order.other - order.points;
            order.total = Some(sum - Decimal::TEN);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SandboxClock;
    use crate::switches::Switches;
    use crate::world::World;

    #[test]
    fn the_demo_shop_loads_and_its_books_agree() {
        let now = DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap();
        let shop = demo_shop(now);
        assert_eq!(shop.orders.len(), ORDERS);
        let codes: std::collections::BTreeSet<_> =
            shop.products.iter().map(|product| &product.code).collect();
        assert_eq!(codes.len(), shop.products.len(), "codes are unique");
        let mut world = World::new(SandboxClock::held_at(now), Switches::default());
        world.load(&shop).unwrap();
        let books = world.next_engine.books();
        assert_eq!(books.slips.len(), ORDERS + 1, "one was split");
        assert!(
            books
                .slips
                .values()
                .filter(|slip| slip.is_shipped())
                .count()
                > 180
        );
        for goods in books.goods.values() {
            let start = shop
                .products
                .iter()
                .find(|product| product.code == goods.code)
                .unwrap();
            let start: i64 = start
                .stock
                .iter()
                .filter(|(store, _)| shop.linked_stores.contains(store))
                .map(|at| at.1)
                .sum();
            let moved: i64 = books
                .movements
                .iter()
                .filter(|m| m.code == goods.code)
                .map(|m| m.after - m.before)
                .sum();
            assert_eq!(goods.stock, start + moved, "{}", goods.code);
            assert!(goods.free() >= 0, "{}", goods.code);
        }
    }
}
