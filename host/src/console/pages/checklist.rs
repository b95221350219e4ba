//! はじめの確認: what a shop needs before it is switched on, each item looked at for real: the settings, the login, what the last
//! 接続確認 and the last 在庫照合 said.

use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::console::{
    Console,
    access::AtShop,
    layout,
    show::{self, count, flag, items, text},
};

/// Where the outcome of the last 在庫照合 of a shop is kept.
pub fn compared_key(shop: &str) -> String {
    format!("compared/{shop}")
}

/// One item.
pub struct Item {
    /// Whether it holds.
    pub done: bool,
    /// What it is.
    pub name: &'static str,
    /// What was found, or what to do.
    pub told: Markup,
    /// The page where it is done.
    pub page: &'static str,
}

/// All items.
pub async fn read(
    console: &Console,
    at: &AtShop,
    status: &Value,
    checked: Option<&Value>,
) -> Result<Vec<Item>, Response> {
    let settings = at.call("settings.get", json!({})).await?;
    let problems = at
        .call("settings.validate", json!({ "settings": settings }))
        .await?;
    let compared = console.records.read(compared_key(at.shop())).await;
    let compared: Option<Value> = compared
        .map_err(|error| layout::store_failed(&at.signed.visit, &error))?
        .map(|row| row.value);
    Ok(vec![
        credentials(at, &problems),
        login(at, status),
        check(at, checked),
        master(at, &settings),
        codes(at, compared.as_ref()),
        first_stock(at, compared.as_ref()),
        receiving(at, &settings),
        fees(at, &settings),
        switched_on(at, status),
    ])
}

fn credentials(at: &AtShop, problems: &Value) -> Item {
    let open = items(problems, "").iter();
    let open = open.filter(|problem| {
        let field = text(problem, "/field");
        field.starts_with("credentials") || field.starts_with("endpoints")
    });
    let open = open.count();
    let told = if open == 0 {
        at.say("入力済みです。", "They are complete.").to_owned()
    } else {
        at.say(
            "{n}項目が足りません。下の「接続情報」に入力します。",
            "{n} fields are missing: fill in the connection data below.",
        )
        .replace("{n}", &open.to_string())
    };
    Item {
        done: open == 0,
        name: at.say("接続情報", "Connection data"),
        told: html! { (told) },
        page: "connection#settings",
    }
}

fn login(at: &AtShop, status: &Value) -> Item {
    let is_in = status.get("tokens").is_some_and(|tokens| !tokens.is_null())
        && status.get("login-needed").is_none_or(Value::is_null);
    let company = text(status, "/company-name");
    let told = if is_in {
        html! { (company) }
    } else {
        html! { (at.say("上の「ログイン」から、連携するネクストエンジンにログインします。", "Log in above, to the Next Engine that is to be linked.")) }
    };
    Item {
        done: is_in,
        name: at.say("ネクストエンジンへのログイン", "Login to Next Engine"),
        told,
        page: "connection#login",
    }
}

fn check(at: &AtShop, checked: Option<&Value>) -> Item {
    let good = checked.is_some_and(|checked| {
        flag(checked, "/next-engine/ok")
            && flag(checked, "/smaregi/ok")
            && items(checked, "/missing-scopes").is_empty()
    });
    let told = match checked {
        None => {
            html! { (at.say("「接続確認」を押すと、両方のサービスに実際に問い合わせます。", "Press 接続確認 (check): both services are really asked.")) }
        }
        Some(checked) => html! {
            @if !good { (at.say("問題があります。上の結果を見てください:", "There is trouble; see the result above:")) " " }
            (show::moment(text(checked, "/checked-at")))
        },
    };
    Item {
        done: good,
        name: at.say("接続確認と権限(スコープ)", "Connection and scopes"),
        told,
        page: "connection#check",
    }
}

fn master(at: &AtShop, settings: &Value) -> Item {
    let stores = items(settings, "/stock/stores").len();
    let triggers = settings
        .pointer("/stock/triggers")
        .and_then(Value::as_object);
    let sends =
        triggers.is_some_and(|triggers| triggers.values().any(|sends| sends == &Value::Bool(true)));
    let told = if stores > 0 && sends {
        at.say(
            "スマレジの在庫が正です({n}店舗)。ネクストエンジンの在庫は差分で追従します。",
            "Smaregi's stock is the master ({n} stores); Next Engine follows by differences.",
        )
        .replace("{n}", &stores.to_string())
    } else {
        at.say(
            "スマレジの在庫を正とします。送る操作と対象店舗を選びます。",
            "Smaregi's stock is the master. Choose what is sent, and the stores.",
        )
        .to_owned()
    };
    Item {
        done: stores > 0 && sends,
        name: at.say("在庫の正(マスター)", "Stock master"),
        told: html! { (told) },
        page: "stock",
    }
}

fn codes(at: &AtShop, compared: Option<&Value>) -> Item {
    let both = compared.map_or(0, |compared| count(compared, "/both"));
    let one = compared.map_or(0, |compared| count(compared, "/one-side"));
    let told = if compared.is_none() {
        at.say(
            "在庫照合をすると、両方で一致した商品の数がわかります。",
            "Compare stock: it shows how many products match.",
        )
        .to_owned()
    } else {
        at.say(
            "{b}商品が一致、{o}商品は片方だけにあります。",
            "{b} products match; {o} are on one side only.",
        )
        .replace("{b}", &show::number(&both.to_string()))
        .replace("{o}", &show::number(&one.to_string()))
    };
    Item {
        done: both > 0,
        name: at.say("商品コードの対応", "Code rule"),
        told: html! { (told) },
        page: "compare",
    }
}

fn first_stock(at: &AtShop, compared: Option<&Value>) -> Item {
    let open = compared.map(|compared| count(compared, "/unexplained"));
    let told = match open {
        None => at
            .say(
                "在庫照合で両方の在庫を比べます。",
                "Compare both sides' stock.",
            )
            .to_owned(),
        Some(0) => at
            .say(
                "説明のつかない差はありません。",
                "No unexplained difference.",
            )
            .to_owned(),
        Some(open) => at
            .say(
                "{n}商品に差があります。在庫照合で合わせます。",
                "{n} products differ; align them.",
            )
            .replace("{n}", &show::number(&open.to_string())),
    };
    let at_moment = compared.map_or("", |compared| text(compared, "/compared-at"));
    Item {
        done: open == Some(0),
        name: at.say("はじめの在庫が等しい", "First stock is equal"),
        told: html! { (told) @if !at_moment.is_empty() { " " (show::moment(at_moment)) } },
        page: "compare",
    }
}

fn receiving(at: &AtShop, settings: &Value) -> Item {
    let stores = items(settings, "/orders/receiving-stores").len();
    let told = if stores > 0 {
        at.say("{n}店舗", "{n} set")
            .replace("{n}", &stores.to_string())
    } else {
        at.say(
            "ネクストエンジンの店舗を、スマレジのどの店舗の売上にするかを登録します。",
            "Say in which Smaregi store each Next Engine shop's sales are booked.",
        )
        .to_owned()
    };
    Item {
        done: stores > 0,
        name: at.say("受信店舗", "Receiving store"),
        told: html! { (told) },
        page: "orders",
    }
}

fn fees(at: &AtShop, settings: &Value) -> Item {
    let fees = ["charge", "delivery", "other"];
    let unset = fees
        .iter()
        .filter(|fee| settings.pointer(&format!("/orders/{fee}/line")).is_none());
    let unset = unset.count();
    let told = if unset == 0 {
        at.say(
            "3つとも商品コードがあります。",
            "All three have a product code.",
        )
        .to_owned()
    } else {
        at.say(
            "{n}つが未設定です。その金額がある受注は取り込まれません。",
            "{n} are not set: orders with such an amount are refused.",
        )
        .replace("{n}", &unset.to_string())
    };
    Item {
        done: unset == 0,
        name: at.say(
            "手数料・発送代・他費用の商品コード",
            "Product codes of fees",
        ),
        told: html! { (told) },
        page: "details",
    }
}

fn switched_on(at: &AtShop, status: &Value) -> Item {
    let is_on = flag(status, "/switched-on");
    let told = if is_on {
        at.say("オンです。", "It is on.")
    } else {
        at.say(
            "準備ができたら上の「連携オン」を押します。",
            "Switch it on above when all is ready.",
        )
    };
    Item {
        done: is_on,
        name: at.say("連携オン", "Switched on"),
        told: html! { (told) },
        page: "connection#switch",
    }
}
