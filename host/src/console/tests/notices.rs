//! The page of notices: what may be typed, what is never shown again, and a test that says what really happened.

use super::*;

const PAGE: &str = "/console/t/a/notices";
/// Nobody listens there; the operator listed it.
const NOBODY: &str = "http://127.0.0.1:9";

#[tokio::test]
async fn who_is_told_is_saved_and_the_webhooks_address_is_never_shown_again() {
    let world = World::new("http://127.0.0.1:8080");
    let mut taro = world.signed_in("taro", Some("a")).await;
    let page = taro.get(PAGE).await;
    assert!(page.text.contains("There is no mail server yet"));
    let url = format!("{NOBODY}/services/T0/geheim");
    let fields = [
        ("addresses", "taro@example.jp\n\n hanako@example.jp "),
        ("webhook", url.as_str()),
        ("language", "en"),
        ("cause", "refused-orders"),
    ];
    let saved = taro.post(PAGE, &fields).await;
    assert_eq!(
        saved.header("location"),
        "/console/t/a/notices?done=saved",
        "{}",
        saved.text
    );
    let page = taro.get(PAGE).await;
    for told in [
        "hanako@example.jp\ntaro@example.jp",
        "127.0.0.1:9/…",
        "value=\"refused-orders\" checked",
    ] {
        assert!(page.text.contains(told), "{told} in {}", page.text);
    }
    assert!(!page.text.contains("value=\"stock-held\" checked"));

    // Left empty, the stored address stays; the test tries it.
    let fields = [
        ("addresses", "taro@example.jp"),
        ("language", "en"),
        ("cause", "refused-orders"),
    ];
    taro.post(PAGE, &fields).await;
    let tested = taro.post("/console/t/a/notices/test", &[]).await;
    for told in [
        "taro@example.jp: There is no mail server",
        "http://127.0.0.1:9: It could not be reached",
    ] {
        assert!(tested.text.contains(told), "{told} in {}", tested.text);
    }
    let log = taro.get("/console/t/a/changes").await;
    assert!(
        log.text.contains("changed who is told") && log.text.contains("sent a test notice"),
        "{}",
        log.text
    );
    let mut boss = world.signed_in("boss", None).await;
    boss.get("/console").await;
    let file = boss.post("/console/t/a/export", &[]).await;
    assert!(file.text.contains("notices-for/a"));
    for page in [page, tested, log, file] {
        assert!(!page.text.contains("geheim"), "{}", page.text);
    }
    let gone = [("webhook-remove", "true")];
    taro.get(PAGE).await;
    taro.post(PAGE, &gone).await;
    assert!(!taro.get(PAGE).await.text.contains("127.0.0.1:9"));
}

#[tokio::test]
async fn what_is_typed_wrong_stands_beside_its_field_and_nothing_is_lost() {
    let world = World::new("http://127.0.0.1:8080");
    let mut taro = world.signed_in("taro", Some("a")).await;
    taro.get(PAGE).await;
    for (url, told) in [
        (
            "https://169.254.169.254/latest",
            "allowed-hosts = [&quot;https://169.254.169.254&quot;]",
        ),
        (
            "http://hooks.example.jp/x",
            "Only https on the public internet",
        ),
        ("hooks.example.jp/x", "begins with https://"),
    ] {
        let fields = [
            ("addresses", "<b>taro"),
            ("webhook", url),
            ("language", "ja"),
        ];
        let page = taro.post(PAGE, &fields).await;
        for told in [told, "“&lt;b&gt;taro” is no e-mail address.", url] {
            assert!(page.text.contains(told), "{told} in {}", page.text);
        }
    }
    taro.get(PAGE).await;
    assert!(
        !taro.get(PAGE).await.text.contains("taro&gt;"),
        "nothing was saved"
    );
}
