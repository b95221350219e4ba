//! Long work in slices: calls until nothing is left to do now, adds the counts up, and stops after a slice when somebody asked to
//! end. Decides nothing about orders or stock.

use serde_json::{Map, Value, json};

use super::bar;
use crate::{
    cli::{
        Ending,
        interrupt::Interrupt,
        show::Show,
        words::{count, field},
    },
    notices::{orders_to_look_at, refused},
    tenant::{CallError, Tenant},
};

/// Requests and seconds of one slice of long work.
pub const SLICE: (u32, u32) = (200, 20);

/// What counts only the call is added up; what tells the present is replaced.
const PRESENT: [&str; 4] = [
    "waiting",
    "products-waiting",
    "products-held",
    "hints-waiting",
];

/// Long work of one shop.
pub struct Slices<'a> {
    /// The shop.
    pub tenant: &'a Tenant,
    /// How to show it.
    pub show: &'a Show,
    /// Whether to go on.
    pub interrupt: Interrupt,
    /// Requests and seconds of one slice.
    pub slice: (u32, u32),
}

impl Slices<'_> {
    /// One function until nothing is left, and what it did.
    pub async fn shown(&self, function: &str, arguments: Value) -> anyhow::Result<Ending> {
        let total = self
            .to_the_end(function, None, |_| (function, arguments.clone()))
            .await?;
        self.show.answer(function, &total);
        Ok(self.ending([&total]))
    }

    /// 手動取込 of one Next Engine shop, or of all.
    pub async fn import(&self, shop: Option<String>) -> anyhow::Result<Ending> {
        let shops = match shop {
            Some(shop) => vec![shop],
            None => self.shops().await?,
        };
        let mut totals = Map::new();
        for shop in shops {
            let function = "orders.import-shop";
            let arguments = json!({ "shop-id": shop });
            let total = self
                .to_the_end(function, None, |_| (function, arguments.clone()))
                .await?;
            if !self.show.json {
                self.show.answer(function, &total);
            }
            totals.insert(shop, total);
            if self.interrupt.is_asked() {
                break;
            }
        }
        let ending = self.ending(totals.values());
        let stores = self.tenant.call("orders.stores", json!({})).await?;
        if self.show.json {
            self.show
                .value(&json!({ "shops": totals, "stores": stores }));
        } else {
            self.show.answer("orders.stores", &stores);
        }
        Ok(ending)
    }

    /// 再取込. The orders are released once: each further call would release those that were refused again. What is left then is
    /// worked off by an import, which begins with it.
    pub async fn retry(&self, choice: Value) -> anyhow::Result<Ending> {
        let total = self.retried(choice).await?;
        self.show.answer("orders.retry", &total);
        Ok(self.ending([&total]))
    }

    async fn retried(&self, choice: Value) -> Result<Value, CallError> {
        let function = "orders.retry";
        let first = json!({ "choice": choice });
        let stores = self.tenant.call("orders.stores", json!({})).await?;
        let known = choice
            .get("all-refused")
            .map(|_| refused(&stores) + orders_to_look_at(&stores));
        let shop = self.shops().await?.into_iter().next().unwrap_or_default();
        let further = json!({ "shop-id": shop });
        self.to_the_end(function, known, |slice| match slice {
            0 => (function, first.clone()),
            _ => ("orders.import-shop", further.clone()),
        })
        .await
    }

    async fn shops(&self) -> Result<Vec<String>, CallError> {
        let stores = self.tenant.call("orders.stores", json!({})).await?;
        let stores = stores.as_array().into_iter().flatten();
        Ok(stores.map(|store| field(store, "shop-id")).collect())
    }

    /// Adds up what the calls that `call` names did, by their number. Of some work it is `known` how much there is.
    async fn to_the_end<'f>(
        &self,
        told_as: &str,
        known: Option<u64>,
        call: impl Fn(usize) -> (&'f str, Value),
    ) -> Result<Value, CallError> {
        let bar = bar::begin(self.show.json, known);
        let mut total = Value::Null;
        for slice in 0.. {
            let (function, mut arguments) = call(slice);
            if let Some(arguments) = arguments.as_object_mut() {
                let budget = json!({ "requests": self.slice.0, "seconds": self.slice.1 });
                arguments.insert("budget".to_owned(), budget);
            }
            let progress = self.tenant.call(function, arguments).await?;
            let more = has_more(&progress);
            add(&mut total, progress);
            bar.set_position(bar::done(&total));
            bar.set_message(self.show.line(told_as, &total));
            if !more || self.interrupt.is_asked() {
                break;
            }
        }
        bar.finish_and_clear();
        Ok(total)
    }

    fn ending<'v>(&self, totals: impl IntoIterator<Item = &'v Value>) -> Ending {
        let mut ending = Ending::Done;
        for total in totals {
            if has_more(total) {
                return Ending::Interrupted;
            }
            if count(total, "refused") + count(total, "products-held") > 0 {
                ending = Ending::Waiting;
            }
        }
        if self.interrupt.is_asked() {
            Ending::Interrupted
        } else {
            ending
        }
    }
}

fn has_more(progress: &Value) -> bool {
    progress.get("more").and_then(Value::as_bool) == Some(true)
}

fn add(total: &mut Value, progress: Value) {
    let (Some(sum), Some(new)) = (total.as_object_mut(), progress.as_object()) else {
        *total = progress;
        return;
    };
    for (name, value) in new {
        let added = value
            .as_u64()
            .zip(sum.get(name).and_then(Value::as_u64))
            .map(|(a, b)| json!(a + b));
        let value = added
            .filter(|_| !PRESENT.contains(&name.as_str()))
            .unwrap_or_else(|| value.clone());
        sum.insert(name.clone(), value);
    }
}

#[cfg(test)]
mod tests {
    use tsunagi_sandbox::{Switches, shop::demo_shop};

    use std::time::Duration;

    use super::*;
    use crate::{
        cli::words::Language,
        demo::{
            judge::history,
            stage::{Play, Stage},
        },
        json::lay,
        runtime::tests::usual,
    };

    /// A few of the demo's orders, each with a shipping cost that no setting takes, so all are refused.
    async fn all_refused(orders: usize) -> Stage {
        let begins = chrono::DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap();
        let mut shop = demo_shop(begins);
        shop.orders.truncate(orders);
        for order in &mut shop.orders {
            order.delivery_fee = 550.into();
        }
        let play = Play {
            shop,
            switches: Switches::default(),
            begins,
        };
        let stage = Stage::start(play, usual()).await.unwrap();
        put(&stage, json!("unset")).await;
        stage.log_in().await.unwrap();
        stage
            .call("connection.switch-on", json!({ "backlog": "leave" }))
            .await
            .unwrap();
        stage
    }

    async fn put(stage: &Stage, delivery: Value) {
        let store = json!({ "store-id": "1", "start-date": "2026-10-01", "shop-id": "1", "shop-name": "モール店" });
        let own = json!({ "orders": {
            "receiving-stores": [store], "points": "subtotal-discount", "delivery": delivery,
            "charge": { "line": "EC-FEE" }, "other": { "line": "NO-SUCH-PRODUCT" },
        }});
        let settings = stage.settings(|settings| lay(settings, &own));
        stage
            .call("settings.put", json!({ "settings": settings }))
            .await
            .unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn retrying_all_releases_each_order_once_and_ends() {
        let stage = all_refused(20).await;
        let (ask, told) = tokio::sync::watch::channel(true);
        let slices = Slices {
            tenant: &stage.tenant,
            show: &Show {
                language: Language::En,
                json: true,
            },
            interrupt: Interrupt::told(told),
            slice: (4, 600),
        };
        let interrupted = slices.import(None).await.unwrap();
        assert_eq!(interrupted, Ending::Interrupted, "after its first slice");
        ask.send(false).unwrap();
        slices.import(None).await.unwrap();
        let refused = history(&stage, "history.received").await.unwrap().len();
        assert_eq!(refused, 10, "the orders of one of two shops");
        put(&stage, json!({ "line": "EC-SHIPPING" })).await;
        let retrying = slices.retried(json!({ "all-refused": true }));
        let total = tokio::time::timeout(Duration::from_secs(120), retrying)
            .await
            .unwrap()
            .unwrap();
        // Some have another cost, whose line names no product: they are refused again, once.
        let (registered, again) = (count(&total, "registered"), count(&total, "refused"));
        assert!(registered > 0 && again > 0, "{total}");
        assert_eq!(registered + again, 10);
        let entries = history(&stage, "history.received").await.unwrap();
        assert_eq!(entries.len(), 20);
        stage.close().await;
    }

    #[test]
    fn what_was_done_adds_up_and_what_is_now_replaces() {
        let mut total = Value::Null;
        for (registered, waiting) in [(3, 9), (2, 4)] {
            add(
                &mut total,
                json!({ "registered": registered, "waiting": waiting, "more": waiting > 4 }),
            );
        }
        assert_eq!(
            total,
            json!({ "registered": 5, "waiting": 4, "more": false })
        );
    }
}
