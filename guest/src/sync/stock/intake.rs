//! Taking webhooks in: stored before they are acknowledged, told apart by their event id. Calls nobody.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Days;

use crate::{
    error::{Error, Problem, Result},
    planted::Planted,
    reason::Reason,
    smaregi::webhook::{self, Event},
    sync::{
        products,
        report::{ChangeHint, Taken, Webhook, count},
        stock::records::{HINTS, Hint, hint_key},
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
    time::{self, Moment},
};

/// Deliveries are remembered for this day and so many before; repeats come within minutes.
const EVENT_DAYS: u64 = 1;
/// Deliveries forgotten in one commit.
const FORGOTTEN_AT_ONCE: u32 = 1_500;
/// Hints taken at once from elsewhere.
const MOST_HINTS: usize = 1_000;
/// Hints a commit may hold: each takes a check and a write, of which storage takes 2 000.
const HINTS_PER_COMMIT: usize = 900;
/// History rows named in a hint; beyond them the catch-up and the overlap of readings must do.
const MOST_IDS: usize = 500;
/// How often noting is tried when somebody else is quicker.
const TRIES: u32 = 10;
const EVENTS: &str = "stock/event/";

/// A place to be read, with the rows that a delivery named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// 店舗ID
    pub store_id: String,
    /// 商品ID
    pub product_id: String,
    /// History ids.
    pub ids: BTreeSet<String>,
}

impl Place {
    /// Without rows by name.
    pub fn new(store_id: &str, product_id: &str) -> Self {
        Self {
            store_id: store_id.to_owned(),
            product_id: product_id.to_owned(),
            ids: BTreeSet::new(),
        }
    }
}

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
    let keys = delivery
        .event_id
        .as_deref()
        .map(|id| event_keys(tenant, id));
    let keys = keys.unwrap_or_default();
    let known = store::read_all::<Moment>(&tenant.ports, &keys)?;
    if known.iter().any(Option::is_some) {
        return Ok(Taken {
            hints: 0,
            repeated: true,
        });
    }
    products::forget(&tenant.ports, &event.products)?;
    let places = places(&event);
    let noted = note(tenant, &places, keys.first().map(String::as_str));
    if !Planted::WebhookNotStored.is_on() {
        noted?;
    }
    Ok(Taken {
        hints: count(places.len()),
        repeated: false,
    })
}

/// Each place once, with all rows of it that were named.
fn places(event: &Event) -> Vec<Place> {
    let mut places: BTreeMap<(&str, &str), Place> = BTreeMap::new();
    for (id, product_id, store_id) in &event.stock {
        let place = places
            .entry((store_id, product_id))
            .or_insert_with(|| Place::new(store_id, product_id));
        place.ids.extend(webhook::plain_id(id));
    }
    places.into_values().collect()
}

/// Takes hints from elsewhere.
pub fn take_in_changes(tenant: &Tenant<'_>, hints: &[ChangeHint]) -> Result<Taken> {
    check_hints(hints)?;
    let places: BTreeSet<(&str, &str)> = hints
        .iter()
        .map(|hint| (hint.store_id.as_str(), hint.product_id.as_str()))
        .collect();
    let places: Vec<Place> = places
        .into_iter()
        .map(|(store_id, product_id)| Place::new(store_id, product_id))
        .collect();
    note(tenant, &places, None)?;
    Ok(Taken {
        hints: count(places.len()),
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
pub fn note(tenant: &Tenant<'_>, places: &[Place], event_key: Option<&str>) -> Result<()> {
    let mut chunks = places.chunks(HINTS_PER_COMMIT).peekable();
    loop {
        let chunk = chunks.next().unwrap_or_default();
        let last = chunks.peek().is_none();
        note_chunk(tenant, chunk, event_key.filter(|_| last))?;
        if last {
            return Ok(());
        }
    }
}

fn note_chunk(tenant: &Tenant<'_>, places: &[Place], event_key: Option<&str>) -> Result<()> {
    let at = tenant.now();
    let keys: Vec<String> = places
        .iter()
        .map(|place| hint_key(&place.store_id, &place.product_id))
        .collect();
    for _ in 0..TRIES {
        let known = store::read_all::<Hint>(&tenant.ports, &keys)?;
        let mut commit = Commit::new();
        for ((place, key), known) in places.iter().zip(&keys).zip(&known) {
            let mut ids = place.ids.clone();
            ids.extend(
                known
                    .iter()
                    .flat_map(|known| known.value.ids.iter().cloned()),
            );
            let hint = Hint {
                store_id: place.store_id.clone(),
                product_id: place.product_id.clone(),
                at,
                ids: ids.into_iter().rev().take(MOST_IDS).collect(),
                tries: 0,
                retry_at: None,
            };
            commit = commit.check(key, known.as_ref()).put(key, &hint)?;
        }
        if let Some(key) = event_key {
            commit = commit.put(key, &at)?;
        }
        if commit.is_empty() || commit.try_apply(&tenant.ports)? {
            return Ok(());
        }
    }
    Err(Error::Contended(HINTS.to_owned(), at))
}

/// Forgets deliveries that are too old to be repeated, some at a time.
pub fn forget_old_events(tenant: &Tenant<'_>) -> Result<()> {
    let oldest = time::day(tenant.now())
        .checked_sub_days(Days::new(EVENT_DAYS))
        .unwrap_or_default();
    let end = format!("{EVENTS}{oldest}");
    let old: Vec<Stored<Moment>> =
        store::between(&tenant.ports, EVENTS, &end, false, FORGOTTEN_AT_ONCE)?;
    let commit = old
        .iter()
        .fold(Commit::new(), |commit, event| commit.delete(&event.key));
    if commit.is_empty() {
        Ok(())
    } else {
        commit.apply(&tenant.ports)
    }
}

/// Where a delivery is noted today, and where it was if it came on one of the days before.
fn event_keys(tenant: &Tenant<'_>, id: &str) -> Vec<String> {
    // Foreign text in a key: bounded, and without what could leave our prefix.
    let safe: String = id
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
        .take(100)
        .collect();
    if safe.is_empty() {
        return Vec::new();
    }
    let today = time::day(tenant.now());
    (0..=EVENT_DAYS)
        .filter_map(|days| today.checked_sub_days(Days::new(days)))
        .map(|day| format!("{EVENTS}{day}/{safe}"))
        .collect()
}

fn foreign_contract() -> Reason {
    Reason::new(
        "foreign-contract",
        "別のスマレジ契約の通知です。Webhookの宛先を確かめてください。",
        "This delivery belongs to another Smaregi contract. Check the webhook's address.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::testing::Script;

    fn delivery(event: &str, ids: &[u32]) -> Webhook {
        let ids: Vec<_> = ids
            .iter()
            .map(|id| json!({"id": id.to_string(), "productId": "8", "storeId": "1"}))
            .collect();
        let body =
            json!({"contractId": "sb_1", "event": "pos:stock", "action": "edited", "ids": ids});
        Webhook {
            contract_id: Some("sb_1".to_owned()),
            event: None,
            event_id: Some(event.to_owned()),
            body: body.to_string().into_bytes(),
        }
    }

    #[test]
    fn deliveries_add_up_to_one_place_and_a_repeat_adds_nothing() {
        let script = Script::new();
        let tenant = script.tenant();
        assert_eq!(take_in(&tenant, &delivery("a", &[1, 2])).unwrap().hints, 1);
        assert!(take_in(&tenant, &delivery("a", &[1, 2])).unwrap().repeated);
        take_in(&tenant, &delivery("b", &[3])).unwrap();
        let hint = store::read::<Hint>(&script.ports(), &hint_key("1", "8")).unwrap();
        let ids = hint.unwrap().value.ids;
        assert_eq!(ids.into_iter().collect::<Vec<_>>(), ["1", "2", "3"]);
    }

    #[test]
    fn deliveries_whose_names_differ_by_a_hyphen_are_two() {
        let script = Script::new();
        for event in ["a-b", "ab"] {
            let taken = take_in(&script.tenant(), &delivery(event, &[1])).unwrap();
            assert!(!taken.repeated, "{event}");
        }
    }

    #[test]
    fn a_delivery_of_another_contract_is_refused_whichever_side_says_so() {
        let script = Script::new();
        let own = delivery("a", &[1]);
        let mut head = own.clone();
        head.contract_id = Some("sb_2".to_owned());
        let mut body = own.clone();
        let text = String::from_utf8(own.body.clone()).unwrap();
        body.body = text.replace("sb_1", "sb_2").into_bytes();
        for foreign in [head, body] {
            let refused = take_in(&script.tenant(), &foreign);
            assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        }
        assert_eq!(take_in(&script.tenant(), &own).unwrap().hints, 1);
    }

    #[test]
    fn what_could_not_be_stored_is_not_acknowledged() {
        let script = Script::new();
        script.storage.away.borrow_mut().push_back(true);
        take_in(&script.tenant(), &delivery("a", &[1])).unwrap_err();
        let again = take_in(&script.tenant(), &delivery("a", &[1])).unwrap();
        assert!(!again.repeated);
    }

    #[test]
    fn a_thousand_hints_are_taken_and_no_more_and_only_with_ids() {
        let script = Script::new();
        let hint = |product: &str, store: &str| ChangeHint {
            product_id: product.to_owned(),
            store_id: store.to_owned(),
        };
        let many = |number: u32| -> Vec<ChangeHint> {
            (1..=number).map(|id| hint(&id.to_string(), "1")).collect()
        };
        let taken = take_in_changes(&script.tenant(), &many(1_000)).unwrap();
        assert_eq!(taken.hints, 1_000);
        let refused = |hints: &[ChangeHint]| {
            let fields = match take_in_changes(&script.tenant(), hints) {
                Err(Error::Invalid(problems)) => problems.into_iter().map(|problem| problem.field),
                other => panic!("{other:?}"),
            };
            fields.collect::<Vec<_>>()
        };
        assert_eq!(refused(&many(1_001)), ["hints"]);
        let bad = [hint("8", "1"), hint("a/b", ""), hint("8", "x")];
        assert_eq!(
            refused(&bad),
            [
                "hints[1].product-id",
                "hints[1].store-id",
                "hints[2].store-id"
            ]
        );
    }

    #[test]
    fn every_old_delivery_is_forgotten_and_no_young_one() {
        let script = Script::new();
        let mut commit = Commit::new();
        for event in 0..1_900 {
            let key = format!("{EVENTS}2026-11-20/{event}");
            commit = commit.put(&key, &script.now.get()).unwrap();
        }
        commit.apply(&script.ports()).unwrap();
        let tenant = script.tenant();
        take_in(&tenant, &delivery("young", &[1])).unwrap();
        script
            .now
            .set(script.now.get() + chrono::TimeDelta::hours(20));
        for _ in 0..2 {
            forget_old_events(&tenant).unwrap();
        }
        let left = store::list_all::<Moment>(&script.ports(), EVENTS).unwrap();
        assert_eq!(left.len(), 1);
        assert!(take_in(&tenant, &delivery("young", &[1])).unwrap().repeated);
    }
}
