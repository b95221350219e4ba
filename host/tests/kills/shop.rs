//! The merchant of the kill test, both services, and the script of what people did: sales in Next Engine, movements in Smaregi. The
//! judge reads the script and both services' books, never our store.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tsunagi::demo::judge::{Script, look};
use tsunagi_sandbox::{
    FaultKind, FaultRule, Sandbox, SandboxClock, SandboxConfig, ServiceName,
    shop::{Mall, MallTax, Order, OrderLine, Product, ShopData, Store},
    smaregi::Hook,
    webhook::Webhook,
};

use super::process::{Place, WEBHOOK_SECRET};

/// Products that are moved and sold. Each is moved at most once a chapter, so that a lost notice of it cannot hide behind a later one.
pub const PRODUCTS: u64 = 400;
/// Pieces of each in each store: more than is ever sold or lost.
const OPENING: i64 = 10_000;
/// The selling store and the warehouse that orders leave from.
const STORES: [u32; 2] = [1, 3];
const FEE: &str = "FEE";

/// A movement that somebody made, and whether its notice was acknowledged.
#[derive(Debug, Clone, Copy)]
pub struct Moved {
    pub by: i64,
    pub acknowledged: bool,
}

/// Both services and what people did there.
pub struct Shop {
    pub sandbox: Sandbox,
    clock: SandboxClock,
    ahead: Duration,
    /// Movements of earlier chapters, all of which have arrived, by product.
    sent: BTreeMap<u64, i64>,
    /// Movements of this chapter, by product.
    pub moved: BTreeMap<u64, Moved>,
    pub orders: u64,
    /// The product whose notice was delivered last, where somebody notes it.
    pub newest: u64,
    /// In all chapters.
    pub movements: usize,
    cancelled: BTreeSet<u64>,
    chapter_began: chrono::DateTime<chrono::FixedOffset>,
}

fn code(product: u64) -> String {
    format!("P{product:04}")
}

fn store_of(product: u64) -> u32 {
    STORES[usize::from(product.is_multiple_of(2))]
}

fn data() -> ShopData {
    let store = |id: u32| Store {
        id,
        code: format!("S{id}"),
        name: format!("店 {id}"),
        warehouse: id == 3,
    };
    let product = |id: u64, code: String, goods: bool| Product {
        id,
        name: format!("品 {code}"),
        code,
        price: 1_100.into(),
        cost: Decimal::ZERO,
        tax_rate: 10,
        stock_managed: goods,
        in_next_engine: goods,
        in_smaregi: true,
        stock: if goods {
            STORES.map(|store| (store, OPENING)).to_vec()
        } else {
            Vec::new()
        },
    };
    let goods = (1..=PRODUCTS).map(|id| product(id, code(id), true));
    ShopData {
        stores: STORES.map(store).to_vec(),
        linked_stores: STORES.to_vec(),
        products: goods
            .chain([product(9_001, FEE.to_owned(), false)])
            .collect(),
        malls: vec![Mall {
            id: 1,
            name: "モール".to_owned(),
            short_name: "モ".to_owned(),
            tax: MallTax::Included,
        }],
        orders: Vec::new(),
    }
}

impl Shop {
    pub fn open(place: &Place) -> Self {
        let clock = SandboxClock::system();
        let base = format!("http://127.0.0.1:{}", place.ports[0]);
        let sandbox = Sandbox::start(SandboxConfig {
            clock: Some(clock.clone()),
            shop: Some(data()),
            redirect_uri: Some(format!("{base}/login/callback")),
            ..SandboxConfig::default()
        })
        .unwrap();
        sandbox.smaregi(|smaregi| {
            smaregi.set_hook(Some(Hook {
                url: format!("{base}/t/shop/webhook/smaregi"),
                header: ("x-tsunagi-secret".to_owned(), WEBHOOK_SECRET.to_owned()),
            }));
        });
        Self {
            sandbox,
            chapter_began: clock.now(),
            clock,
            ahead: Duration::ZERO,
            sent: BTreeMap::new(),
            moved: BTreeMap::new(),
            orders: 0,
            movements: 0,
            newest: 0,
            cancelled: BTreeSet::new(),
        }
    }

    /// Answers take as long as a network takes, so that a death finds requests under way.
    pub fn slow_down(&self, millis: u64) {
        self.sandbox.world(|world| world.faults.clear());
        self.sandbox.add_fault(FaultRule {
            service: None,
            endpoint: String::new(),
            skip: 0,
            times: None,
            fault: FaultKind::Delay { millis },
        });
    }

    /// Lets time pass, for both services and every process.
    pub fn pass(&mut self, place: &Place, time: Duration) {
        self.ahead += time;
        self.clock.advance(time);
        place.put_ahead(self.ahead);
    }

    /// Time that passed beyond the machine's own.
    pub fn ahead(&self) -> Duration {
        self.ahead
    }

    /// A merchant's settings: losses and purchases of both stores travel, the mall's orders come in, nothing is looked for by itself.
    pub fn settings(&self) -> Value {
        let told = self.sandbox.describe();
        let since = (self.clock.now() - chrono::TimeDelta::days(10)).date_naive();
        json!({
            "endpoints": told["endpoints"], "credentials": told["credentials"],
            "stock": { "triggers": { "loss": true, "purchase": true }, "stores": ["1", "3"] },
            "orders": {
                "receiving-stores": [{
                    "store-id": "1", "start-date": since.to_string(), "shop-id": "1", "shop-name": "モール", "source-store-id": "3",
                }],
                "delivery": { "line": FEE }, "points": "subtotal-discount",
            },
            // Within a chapter only webhooks tell of movements, so that one that was acknowledged and forgotten is missed.
            "pace": { "import-minutes": 1, "send-minutes": 1, "catch-up-minutes": 1440, "compare-days": 0 },
        })
    }

    /// A product that was not moved in this chapter is moved; the notice that Smaregi raises.
    pub fn moves(&mut self, dice: u64) -> Option<(u64, Webhook)> {
        let left: Vec<u64> = (1..=PRODUCTS)
            .filter(|id| !self.moved.contains_key(id))
            .collect();
        let product = *left.get(usize::try_from(dice).unwrap().checked_rem(left.len())?)?;
        let quantity = 1 + i64::try_from(dice >> 32).unwrap() % 5;
        let by = if dice & 1 == 0 { quantity } else { -quantity };
        let store = store_of(product);
        // Under one lock, so that nobody but us delivers it.
        let notices = self.sandbox.world(|world| {
            let smaregi = &mut world.smaregi;
            match by {
                1.. => smaregi.purchase(product, store, quantity),
                _ => smaregi.loss(product, store, quantity),
            }
            .unwrap();
            world.take_webhooks()
        });
        self.movements += 1;
        self.moved.insert(
            product,
            Moved {
                by,
                acknowledged: false,
            },
        );
        let wanted = product.to_string();
        let names = |notice: &Webhook| {
            let ids = notice.body["ids"].as_array().into_iter().flatten();
            ids.clone()
                .any(|id| id["productId"] == json!(wanted) || id["productId"] == json!(product))
        };
        let notice = notices.into_iter().find(names);
        Some((product, notice.expect("Smaregi raises a notice")))
    }

    /// An order is placed and shipped.
    pub fn ship(&mut self, dice: u64) {
        self.orders += 1;
        let line = |shift: u32| OrderLine {
            code: code(1 + (dice >> shift) % PRODUCTS),
            name: "品".to_owned(),
            quantity: 1 + i64::try_from((dice >> shift) % 3).unwrap(),
            unit_price: 1_100.into(),
            tax_rate: 10,
            cancelled: false,
        };
        let some = |bit: u64, yen: i64| {
            if dice & bit == 0 {
                yen.into()
            } else {
                Decimal::ZERO
            }
        };
        let order = Order {
            mall: 1,
            number: format!("K-{}", self.orders),
            ordered_at: self.clock.now() - chrono::TimeDelta::hours(1),
            lines: vec![line(8), line(24)],
            charge: Decimal::ZERO,
            delivery_fee: some(2, 660),
            other: Decimal::ZERO,
            points: some(4, 37),
            total: None,
            payment_method: 0,
            fate: Vec::new(),
        };
        self.sandbox.next_engine(|next_engine| {
            let slip = next_engine.place(&order).unwrap();
            next_engine.ship(slip).unwrap();
        });
    }

    /// An order that is booked comes back and is cancelled, if there is one.
    pub fn send_back(&mut self, dice: u64) {
        let booked: Vec<u64> = self
            .booked()
            .into_keys()
            .filter(|slip| !self.cancelled.contains(slip))
            .collect();
        let Some(at) = usize::try_from(dice).unwrap().checked_rem(booked.len()) else {
            return;
        };
        let slip = booked[at];
        self.sandbox.next_engine(|next_engine| {
            let slip_now = &next_engine.books().slips[&slip];
            let lines: Vec<_> = slip_now
                .live_lines()
                .map(|line| (line.no, line.quantity))
                .collect();
            for (line, quantity) in lines {
                next_engine.take_return(slip, line, quantity, 0).unwrap();
            }
            next_engine.cancel(slip, 8).unwrap();
        });
        self.cancelled.insert(slip);
    }

    /// Transactions that stand, by slip.
    fn booked(&self) -> BTreeMap<u64, usize> {
        let mut booked = BTreeMap::new();
        self.sandbox.smaregi(|smaregi| {
            for sale in smaregi
                .books()
                .transactions
                .values()
                .filter(|sale| sale.stands())
            {
                let slip = sale
                    .uuid
                    .strip_prefix("NE-")
                    .and_then(|rest| rest.split('-').next()?.parse().ok());
                *booked.entry(slip.unwrap_or(0)).or_default() += 1;
            }
        });
        booked
    }

    /// What has reached Next Engine by our uploads, by product.
    fn arrived(&self) -> BTreeMap<u64, i64> {
        let mut arrived = BTreeMap::new();
        self.sandbox.next_engine(|next_engine| {
            for movement in next_engine
                .books()
                .movements
                .iter()
                .filter(|movement| movement.reason.contains("tsunagi-"))
            {
                let product = movement.code.trim_start_matches('P').parse().unwrap();
                *arrived.entry(product).or_default() += movement.after - movement.before;
            }
        });
        arrived
    }

    /// What is missing of what was acknowledged, and of the orders; what arrived that nobody moved. Empty when all is as it has to be.
    /// A movement whose notice got lost may have arrived or not.
    pub fn missing(&self) -> Vec<String> {
        let arrived = self.arrived();
        let mut wrong = Vec::new();
        for product in 1..=PRODUCTS {
            let here = arrived.get(&product).copied().unwrap_or(0);
            let before = self.sent.get(&product).copied().unwrap_or(0);
            let moved = self.moved.get(&product);
            let all = before + moved.map_or(0, |moved| moved.by);
            let may_wait = moved.is_some_and(|moved| !moved.acknowledged);
            if here != all && !(may_wait && here == before) {
                let told = if may_wait { "" } else { ", acknowledged" };
                wrong.push(format!(
                    "{}: {here} arrived, not {all}{told}",
                    code(product)
                ));
            }
        }
        wrong.extend(self.orders_wrong());
        wrong
    }

    fn orders_wrong(&self) -> Vec<String> {
        let booked = self.booked();
        self.sandbox.next_engine(|next_engine| {
            let slips = next_engine.books().slips.values();
            let each = slips.filter_map(|slip| {
                let expected = usize::from(slip.is_shipped() && slip.is_live());
                let found = booked.get(&slip.id).copied().unwrap_or(0);
                (found != expected)
                    .then(|| format!("slip {}: {found} transactions, not {expected}", slip.id))
            });
            each.collect()
        })
    }

    /// Both services' books beside the script, after everything has arrived: empty when all is as it has to be.
    pub fn judge(&self) -> Vec<String> {
        let sent = self.moved_so_far();
        let script = Script {
            linked: STORES.to_vec(),
            imported: usize::try_from(self.orders).unwrap() - self.cancelled.len(),
            refused: BTreeSet::new(),
            undone: self.cancelled.clone(),
            sent: sent
                .iter()
                .map(|(product, by)| (code(*product), *by))
                .collect(),
        };
        let mut wrong = self
            .sandbox
            .world(|world| look(&world.smaregi, &world.next_engine, &script).wrong);
        let arrived = self.arrived();
        let by = |of: &BTreeMap<u64, i64>, product: u64| of.get(&product).copied().unwrap_or(0);
        wrong.extend((1..=PRODUCTS).filter_map(|product| {
            let (here, all) = (by(&arrived, product), by(&sent, product));
            (here != all).then(|| format!("{}: {here} arrived, not {all}", code(product)))
        }));
        wrong.extend(self.stock_wrong());
        wrong
    }

    /// What people moved, this chapter's with it.
    fn moved_so_far(&self) -> BTreeMap<u64, i64> {
        let mut sent = self.sent.clone();
        for (product, moved) in &self.moved {
            *sent.entry(*product).or_default() += moved.by;
        }
        sent
    }

    /// Smaregi's stock by the script alone: what it began with, less what stands as sold, with what people moved.
    pub fn stock_wrong(&self) -> Vec<String> {
        let moved = self.moved_so_far();
        let sold = self.sandbox.next_engine(|next_engine| {
            let mut sold: BTreeMap<String, i64> = BTreeMap::new();
            for slip in next_engine
                .books()
                .slips
                .values()
                .filter(|slip| slip.is_live() && slip.is_shipped())
            {
                for line in slip.live_lines() {
                    *sold.entry(line.code.clone()).or_default() += line.quantity;
                }
            }
            sold
        });
        let expected = |product: u64, store: u32| {
            let sold = if store == 3 {
                sold.get(&code(product)).copied().unwrap_or(0)
            } else {
                0
            };
            let moved = if store == store_of(product) {
                moved.get(&product).copied().unwrap_or(0)
            } else {
                0
            };
            OPENING - sold + moved
        };
        self.sandbox.smaregi(|smaregi| {
            let places = (1..=PRODUCTS).flat_map(|product| STORES.map(|store| (product, store)));
            let wrong = places.filter_map(|(product, store)| {
                let (found, expected) = (
                    smaregi.books().stock_of(product, store),
                    expected(product, store),
                );
                (found != expected).then(|| {
                    format!(
                        "{} in store {store}: {found}, not {expected}",
                        code(product)
                    )
                })
            });
            wrong.collect()
        })
    }

    /// Its code.
    pub fn newest(&self) -> String {
        code(self.newest)
    }

    /// When the chapter began, as a command takes it.
    pub fn chapter_began(&self) -> String {
        self.chapter_began.to_rfc3339()
    }

    /// A chapter is over: all its movements have arrived.
    pub fn turn_the_page(&mut self) {
        self.chapter_began = self.clock.now();
        for (product, moved) in std::mem::take(&mut self.moved) {
            *self.sent.entry(product).or_default() += moved.by;
        }
    }

    /// Requests that each service has open.
    pub fn open_requests(&self) -> (u64, u64) {
        self.sandbox.world(|world| {
            let open = |service| world.counters.open(service);
            (open(ServiceName::NextEngine), open(ServiceName::Smaregi))
        })
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.sandbox.world(|world| {
            let all = |service| world.counters.requests(service, "");
            all(ServiceName::NextEngine) + all(ServiceName::Smaregi)
        })
    }

    pub fn cancelled(&self) -> usize {
        self.cancelled.len()
    }
}
