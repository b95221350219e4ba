//! Tells when a person is needed at a shop, by e-mail and by webhook: once for each cause, quiet when it is mended. Asks the component and
//! compares with what was told; decides nothing about orders or stock.
//!
//! What stands is written down before anybody is told of it, an attempt before it is made, and its outcome after. So a restart neither loses
//! a notice nor repeats one whose outcome is known; one that died between the receiver's yes and our note of it goes out again under the
//! same id (`Message-ID`, `Idempotency-Key`).

mod causes;
mod ledger;
mod look;
mod mail;
mod settings;
#[cfg(test)]
mod tests;
mod webhook;
mod words;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use crate::{
    clock::{SharedClock, wait_until},
    config::NoticesConfig,
    records::{Records, Row, written},
    storage::{Check, Direction, Store, StoreError},
    tenant::Tenant,
};
pub(crate) use causes::{Cause, ends_soon, held, orders_to_look_at, refused, stopped};
pub(crate) use ledger::Standing;
pub(crate) use look::guard_key;
pub(crate) use settings::{MOST_ADDRESSES, Place, Problem, Settings};
pub(crate) use words::{name, page, unfit};

use mail::Mailer;
use webhook::Hook;
use words::Letter;

/// Rows read at once.
const MOST_ROWS: u32 = 100_000;
/// How long nothing is looked at when nothing is due.
const IDLE: TimeDelta = TimeDelta::minutes(10);

/// All of a process. Clones are the same.
#[derive(Clone)]
pub struct Notices(Arc<Inner>);

struct Inner {
    records: Records,
    clock: SharedClock,
    public_url: String,
    mailer: Option<Mailer>,
    hook: Hook,
    wake: Notify,
}

/// Where the settings of a shop lie.
pub(crate) fn settings_key(shop: &str) -> String {
    format!("notices-for/{shop}")
}

/// Where what stands at a shop begins.
pub(crate) fn standing_of(shop: &str) -> String {
    format!("notice/{shop}/")
}

impl Notices {
    /// Over this store.
    ///
    /// # Errors
    /// When the mail server's name cannot be one.
    pub fn new(
        store: Arc<dyn Store>,
        clock: SharedClock,
        public_url: &str,
        config: &NoticesConfig,
    ) -> anyhow::Result<Self> {
        let mailer = config.smtp.as_ref().map(Mailer::new).transpose()?;
        Ok(Self(Arc::new(Inner {
            records: Records::new(store),
            clock,
            public_url: public_url.to_owned(),
            mailer,
            hook: Hook::new(config.allowed_hosts.iter().cloned()),
            wake: Notify::new(),
        })))
    }

    /// Whether there is a mail server to send by.
    pub(crate) fn has_mail(&self) -> bool {
        self.0.mailer.is_some()
    }

    /// What is wrong with settings.
    pub(crate) fn problems(&self, settings: &Settings) -> Vec<Problem> {
        settings.problems(&self.0.hook)
    }

    /// A shop's settings.
    pub(crate) async fn settings(&self, shop: &str) -> Result<Settings, StoreError> {
        let row: Option<Row<Settings>> = self.0.records.read(settings_key(shop)).await?;
        Ok(row.map(|row| row.value.upgraded()).unwrap_or_default())
    }

    /// Stores them; what stands and a new place does not know yet goes out.
    pub(crate) async fn put(&self, shop: &str, settings: &Settings) -> Result<(), StoreError> {
        self.0.records.put(settings_key(shop), settings).await?;
        self.0.wake.notify_one();
        Ok(())
    }

    /// What stands at a shop.
    pub(crate) async fn standing(&self, shop: &str) -> Result<Vec<Standing>, StoreError> {
        let rows = self.0.rows(&standing_of(shop)).await?;
        let rows = rows.into_iter().map(|row| row.value);
        Ok(rows.filter(|row| row.ended_at.is_none()).collect())
    }

    /// Sends a test to every place of these settings, and says how each went: `None`, or why not.
    pub(crate) async fn test(
        &self,
        shop: &str,
        settings: &Settings,
    ) -> Vec<(Place, Option<String>)> {
        let language = settings.language();
        let letter = words::test_letter(shop, language, &self.0.public_url);
        let mut outcomes = Vec::new();
        for place in settings.places() {
            let id = crate::random::token(8).unwrap_or_default();
            let fields =
                json!({ "id": id, "shop": shop, "cause": "test", "language": language.code() });
            let sent = self.0.send(&place, &id, &letter, fields, settings).await;
            outcomes.push((place, sent.err()));
        }
        outcomes
    }

    /// Asks a shop what needs a person, and writes down what is new and what is mended. Trouble is logged: the next round asks again.
    pub async fn look(&self, tenant: &Tenant) {
        match self.0.look(tenant).await {
            Ok(true) => self.0.wake.notify_one(),
            Ok(false) => {}
            Err(error) => tracing::warn!(tenant = tenant.name, "notices: {error}"),
        }
    }

    /// Tries everything that is due, and says when something is due next.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn deliver(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut next = None;
        let mut known = BTreeMap::new();
        for row in self.0.rows("notice/").await? {
            let Some(shop) = shop_of(&row.key) else {
                continue;
            };
            if !known.contains_key(shop) {
                known.insert(shop.to_owned(), self.settings(shop).await?);
            }
            let Some(settings) = known.get(shop) else {
                continue;
            };
            let due = self.0.tell(&row, shop, settings).await?;
            next = [next, due].into_iter().flatten().min();
        }
        Ok(next)
    }

    /// Delivers what is due until `stop` turns true; an attempt under way is finished first.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let now = self.0.clock.now();
            let next = self.deliver().await.unwrap_or_else(|error| {
                tracing::warn!("notices: {error}");
                None
            });
            let idle = now + IDLE;
            let next = next.map_or(idle, |next| next.clamp(now + TimeDelta::seconds(1), idle));
            tokio::select! {
                () = wait_until(self.0.clock.as_ref(), next) => {}
                () = self.0.wake.notified() => {}
                _ = stop.changed() => {}
            }
        }
    }
}

/// Whether somebody has to look at a shop, by what the component says without reading far.
pub(crate) fn needs_person(status: &Value, stores: &Value, now: DateTime<Utc>) -> bool {
    let facts = causes::Facts {
        status: status.clone(),
        stores: stores.clone(),
        ..causes::Facts::default()
    };
    !causes::found(&facts, now).is_empty()
}

fn shop_of(key: &str) -> Option<&str> {
    let (shop, _) = key.strip_prefix("notice/")?.split_once('/')?;
    Some(shop)
}

impl Inner {
    async fn rows(&self, begin: &str) -> Result<Vec<Row<Standing>>, StoreError> {
        let end = format!("{begin}~");
        self.records
            .range(begin.to_owned(), end, Direction::Forward, MOST_ROWS)
            .await
    }

    /// Tells every place that is to know of a cause and does not. Says when one of them is due next.
    async fn tell(
        &self,
        row: &Row<Standing>,
        shop: &str,
        settings: &Settings,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        if !settings.causes.contains(&row.value.cause()) {
            return Ok(None);
        }
        let mut next = None;
        for place in settings.places() {
            let key = place.key();
            let mut due = row.value.due(&key);
            if due.is_some_and(|due| due <= self.clock.now()) {
                due = self.attempt(row, shop, &place, settings).await?;
            }
            next = [next, due].into_iter().flatten().min();
        }
        Ok(next)
    }

    /// One attempt; says when the next is due. Whoever else is at it, or finds it mended meanwhile, goes first.
    async fn attempt(
        &self,
        row: &Row<Standing>,
        shop: &str,
        place: &Place,
        settings: &Settings,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let key = place.key();
        let now = self.clock.now();
        let is_due = |standing: &Standing| standing.due(&key).is_some_and(|due| due <= now);
        let begun = |standing: Standing| is_due(&standing).then(|| standing.trying(&key, now));
        let Some(standing) = self.change(row, begun).await? else {
            return Ok(None);
        };
        let (language, is_repeated) = (settings.language(), standing.is_repeated(&key));
        let letter = words::letter(shop, &standing, language, &self.public_url, is_repeated);
        let id = standing.notice_id(&key);
        let fields = json!({
            "id": id, "shop": shop, "cause": standing.cause().word(), "count": standing.finding.count,
            "since": standing.since, "repeated": is_repeated, "language": language.code(),
        });
        let outcome = self.send(place, &id, &letter, fields, settings).await;
        let (cause, place) = (standing.cause().word(), place.shown());
        match &outcome {
            Ok(()) => tracing::info!(tenant = shop, cause, "a notice was delivered"),
            // The address of a person and the server's words about it are for the console's page.
            Err(_) => tracing::warn!(
                tenant = shop,
                cause,
                "a notice was not taken; the console's page of notices says why"
            ),
        }
        tracing::debug!(tenant = shop, cause, place, "tried");
        let ended =
            |standing: Standing| Some(standing.tried(&key, outcome.clone(), self.clock.now()));
        let settled = self.change(row, ended).await?;
        Ok(settled.and_then(|standing| standing.due(&key)))
    }

    /// Changes a row as it stands now, if it is still about the same time that the cause stands.
    async fn change(
        &self,
        row: &Row<Standing>,
        change: impl Fn(Standing) -> Option<Standing>,
    ) -> Result<Option<Standing>, StoreError> {
        loop {
            let now: Option<Row<Standing>> = self.records.read(row.key.clone()).await?;
            let Some(now) = now.filter(|now| now.value.id == row.value.id) else {
                return Ok(None);
            };
            let Some(changed) = change(now.value) else {
                return Ok(None);
            };
            let check = Check {
                key: row.key.clone(),
                revision: Some(now.revision),
            };
            let write = written(row.key.clone(), &changed)?;
            match self.records.commit(vec![check], vec![write]).await {
                Ok(()) => return Ok(Some(changed)),
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends it, and says in the shop's language why not.
    async fn send(
        &self,
        place: &Place,
        id: &str,
        letter: &Letter,
        fields: serde_json::Value,
        settings: &Settings,
    ) -> Result<(), String> {
        let language = settings.language();
        match place {
            Place::Mail(address) => {
                let none = || {
                    let said = language.of(
                        "メールサーバーが設定されていません。管理者が設定ファイルに [notices.smtp] を加えます。",
                        "There is no mail server: the operator adds [notices.smtp] to the configuration.",
                    );
                    said.to_owned()
                };
                let mailer = self.mailer.as_ref().ok_or_else(none)?;
                let sent = mailer.send(address, id, letter).await;
                let said = language.of("メールサーバー: ", "The mail server: ");
                sent.map_err(|error| format!("{said}{error}"))
            }
            Place::Webhook(url) => {
                let sent = self.hook.send(url, id, words::body(letter, fields)).await;
                sent.map_err(|failed| words::failed(&failed, language))
            }
        }
    }
}
