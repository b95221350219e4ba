//! Recorded calls. Each file of `tests/recordings` runs again, offline, as it was recorded. Those that are here were made by a day of the
//! small shop: `TSUNAGI_RECORD=1 cargo test -p tsunagi-e2e recordings` makes them anew, which a component needs that asks for something
//! else on purpose. Any other recording may lie beside them.

mod day;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::json;
use tsunagi::{
    demo::stage::SHOP,
    recording::{Content, Ended, Put, Recording, Step},
    replay::Replay,
    runtime::{Runtime, RuntimeConfig},
};
use tsunagi_sandbox::Switches;

use crate::world::{World, runtime};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../recordings");

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_hold_no_secret_and_no_buyer_and_go_the_same_way_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = RuntimeConfig {
        record: Some(folder.path().to_owned()),
        ..RuntimeConfig::default()
    };
    let world = World::on(Switches::default(), Runtime::new(config).unwrap()).await;
    day::passes(&world).await;
    let mut secrets = day::secrets(&world).await;
    secrets.extend(day::BUYER.map(|(_, value)| value.to_owned()));
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
        // One that says something of stock.
        let empty = matches!(&recording.ended, Ended::Ok(taken) if taken["hints"] == json!(0));
        if recording.function == "stock.take-in" && empty {
            continue;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_of_a_call_that_was_ended_go_as_far_as_it_went() {
    if are_made_anew() {
        return;
    }
    let replay = Replay::new(&runtime()).unwrap();
    let mut recording = recorded_import();
    let taken = |step: &Step| matches!(step, Step::Answer { .. });
    let at = recording.steps.iter().position(taken).unwrap();
    recording.steps.truncate(at);
    recording.ended = Ended::Fault("a call may take 1 seconds".to_owned());
    assert_eq!(replay.play(&recording).await, None);
    recording.ended = Ended::Ok(json!(null));
    assert_eq!(replay.play(&recording).await.unwrap().step, at + 1);
}
