//! What each export computes, in instructions of the component (wasmtime's fuel), over one story in which nothing is left to chance: a shop
//! that connects, takes 100 orders in, sends stock, compares, aligns and looks at everything. `fuel.json` holds the sums; an export that
//! grows by more than a tenth without the file being changed is a failure.
//!
//! `TSUNAGI_RECORD=1 cargo test -p tsunagi-e2e fuel` writes the file anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use serde_json::{Value, json};
use tsunagi_guest::sync::report::{Backlog, ChangeHint, ResendChoice, RetryChoice};
use tsunagi_simulation::{
    export::{Ended, Export},
    shop,
    stage::Stage,
    world::Setting,
};
use wasmtime::component::types::ComponentItem;

use super::engine::Wasm;

/// Orders that are taken in.
const ORDERS: u64 = 100;
/// An export may grow by so many percent.
const MORE: u64 = 10;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuel.json")
}

/// The contract's functions, as `interface.function`.
fn exports(wasm: &Wasm) -> BTreeSet<String> {
    let engine = wasm.component().engine();
    let ty = wasm.component().component_type();
    let mut found = BTreeSet::new();
    for (interface, item) in ty.exports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else {
            continue;
        };
        let interface = interface.trim_start_matches("tsunagi:connector/");
        let interface = interface.trim_end_matches("@0.1.0");
        let functions = instance
            .exports(engine)
            .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)));
        found.extend(functions.map(|(name, _)| format!("{interface}.{name}")));
    }
    found
}

/// A shop on its way through the story.
struct Story {
    wasm: Arc<Wasm>,
    stage: Stage,
}

impl Story {
    fn begin() -> Self {
        let wasm = Arc::new(Wasm::counting());
        let setting = Setting {
            engine: wasm.clone(),
            ..Setting::default()
        };
        let mut stage = Stage::begin(setting, |_| ()).unwrap_or_else(|why| panic!("{why}"));
        stage.log_in().unwrap();
        stage.switch_on(Backlog::Leave).unwrap();
        Self { wasm, stage }
    }

    fn ask(&self, name: &str, given: &Value) -> Value {
        let asked = self.wasm.ask(&self.stage.world, name, given);
        asked.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn call(&mut self, export: &Export) {
        match self.stage.call(export) {
            Ended::Returned(Ok(_)) => {}
            other => panic!("{}: {other}", export.name()),
        }
    }

    fn orders(&mut self) {
        for number in 0..ORDERS {
            let goods = |at: u64| shop::GOODS[usize::try_from((number + at) % 4).unwrap()].0;
            let lines: Vec<(u64, i64)> = (0..=number % 2).map(|at| (goods(at), 1)).collect();
            let order = shop::order(shop::MALL, &format!("F-{number}"), &lines);
            self.stage.ship(&order).unwrap();
        }
        let mall = shop::MALL.to_string();
        self.ask("orders.preview", &json!({ "choice": { "shop": mall } }));
        self.call(&Export::ImportShop(mall));
        self.call(&Export::Retry(RetryChoice::AllRefused(true)));
        let settings = self.ask("settings.get", &json!({}));
        let given = json!({ "proposed": kept(settings), "last": ORDERS });
        let trial = self.ask("orders.try-settings", &given);
        assert_eq!(trial["before"]["booked"], ORDERS);
    }

    fn stock(&mut self) {
        for at in 0..30 {
            let product = shop::GOODS[at % 4].0;
            self.stage.purchase(product, shop::SHOP, 3).unwrap();
        }
        // Webhooks and rounds, until all is sent and seen.
        self.stage.settle().unwrap();
        self.stage.loss(shop::TEA, shop::SHOP, 1).unwrap();
        self.call(&Export::TakeInChanges(vec![ChangeHint {
            product_id: shop::TEA.to_string(),
            store_id: shop::SHOP.to_string(),
        }]));
        self.call(&Export::CatchUp(None));
        self.call(&Export::Send);
        self.call(&Export::Resend(ResendChoice::AllFailed));
        self.call(&Export::Compare);
        let codes = shop::GOODS.iter().map(|row| row.1.to_owned());
        self.call(&Export::Align {
            codes: codes.collect(),
            confirmed: false,
            over_guard: false,
        });
    }

    fn looks(&self) {
        let page = |filter: Value| json!({ "filter": filter, "page": { "limit": 500 } });
        self.ask("history.sent", &page(json!({})));
        let received = self.ask("history.received", &page(json!({})));
        assert_eq!(received["entries"].as_array().unwrap().len() as u64, ORDERS);
        self.ask("history.daily", &json!({ "days": 30 }));
        self.ask("history.story", &json!({ "key": "TEA" }));
        let settings = kept(self.ask("settings.get", &json!({})));
        self.ask("settings.validate", &json!({ "settings": settings }));
        self.ask("settings.hosts", &json!({ "settings": settings }));
        self.ask("settings.form", &json!({ "language": "ja" }));
        for name in [
            "connection.check",
            "connection.get-status",
            "directory.smaregi-stores",
            "directory.next-engine-shops",
            "directory.payment-methods",
            "orders.stores",
            "schedule.calls",
        ] {
            self.ask(name, &json!({}));
        }
        self.ask("directory.products", &json!({ "text": "t" }));
    }

    fn end(mut self) -> BTreeMap<String, u64> {
        let now = self.stage.world.now();
        self.call(&Export::SwitchOff);
        self.call(&Export::Restored(now));
        self.call(&Export::Disconnect);
        self.wasm.counts()
    }
}

/// Settings as `settings.get` shows them, for giving them back: the secrets stay those that are stored.
fn kept(mut settings: Value) -> Value {
    for has in ["has-next-engine-secret", "has-smaregi-secret"] {
        settings["credentials"][has] = true.into();
    }
    settings
}

fn counted() -> (BTreeMap<String, u64>, BTreeSet<String>) {
    let mut story = Story::begin();
    story.orders();
    story.stock();
    story.looks();
    let exports = exports(&story.wasm);
    (story.end(), exports)
}

#[test]
fn no_export_computes_a_tenth_more_than_its_fuel_says() {
    let (counts, exports) = counted();
    let told: BTreeSet<String> = counts.keys().cloned().collect();
    assert_eq!(told, exports, "the story calls every export");
    if std::env::var_os("TSUNAGI_RECORD").is_some() {
        let text = serde_json::to_string_pretty(&counts).unwrap();
        std::fs::write(file(), format!("{text}\n")).unwrap();
        return;
    }
    let text = std::fs::read_to_string(file()).unwrap();
    let known: BTreeMap<String, u64> = serde_json::from_str(&text).unwrap();
    let grown: Vec<String> = counts
        .iter()
        .filter_map(|(name, count)| {
            let known = known.get(name).copied().unwrap_or_default();
            let grew = *count > known + known * MORE / 100;
            grew.then(|| format!("{name}: {known} instructions before, {count} now"))
        })
        .collect();
    let again = "TSUNAGI_RECORD=1 cargo test -p tsunagi-e2e fuel";
    assert!(grown.is_empty(), "`{again}`, if it must be so: {grown:#?}");
}
