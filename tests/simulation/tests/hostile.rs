//! Hostile input: true answers and stored records bent within a run, and webhooks and settings bent and given directly. All of it:
//! `cargo run --release -p tsunagi-simulation -- bend`.

use std::{
    collections::BTreeSet,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use proptest::prelude::*;
use serde_json::{Value, json};
use tsunagi_guest::{
    error::Error,
    settings::Settings,
    sync::{
        report::Webhook,
        settings::{self, Keep},
        stock,
        tenant::Tenant,
    },
};
use tsunagi_simulation::{
    bend::{self, Path, Way},
    bending::{Rehearsal, Tally},
    hostile::Bend,
    ports::View,
    scenarios, shop,
    stage::Stage,
    world::{Setting, World},
};

/// What a test may take; what is left out is drawn anew the next time.
const SECONDS: u64 = 12;
const SHOWN: usize = 20;

fn dice() -> World {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = now.as_nanos() as u64;
    println!("seed {seed}");
    let setting = Setting {
        seed,
        ..Setting::default()
    };
    World::new(shop::morning(), setting)
}

/// Every bend in an order by lot, until the time is over.
fn some(bends_of: impl Fn(&Rehearsal, &mut BTreeSet<(String, String)>) -> Vec<Bend>) {
    let dice = dice();
    let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
    for name in std::iter::once("import") {
        let scenario = scenarios::named(name).unwrap();
        let rehearsal = Rehearsal::of(&scenario, Setting::default()).unwrap();
        let bends = bends_of(&rehearsal, &mut seen);
        all.push((rehearsal, bends));
    }
    let count: usize = all.iter().map(|(_, bends)| bends.len()).sum();
    let mut order: Vec<(u64, usize, usize)> = all
        .iter()
        .enumerate()
        .flat_map(|(of, (_, bends))| (0..bends.len()).map(move |at| (of, at)))
        .map(|(of, at)| (dice.roll(), of, at))
        .collect();
    order.sort_unstable();
    let (began, mut tally) = (Instant::now(), Tally::default());
    for (_, of, at) in order {
        if began.elapsed().as_secs() >= SECONDS {
            break;
        }
        tally.add(&all[of].0, &all[of].1[at..=at], 1);
    }
    println!("{} of {count} bends", tally.runs);
    assert!(tally.runs > 0);
    let failures: Vec<_> = tally.failures.iter().take(SHOWN).collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn bent_answers_spoil_nothing_but_themselves() {
    some(|rehearsal, seen| rehearsal.answer_bends(seen, Way::ALL));
}

#[test]
fn damaged_records_are_errors_that_name_their_key() {
    some(Rehearsal::record_bends);
}

#[test]
fn bends_are_read_as_they_are_written() {
    for text in [
        "answer~74~data/4/x~null~1",
        "record~orders/slip/1~d/order~words~3",
    ] {
        assert_eq!(text.parse::<Bend>().unwrap().to_string(), text);
    }
    assert!("answer~x~~null~1".parse::<Bend>().is_err());
}

#[test]
fn every_way_fits_something_true() {
    let body = json!({"data": [{"id": "7", "name": "茶", "n": 5}]}).to_string();
    for &way in Way::ALL {
        let fits = ["", "data/0/id", "data/0/name", "data/0/n"]
            .iter()
            .filter_map(|&path| bend::bend(body.as_bytes(), &Path::from(path), way))
            .collect::<Vec<_>>();
        assert!(
            !fits.is_empty() && fits.iter().all(|bent| bent != body.as_bytes()),
            "{way}"
        );
    }
}

fn stage() -> Stage {
    Stage::begin(Setting::default(), |_| ()).unwrap()
}

fn webhooks(contract: &str) -> Vec<Value> {
    vec![
        json!({"contractId": contract, "event": "pos:stock", "action": "edited",
            "ids": [{"id": "7", "productId": "1", "storeId": "1"}, {"id": "8", "productId": "2", "storeId": "3"}]}),
        json!({"contractId": contract, "event": "pos:products", "action": "deleted", "productIds": ["1", "2"]}),
        json!({"contractId": contract, "event": "pos:transactions", "action": "created", "transactionHeadIds": ["25"]}),
    ]
}

/// Taken in, or refused with a field named and nothing stored; never a trap.
fn give(stage: &Stage, body: Vec<u8>, header: Option<String>) -> Result<(), String> {
    let delivery = Webhook {
        contract_id: header.clone(),
        event: header.clone(),
        event_id: header,
        body,
    };
    let before = stage.world.state().memory.clone();
    let taken = {
        let view = View::new(&stage.world);
        Tenant::open(view.ports(), u32::MAX, 86_400)
            .and_then(|tenant| stock::take_in(&tenant, &delivery))
    };
    let state = stage.world.state();
    match taken {
        Ok(_) => Ok(()),
        Err(Error::Invalid(problems)) => {
            let named = problems
                .iter()
                .all(|problem| problem.field.starts_with("webhook."));
            let unread = problems
                .iter()
                .all(|problem| format!("{:?}", problem.reason).len() < 2_000);
            (named && unread && !problems.is_empty() && state.memory == before)
                .then_some(())
                .ok_or_else(|| format!("{problems:?}"))
        }
        Err(other) => Err(format!("{other:?}")),
    }
}

#[test]
fn a_bent_webhook_is_refused_by_field_or_taken_in() {
    let stage = stage();
    let contract = stage
        .world
        .state()
        .services
        .smaregi
        .app()
        .contract_id
        .clone();
    let mut given = 0;
    for webhook in webhooks(&contract) {
        for path in Path::all(&webhook) {
            for &way in Way::ALL {
                if let Some(body) = bend::bend(webhook.to_string().as_bytes(), &path, way) {
                    if let Err(why) = give(&stage, body, None) {
                        panic!("{path} {way}: {why:.500}");
                    }
                    given += 1;
                }
            }
        }
    }
    println!("{given} bent webhooks");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn whatever_is_posted_is_refused_or_taken_in(body: Vec<u8>, text: String, header: Option<String>) {
        let stage = stage();
        let contract = stage.world.state().services.smaregi.app().contract_id.clone();
        prop_assert_eq!(give(&stage, body, header.clone()), Ok(()));
        let near = json!({"contractId": contract, "event": "pos:stock", "ids": [{"id": text, "productId": "1", "storeId": text}]});
        prop_assert_eq!(give(&stage, near.to_string().into_bytes(), header), Ok(()));
    }
}

#[test]
fn bent_settings_are_refused_by_field_and_never_kept_by_half() {
    let stage = stage();
    let view = View::new(&stage.world);
    let ports = view.ports();
    let keep = Keep {
        next_engine: true,
        smaregi: true,
    };
    let own = settings::get(&ports).unwrap();
    let whole = serde_json::to_value(&own).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for (index, path) in Path::all(&whole).into_iter().enumerate() {
        for &way in Way::ALL {
            // Megabytes take their time.
            if way == Way::Long && index % 16 != 4 {
                continue;
            }
            let Some(bent) = bend::bend(whole.to_string().as_bytes(), &path, way) else {
                continue;
            };
            let Ok(given) = serde_json::from_slice::<Settings>(&bent) else {
                continue;
            };
            let before = stage.world.state().memory.clone();
            match settings::put(&ports, &given, &keep, &[]) {
                Ok(()) => accepted += 1,
                Err(Error::Invalid(problems)) => {
                    refused += 1;
                    let named = problems.iter().all(|problem| !problem.field.is_empty());
                    let short = problems
                        .iter()
                        .all(|problem| format!("{:?}", problem.reason).len() < 2_000);
                    assert!(
                        named && short && !problems.is_empty(),
                        "{path} {way}: {}",
                        problems.len()
                    );
                    assert_eq!(stage.world.state().memory, before, "{path} {way}");
                }
                Err(other) => panic!("{path} {way}: {}", other.reason().message.en),
            }
            let state = stage.world.state();
            let large = state.memory.entries().map(|entry| entry.value.len()).max();
            assert!(
                state.breaches.is_empty() && large < Some(1 << 20),
                "{path} {way}: {large:?} {:?}",
                state.breaches
            );
        }
    }
    println!("{accepted} bent settings accepted, {refused} refused");
    assert!(accepted > 0 && refused > 0);
}
