//! Secrets and people planted wherever a recording has text: none of them is in the file, and each has one placeholder everywhere.

use serde_json::json;

use super::*;
use crate::recording::{Seen, VERSION};

const TOKEN: &str = "4dCe55/tok+en=";
const REFRESH: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "cl13nt sécret";
const NAME: &str = "梅田 花子";
const PHONE: &str = "06-6345-1201";

fn recording(function: &str, arguments: Value, steps: Vec<Step>, ended: Value) -> Recording {
    Recording {
        tsunagi_recording: VERSION,
        program: String::new(),
        component: String::new(),
        function: function.to_owned(),
        arguments,
        parameters: Vec::new(),
        steps,
        ended: Ended::Ok(ended),
    }
}

fn answer(body: String) -> Step {
    Step::Answer {
        number: 1,
        status: 200,
        headers: BTreeMap::new(),
        body: Content::Text(body),
        cut: None,
    }
}

fn request(url: &str, body: &str) -> Step {
    Step::Request {
        number: 1,
        method: "POST".to_owned(),
        url: url.to_owned(),
        body: Content::Text(body.to_owned()),
    }
}

fn row(key: &str, value: &Value) -> Row {
    Row {
        key: key.to_owned(),
        revision: 1,
        value: Content::Text(value.to_string()),
    }
}

/// Everything planted, in a call that reads settings and login, asks, is answered with people, and writes.
fn planted() -> Recording {
    let form = format!(
        "fields=a%2Cb&access_token={}&refresh_token={REFRESH}",
        form_urlencoded::byte_serialize(TOKEN.as_bytes()).collect::<String>()
    );
    let login = json!({ "v": 1, "access": TOKEN, "refresh": REFRESH, "uid": "user-77" });
    let found = Outcome::Ok(vec![
        Some(row(
            "settings",
            &json!({ "smaregi_contract_id": "sb_umeda", "next_engine_client_secret": SECRET }),
        )),
        Some(row("next-engine/login", &login)),
    ]);
    let people = json!({ "data": [{
        "receive_order_purchaser_name": NAME, "receive_order_consignee_tel": PHONE, "receive_order_note": "竹",
        "goods_name": "梅干し", "memo": "tsunagi NE7-0-1", "customer": { "any": ["name", 7] }, "pic_mail_address": "h@example.jp",
        "receive_order_purchaser_kana": null, "count": 7,
    }], "access_token": "n3w-t0ken-of-today", "refresh_token": REFRESH });
    let steps = vec![
        Step::Get {
            keys: vec!["settings".to_owned()],
            found,
        },
        request(
            "https://api.smaregi.jp/sb_umeda/pos/stock?x=06-6345-1201",
            &form,
        ),
        answer(people.to_string()),
        answer(format!(
            "{{\"staffName\" : \"\\u6885\\u7530 \\u82b1\\u5b50\", \"url\": \"4dCe55\\/tok+en=\", \"cut\": \"{NAME}"
        )),
        Step::Commit {
            checks: vec![Seen {
                key: format!("login-ticket/{REFRESH}"),
                revision: None,
            }],
            writes: vec![Put {
                key: "next-engine/login".to_owned(),
                value: Some(Content::Text(
                    json!({ "access": "n3w-t0ken-of-today", "uid": "user-77" }).to_string(),
                )),
            }],
            done: Outcome::Unavailable(format!("by {NAME}")),
        },
    ];
    let arguments =
        json!({ "webhook": { "body": "{\"contractId\":\"sb_umeda\",\"event\":\"pos:stock\"}" } });
    recording(
        "stock.take-in",
        arguments,
        steps,
        json!({ "said": [format!("of {PHONE}")] }),
    )
}

#[test]
fn nothing_planted_is_left_in_any_spelling() {
    let text = masked(planted()).text().unwrap();
    for secret in [
        TOKEN,
        "4dCe55",
        REFRESH,
        SECRET,
        NAME,
        "花子",
        "\\u82b1",
        PHONE,
        "sb_umeda",
        "user-77",
        "n3w-t0ken",
        "h@example.jp",
        "竹",
    ] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    for kept in [
        "梅干し",
        "tsunagi NE7-0-1",
        "pos:stock",
        "fields=a%2Cb",
        "\\\"count\\\":7",
        "_kana\\\":null",
    ] {
        assert!(text.contains(kept), "{kept} is not in {text}");
    }
}

/// What stands between two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap().1;
    rest.split_once(after).unwrap().0
}

#[test]
fn a_value_has_one_placeholder_wherever_it_stands() {
    let masked = masked(planted());
    let text = masked.text().unwrap();
    let stored = between(&text, "\\\"access\\\":\\\"", "\\\"");
    assert_eq!(between(&text, "access_token=", "&"), stored);
    let contract = between(&text, "smaregi_contract_id\\\":\\\"", "\\\"");
    assert_eq!(between(&text, "https://api.smaregi.jp/", "/pos"), contract);
    assert_eq!(between(&text, "contractId\\\":\\\"", "\\\""), contract);
    let renewed = between(&text, "\\\"access_token\\\":\\\"", "\\\"");
    assert!(
        text.matches(renewed).count() == 2 && renewed != stored,
        "{text}"
    );
    // Hexadecimal digits stay such, as many, for whoever takes no others.
    let ticket = between(&text, "login-ticket/", "\"");
    assert!(ticket.len() == 32 && ticket.bytes().all(|byte| byte.is_ascii_hexdigit()));
    // What is masked already stays.
    assert_eq!(super::masked(masked.clone()).steps, masked.steps);
}

#[test]
fn a_login_s_codes_and_the_numbers_of_its_ticket_are_masked() {
    let numbers = ["a1b2c3d4e5f60718", "8172635445362718"];
    let steps = numbers
        .map(|number| Step::Random(number.to_owned()))
        .to_vec();
    let begun = recording(
        "connection.begin-login",
        json!({}),
        steps,
        json!({ "ticket": numbers.concat() }),
    );
    let begun = masked(begun);
    let text = begun.text().unwrap();
    assert!(
        numbers.iter().all(|number| !text.contains(number)),
        "{text}"
    );
    let given: Vec<&String> = begun
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Random(number) => Some(number),
            _ => None,
        })
        .collect();
    let Ended::Ok(ended) = &begun.ended else {
        panic!("{:?}", begun.ended)
    };
    assert_eq!(ended["ticket"], json!(format!("{}{}", given[0], given[1])));

    let arguments = json!({ "ticket": numbers.concat(), "uid": "u-1", "state": "s7a7e" });
    let steps = vec![request(
        "https://api.next-engine.org/api_neauth",
        "uid=u-1&state=s7a7e&client_secret=x",
    )];
    let text = masked(recording(
        "connection.finish-login",
        arguments,
        steps,
        json!(null),
    ))
    .text()
    .unwrap();
    for code in [numbers[0], "u-1", "s7a7e", "client_secret=x"] {
        assert!(!text.contains(code), "{code} is in {text}");
    }
}

#[test]
fn short_values_are_masked_where_they_stand_and_nowhere_else() {
    let body = json!({ "memo": "50", "amount": "50", "customerName": "木村", "productName": "木村屋", "customerPrice": "980" });
    let steps = vec![answer(body.to_string())];
    let text = masked(recording(
        "stock.send",
        json!({}),
        steps,
        json!("50 of 木村"),
    ))
    .text()
    .unwrap();
    assert!(
        text.contains("\\\"amount\\\":\\\"50\\\"") && text.contains("\"50 of masked"),
        "{text}"
    );
    assert!(
        text.contains("customerPrice\\\":\\\"980") && !text.contains("\\\"memo\\\":\\\"50"),
        "{text}"
    );
}

#[test]
fn an_answer_that_is_no_text_is_no_text_still() {
    let binary = Content::of(b"\x94\x7e\x93\x63");
    let steps = vec![Step::Answer {
        number: 1,
        status: 500,
        headers: BTreeMap::new(),
        body: binary,
        cut: None,
    }];
    let recording = masked(recording("stock.send", json!({}), steps, json!(null)));
    let Some(Step::Answer { body, .. }) = recording.steps.first() else {
        panic!("no answer")
    };
    assert_eq!(body.bytes().unwrap(), [0xff]);
}
