//! The configuration file: what is taken, and what is told of what is not.

use super::*;
use secrecy::ExposeSecret;

const WHOLE: &str = r#"
[server]
listen = "127.0.0.1:9000"
public-url = "https://tsunagi.example.jp"

[tenants.myshop]
webhook-secret = "hush"
allowed-hosts = ["http://127.0.0.1:5000"]
[tenants.myshop.settings.endpoints]
smaregi-api = "https://api.smaregi.dev"
"#;

#[test]
fn a_client_secret_is_not_shown() {
    let text = format!(
        "{WHOLE}[tenants.myshop.settings.credentials]\nsmaregi-client-secret = \"quiet\"\n"
    );
    let config = Config::parse(&text).unwrap();
    assert!(!format!("{config:?}").contains("quiet"));
}

#[test]
fn a_whole_file_is_read() {
    let config = Config::parse(WHOLE).unwrap();
    let shop = &config.tenants["myshop"];
    assert_eq!(shop.webhook_secret.expose_secret(), "hush");
    assert_eq!(
        shop.settings.as_ref().unwrap()["endpoints"]["smaregi-api"],
        "https://api.smaregi.dev"
    );
    assert!(!format!("{config:?}").contains("hush"));
}

#[test]
fn every_problem_is_told_with_key_and_line() {
    let text = WHOLE
        .replace("127.0.0.1:9000", "here")
        .replace("https://tsunagi.example.jp", "tsunagi/")
        .replace(
            "webhook-secret = \"hush\"",
            "webhook-secret-env = \"NOT_SET_ANYWHERE\"",
        );
    let found: Vec<(String, usize)> = Config::parse(&text)
        .unwrap_err()
        .into_iter()
        .map(|problem| (problem.key, problem.line))
        .collect();
    let expected = [
        ("server.listen", 3),
        ("server.public-url", 4),
        ("tenants.myshop.webhook-secret-env", 7),
    ];
    assert_eq!(found, expected.map(|(key, line)| (key.to_owned(), line)));
}

#[test]
fn an_empty_secret_is_none() {
    let text = WHOLE.replace("hush", "");
    let found = Config::parse(&text).unwrap_err();
    let expected = ("tenants.myshop.webhook-secret", 7);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].key.as_str(), found[0].line), expected);
}

#[test]
fn a_client_secret_given_twice_is_told() {
    let text = format!(
        "{WHOLE}[tenants.myshop.settings.credentials]\nsmaregi-client-secret = \"hush\"\nsmaregi-client-secret-file = \"/dev/null\"\n"
    );
    let found = Config::parse(&text).unwrap_err();
    assert!(
        found
            .iter()
            .any(|problem| problem.what.contains("more than one way") && problem.line == 13),
        "{found:?}"
    );
    assert!(!format!("{found:?}").contains("hush"));
}

/// Problems of a file with these lines added.
fn found(text: &str) -> Vec<(String, usize)> {
    let found = Config::parse(text).unwrap_err();
    found
        .into_iter()
        .map(|problem| (problem.key, problem.line))
        .collect()
}

#[test]
fn a_secret_that_is_missing_or_ambiguous_has_a_line() {
    let missing = WHOLE.replace("webhook-secret = \"hush\"\n", "");
    assert_eq!(
        found(&missing),
        [("tenants.myshop.webhook-secret".to_owned(), 6)]
    );
    let twice = WHOLE.replace("\"hush\"\n", "\"hush\"\nwebhook-secret-env = \"NOT_SET\"\n");
    assert_eq!(
        found(&twice),
        [("tenants.myshop.webhook-secret-env".to_owned(), 8)]
    );
}

#[test]
fn a_client_secret_that_cannot_be_had_has_a_line() {
    let text = format!(
        "{WHOLE}[tenants.myshop.settings.credentials]\nsmaregi-client-secret-env = \"NOT_SET_ANYWHERE\"\nnext-engine-client-secret-file = \"/no/such/file\"\n"
    );
    let key = |name: &str| format!("tenants.myshop.settings.credentials.{name}");
    assert_eq!(
        found(&text),
        [
            (key("next-engine-client-secret-file"), 13),
            (key("smaregi-client-secret-env"), 12)
        ]
    );
}

#[test]
fn limits_that_would_stop_everything_are_refused() {
    let text = format!("{WHOLE}[runtime]\ncalls = 0\ncall-seconds = 1\nmemory-megabytes = 1\n");
    let expected = [
        ("memory-megabytes", 14),
        ("call-seconds", 13),
        ("calls", 12),
    ];
    assert_eq!(
        found(&text),
        expected.map(|(name, line)| (format!("runtime.{name}"), line))
    );
}

#[test]
fn http_is_for_this_machine_unless_it_is_allowed() {
    let with = |url: &str| WHOLE.replace("https://tsunagi.example.jp", url);
    assert!(Config::parse(&with("http://127.0.0.1:9000")).is_ok());
    let open = with("http://tsunagi.example.jp");
    assert_eq!(found(&open), [("server.public-url".to_owned(), 4)]);
    let allowed = open.replace("[server]", "[server]\nallow-http = true");
    assert!(Config::parse(&allowed).is_ok());
    for wrong in ["tsunagi.example.jp", "ftp://a", "https://a/", "https://a/b"] {
        assert_eq!(
            found(&with(wrong)),
            [("server.public-url".to_owned(), 4)],
            "{wrong}"
        );
    }
}

#[test]
fn what_is_found_later_has_its_line() {
    let config = Config::parse(WHOLE).unwrap();
    let key = "tenants.myshop.settings.endpoints.smaregi-api";
    let problems = config.problems([(key.to_owned(), "is wrong".to_owned())]);
    assert_eq!(problems.1[0].line, 10);
}

#[test]
fn a_mistyped_key_is_named_and_no_secret_is_shown() {
    let found = Config::parse("[server]\nlisten = \"127.0.0.1:1\"\napi-tokn = \"hush\"\n")
        .unwrap_err()
        .remove(0);
    assert_eq!(found.line, 3);
    assert!(
        found.what.contains("api-tokn") && !found.what.contains("hush"),
        "{}",
        found.what
    );
}
