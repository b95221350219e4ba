//! The day of the small shop that is recorded, and what none of its recordings may hold.

use serde_json::{Value, json};
use tsunagi::{demo::stage::SHOP, storage::Store as _};
use tsunagi_sandbox::{FaultKind, FaultRule, ServiceName};

use crate::world::{CUP, TEA, World, order};

/// A buyer's, as Next Engine might answer it although nobody asked.
pub const BUYER: [(&str, &str); 4] = [
    ("receive_order_purchaser_name", "梅田 花子"),
    ("receive_order_consignee_address1", "大阪市北区角田町 8-7"),
    ("receive_order_purchaser_mail_address", "hanako@example.jp"),
    ("receive_order_note", "留守なら隣の竹中さんへ"),
];

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
pub async fn passes(world: &World) {
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
pub async fn secrets(world: &World) -> Vec<String> {
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
