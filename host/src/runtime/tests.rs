//! Calls of the embedded component through the runtime, without any network.

mod hostile;

use serde_json::json;

use super::*;
use crate::{
    clock::SystemClock,
    storage::{Sqlite, tests::Watched},
};

/// Waits for what another task brings about.
async fn until(what: impl Fn() -> bool) {
    let waited = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waited)
        .await
        .unwrap();
}

/// A shop without anything.
pub fn alone() -> Surroundings {
    Surroundings {
        store: Arc::new(Sqlite::in_memory().unwrap()),
        tenant: "a".to_owned(),
        clock: Arc::new(SystemClock::new()),
        allowed: AllowList::default(),
    }
}

/// Compiled once for all tests that need no limits of their own.
pub fn usual() -> Runtime {
    static USUAL: std::sync::OnceLock<Runtime> = std::sync::OnceLock::new();
    USUAL.get_or_init(|| runtime(Limits::default())).clone()
}

fn runtime(limits: Limits) -> Runtime {
    Runtime::new(RuntimeConfig {
        limits,
        ..RuntimeConfig::default()
    })
    .unwrap()
}

#[tokio::test]
async fn a_call_that_needs_no_login_answers_in_the_contracts_own_names() {
    let runtime = usual();
    let status = runtime
        .call(&alone(), "connection.get-status", &json!({}))
        .await;
    let status = status.unwrap().unwrap();
    assert_eq!(status["switched-on"], json!(false));
    assert_eq!(status["company-id"], json!(null));
}

#[tokio::test]
async fn what_settings_get_gave_is_an_argument_again_and_the_contracts_error_has_its_case() {
    let runtime = usual();
    let around = alone();
    let usual = runtime
        .call(&around, "settings.get", &json!({}))
        .await
        .unwrap()
        .unwrap();
    let hosts = runtime
        .call(&around, "settings.hosts", &json!({ "settings": usual }))
        .await;
    assert!(
        hosts
            .unwrap()
            .unwrap()
            .as_array()
            .is_some_and(|hosts| !hosts.is_empty())
    );
    // Nothing is set up yet, so there is no login to begin.
    let begun = runtime
        .call(&around, "connection.begin-login", &json!({}))
        .await
        .unwrap();
    let error = begun.unwrap_err();
    let case = error.as_object().and_then(|cases| cases.keys().next());
    assert!(
        case.is_some_and(|case| ["invalid", "not-connected"].contains(&case.as_str())),
        "{error}"
    );
}

#[tokio::test]
async fn arguments_that_do_not_fit_name_the_place() {
    let runtime = usual();
    for (function, arguments, place) in [
        ("connection.switch-on", json!({}), "backlog"),
        (
            "connection.switch-on",
            json!({ "backlog": "perhaps" }),
            "backlog",
        ),
        (
            "stock.send",
            json!({ "budget": { "requests": -1, "seconds": 1 } }),
            "budget.requests",
        ),
        (
            "stock.send",
            json!({ "budget": { "requests": 1 } }),
            "budget.seconds",
        ),
        (
            "stock.send",
            json!({ "budget": { "requests": 1, "seconds": 1, "more": 1 } }),
            "budget.more",
        ),
        (
            "history.sent",
            json!({ "filter": { "outcome": "lost" } }),
            "filter.outcome",
        ),
    ] {
        let fault = runtime
            .call(&alone(), function, &arguments)
            .await
            .unwrap_err();
        let Fault::Misfit(misfit) = fault else {
            panic!("{function}: {fault}")
        };
        assert_eq!(misfit.place, place, "{misfit}");
    }
}

#[tokio::test]
async fn a_function_that_is_none_of_the_contracts_is_said() {
    let runtime = usual();
    for function in [
        "",
        "connection",
        "connection.",
        "connection.run",
        "wasi.exit",
    ] {
        let fault = runtime
            .call(&alone(), function, &json!({}))
            .await
            .unwrap_err();
        assert!(
            matches!(fault, Fault::NoSuchFunction(_)),
            "{function}: {fault}"
        );
    }
}

#[tokio::test]
async fn more_calls_than_places_wait_for_their_turn() {
    let runtime = runtime(Limits {
        calls: 2,
        ..Limits::default()
    });
    let around = alone();
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (runtime, around) = (runtime.clone(), around.clone());
            tokio::spawn(async move {
                runtime
                    .call(&around, "connection.get-status", &json!({}))
                    .await
            })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_call_goes_on_when_nobody_waits_for_it_any_more() {
    let runtime = runtime(Limits::default());
    let usual = runtime.call(&alone(), "settings.get", &json!({})).await;
    let mut settings = json!({ "settings": usual.unwrap().unwrap() });
    for name in [
        "next-engine-client-id",
        "next-engine-client-secret",
        "smaregi-contract-id",
        "smaregi-client-id",
        "smaregi-client-secret",
    ] {
        settings["settings"]["credentials"][name] = "x".into();
    }
    let (open, watched) = Watched::closed();
    let around = Surroundings {
        store: watched.clone(),
        ..alone()
    };
    let called = runtime.clone();
    let waiting =
        tokio::spawn(async move { called.call(&around, "settings.put", &settings).await });
    until(|| watched.reads() > 0).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    open.send(true).unwrap();
    until(|| watched.commits() == 1).await;
    tokio::time::timeout(Duration::from_secs(30), runtime.idle())
        .await
        .unwrap();
}

#[tokio::test]
async fn long_work_leaves_places_for_what_must_be_answered_at_once() {
    let runtime = runtime(Limits {
        calls: 4,
        ..Limits::default()
    });
    let (open, watched) = Watched::closed();
    let around = Surroundings {
        store: watched.clone(),
        ..alone()
    };
    let round = || {
        let (runtime, around) = (runtime.clone(), around.clone());
        tokio::spawn(async move {
            let budget = json!({ "budget": { "requests": 0, "seconds": 1 } });
            runtime.call(&around, "schedule.run", &budget).await
        })
    };
    let rounds: Vec<_> = (0..8).map(|_| round()).collect();
    until(|| watched.reads() == 2).await;
    let around = alone();
    let nothing = json!({});
    let quick = runtime.call(&around, "connection.get-status", &nothing);
    let answered = tokio::time::timeout(Duration::from_secs(30), quick).await;
    assert!(answered.unwrap().is_ok());
    open.send(true).unwrap();
    for round in rounds {
        assert!(round.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_component_beyond_its_memory_does_not_run() {
    let made = Runtime::new(RuntimeConfig {
        limits: Limits {
            memory_bytes: 1 << 16,
            ..Limits::default()
        },
        ..RuntimeConfig::default()
    });
    // The pool refuses a component whose first memory is larger already when it is compiled.
    let refused = match made {
        Err(error) => error.to_string(),
        Ok(runtime) => {
            let called = runtime.call(&alone(), "settings.get", &json!({})).await;
            called.unwrap_err().to_string()
        }
    };
    assert!(refused.contains("memory"), "{refused}");
}

#[test]
fn the_embedded_component_tells_its_contract() {
    let text = contract(EMBEDDED).unwrap();
    for named in [
        "interface storage",
        "finish-login",
        "export tsunagi:connector/schedule",
    ] {
        assert!(text.contains(named), "{named} is missing");
    }
    assert!(contract(b"no component").is_err());
}
