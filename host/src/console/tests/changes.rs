//! 変更の記録: what is in it, and for whom.

use super::*;

const PLAIN: &str = "http://127.0.0.1:8080";

#[tokio::test]
async fn the_operator_sees_what_all_changed_and_a_merchant_what_was_changed_at_their_shop() {
    let world = World::new(PLAIN);
    let mut operator = world.signed_in("boss", None).await;
    let page = operator.get("/console/t/a/changes").await;
    assert!(
        page.text.contains("Nothing yet. Once somebody changes"),
        "{}",
        page.text
    );
    let mut taro = world.signed_in("taro", Some("a")).await;
    let mut hana = world.signed_in("hana", Some("b")).await;
    for (browser, shop) in [(&mut taro, "a"), (&mut hana, "b")] {
        world.clock.advance(std::time::Duration::from_secs(60));
        let path = format!("/console/t/{shop}/connection/settings");
        let page = browser.post(&path, &pages::complete()).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    }
    let page = taro.get("/console/t/a/changes").await;
    for told in ["taro", "changed settings", "***", "ne-client", "JST"] {
        assert!(page.text.contains(told), "{told} in {}", page.text);
    }
    for hidden in ["hana", "ne-hidden", "sm-hidden"] {
        assert!(!page.text.contains(hidden), "{hidden} is shown");
    }
    // Another place than one of ours leads no further.
    let page = taro.get("/console/t/a/changes?from=..%2Fb%2F~").await;
    assert!(!page.text.contains("hana"), "{}", page.text);
    assert_eq!(
        taro.get("/console/changes").await.status,
        StatusCode::NOT_FOUND
    );

    let page = operator.get("/console/changes").await;
    let place = |name: &str| page.text.find(&format!(">{name}</td>"));
    assert!(
        place("hana").unwrap() < place("taro").unwrap(),
        "newest first: {}",
        page.text
    );
    assert!(page.text.contains("set a password") && !page.text.contains("-hidden"));
    operator.headers.clear();
    let page = operator.get("/console/changes").await;
    assert!(
        page.text.contains("設定の変更") && page.text.contains("クライアントID"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn many_changes_are_paged_and_none_is_lost_between_pages() {
    let world = World::new(PLAIN);
    let mut operator = world.signed_in("boss", None).await;
    for _ in 0..70 {
        world.clock.advance(std::time::Duration::from_secs(1));
        let page = operator.post("/console/invite", &[("shop", "b")]).await;
        assert_eq!(page.status, StatusCode::OK);
    }
    for path in ["/console/t/b/changes", "/console/changes"] {
        let first = operator.get(path).await.text;
        let rows = |text: &str| text.matches("made an invitation").count();
        assert_eq!(rows(&first), 50);
        let next = first.split("rel=\"next\" href=\"").nth(1).unwrap();
        let next = next.split('"').next().unwrap().to_owned();
        let second = operator.get(&next).await.text;
        assert_eq!(rows(&second), 20, "{second}");
        assert!(!second.contains("rel=\"next\"") && second.contains("To the newest"));
    }
}
