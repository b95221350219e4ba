//! Who gets in, and who does not.

use super::*;

const PLAIN: &str = "http://127.0.0.1:8080";

/// Every address with a method that it answers, for a shop.
fn all(shop: &str) -> Vec<(Method, String)> {
    let paths = routes().into_iter().map(|(path, _)| path.to_owned());
    let paths = paths.filter(|path| path.contains("{tenant}"));
    let paths = paths.map(|path| path.replace("{tenant}", shop));
    paths
        .flat_map(|path| [(Method::GET, path.clone()), (Method::POST, path)])
        .collect()
}

#[tokio::test]
async fn a_shops_pages_open_for_its_merchant_and_the_operator_and_for_nobody_else() {
    let world = World::new(PLAIN);
    let mut merchant = world.signed_in("taro", Some("a")).await;
    merchant.get("/console/t/a/overview").await;
    let mut closed = 0;
    for (method, path) in all("b").into_iter().chain(all("no-such-shop")) {
        let form = format!("{}={}", sent::CODE, merchant.code);
        let code = merchant.code.clone();
        let page = merchant.go(method.clone(), &path, Body::from(form)).await;
        merchant.code = code;
        match page.status {
            StatusCode::NOT_FOUND => closed += 1,
            StatusCode::METHOD_NOT_ALLOWED => {}
            other => panic!("{method} {path} gave {other}"),
        }
    }
    let shops = routes()
        .into_iter()
        .filter(|(path, _)| path.contains("{tenant}"))
        .count();
    assert!(
        closed >= 2 * shops,
        "{closed} of {shops} addresses were closed"
    );
    assert_eq!(
        merchant.get("/console/t/a/overview").await.status,
        StatusCode::OK
    );
    let mut operator = world.signed_in("boss", None).await;
    for shop in ["a", "b"] {
        let path = format!("/console/t/{shop}/overview");
        assert_eq!(operator.get(&path).await.status, StatusCode::OK);
    }
    assert_eq!(
        operator.get("/console/t/c/overview").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn nobody_sees_a_shop_without_signing_in() {
    let world = World::new(PLAIN);
    let mut stranger = world.browser();
    for (method, path) in all("a")
        .into_iter()
        .chain(["/console", "/console/changes"].map(|path| (Method::GET, path.to_owned())))
    {
        let page = stranger.go(method, &path, Body::empty()).await;
        if page.status != StatusCode::METHOD_NOT_ALLOWED {
            assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
            assert!(
                page.header("location").starts_with("/console/sign-in"),
                "{path}"
            );
        }
    }
    stranger.headers.push(("hx-request", "true".to_owned()));
    let part = stranger.get("/console/t/a/overview").await;
    assert_eq!(
        (part.status, part.header("hx-redirect")),
        (StatusCode::UNAUTHORIZED, "/console/sign-in")
    );
}

#[tokio::test]
async fn no_form_is_taken_without_its_code_or_from_elsewhere() {
    let world = World::new(PLAIN);
    let mut operator = world.signed_in("boss", None).await;
    let code = operator.code.clone();
    let posts = routes()
        .into_iter()
        .map(|(path, _)| path.replace("{tenant}", "a"));
    let mut tried = 0;
    for path in posts {
        for form in ["", "form-code=", "form-code=0123"] {
            let page = operator.go(Method::POST, &path, Body::from(form)).await;
            if page.status != StatusCode::METHOD_NOT_ALLOWED {
                assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 3 * 6, "{tried}");
    operator
        .headers
        .push(("sec-fetch-site", "cross-site".to_owned()));
    let form = format!("form-code={code}");
    let page = operator
        .go(Method::POST, "/console/sign-out", Body::from(form.clone()))
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    // Another browser's code is no use.
    let mut other = world.browser();
    other.get("/console/sign-in").await;
    let page = other
        .go(Method::POST, "/console/sign-in", Body::from(form))
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_wrong_password_opens_nothing_and_too_many_close_the_door_for_a_while() {
    let world = World::new(PLAIN);
    world.signed_in("taro", Some("a")).await;
    let mut browser = world.browser();
    let page = browser.sign_in("taro", PASSWORD).await;
    assert_eq!(
        (page.status, page.header("location")),
        (StatusCode::SEE_OTHER, "/console")
    );
    assert_eq!(
        browser.get("/console/t/a/overview").await.status,
        StatusCode::OK
    );

    let mut thief = world.browser();
    for (name, password) in [("taro", "guessed password"), ("nobody", PASSWORD)] {
        for _ in 0..5 {
            let page = thief.sign_in(name, password).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(page.text.contains("account name or the password is wrong"));
        }
        let page = thief.sign_in(name, password).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(
            page.text.contains("Try again after 2026-11-24 09:15 JST"),
            "{}",
            page.text
        );
    }
    let page = thief.sign_in("taro", PASSWORD).await;
    assert_eq!(
        page.status,
        StatusCode::TOO_MANY_REQUESTS,
        "even the right one"
    );
    assert_eq!(
        thief.get("/console/t/a/overview").await.status,
        StatusCode::SEE_OTHER
    );
    world.clock.advance(std::time::Duration::from_secs(15 * 60));
    assert_eq!(
        thief.sign_in("taro", PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn an_invitation_works_once_and_ends() {
    let world = World::new(PLAIN);
    let link = world.invitation(None).await;
    let mut browser = world.browser();
    assert!(browser.get(&link).await.text.contains("The operator"));
    assert_eq!(
        browser.take_up(&link, "boss").await.status,
        StatusCode::SEE_OTHER
    );
    let again = world.browser().get(&link).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.text.contains("tsunagi operator"), "says what to do");
    assert_eq!(
        world.browser().take_up(&link, "thief").await.status,
        StatusCode::FORBIDDEN
    );

    let late = world.invitation(Some("a")).await;
    let mut early = world.browser();
    early.get(&late).await;
    world
        .clock
        .advance(std::time::Duration::from_secs(2 * 24 * 60 * 60));
    assert_eq!(
        early.take_up(&late, "late").await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn what_is_wrong_with_an_invitations_form_stands_beside_the_field() {
    let world = World::new(PLAIN);
    let link = world.invitation(None).await;
    let code = link.split("code=").nth(1).unwrap();
    let mut browser = world.browser();
    browser.get(&link).await;
    for (name, password, again, problem) in [
        ("x", PASSWORD, PASSWORD, "name-problem"),
        ("boss", "short", "short", "password-problem"),
        ("boss", PASSWORD, "another", "again-problem"),
    ] {
        let fields = [
            ("invitation", code),
            ("name", name),
            ("password", password),
            ("again", again),
        ];
        let page = browser.post("/console/invitation", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.text.contains(&format!("id=\"{problem}\"")),
            "{}",
            page.text
        );
        assert!(
            page.text.contains(&format!("value=\"{name}\"")),
            "what was typed is lost"
        );
        assert!(!page.text.contains(&format!("value=\"{password}\"")));
    }
}

#[tokio::test]
async fn the_sessions_cookie_is_for_the_server_alone_and_over_https_for_this_host_alone() {
    for (url, name, secure) in [
        (PLAIN, "tsunagi-session=", false),
        (
            "https://tsunagi.example.jp",
            "__Host-tsunagi-session=",
            true,
        ),
    ] {
        let world = World::new(url);
        let mut browser = world.browser();
        let page = browser.take_up(&world.invitation(None).await, "boss").await;
        let cookies = page.cookies();
        let cookie = cookies.iter().find(|line| line.starts_with(name)).unwrap();
        for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
        let token = cookie
            .strip_prefix(name)
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        let kept = world.store.scan(
            "/console",
            String::new(),
            "~".to_owned(),
            crate::storage::Direction::Forward,
            100,
        );
        for entry in kept.await.unwrap() {
            let value = String::from_utf8(entry.value).unwrap();
            assert!(
                !entry.key.contains(token) && !value.contains(token),
                "the token itself is stored"
            );
            assert!(!value.contains(PASSWORD));
        }
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_for_whoever_has_the_cookie() {
    let world = World::new(PLAIN);
    let mut browser = world.signed_in("boss", None).await;
    let kept = browser.cookies.clone();
    let page = browser.post("/console/sign-out", &[]).await;
    assert_eq!(page.header("location"), "/console/sign-in");
    browser.cookies = kept;
    assert_eq!(browser.get("/console").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn no_page_runs_or_loads_what_is_not_ours() {
    let world = World::new(PLAIN);
    let mut operator = world.signed_in("boss", None).await;
    let paths = routes()
        .into_iter()
        .map(|(path, _)| path.replace("{tenant}", "a"));
    let mut seen = 0;
    for path in paths.filter(|path| !path.contains('{')) {
        let page = operator.get(&path).await;
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        if page.status == StatusCode::OK && page.header("content-type").starts_with("text/html") {
            seen += 1;
            for inline in ["<script>", "<style", " style=", " onclick=", "javascript:"] {
                assert!(!page.text.contains(inline), "{path} has {inline}");
            }
            assert_eq!(page.header("cache-control"), "no-store", "{path}");
        }
    }
    assert!(seen >= 4, "{seen} pages");
    let sheet = operator
        .get(&format!("/console/assets/{}", assets::sheet()))
        .await;
    assert_eq!(sheet.header("content-type"), "text/css; charset=utf-8");
    assert!(sheet.header("cache-control").contains("immutable"));
    assert_eq!(
        operator.get("/console/assets/other.js").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_operator_invites_a_shops_merchant_and_a_merchant_nobody() {
    let world = World::new(PLAIN);
    let mut operator = world.signed_in("boss", None).await;
    let page = operator.post("/console/invite", &[("shop", "a")]).await;
    let link = page
        .text
        .split(PLAIN)
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    let mut merchant = world.browser();
    assert_eq!(
        merchant.take_up(link, "taro").await.status,
        StatusCode::SEE_OTHER
    );
    let page = merchant.get("/console").await;
    assert_eq!(page.header("location"), "/console/t/a/overview");
    merchant.get("/console/t/a/overview").await;
    let page = merchant.post("/console/invite", &[("shop", "a")]).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}
