//! Notices as their receivers see them: a mail server and a webhook of our own, a shop on the demo's stage with an order that is refused.

mod sinks;

use chrono::DateTime;
use serde_json::Value;
use tsunagi_sandbox::{Switches, shop::demo_shop};

use super::*;
use crate::{
    config::{Encryption, Smtp},
    demo::stage::{Play, SHOP, Stage},
    runtime::tests::usual,
};
use sinks::{MailSink, WebSink};

/// A shop whose imports refuse orders, since no fee has a product code, and its receivers.
struct World {
    stage: Stage,
    mail: MailSink,
    web: WebSink,
    notices: Notices,
}

impl World {
    async fn new() -> Self {
        let begins = DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00").unwrap();
        let play = Play {
            shop: demo_shop(begins),
            switches: Switches::default(),
            begins,
        };
        let stage = Stage::start(play, usual()).await.unwrap();
        let settings = stage.settings(|settings| {
            settings["orders"]["receiving-stores"] = json!([
                { "store-id": "1", "start-date": "2026-10-01", "shop-id": "1", "shop-name": "モール店" }
            ]);
        });
        stage
            .call("settings.put", json!({ "settings": settings }))
            .await
            .unwrap();
        stage.log_in().await.unwrap();
        stage
            .call("connection.switch-on", json!({ "backlog": "leave" }))
            .await
            .unwrap();
        let (mail, web) = (MailSink::start().await, WebSink::start().await);
        let notices = begun(&stage, &mail, &web);
        let settings = Settings {
            language: "en".to_owned(),
            addresses: vec!["taro@example.jp".to_owned(), "hanako@example.jp".to_owned()],
            webhook_secret_url: Some(format!("{}/in/T0/secret", web.place)),
            ..Settings::default()
        };
        notices.put(SHOP, &settings).await.unwrap();
        Self {
            stage,
            mail,
            web,
            notices,
        }
    }

    /// Another process over the same store.
    fn restart(&mut self) {
        self.notices = begun(&self.stage, &self.mail, &self.web);
    }

    async fn import(&self) {
        let budget = json!({ "shop-id": "1", "budget": { "requests": 100_000, "seconds": 600 } });
        self.stage.call("orders.import-shop", budget).await.unwrap();
    }

    /// What happens after each round.
    async fn round(&self) {
        self.notices.look(&self.stage.tenant).await;
        self.notices.deliver().await.unwrap();
    }

    fn pass(&self, minutes: u64) {
        self.stage
            .pass(std::time::Duration::from_secs(60 * minutes));
    }

    /// Mails and webhooks so far.
    fn received(&self) -> (usize, usize) {
        (self.mail.messages().len(), self.web.bodies().len())
    }
}

fn begun(stage: &Stage, mail: &MailSink, web: &WebSink) -> Notices {
    let config = NoticesConfig {
        smtp: Some(Smtp {
            host: "127.0.0.1".to_owned(),
            port: mail.port,
            encryption: Encryption::None,
            from: "Tsunagi <tsunagi@example.jp>".parse().unwrap(),
            login: None,
        }),
        allowed_hosts: vec![web.place.clone()],
    };
    let clock = Arc::new(stage.clock.clone());
    Notices::new(stage.store(), clock, "https://tsunagi.example.jp", &config).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_order_is_told_once_with_its_remedy_and_never_again_while_it_stands() {
    let mut world = World::new().await;
    world.round().await;
    assert_eq!(world.received(), (0, 0), "all is well");
    world.import().await;
    world.round().await;
    assert_eq!(world.received(), (2, 1), "each place once");
    let mail = world.mail.messages().remove(0);
    let body = world.web.bodies().remove(0);
    let own = &body["tsunagi"];
    let count = own["count"].as_u64().unwrap();
    assert!(count > 0);
    for told in [
        &format!("demo: {count} orders were refused"),
        "press retry there",
        "https://tsunagi.example.jp/console/t/demo/received?outcome=refused",
    ] {
        assert!(
            body["text"].as_str().unwrap().contains(told),
            "{told}: {body}"
        );
        assert!(mail.contains(told), "{told}: {mail}");
    }
    assert!(mail.contains("Message-ID: <") && mail.contains("Subject: [Tsunagi] demo: "));
    assert_eq!(
        (&own["shop"], &own["cause"], &own["repeated"]),
        (&json!("demo"), &json!("refused-orders"), &json!(false))
    );

    world.pass(5);
    world.import().await;
    world.round().await;
    world.restart();
    world.pass(60);
    world.round().await;
    assert_eq!(
        world.received(),
        (2, 1),
        "neither by more of the same nor by a restart"
    );
    world.pass(3 * 24 * 60);
    world.round().await;
    let reminded = world.web.bodies();
    let reminded: Vec<&Value> = reminded
        .iter()
        .filter(|body| body["tsunagi"]["cause"] == "refused-orders")
        .collect();
    assert_eq!(
        (reminded.len(), &reminded[1]["tsunagi"]["repeated"]),
        (2, &json!(true))
    );
    world.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_that_came_back_are_told_once_until_somebody_has_looked() {
    let world = World::new().await;
    world.import().await;
    let registered = json!({ "filter": { "outcome": "registered" }, "page": { "limit": 1 } });
    let stage = &world.stage;
    let history = stage.call("history.received", registered).await.unwrap();
    let slip = history["entries"][0]["slip"].as_str().unwrap();
    let number = slip.parse().unwrap();
    let came_back = |next_engine: &mut tsunagi_sandbox::next_engine::NextEngine| {
        next_engine.take_return(number, 1, 1, 0)
    };
    stage.sandbox.next_engine(came_back).unwrap();
    world.pass(5);
    world.import().await;
    let told = async || {
        world.round().await;
        let bodies = world.web.bodies().into_iter();
        let of_it = bodies.filter(|body| body["tsunagi"]["cause"] == "needs-person");
        of_it.collect::<Vec<_>>()
    };
    let notices = told().await;
    assert_eq!(notices.len(), 1);
    let text = notices[0]["text"].as_str().unwrap();
    assert!(
        text.contains("demo: 1 orders or products need a person"),
        "{text}"
    );
    let open = async || {
        let filter = json!({ "filter": { "outcome": "needs-person" }, "page": { "limit": 1 } });
        stage.call("history.received", filter).await.unwrap()["entries"][0].take()
    };
    let entry = open().await;
    assert_eq!(
        (&entry["slip"], &entry["reason"]["code"], &entry["open"]),
        (&json!(slip), &json!("pieces-returned"), &json!(true))
    );

    let retry = |choice: Value| {
        let budget = json!({ "requests": 100, "seconds": 60 });
        stage.call(
            "orders.retry",
            json!({ "choice": choice, "budget": budget }),
        )
    };
    retry(json!({ "all-refused": true })).await.unwrap();
    world.pass(61);
    assert_eq!(told().await.len(), 1);
    assert_eq!(open().await["open"], true, "nobody has looked yet");
    retry(json!({ "slip": slip })).await.unwrap();
    world.pass(3 * 24 * 60);
    assert_eq!(told().await.len(), 1, "no reminder: somebody has");
    assert_eq!(open().await["open"], false);
    world.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_mended_is_quiet_and_what_nobody_was_told_of_is_not_told_any_more() {
    let world = World::new().await;
    world.import().await;
    world.notices.look(&world.stage.tenant).await;
    let mended = world.stage.settings(|settings| {
        settings["orders"] = json!({
            "receiving-stores": [], "charge": "unset", "delivery": "unset", "other": "unset", "points": "unset",
            "moment": "shipped", "tax-rounding": "down", "payments": [], "default-payment": "credit",
        });
    });
    world
        .stage
        .call("settings.put", json!({ "settings": mended }))
        .await
        .unwrap();
    world.round().await;
    assert_eq!(world.received(), (0, 0));
    assert!(world.notices.standing(SHOP).await.unwrap().is_empty());
    world.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_down_gets_it_later_and_the_others_do_not_get_it_twice() {
    let mut world = World::new().await;
    world.import().await;
    world.web.answer(503);
    world.mail.refuse("hanako@example.jp");
    world.round().await;
    assert_eq!(
        world.received(),
        (1, 1),
        "one mail, and one webhook that was not taken"
    );
    let standing = world.notices.standing(SHOP).await.unwrap();
    let failures: Vec<&String> = standing[0]
        .told
        .values()
        .map(|told| &told.failure)
        .collect();
    assert!(
        failures.iter().any(|failure| failure.contains("503")),
        "{failures:?}"
    );
    assert!(
        failures
            .iter()
            .any(|failure| failure.contains("no such user")),
        "{failures:?}"
    );
    world.restart();
    world.round().await;
    assert_eq!(world.received(), (1, 1), "not at once");
    world.web.answer(200);
    world.mail.refuse("");
    world.pass(2);
    world.round().await;
    assert_eq!(world.received(), (2, 2));
    let bodies = world.web.bodies();
    assert_eq!(
        bodies[0]["tsunagi"]["id"], bodies[1]["tsunagi"]["id"],
        "the same notice"
    );
    world.pass(120);
    world.round().await;
    assert_eq!(world.received(), (2, 2));
    world.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_died_is_made_again_and_is_known_by_its_id() {
    let mut world = World::new().await;
    world.import().await;
    world.notices.look(&world.stage.tenant).await;
    world.restart();
    world.web.hang();
    let deliver = world.notices.clone();
    let task = tokio::spawn(async move { deliver.deliver().await });
    world.web.until(1).await;
    task.abort();
    world.web.answer(200);
    world.restart();
    world.round().await;
    assert_eq!(world.received(), (2, 1), "it may still be under way");
    world.pass(3);
    world.round().await;
    let bodies = world.web.bodies();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0]["tsunagi"]["id"], bodies[1]["tsunagi"]["id"]);
    world.pass(60);
    world.round().await;
    assert_eq!(world.received(), (2, 2));
    world.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_says_how_each_place_took_it_and_a_redirect_is_not_followed() {
    let world = World::new().await;
    let settings = world.notices.settings(SHOP).await.unwrap();
    let outcomes = world.notices.test(SHOP, &settings).await;
    assert!(outcomes.iter().all(|(_, failure)| failure.is_none()));
    assert_eq!(world.received(), (2, 1));
    world.web.answer(302);
    let outcomes = world.notices.test(SHOP, &settings).await;
    let said = outcomes.last().unwrap().1.clone().unwrap();
    assert!(said.contains("It answered 302"), "{said}");
    assert_eq!(
        world.web.bodies().len(),
        2,
        "nothing went on to where it points"
    );
    assert!(world.notices.standing(SHOP).await.unwrap().is_empty());
    world.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_comparison_found_stands_until_the_next_one() {
    let world = World::new().await;
    let store: Arc<dyn Store> = world.stage.store();
    let records = Records::new(store);
    let key = crate::console::compared_key(SHOP);
    records
        .put(key.clone(), &json!({ "unexplained": 4 }))
        .await
        .unwrap();
    world.round().await;
    let body = world.web.bodies().remove(0);
    assert!(
        body["text"]
            .as_str()
            .unwrap()
            .contains("4 products with an unexplained difference")
    );
    world.stage.call("stock.compare", json!({})).await.unwrap();
    let kept: Row<Value> = records.read(key).await.unwrap().unwrap();
    assert!(
        kept.value["compared-at"].is_string(),
        "the last comparison is kept, whoever asked for it"
    );
    world.stage.close().await;
}
