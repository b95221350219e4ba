//! Stock updates in bulk: accepted at once, done a little later, told to the caller's address (smaregi.md 2, 4d).
//! It must not skip the checks of single updates.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::Smaregi;
use super::answer::Problem;
use super::body::{Body, bad, missing};
use super::books::{Moment, Movement};
use super::stock::{self, Update};
use crate::webhook::Webhook;

/// Items one request takes.
const MOST: usize = 100;
/// How long it takes (assumed).
const TAKES: TimeDelta = TimeDelta::seconds(1);
/// Longest callback address.
const URL_MAX: usize = 511;

/// A request that was accepted.
#[derive(Clone)]
pub struct Job {
    due: Moment,
    id: u64,
    callback: String,
    updates: Vec<Update>,
}

/// `POST /stock/add/bulk` and `PATCH /stock/bulk`: the whole is checked before it is accepted (assumed), so nothing fails later but
/// a sum beyond the limit.
pub fn accept(smaregi: &mut Smaregi, body: Body, relative: bool) -> Result<Value, Problem> {
    body.only(&["stock", "callbackUrl"])?;
    let callback = body.need_text("callbackUrl", URL_MAX)?;
    let web = callback.starts_with("http://") || callback.starts_with("https://");
    if !web || callback.contains(char::is_whitespace) {
        return Err(bad("callbackUrl"));
    }
    let items = body.value("stock").ok_or_else(|| missing("stock"))?;
    let items = items.as_array().ok_or_else(|| bad("stock"))?;
    if items.is_empty() || items.len() > MOST {
        return Err(bad("stock"));
    }
    let mut updates = Vec::new();
    for item in items {
        let item = Body::of(item, "stock")?;
        item.only(&["productId", "storeId", "stockAmount", "stockHistory"])?;
        let product = item.need_text("productId", 15)?;
        let update = stock::read(smaregi, &product, &item, relative);
        // An unknown product is no missing path here.
        updates.push(update.map_err(|problem| match problem {
            missing if missing == Problem::not_found() => bad("productId"),
            other => other,
        })?);
    }
    smaregi.jobs_done += 1;
    let id = smaregi.jobs_done;
    smaregi.jobs.push(Job {
        due: smaregi.now() + TAKES,
        id,
        callback: callback.clone(),
        updates,
    });
    Ok(json!({"requestId": id, "callbackUrl": callback}))
}

impl Smaregi {
    /// Does the accepted requests whose time has come.
    pub(super) fn run_due_jobs(&mut self) {
        let now = self.now();
        let due: Vec<_> = self.jobs.extract_if(.., |job| job.due <= now).collect();
        for job in due {
            self.run_job(job);
        }
    }

    /// All items move together and raise one `bulk-update`; the callback's items beyond `requestId` are assumed.
    fn run_job(&mut self, job: Job) {
        let division = stock::division(self);
        let at = self.now();
        let (mut results, mut changes) = (Vec::new(), Vec::new());
        for update in job.updates {
            let before = self.books.stock_of(update.product, update.store);
            let by = update.difference(before);
            let mut result = json!({
                "requestId": job.id, "productId": update.product.to_string(), "storeId": update.store.to_string(),
                "result": if by.is_some() { "success" } else { "failure" },
            });
            let movement = by.filter(|by| *by != 0).map(|by| Movement {
                memo: update.memo,
                ..Movement::new(update.product, update.store, by, division)
            });
            if let Some(movement) = movement {
                changes.push(self.books.apply(movement, at));
            }
            let after = self.books.stock_of(update.product, update.store);
            crate::wire::set(&mut result, "stockAmount", json!(after.to_string()));
            results.push(result);
        }
        self.tell_stock("bulk-update", &changes);
        self.webhooks.push(Webhook {
            url: job.callback,
            headers: Vec::new(),
            body: results.into(),
        });
    }
}
