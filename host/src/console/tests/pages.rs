//! What the pages show and do.

use super::*;

const PLAIN: &str = "http://127.0.0.1:8080";

#[tokio::test]
async fn the_reader_gets_the_browsers_language_or_the_one_chosen() {
    let world = World::new(PLAIN);
    let mut browser = world.browser();
    browser.headers.clear();
    let japanese = browser.get("/console/sign-in").await.text;
    assert!(japanese.contains("lang=\"ja\"") && japanese.contains("パスワード"));
    let page = browser
        .get("/console/language/en?back=%2Fconsole%2Fsign-in")
        .await;
    assert_eq!(page.header("location"), "/console/sign-in");
    let english = browser.get("/console/sign-in").await.text;
    assert!(english.contains("lang=\"en\"") && english.contains("Password"));
    let page = browser
        .get("/console/language/en?back=https%3A%2F%2Felsewhere.example")
        .await;
    assert_eq!(page.header("location"), "/console");
}

/// A form's fields for settings that are complete.
pub fn complete() -> Vec<(&'static str, &'static str)> {
    vec![
        ("credentials.next-engine-client-id", "ne-client"),
        ("credentials.next-engine-client-secret", "ne-hidden"),
        ("credentials.smaregi-contract-id", "contract"),
        ("credentials.smaregi-client-id", "sm-client"),
        ("credentials.smaregi-client-secret", "sm-hidden"),
        (
            "endpoints.next-engine-sign-in",
            "https://base.next-engine.org",
        ),
        ("endpoints.next-engine-api", "https://api.next-engine.org"),
        ("endpoints.smaregi-id", "https://id.smaregi.jp"),
        ("endpoints.smaregi-api", "https://api.smaregi.jp"),
        ("pace.import-minutes", "15"),
        ("pace.send-minutes", "5"),
        ("pace.send-early-products", "50"),
        ("pace.catch-up-minutes", "60"),
        ("pace.compare-days", "7"),
        ("pace.monthly-calls", "0"),
        ("pace.smaregi-parallel", "8"),
        ("pace.smaregi-writes-per-second", "15"),
    ]
}

#[tokio::test]
async fn connection_data_is_saved_secrets_are_never_shown_and_the_change_is_written_down() {
    let world = World::new(PLAIN);
    let mut browser = world.signed_in("taro", Some("a")).await;
    let path = "/console/t/a/connection/settings";
    let page = browser.post(path, &complete()).await;
    assert_eq!(
        page.header("location"),
        "/console/t/a/connection?done=saved",
        "{}",
        page.text
    );
    let page = browser.get("/console/t/a/connection?done=saved").await;
    assert!(page.text.contains("Saved.") && page.text.contains("ne-client"));
    assert!(!page.text.contains("ne-hidden"), "a secret is shown");
    assert!(page.text.contains("stored (type only to change it)"));
    let (start, end) = ("audit/a/".to_owned(), "audit/a0".to_owned());
    let rows = world
        .store
        .scan(
            "/console",
            start,
            end,
            crate::storage::Direction::Forward,
            100,
        )
        .await
        .unwrap();
    let rows: Vec<String> = rows
        .into_iter()
        .map(|row| String::from_utf8(row.value).unwrap())
        .collect();
    let saved = rows
        .iter()
        .find(|row| row.contains("\"settings\""))
        .unwrap();
    assert!(
        saved.contains("taro") && saved.contains("credentials.smaregi-client-secret"),
        "{saved}"
    );
    assert!(!rows.iter().any(|row| row.contains("hidden")), "{rows:?}");
}

#[tokio::test]
async fn a_problem_stands_beside_its_field_and_what_was_typed_stays() {
    let world = World::new(PLAIN);
    let mut browser = world.signed_in("boss", None).await;
    browser.get("/console/t/a/connection").await;
    let mut fields = complete();
    fields.retain(|(name, _)| *name != "endpoints.smaregi-api");
    fields.push(("endpoints.smaregi-api", "http://elsewhere.example/<script>"));
    let page = browser
        .post("/console/t/a/connection/settings", &fields)
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.text.contains("id=\"endpoints.smaregi-api-problem\""),
        "{}",
        page.text
    );
    assert!(
        page.text
            .contains("value=\"http://elsewhere.example/&lt;script&gt;\"")
    );
    assert!(
        page.text.contains("value=\"ne-client\""),
        "what was typed elsewhere is lost"
    );
    let page = browser.get("/console/t/a/connection").await;
    assert!(
        !page.text.contains("value=\"ne-client\""),
        "nothing was to be stored"
    );
}

#[tokio::test]
async fn what_cannot_be_done_yet_says_what_to_do_first() {
    let world = World::new(PLAIN);
    let mut browser = world.signed_in("taro", Some("a")).await;
    let page = browser.get("/console/t/a/overview").await;
    assert!(
        page.text.contains("Nobody is logged in to Next Engine"),
        "{}",
        page.text
    );
    assert!(page.text.contains("The link is off"));
    assert!(page.text.contains("There is no receiving store yet"));
    let page = browser
        .post("/console/t/a/connection/switch", &[("to", "on")])
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("role=\"alert\""), "{}", page.text);
    let page = browser.get("/console/t/a/connection").await;
    assert!(page.text.contains("Not checked yet") && page.text.contains("First steps"));
}

#[tokio::test]
async fn the_login_goes_on_to_next_engine_in_the_same_window() {
    let world = World::new(PLAIN);
    let mut browser = world.signed_in("taro", Some("a")).await;
    browser
        .post("/console/t/a/connection/settings", &complete())
        .await;
    let page = browser.post("/console/t/a/connection/login", &[]).await;
    assert!(
        page.text
            .contains("http-equiv=\"refresh\" content=\"0;url=https://base.next-engine.org/"),
        "{}",
        page.text
    );
    let ticket = browser.cookies.get("tsunagi-login-a").unwrap();
    assert!(!ticket.is_empty() && !page.text.contains(ticket));
    assert_eq!(browser.cookies.get("tsunagi-back-a").unwrap(), "connection");
}

#[tokio::test]
async fn where_the_services_lie_is_the_operators_to_say() {
    let world = World::new(PLAIN);
    let mut merchant = world.signed_in("taro", Some("a")).await;
    let page = merchant.get("/console/t/a/connection").await;
    assert!(!page.text.contains("endpoints."), "{}", page.text);
    let mut fields = complete();
    fields.retain(|(name, _)| *name != "endpoints.smaregi-api");
    fields.push(("endpoints.smaregi-api", "http://127.0.0.1:9"));
    let path = "/console/t/a/connection/settings";
    let page = merchant.post(path, &fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let mut operator = world.signed_in("boss", None).await;
    let page = operator.get("/console/t/a/connection").await;
    assert!(
        page.text.contains("value=\"https://api.smaregi.jp\""),
        "{}",
        page.text
    );
    assert!(!page.text.contains("127.0.0.1:9\""));
    fields.pop();
    fields.push(("endpoints.smaregi-api", "https://api.smaregi.dev"));
    operator.post(path, &fields).await;
    let page = operator.get("/console/t/a/connection").await;
    assert!(
        page.text.contains("value=\"https://api.smaregi.dev\""),
        "{}",
        page.text
    );
}
