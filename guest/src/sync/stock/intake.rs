//! Taking webhooks in: stored before they are acknowledged, told apart by their event id. Calls nobody.

use crate::{
    error::{Error, Problem, Result},
    reason::Reason,
    smaregi::webhook,
    sync::{
        products,
        report::{ChangeHint, Taken, Webhook},
        stock::records::{Hint, hint_key},
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::Moment,
};

/// Deliveries are remembered this long; repeats come within minutes.
const EVENT_DAYS: i64 = 7;
/// Hints taken at once from elsewhere.
const MOST_HINTS: usize = 1_000;
/// Hints a commit may hold, well under storage's limit.
const HINTS_PER_COMMIT: usize = 1_500;

/// Takes one delivery in. See `wit/stock.wit`.
pub fn take_in(tenant: &Tenant<'_>, delivery: &Webhook) -> Result<Taken> {
    let event =
        webhook::parse(&delivery.body).map_err(|reason| Error::invalid("webhook.body", reason))?;
    let contract = delivery
        .contract_id
        .as_deref()
        .unwrap_or(&event.contract_id);
    let own = &tenant.settings.credentials.smaregi_contract_id;
    if contract != own || event.contract_id != *own {
        return Err(Error::Invalid(vec![Problem {
            field: "webhook.contract-id".to_owned(),
            reason: foreign_contract(),
        }]));
    }
    let key = delivery.event_id.as_deref().and_then(event_key);
    if let Some(key) = &key
        && store::read::<Moment>(&tenant.ports, key)?.is_some()
    {
        return Ok(Taken {
            hints: 0,
            repeated: true,
        });
    }
    products::forget(&tenant.ports, &event.products)?;
    let hints = event
        .stock
        .iter()
        .map(|(_, product, store)| (store.as_str(), product.as_str()))
        .collect::<Vec<_>>();
    note(tenant, &hints, key.as_deref())?;
    Ok(Taken {
        hints: count(hints.len()),
        repeated: false,
    })
}

/// Takes hints from elsewhere.
pub fn take_in_changes(tenant: &Tenant<'_>, hints: &[ChangeHint]) -> Result<Taken> {
    check_hints(hints)?;
    let hints = hints
        .iter()
        .map(|hint| (hint.store_id.as_str(), hint.product_id.as_str()))
        .collect::<Vec<_>>();
    note(tenant, &hints, None)?;
    Ok(Taken {
        hints: count(hints.len()),
        repeated: false,
    })
}

fn check_hints(hints: &[ChangeHint]) -> Result<()> {
    if hints.len() > MOST_HINTS {
        let reason = Reason::new(
            "too-many",
            "一度に1000件までです。",
            "At most 1 000 at once.",
        );
        return Err(Error::invalid("hints", reason));
    }
    let is_id = |text: &str| webhook::plain_id(text).is_some();
    let bad = hints.iter().enumerate().flat_map(|(index, hint)| {
        let fields = [
            ("product-id", &hint.product_id),
            ("store-id", &hint.store_id),
        ];
        let bad = fields.into_iter().filter(move |(_, value)| !is_id(value));
        bad.map(move |(name, value)| Problem {
            field: format!("hints[{index}].{name}"),
            reason: Reason::new(
                "not-an-id",
                "スマレジの番号ではありません。",
                "This is no id of Smaregi.",
            )
            .value(crate::text::fit(value, 40)),
        })
    });
    let problems: Vec<Problem> = bad.collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(problems))
    }
}

/// Stores hints, the event's id with the last of them: a crash in between repeats hints, which is harmless, and loses none.
pub fn note(tenant: &Tenant<'_>, hints: &[(&str, &str)], event_key: Option<&str>) -> Result<()> {
    let at = tenant.now();
    let mut chunks = hints.chunks(HINTS_PER_COMMIT).peekable();
    loop {
        let chunk = chunks.next().unwrap_or_default();
        let last = chunks.peek().is_none();
        let mut commit = Commit::new();
        for (store_id, product_id) in chunk {
            let hint = Hint {
                store_id: (*store_id).to_owned(),
                product_id: (*product_id).to_owned(),
                at,
            };
            commit = commit.put(&hint_key(store_id, product_id), &hint)?;
        }
        if last && let Some(key) = event_key {
            commit = commit.put(key, &at)?;
        }
        if !commit.is_empty() {
            commit.apply(&tenant.ports)?;
        }
        if last {
            return Ok(());
        }
    }
}

/// Forgets deliveries that are too old to be repeated, some at a time.
pub fn forget_old_events(tenant: &Tenant<'_>) -> Result<()> {
    let limit = tenant.now() - chrono::TimeDelta::days(EVENT_DAYS);
    let old: Vec<Stored<Moment>> = store::list(&tenant.ports, "stock/event/", 1_000)?;
    let mut commit = Commit::new();
    for event in old.into_iter().filter(|event| event.value < limit) {
        commit = commit.delete(&event.key);
    }
    if commit.is_empty() {
        Ok(())
    } else {
        commit.apply(&tenant.ports)
    }
}

fn event_key(id: &str) -> Option<String> {
    // Foreign text in a key: bounded, and without what could leave our prefix.
    let safe: String = id
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
        .take(100)
        .collect();
    (!safe.is_empty()).then(|| format!("stock/event/{safe}"))
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn foreign_contract() -> Reason {
    Reason::new(
        "foreign-contract",
        "別のスマレジ契約の通知です。Webhookの宛先を確かめてください。",
        "This delivery belongs to another Smaregi contract. Check the webhook's address.",
    )
}
