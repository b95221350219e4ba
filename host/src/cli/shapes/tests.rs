//! What is documented is what is printed: of the contract's functions here, of the commands in `tests/cli.rs`.

use serde_json::Value;
use tsunagi_sandbox::{Switches, shop::demo_shop};

mod form;

use super::*;
use crate::{
    cli::shapes::fits::fits,
    demo::stage::{Play, Stage},
    json::lay,
    runtime::tests::usual,
};

async fn stage() -> Stage {
    let begins = chrono::DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap();
    let mut shop = demo_shop(begins);
    shop.orders.truncate(12);
    let play = Play {
        shop,
        switches: Switches::default(),
        begins,
    };
    let stage = Stage::start(play, usual()).await.unwrap();
    let own = json!({
        "stock": { "triggers": { "sale": true }, "stores": ["1", "3"] },
        "orders": {
            "receiving-stores": [{ "store-id": "1", "start-date": "2026-10-01", "shop-id": "1", "shop-name": "モール店" }],
            "charge": { "line": "EC-FEE" }, "delivery": { "line": "EC-SHIPPING" },
        },
    });
    let settings = stage.settings(|settings| lay(settings, &own));
    let arguments = json!({ "settings": settings });
    stage.call("settings.put", arguments).await.unwrap();
    stage.log_in().await.unwrap();
    let on = json!({ "backlog": "leave" });
    stage.call("connection.switch-on", on).await.unwrap();
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_contract_says_is_what_its_functions_give() {
    let stage = stage().await;
    let contract = Contract::read().unwrap();
    let all = json!({ "filter": {}, "page": { "limit": 20 } });
    let settings = stage.call("settings.get", json!({})).await.unwrap();
    let mut bad = settings.clone();
    bad["pace"]["smaregi-parallel"] = json!(99);
    for (function, arguments) in [
        ("orders.preview", json!({ "choice": { "shop": "1" } })),
        ("orders.import-shop", json!({ "shop-id": "1" })),
        ("orders.stores", json!({})),
        ("orders.retry", json!({ "choice": { "all-refused": true } })),
        ("history.received", all.clone()),
        ("connection.check", json!({})),
        ("connection.get-status", json!({})),
        ("stock.send", json!({})),
        ("stock.catch-up", json!({})),
        ("stock.resend", json!({ "choice": { "all-failed": true } })),
        ("stock.compare", json!({})),
        (
            "stock.align",
            json!({ "codes": [], "confirmed": false, "over-guard": false }),
        ),
        ("history.sent", all),
        ("schedule.calls", json!({})),
        ("settings.get", json!({})),
        ("settings.validate", json!({ "settings": bad })),
        ("settings.hosts", json!({ "settings": settings })),
        ("settings.form", json!({ "language": "ja" })),
    ] {
        let given = stage.call(function, arguments).await.unwrap();
        let shape = contract.given(function).unwrap();
        fits(&shape, &given).unwrap_or_else(|misfit| panic!("{function}: {misfit} in {given:#}"));
        let other = json!({ "another": given });
        assert!(fits(&shape, &other).is_err(), "{function} takes everything");
    }
    let received = json!({ "filter": {}, "page": { "limit": 1 } });
    let received = stage.call("history.received", received).await.unwrap();
    let key = received.pointer("/entries/0/slip").and_then(Value::as_str);
    let story = json!({ "key": key.unwrap() });
    let story = stage.call("history.story", story).await.unwrap();
    fits(&contract.given("history.story").unwrap(), &story).unwrap();
    stage.close().await;
}

#[test]
fn every_command_is_documented() {
    use clap::CommandFactory;
    let documented: Vec<String> = all().unwrap().into_keys().collect();
    for command in crate::cli::Cli::command().get_subcommands() {
        let name = command.get_name();
        let below: Vec<&str> = command
            .get_subcommands()
            .map(clap::Command::get_name)
            .collect();
        let names = match below.as_slice() {
            [] => vec![name.to_owned()],
            below => below
                .iter()
                .map(|inner| format!("{name} {inner}"))
                .collect(),
        };
        for name in names {
            let is_it = |known: &String| *known == name || known.starts_with(&format!("{name} "));
            assert!(documented.iter().any(is_it), "{name}");
        }
    }
}
