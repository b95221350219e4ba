//! Forms of settings with one field that is wrong: it is told in the reader's language, and nothing that was typed is lost or stored.

use serde_json::json;

use super::*;

const SHOP: &str = "/console/t/a";

/// A form as somebody filled it, with what is wrong in it and what has to be in the page again.
struct Form {
    page: &'static str,
    sent_to: &'static str,
    typed: Vec<(&'static str, &'static str)>,
    wrong: &'static str,
    told: [&'static str; 2],
    kept: Vec<String>,
}

/// An input that holds this.
fn holds(name: &str, value: &str) -> String {
    format!("name=\"{name}\" value=\"{value}\"")
}

fn forms() -> Vec<Form> {
    vec![stock(), store(), details()]
}

fn stock() -> Form {
    let ticked = |name: &str| format!("{} checked", holds(name, "true"));
    Form {
        page: "stock",
        sent_to: "stock",
        typed: vec![
            ("stock.triggers.sale", "true"),
            ("stock.triggers.loss", "true"),
            ("stock.stores", "2、7"),
            ("stock.codes.basis", "product-id"),
            ("stock.codes.prefix", "P-"),
            ("stock.codes.pairs", "NE-1,SM-1\r\nNE-2,SM-2"),
            ("stock.guard.products-to-zero", "many"),
            ("stock.guard.moved-percent", "33"),
        ],
        wrong: "stock.guard.products-to-zero",
        told: [
            "0以上の整数を入力してください。",
            "Type a whole number, zero or more.",
        ],
        kept: vec![
            ticked("stock.triggers.sale"),
            ticked("stock.triggers.loss"),
            "value=\"2, 7\"".to_owned(),
            "value=\"product-id\" selected".to_owned(),
            holds("stock.codes.prefix", "P-"),
            "NE-1,SM-1\nNE-2,SM-2".to_owned(),
            holds("stock.guard.products-to-zero", "many"),
            holds("stock.guard.moved-percent", "33"),
        ],
    }
}

fn store() -> Form {
    Form {
        page: "orders/store",
        sent_to: "orders/store",
        typed: vec![
            ("shop", ""),
            ("orders.receiving-stores[0].store-id", "2"),
            ("orders.receiving-stores[0].start-date", "someday"),
            ("orders.receiving-stores[0].shop-id", "5"),
            ("orders.receiving-stores[0].shop-name", "楽天 & 店"),
            ("orders.receiving-stores[0].source-store-id", "3"),
            ("orders.receiving-stores[0].terminal-id", "77"),
        ],
        wrong: "orders.receiving-stores[0].start-date",
        told: ["日付", "date"],
        kept: vec![
            holds("orders.receiving-stores[0].store-id", "2"),
            holds("orders.receiving-stores[0].start-date", "someday"),
            holds("orders.receiving-stores[0].shop-id", "5"),
            holds("orders.receiving-stores[0].shop-name", "楽天 &amp; 店"),
            holds("orders.receiving-stores[0].source-store-id", "3"),
            holds("orders.receiving-stores[0].terminal-id", "77"),
        ],
    }
}

fn details() -> Form {
    let row = |index: usize, id: &str| holds(&format!("orders.payments[{index}].method-id"), id);
    Form {
        page: "details",
        sent_to: "details",
        typed: vec![
            ("orders.charge", "line"),
            ("orders.charge.line", ""),
            ("orders.delivery", "unset"),
            ("orders.delivery.line", "SHIP-1"),
            ("orders.other", "line"),
            ("orders.other.line", "OTHER-1"),
            ("orders.points", "subtotal-discount"),
            ("orders.moment", "issued"),
            ("orders.tax-rounding", "up"),
            ("orders.default-payment", "cash"),
            ("orders.payments[0].method-id", "11"),
            ("orders.payments[0].kind", "cash"),
            ("orders.payments[1].method-id", "12"),
            ("orders.payments[1].kind", "credit"),
        ],
        wrong: "orders.charge",
        told: ["商品コード", "code"],
        kept: vec![
            holds("orders.delivery.line", "SHIP-1"),
            holds("orders.other.line", "OTHER-1"),
            "value=\"subtotal-discount\" selected".to_owned(),
            "value=\"issued\" selected".to_owned(),
            "value=\"up\" selected".to_owned(),
            row(0, "11"),
            row(1, "12"),
        ],
    }
}

/// The text beside a field.
fn problem<'a>(page: &'a str, field: &str) -> Option<&'a str> {
    let mark = format!("id=\"{field}-problem\">");
    page.split(&mark).nth(1)?.split('<').next()
}

#[tokio::test]
async fn one_wrong_field_loses_nothing_that_was_typed_in_either_language() {
    let world = World::new("http://127.0.0.1:8080");
    let mut browser = world.signed_in("taro", Some("a")).await;
    let tenant = world.shops.find("a").unwrap().tenant;
    let before = tenant.call("settings.get", json!({})).await.unwrap();
    for (index, language) in ["ja", "en"].into_iter().enumerate() {
        browser.headers = vec![("accept-language", language.to_owned())];
        for form in forms() {
            browser.get(&format!("{SHOP}/{}", form.page)).await;
            let page = browser
                .post(&format!("{SHOP}/{}", form.sent_to), &form.typed)
                .await;
            assert_eq!(page.status, StatusCode::OK, "{}", form.page);
            assert!(page.text.contains(&format!("lang=\"{language}\"")));
            let told = problem(&page.text, form.wrong);
            let told = told.unwrap_or_else(|| panic!("{} in {}", form.wrong, page.text));
            assert!(told.contains(form.told[index]), "{}: {told}", form.wrong);
            for kept in &form.kept {
                assert!(page.text.contains(kept), "{kept} in {}", page.text);
            }
        }
    }
    let after = tenant.call("settings.get", json!({})).await.unwrap();
    assert_eq!(before, after, "nothing is stored");
}
