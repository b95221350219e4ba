//! A small shop to play with: a store, a station shop, a warehouse; tea at 8 %, cups at 10 %; two web shops. It judges nothing.

use std::{sync::OnceLock, time::Duration};

use chrono::{DateTime, FixedOffset};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tsunagi::{
    demo::stage::{Play, Stage},
    runtime::{Runtime, RuntimeConfig},
};
use tsunagi_sandbox::{
    Switches,
    shop::{Mall, MallTax, Order, OrderLine, Product, ShopData, Store},
};

/// Products' ids; each has a code below.
pub const TEA: u64 = 1;
pub const CUP: u64 = 2;
pub const POT: u64 = 3;
pub const LID: u64 = 4;
pub const BAG: u64 = 5;
pub const TIN: u64 = 6;
pub const JAR: u64 = 7;
pub const MAT: u64 = 8;

const GOODS: [(u64, &str, i64, u8); 8] = [
    (TEA, "TEA", 1080, 8),
    (CUP, "CUP", 1100, 10),
    (POT, "POT", 5500, 10),
    (LID, "LID", 550, 10),
    (BAG, "BAG", 540, 8),
    (TIN, "TIN", 2200, 10),
    (JAR, "JAR", 3300, 10),
    (MAT, "MAT", 880, 10),
];
const FEES: [(u64, &str); 3] = [(901, "FEE"), (902, "SHIP"), (903, "OTHER")];

/// The compiled component, once for all tests.
pub fn runtime() -> Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| Runtime::new(RuntimeConfig::default()).unwrap())
        .clone()
}

/// When every test begins.
pub fn morning() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap()
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
        stock: if goods {
            vec![(1, 20), (2, 20), (3, 80)]
        } else {
            Vec::new()
        },
    }
}

/// The shop without orders. Stores 1 and 3 take part in the link.
pub fn shop() -> ShopData {
    let store = |id, name: &str, warehouse| Store {
        id,
        code: format!("S{id}"),
        name: name.to_owned(),
        warehouse,
    };
    let goods = GOODS
        .iter()
        .map(|(id, code, price, rate)| product(*id, code, *price, *rate, true));
    let fees = FEES
        .iter()
        .map(|(id, code)| product(*id, code, 0, 10, false));
    let mall = |id, tax| Mall {
        id,
        name: format!("店 {id}"),
        short_name: format!("店{id}"),
        tax,
    };
    ShopData {
        stores: vec![
            store(1, "本店", false),
            store(2, "駅前店", false),
            store(3, "倉庫", true),
        ],
        linked_stores: vec![1, 3],
        products: goods.chain(fees).collect(),
        malls: vec![mall(1, MallTax::Included), mall(2, MallTax::Added)],
        orders: Vec::new(),
    }
}

/// An order of these products and pieces, placed an hour ago.
pub fn order(mall: u32, number: &str, lines: &[(u64, i64)]) -> Order {
    let line = |(id, quantity): &(u64, i64)| {
        let (_, code, price, tax_rate) = GOODS.iter().find(|row| row.0 == *id).copied().unwrap();
        let price = if mall == 1 {
            price
        } else {
            price * 100 / (100 + i64::from(tax_rate))
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
        ordered_at: morning() - chrono::TimeDelta::hours(1),
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

/// The stage with its settings.
pub struct World {
    pub stage: Stage,
}

impl World {
    /// Everything set: all triggers, stores 1 and 3, shop 1 into store 1 from the warehouse, shop 2 into store 1, all fees.
    pub fn whole(settings: &mut Value) {
        for trigger in [
            "correction",
            "sale",
            "purchase",
            "shipment",
            "receipt",
            "issue",
            "stocktake",
            "loss",
        ] {
            settings["stock"]["triggers"][trigger] = true.into();
        }
        settings["stock"]["stores"] = json!(["1", "3"]);
        settings["orders"]["receiving-stores"] = json!([
            { "store-id": "1", "start-date": "2026-11-01", "shop-id": "1", "shop-name": "モール", "source-store-id": "3" },
            { "store-id": "1", "start-date": "2026-11-01", "shop-id": "2", "shop-name": "公式" },
        ]);
        settings["orders"]["charge"] = json!({ "line": "FEE" });
        settings["orders"]["delivery"] = json!({ "line": "SHIP" });
        settings["orders"]["other"] = json!({ "line": "OTHER" });
        settings["orders"]["points"] = "subtotal-discount".into();
    }

    /// The stage with a shop, not connected.
    pub async fn bare(switches: Switches) -> Self {
        Self::on(switches, runtime()).await
    }

    /// The same on a runtime of its own.
    pub async fn on(switches: Switches, runtime: Runtime) -> Self {
        let play = Play {
            shop: shop(),
            switches,
            begins: morning(),
        };
        Self {
            stage: Stage::start(play, runtime).await.unwrap(),
        }
    }

    /// Connected and switched on with these settings.
    pub async fn connected(switches: Switches, change: impl FnOnce(&mut Value)) -> Self {
        let world = Self::bare(switches).await;
        world.connect(change).await;
        world
    }

    /// Connects and switches on with these settings.
    pub async fn connect(&self, change: impl FnOnce(&mut Value)) {
        self.put(change).await;
        self.stage.log_in().await.unwrap();
        self.call("connection.switch-on", json!({ "backlog": "leave" }))
            .await;
    }

    /// Makes Next Engine's search for orders take so long, in real time.
    pub fn slow_search(&self, millis: u64) {
        self.stage.sandbox.add_fault(tsunagi_sandbox::FaultRule {
            service: Some(tsunagi_sandbox::ServiceName::NextEngine),
            endpoint: "POST /api_v1_receiveorder_row/search".to_owned(),
            skip: 0,
            times: None,
            fault: tsunagi_sandbox::FaultKind::Delay { millis },
        });
    }

    /// The usual one.
    pub async fn usual() -> Self {
        Self::connected(Switches::default(), Self::whole).await
    }

    /// Stores settings.
    pub async fn put(&self, change: impl FnOnce(&mut Value)) {
        let settings = self.stage.settings(change);
        self.call("settings.put", json!({ "settings": settings }))
            .await;
    }

    /// A call that must succeed.
    pub async fn call(&self, function: &str, arguments: Value) -> Value {
        self.stage
            .call(function, arguments)
            .await
            .unwrap_or_else(|error| panic!("{function}: {error}"))
    }

    /// A call that must fail: the error's case.
    pub async fn refused(&self, function: &str, arguments: Value) -> String {
        match self.stage.call(function, arguments).await {
            Err(tsunagi::tenant::CallError::Contract(error)) => error.kind,
            other => panic!("{function} was not refused: {other:?}"),
        }
    }

    /// Places an order and ships it; its slip.
    pub fn ship(&self, order: &Order) -> u64 {
        self.stage.sandbox.next_engine(|next_engine| {
            let slip = next_engine.place(order).unwrap();
            next_engine.ship(slip).unwrap();
            slip
        })
    }

    /// Imports both shops to the end.
    pub async fn import(&self) -> Value {
        let mut sum = json!({ "registered": 0, "undone": 0, "refused": 0 });
        for shop in ["1", "2"] {
            loop {
                let progress = self
                    .call("orders.import-shop", json!({ "shop-id": shop }))
                    .await;
                for field in ["registered", "undone", "refused"] {
                    sum[field] =
                        (sum[field].as_u64().unwrap() + progress[field].as_u64().unwrap()).into();
                }
                if progress["more"] != json!(true) {
                    break;
                }
            }
        }
        sum
    }

    /// Lets the schedule do what is due for so long.
    pub async fn hours(&self, hours: u64) {
        self.stage
            .run_for(Duration::from_secs(hours * 3600), |_| ())
            .await
            .unwrap();
    }

    /// Next Engine's 在庫数.
    pub fn next_engine_stock(&self, product: u64) -> i64 {
        let code = GOODS.iter().find(|row| row.0 == product).unwrap().1;
        self.stage
            .sandbox
            .next_engine(|next_engine| next_engine.books().goods[code].stock)
    }

    /// Smaregi's stock in a store.
    pub fn smaregi_stock(&self, product: u64, store: u32) -> i64 {
        self.stage
            .sandbox
            .smaregi(|smaregi| smaregi.books().stock_of(product, store))
    }

    /// Totals of the transactions of a slip that stand.
    pub fn booked(&self, slip: u64) -> Vec<i64> {
        let prefix = format!("NE-{slip}-");
        self.stage.sandbox.smaregi(|smaregi| {
            let sales = smaregi.books().transactions.values();
            sales
                .filter(|sale| sale.stands() && sale.uuid.starts_with(&prefix))
                .map(|sale| sale.amounts.total)
                .collect()
        })
    }

    /// The newest entries of a history.
    pub async fn history(&self, which: &str) -> Vec<Value> {
        let page = json!({ "filter": {}, "page": { "limit": 500 } });
        let page = self.call(&format!("history.{which}"), page).await;
        page["entries"].as_array().unwrap().clone()
    }

    /// Requests that a service counted.
    pub fn requests(&self, service: tsunagi_sandbox::ServiceName, endpoint: &str) -> u64 {
        self.stage
            .sandbox
            .world(|world| world.counters.requests(service, endpoint))
    }
}
