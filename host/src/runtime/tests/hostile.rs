//! A component that takes more than its share: its own call ends and says why, its neighbours' calls go on meanwhile.

use serde_json::json;

use super::*;

/// Where the component says `memory` is limited, in bytes: a memory of its own size and nothing more.
const MEMORY: usize = 128 << 20;
/// How long a hostile call may go on.
const CALL: Duration = Duration::from_secs(3);

fn hostile(limits: Limits) -> Runtime {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.wasm");
    std::fs::write(&path, wat::parse_str(include_str!("hostile.wat")).unwrap()).unwrap();
    Runtime::new(RuntimeConfig {
        component: Some(path),
        limits,
        ..RuntimeConfig::default()
    })
    .unwrap()
}

fn limits() -> Limits {
    Limits {
        memory_bytes: MEMORY,
        handed_bytes: MEMORY / 2,
        call: CALL,
        calls: 4,
        ..Limits::default()
    }
}

/// Does it, while a neighbour on the same store calls again and again and must be answered each time, soon; and once more afterwards.
async fn beside_a_neighbour(runtime: &Runtime, around: &Surroundings, function: &str) -> String {
    let neighbour = Surroundings {
        tenant: "b".to_owned(),
        ..around.clone()
    };
    let attack = {
        let (runtime, around, function) = (
            runtime.clone(),
            around.clone(),
            format!("hostile.{function}"),
        );
        tokio::spawn(async move { runtime.call(&around, &function, &json!({})).await })
    };
    let mut answered = 0;
    while !attack.is_finished() || answered == 0 {
        let nothing = json!({});
        let quiet = runtime.call(&neighbour, "hostile.quiet", &nothing);
        let quiet = tokio::time::timeout(Duration::from_secs(2), quiet).await;
        assert_eq!(
            quiet.expect("the neighbour waits").unwrap(),
            Ok(json!(7)),
            "{function}"
        );
        neighbour.store.commit("b", vec![], vec![]).await.unwrap();
        answered += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    match attack.await.unwrap() {
        Err(Fault::Failed(error)) => format!("{error:#}"),
        other => panic!("{function} was let through: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_more_than_its_share_ends_its_own_call_only() {
    let (runtime, around) = (hostile(limits()), alone());
    for (function, why) in [
        ("spin", "may take 3 seconds"),
        ("eat", "memory"),
        ("fill-table", "table"),
        ("recurse", "stack"),
        ("hold-handles", "no free keys"),
        ("write-gigabytes", "fuel"),
        ("answer-much", "fuel"),
        ("answer-long-text", "fuel"),
        ("answer-beyond", "out of bounds"),
        ("answer-text", "utf-8"),
        ("long-key", "unreachable"),
        ("longer-key", "fuel"),
    ] {
        let said = beside_a_neighbour(&runtime, &around, function).await;
        assert!(said.to_lowercase().contains(why), "{function}: {said}");
    }
    assert_eq!(
        around.store.get("a", vec!["k".to_owned()]).await.unwrap(),
        [None]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_as_there_are_places_for_long_work_may_spin_and_others_are_answered() {
    let (runtime, around) = (hostile(limits()), alone());
    let begun = Instant::now();
    let spinning: Vec<_> = (0..3)
        .map(|_| {
            let (runtime, around) = (runtime.clone(), around.clone());
            tokio::spawn(async move { runtime.call(&around, "hostile.spin", &json!({})).await })
        })
        .collect();
    while !spinning.iter().all(tokio::task::JoinHandle::is_finished) {
        let quiet = runtime.call(&around, "hostile.quiet", &json!({})).await;
        assert_eq!(quiet.unwrap(), Ok(json!(7)));
    }
    for spun in spinning {
        let said = spun.await.unwrap().unwrap_err().to_string();
        assert!(said.contains("may take 3 seconds"), "{said}");
    }
    assert!(begun.elapsed() < CALL * 4, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_call_fills_no_disk() {
    let small = Limits {
        written_bytes: 8 << 20,
        ..limits()
    };
    let (runtime, around) = (hostile(small), alone());
    let said = beside_a_neighbour(&runtime, &around, "write-for-ever").await;
    assert!(
        said.contains("unreachable"),
        "not told that it is too much: {said}"
    );
    // The next call has its own share.
    let said = beside_a_neighbour(&runtime, &around, "write-for-ever").await;
    assert!(said.contains("unreachable"), "{said}");
}
