//! Lists to choose from, as the component reads them from both services. Where one cannot be had, the field says why and takes what is
//! typed. Decides nothing.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    access::AtShop,
    layout::told,
    show::{self, flag, items, text},
};

/// How long a page waits for a list. Reading goes on behind it, so the next page has it.
const PATIENCE: Duration = Duration::from_secs(6);

/// A list.
#[derive(Clone, Default)]
pub struct List {
    /// Values with their names.
    pub options: Vec<(String, String)>,
    /// Why there are none.
    pub note: Option<String>,
}

impl List {
    /// The name of a value.
    pub fn name(&self, value: &str) -> Option<&str> {
        let known = self.options.iter().find(|(known, _)| known == value);
        known.map(|(_, name)| name.as_str())
    }
}

/// Smaregi's stores.
pub async fn stores(at: &AtShop) -> List {
    let paused = at.say("休止中", "suspended");
    read(at, "directory.smaregi-stores", json!({}), |store| {
        let name = text(store, "/name").to_owned();
        let name = if flag(store, "/paused") {
            format!("{name} ({paused})")
        } else {
            name
        };
        Some((text(store, "/id").to_owned(), name))
    })
    .await
}

/// Next Engine's shops.
pub async fn shops(at: &AtShop) -> List {
    read(at, "directory.next-engine-shops", json!({}), plain).await
}

/// Next Engine's payment methods.
pub async fn payment_methods(at: &AtShop) -> List {
    read(at, "directory.payment-methods", json!({}), plain).await
}

/// Smaregi's products by what was typed of code or name: product codes, with name and price.
pub async fn products(at: &AtShop, typed: &str) -> List {
    let language = at.language();
    read(
        at,
        "directory.products",
        json!({ "text": typed }),
        |product| {
            let price = match text(product, "/price") {
                "" => String::new(),
                price => format!(" {}", show::money(language, price)),
            };
            let name = format!("{}{price}", text(product, "/name"));
            Some((product.get("code")?.as_str()?.to_owned(), name))
        },
    )
    .await
}

fn plain(choice: &Value) -> Option<(String, String)> {
    Some((
        text(choice, "/id").to_owned(),
        text(choice, "/name").to_owned(),
    ))
}

async fn read(
    at: &AtShop,
    function: &str,
    arguments: Value,
    option: impl Fn(&Value) -> Option<(String, String)>,
) -> List {
    match tokio::time::timeout(PATIENCE, at.try_call(function, arguments)).await {
        Ok(Ok(list)) => List {
            options: items(&list, "/choices").iter().filter_map(option).collect(),
            note: None,
        },
        Ok(Err(error)) => unavailable(at, &told(at.language(), &error)),
        Err(_) => {
            let slow = at.say(
                "一覧の取得に時間がかかっています。少し待って再読み込みしてください。",
                "Reading the list takes long; load the page again in a moment.",
            );
            unavailable(at, slow)
        }
    }
}

fn unavailable(at: &AtShop, why: &str) -> List {
    let typed = at.say(
        "一覧を表示できません。IDを直接入力することはできます。",
        "The list cannot be shown; ids can be typed.",
    );
    List {
        options: Vec::new(),
        note: Some(format!("{typed} {why}")),
    }
}
