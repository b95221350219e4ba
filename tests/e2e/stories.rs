//! 「あの注文はどうなった」: one question answers for an order or a product, whatever happened to it.

use serde_json::{Value, json};

use crate::world::{TEA, World, order};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_story_goes_from_the_order_to_the_till_and_back() {
    let world = World::usual().await;
    let slip = world.ship(&order(1, "A-1", &[(TEA, 1)]));
    world.import().await;
    world
        .stage
        .sandbox
        .smaregi(|smaregi| smaregi.loss(TEA, 1, 2))
        .unwrap();
    world.hours(2).await;
    let steps = |story: &Value| {
        let events = story["events"].as_array().unwrap().iter();
        events
            .map(|event| event["step"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for key in [slip.to_string(), "A-1".to_owned()] {
        let story = world.call("history.story", json!({ "key": key })).await;
        assert_eq!(story["subjects"], json!([{ "order": slip.to_string() }]));
        assert_eq!(steps(&story), ["came-in", "intent", "settled"]);
        assert_eq!(story["events"][2]["ids"]["amount"], "1080");
    }
    let story = world.call("history.story", json!({ "key": "TEA" })).await;
    assert_eq!(story["subjects"], json!([{ "product": "1" }]));
    let loss = |event: &&Value| event["ids"]["quantity"] == "-2";
    let of_loss: Vec<&Value> = story["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(loss)
        .collect();
    let told: Vec<&str> = of_loss
        .iter()
        .map(|event| event["step"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["came-in", "intent", "sent", "settled"], "{story:#}");
    assert!(
        steps(&story).len() > 4,
        "the order is in it, too: {story:#}"
    );
    assert_eq!(
        world
            .refused("history.story", json!({ "key": "no-such" }))
            .await,
        "not-found"
    );
}
