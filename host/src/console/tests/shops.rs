//! The operator's list of shops and the file of a shop's data.

use serde_json::{Value, json};

use super::{
    shop::{ended, merchant},
    *,
};

const PLAIN: &str = "http://127.0.0.1:8080";

#[tokio::test]
async fn shops_are_found_by_name_and_an_invitation_is_made_from_the_list() {
    let world = World::new(PLAIN);
    let mut operator = world.signed_in("boss", None).await;
    let page = operator.get("/console").await;
    for told in [
        "Shops: 2, needing somebody: 0",
        "/console/t/a/overview",
        "/console/t/b/overview",
        "not logged in",
        ">off<",
        "not yet",
    ] {
        assert!(page.text.contains(told), "{told} in {}", page.text);
    }
    let page = operator.get("/console?name=B").await;
    assert!(
        page.text.contains("/console/t/b/overview") && !page.text.contains("/console/t/a/overview")
    );
    let page = operator.get("/console?name=%3Cb%3E").await;
    assert!(
        page.text.contains("No shop has this in its name")
            && page.text.contains("value=\"&lt;b&gt;\""),
        "{}",
        page.text
    );
    operator.headers.clear();
    let page = operator.get("/console?from=many").await;
    assert!(
        page.text.contains("店舗 2、うち対応が必要 0"),
        "{}",
        page.text
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_needs_somebody_comes_first_with_what_is_wrong() {
    let (stage, world, mut browser) = merchant().await;
    let mut operator = world.signed_in("boss", None).await;
    let page = operator.get("/console").await;
    assert!(
        page.text.contains("Shops: 1, needing somebody: 0") && page.text.contains(">on<"),
        "{}",
        page.text
    );
    browser
        .post("/console/t/demo/orders/import", &[("shop-id", "1")])
        .await;
    ended(&mut browser, "/console/t/demo/orders").await;
    world.clock.advance(std::time::Duration::from_secs(31));
    let mut page = operator.get("/console").await;
    // Old states are read behind the page where that takes long.
    for _ in 0..100 {
        if page.text.contains("needing somebody: 1") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        page = operator.get("/console").await;
    }
    assert!(
        page.text.contains("needing somebody: 1")
            && page.text.contains("/demo/received?outcome=refused"),
        "{}",
        page.text
    );
    assert!(page.text.contains("d ") && page.text.contains(" left<"));
    browser
        .post("/console/t/demo/connection/switch", &[("to", "off")])
        .await;
    let page = operator.get("/console").await;
    assert!(
        page.text.contains(">off<"),
        "a change is seen at once: {}",
        page.text
    );
    stage.close().await;
}

/// The strings under these names, wherever they stand.
fn found(value: &Value, names: &[&str], into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if names.contains(&name.as_str()) => {
                        into.push(text.clone());
                    }
                    other => found(other, names, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| found(item, names, into)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_has_all_of_a_shops_rows_and_none_of_its_secrets() {
    let (stage, world, mut browser) = merchant().await;
    browser
        .post("/console/t/demo/orders/import", &[("shop-id", "1")])
        .await;
    ended(&mut browser, "/console/t/demo/orders").await;
    browser.post("/console/t/demo/connection/login", &[]).await;
    let ticket = browser.cookies.get("tsunagi-login-demo").unwrap().clone();
    let path = "/console/t/demo/export";
    let page = browser.post(path, &[]).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND, "no merchant's");

    let mut operator = world.signed_in("boss", None).await;
    let page = operator.post(path, &[]).await;
    assert_eq!(
        page.header("content-disposition"),
        "attachment; filename=\"tsunagi-demo.jsonl\""
    );
    let lines = page.text.lines().map(serde_json::from_str);
    let lines: Vec<Value> = lines.collect::<Result<_, _>>().unwrap();
    assert_eq!(lines.first().unwrap()["shop"], json!("demo"));
    assert_eq!(lines.last().unwrap()["rows"], json!(lines.len() - 2));

    let stored = stage.tenant.rows(String::new(), u32::MAX).await.unwrap();
    let keys: Vec<&str> = lines
        .iter()
        .filter(|line| line["part"] == json!("shop"))
        .map(|line| line["key"].as_str().unwrap())
        .collect();
    assert!(keys.iter().any(|key| key.starts_with("orders/slip/")));
    let left_out: Vec<&str> = stored
        .iter()
        .map(|row| row.key.as_str())
        .filter(|key| !keys.contains(key))
        .collect();
    let expected = [
        format!("login-ticket/{ticket}"),
        "next-engine/login".to_owned(),
        "smaregi/token".to_owned(),
    ];
    assert_eq!(left_out, expected);
    let mut secrets = vec![ticket, "$argon2id$".to_owned(), PASSWORD.to_owned()];
    for row in &stored {
        let value = serde_json::from_slice(&row.value).unwrap();
        let names = [
            "access",
            "refresh",
            "next_engine_client_secret",
            "smaregi_client_secret",
        ];
        found(&value, &names, &mut secrets);
    }
    assert_eq!(
        secrets.len(),
        3 + 5,
        "two tokens of one side, one of the other, two clients"
    );
    for secret in secrets {
        assert!(!secret.is_empty() && !page.text.contains(&secret));
    }
    let about = |key: &str| lines.iter().any(|line| line["key"].as_str() == Some(key));
    assert!(about("account/taro") && !about("account/boss"));
    assert!(page.text.contains("\"exported\""), "itself written down");
    stage.close().await;
}
