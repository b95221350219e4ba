//! Recorded calls. Each file of `tests/recordings` runs again, offline, as it was recorded. Those that are here were made by a day of the
//! small shop: `TSUNAGI_RECORD=1 cargo test -p tsunagi-e2e recordings` makes them anew, which a component needs that asks for something
//! else on purpose. Any other recording may lie beside them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tsunagi::{
    demo::stage::SHOP,
    recording::{Content, Ended, Put, Recording, Step},
    replay::Replay,
    runtime::{Runtime, RuntimeConfig},
    storage::Store as _,
};
use tsunagi_sandbox::{FaultKind, FaultRule, ServiceName, Switches};

use crate::world::{CUP, TEA, World, order, runtime};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../recordings");

/// A buyer's, as Next Engine might answer it although nobody asked.
const BUYER: [(&str, &str); 4] = [
    ("receive_order_purchaser_name", "梅田 花子"),
    ("receive_order_consignee_address1", "大阪市北区角田町 8-7"),
    ("receive_order_purchaser_mail_address", "hanako@example.jp"),
    ("receive_order_note", "留守なら隣の竹中さんへ"),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Whether they are to be made anew: then whoever makes them looks at them, and nobody at the old ones.
fn are_made_anew() -> bool {
    std::env::var("TSUNAGI_RECORD").is_ok()
}

async fn run_again() {
    let replay = Replay::new(&runtime()).unwrap();
    let files = files(Path::new(FOLDER));
    assert!(files.len() >= CALLS.len(), "{files:?}");
    for path in files {
        let recording = Recording::load(&path).unwrap();
        if let Some(departure) = replay.play(&recording).await {
            panic!("{}: {departure}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_run_again_as_they_were() {
    if !are_made_anew() {
        run_again().await;
    }
}

fn fault(world: &World, service: ServiceName, endpoint: &str, fault: FaultKind) {
    world.stage.sandbox.add_fault(FaultRule {
        service: Some(service),
        endpoint: endpoint.to_owned(),
        skip: 0,
        times: Some(1),
        fault,
    });
}

/// A login, an import with an answer lost and an order refused, a movement at the till with its webhook and upload, and a renewal.
async fn a_day(world: &World) {
    world.connect(World::whole).await;
    for number in 1..=3 {
        world.ship(&order(
            1,
            &format!("A-{number}"),
            &[(TEA, number), (CUP, 1)],
        ));
    }
    let mut strange = order(1, "A-4", &[(CUP, 1)]);
    strange.total = Some(1.into());
    world.ship(&strange);
    fault(
        world,
        ServiceName::Smaregi,
        "POST /transactions",
        FaultKind::DropAnswer,
    );
    let shop = json!({ "shop-id": "1" });
    let imported = world.call("orders.import-shop", shop.clone()).await;
    assert_eq!(
        (&imported["registered"], &imported["refused"]),
        (&json!(2), &json!(1)),
        "one answer was lost, one order is refused"
    );
    // An answer with a buyer in it, to a search that did not ask for one.
    let mut row = json!({});
    for (name, value) in BUYER {
        row[name] = json!(value);
    }
    row["receive_order_row_receive_order_id"] = json!("7001");
    row["receive_order_shop_id"] = json!("1");
    let body = json!({ "result": "success", "count": "1", "data": [row] }).to_string();
    fault(
        world,
        ServiceName::NextEngine,
        "POST /api_v1_receiveorder_row/search",
        FaultKind::Refuse { status: 200, body },
    );
    let _ = world.stage.call("orders.import-shop", shop).await;
    world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.correct(TEA, 1, -2))
        .unwrap();
    world.stage.webhooks_delivered().await;
    world.call("stock.send", json!({})).await;
    world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.correct(CUP, 1, -1))
        .unwrap();
    world.stage.webhooks_delivered().await;
    let changes = "GET /stock/changes/{product}/{store}";
    let cut = FaultKind::CutBody { keep: 20 };
    fault(world, ServiceName::Smaregi, changes, cut);
    let sent = world.stage.call("stock.send", json!({})).await;
    assert!(sent.is_err(), "an answer was cut off");
    world.stage.pass(std::time::Duration::from_secs(25 * 3600));
    world.call("connection.check", json!({})).await;
}

/// What must be in no recording.
async fn secrets(world: &World) -> Vec<String> {
    let sandbox = &world.stage.sandbox;
    let app = sandbox.next_engine(|next_engine| next_engine.app().clone());
    let mut secrets = vec![app.client_secret];
    sandbox.smaregi(|smaregi| {
        let app = smaregi.app();
        secrets.extend([app.client_secret.clone(), app.contract_id.clone()]);
    });
    let keys = ["next-engine/login", "smaregi/token"].map(str::to_owned);
    let found = world.stage.store().get(SHOP, keys.to_vec()).await.unwrap();
    for entry in found.into_iter().flatten() {
        let value: Value = serde_json::from_slice(&entry.value).unwrap();
        let tokens = ["access", "refresh"].map(|name| find(&value, name));
        secrets.extend(tokens.into_iter().flatten());
    }
    assert_eq!(
        secrets.len(),
        6,
        "two tokens of Next Engine, one of Smaregi, two clients' and the contract"
    );
    secrets
}

/// The text of that name, wherever it is.
fn find(value: &Value, name: &str) -> Option<String> {
    let fields = value.as_object()?;
    let here = fields.get(name).and_then(Value::as_str);
    here.map(str::to_owned)
        .or_else(|| fields.values().find_map(|value| find(value, name)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_hold_no_secret_and_no_buyer_and_go_the_same_way_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = RuntimeConfig {
        record: Some(folder.path().to_owned()),
        ..RuntimeConfig::default()
    };
    let world = World::on(Switches::default(), Runtime::new(config).unwrap()).await;
    a_day(&world).await;
    let mut secrets = secrets(&world).await;
    secrets.extend(BUYER.map(|(_, value)| value.to_owned()));
    let replay = Replay::new(&runtime()).unwrap();
    let mut kept: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let (mut cut, mut failed, mut waited) = (0, 0, 0);
    for path in files(&folder.path().join(SHOP)) {
        let text = std::fs::read_to_string(&path).unwrap();
        for secret in &secrets {
            assert!(!text.contains(secret), "{secret} is in {}", path.display());
        }
        let recording = Recording::load(&path).unwrap();
        let departure = replay.play(&recording).await;
        assert_eq!(departure, None, "{}", path.display());
        for step in &recording.steps {
            cut += u32::from(matches!(step, Step::Answer { cut: Some(_), .. }));
            failed += u32::from(matches!(step, Step::Failed { .. }));
            waited += u32::from(matches!(step, Step::Waited { .. }));
        }
        kept.entry(recording.function).or_default().push(path);
    }
    assert!(
        cut > 0 && failed > 0 && waited > 0,
        "{cut} {failed} {waited}"
    );
    for (function, number, name) in CALLS {
        let path = kept.get(function).and_then(|paths| paths.get(number));
        let path = path.unwrap_or_else(|| panic!("no call of {function}"));
        if are_made_anew() {
            let text = std::fs::read(path).unwrap();
            std::fs::create_dir_all(FOLDER).unwrap();
            std::fs::write(format!("{FOLDER}/{name}.json"), text).unwrap();
        }
    }
    if are_made_anew() {
        run_again().await;
    }
}

/// Those that are kept: function, which of its calls, and name.
const CALLS: [(&str, usize, &str); 7] = [
    ("connection.begin-login", 0, "login-begun"),
    ("connection.finish-login", 0, "login-finished"),
    ("orders.import-shop", 0, "import-with-a-refused-order"),
    ("stock.take-in", 0, "webhook-taken-in"),
    ("stock.send", 0, "batch-sent"),
    ("stock.send", 1, "answer-cut-off"),
    ("connection.check", 0, "tokens-renewed"),
];

fn recorded_import() -> Recording {
    Recording::load(Path::new(&format!(
        "{FOLDER}/import-with-a-refused-order.json"
    )))
    .unwrap()
}

/// A recording with one thing changed, and what the replay says.
async fn departure(change: impl Fn(&mut Step) -> bool) -> String {
    let mut recording = recorded_import();
    let at = recording.steps.iter_mut().position(change).unwrap();
    let replay = Replay::new(&runtime()).unwrap();
    let departure = replay.play(&recording).await.unwrap();
    assert_eq!(departure.step, at + 1, "{departure}");
    departure.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_name_the_first_step_where_a_component_does_otherwise() {
    if are_made_anew() {
        return;
    }
    let told = departure(|step| match step {
        Step::Request { url, .. } if url.ends_with("/transactions") => {
            url.push_str("/other");
            true
        }
        _ => false,
    })
    .await;
    assert!(
        told.contains("/transactions/other") && told.contains("the component asked for"),
        "{told}"
    );
    let told = departure(|step| match step {
        Step::Request {
            url,
            body: Content::Text(body),
            ..
        } if url.ends_with("/transactions") => {
            body.push(' ');
            true
        }
        _ => false,
    })
    .await;
    assert!(told.contains("POST"), "{told}");
    let told = departure(|step| match step {
        Step::Commit { writes, .. } => {
            writes.push(Put {
                key: "another".to_owned(),
                value: None,
            });
            true
        }
        _ => false,
    })
    .await;
    assert!(told.contains("another"), "{told}");

    let mut recording = recorded_import();
    let Ended::Ok(value) = &mut recording.ended else {
        panic!("{:?}", recording.ended)
    };
    value["registered"] = json!(4);
    let replay = Replay::new(&runtime()).unwrap();
    let departure = replay.play(&recording).await.unwrap();
    assert_eq!(departure.step, recording.steps.len() + 1);
    assert!(
        departure.recorded.contains('4') && departure.asked.contains('2'),
        "{departure}"
    );
}
