//! The merchant: stores, products, two web shops, and the settings. Fixed; it must not depend on a scenario.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use tsunagi_guest::settings::{FeeMode, PointMode, ReceivingStore, Secret, Settings, Trigger};
use tsunagi_sandbox::{
    World,
    next_engine::Slip,
    shop::{Mall, MallTax, Order, OrderLine, Product, ShopData, Store},
};

/// Tea, 8 %.
pub const TEA: u64 = 1;
/// A cup.
pub const CUP: u64 = 2;
/// A pot.
pub const POT: u64 = 3;
/// A lid.
pub const LID: u64 = 4;

/// Goods: id, code, price with tax, tax rate.
pub const GOODS: [(u64, &str, i64, u8); 4] = [
    (TEA, "TEA", 1080, 8),
    (CUP, "CUP", 1100, 10),
    (POT, "POT", 5500, 10),
    (LID, "LID", 550, 10),
];
const FEES: [(u64, &str); 3] = [(901, "FEE"), (902, "SHIP"), (903, "OTHER")];

/// What an order's fees are booked on.
pub fn fees_of(slip: &Slip) -> impl Iterator<Item = &'static str> {
    let fees = [slip.charge, slip.delivery_fee, slip.other];
    let booked = FEES.iter().zip(fees).filter(|(_, fee)| !fee.is_zero());
    booked.map(|(row, _)| row.1)
}

/// Whether a code is of what fees are booked on.
pub fn is_fee(code: &str) -> bool {
    FEES.iter().any(|fee| fee.1 == code)
}

/// Opening stock by store.
pub const OPENING: [(u32, i64); 3] = [(SHOP, 20), (STATION, 20), (WAREHOUSE, 80)];
/// The shop, which takes part and receives all orders.
pub const SHOP: u32 = 1;
/// A store that takes no part.
pub const STATION: u32 = 2;
/// The warehouse, which takes part and is the mall's source store.
pub const WAREHOUSE: u32 = 3;
/// Stores whose stock makes Next Engine's number.
pub const LINKED: [u32; 2] = [SHOP, WAREHOUSE];

/// A mall; its orders leave from the warehouse. Prices include tax.
pub const MALL: u32 = 1;
/// The own web shop; its orders leave from the selling store. Prices exclude tax.
pub const OWN: u32 = 2;

/// Where a web shop's orders take their goods from.
pub fn source_of(mall: u32) -> u32 {
    if mall == MALL { WAREHOUSE } else { SHOP }
}

/// A product's code; empty for none of ours.
pub fn code_of(product: u64) -> &'static str {
    let row = GOODS.iter().find(|row| row.0 == product);
    row.map_or("", |row| row.1)
}

/// When every run begins.
pub fn morning() -> DateTime<FixedOffset> {
    let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap_or_default();
    let wall = day.and_hms_opt(9, 0, 0).unwrap_or_default();
    let zone = tsunagi_guest::time::japan();
    wall.and_local_timezone(zone)
        .single()
        .unwrap_or_else(|| wall.and_utc().with_timezone(&zone))
}

fn product(id: u64, code: &str, price: i64, tax_rate: u8, goods: bool) -> Product {
    Product {
        id,
        code: code.to_owned(),
        name: format!("品 {code}"),
        price: price.into(),
        cost: Decimal::ZERO,
        tax_rate,
        stock_managed: goods,
        in_next_engine: goods,
        in_smaregi: true,
        stock: if goods { OPENING.to_vec() } else { Vec::new() },
    }
}

/// Both services' books at the beginning.
pub fn shop() -> ShopData {
    let store = |id, name: &str, warehouse| Store {
        id,
        code: format!("S{id}"),
        name: name.to_owned(),
        warehouse,
    };
    let mall = |id, tax| Mall {
        id,
        name: format!("店 {id}"),
        short_name: format!("店{id}"),
        tax,
    };
    let goods = GOODS
        .iter()
        .map(|(id, code, price, rate)| product(*id, code, *price, *rate, true));
    let fees = FEES
        .iter()
        .map(|(id, code)| product(*id, code, 0, 10, false));
    ShopData {
        stores: vec![
            store(SHOP, "本店", false),
            store(STATION, "駅前店", false),
            store(WAREHOUSE, "倉庫", true),
        ],
        linked_stores: LINKED.to_vec(),
        products: goods.chain(fees).collect(),
        malls: vec![mall(MALL, MallTax::Included), mall(OWN, MallTax::Added)],
        orders: Vec::new(),
    }
}

/// An order of these products and pieces, placed an hour before the run.
pub fn order(mall: u32, number: &str, lines: &[(u64, i64)]) -> Order {
    let line = |(id, quantity): &(u64, i64)| {
        let row = GOODS.iter().find(|row| row.0 == *id);
        let (_, code, price, tax_rate) = row.copied().unwrap_or((0, "GONE", 1000, 10));
        let price = match mall {
            MALL => price,
            _ => price * 100 / (100 + i64::from(tax_rate)),
        };
        OrderLine {
            code: code.to_owned(),
            name: code.to_owned(),
            quantity: *quantity,
            unit_price: price.into(),
            tax_rate,
            cancelled: false,
        }
    };
    Order {
        mall,
        number: number.to_owned(),
        ordered_at: morning() - TimeDelta::hours(1),
        lines: lines.iter().map(line).collect(),
        charge: Decimal::ZERO,
        delivery_fee: Decimal::ZERO,
        other: Decimal::ZERO,
        points: Decimal::ZERO,
        total: None,
        payment_method: 0,
        fate: Vec::new(),
    }
}

/// Complete settings: every trigger, both linked stores, both web shops, all fees.
pub fn settings(services: &World) -> Settings {
    let mut settings = Settings::default();
    // Whoever plays a night's comparison switches it on.
    settings.pace.compare_days = 0;
    let (smaregi, next_engine) = (services.smaregi.app(), services.next_engine.app());
    let credentials = &mut settings.credentials;
    credentials.next_engine_client_id = next_engine.client_id.clone();
    credentials.next_engine_client_secret = Secret::new(next_engine.client_secret.clone());
    credentials.next_engine_redirect = next_engine.redirect_uri.clone();
    credentials.smaregi_contract_id = smaregi.contract_id.clone();
    credentials.smaregi_client_id = smaregi.client_id.clone();
    credentials.smaregi_client_secret = Secret::new(smaregi.client_secret.clone());
    settings.stock.triggers = Trigger::ALL.to_vec();
    settings.stock.stores = LINKED.iter().map(u32::to_string).collect();
    settings.orders.receiving_stores = vec![receiving(MALL), receiving(OWN)];
    settings.orders.charge = FeeMode::Line("FEE".to_owned());
    settings.orders.delivery = FeeMode::Line("SHIP".to_owned());
    settings.orders.other = FeeMode::Line("OTHER".to_owned());
    settings.orders.points = PointMode::SubtotalDiscount;
    // An hour is quiet enough to be told from work.
    settings.pace.import_minutes = 60;
    settings
}

fn receiving(mall: u32) -> ReceivingStore {
    let source = source_of(mall);
    ReceivingStore {
        store_id: SHOP.to_string(),
        start_date: NaiveDate::from_ymd_opt(2026, 11, 1).unwrap_or_default(),
        shop_id: mall.to_string(),
        shop_name: format!("店 {mall}"),
        source_store_id: (source != SHOP).then(|| source.to_string()),
        terminal_id: None,
    }
}
