//! Checking a tenant's settings: every problem at once, each with its field's path in the contract's spelling. Calls nobody, so
//! whether a store or product exists is not its question.

use std::collections::{BTreeSet, HashSet};

use url::Url;

use crate::{
    error::Problem,
    reason::Reason,
    rules::settings_size,
    settings::{
        Credentials, Endpoints, FeeMode, OrderSettings, Pace, ReceivingStore, Settings,
        StockSettings,
    },
    sync::report::OutsideHost,
};

/// Digits of a Smaregi store id and of a terminal number (smaregi.md 2, 4a).
const ID_DIGITS: usize = 9;
/// Smaregi's 商品コード (smaregi.md 5).
const LONGEST_CODE: usize = 20;

/// All problems, in the order of the settings; empty when there are none.
pub fn validate(settings: &Settings) -> Vec<Problem> {
    let too_large = settings_size::too_large(settings);
    if !too_large.is_empty() {
        return too_large;
    }
    let mut found = Problems::default();
    endpoints(&settings.endpoints, &mut found);
    credentials(&settings.credentials, &mut found);
    stock(&settings.stock, &mut found);
    orders(&settings.orders, &mut found);
    pace(&settings.pace, &mut found);
    found.0
}

/// The places these settings need to reach, each once. Addresses that cannot be read are left out.
pub fn hosts(endpoints: &Endpoints) -> Vec<OutsideHost> {
    let all = [
        &endpoints.next_engine_sign_in,
        &endpoints.next_engine_api,
        &endpoints.smaregi_id,
        &endpoints.smaregi_api,
    ];
    // The sign-in page is the browser's to reach, not ours.
    let needed: BTreeSet<OutsideHost> = all
        .into_iter()
        .skip(1)
        .filter_map(|address| outside_host(address))
        .collect();
    needed.into_iter().collect()
}

fn outside_host(address: &str) -> Option<OutsideHost> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?;
    let authority = url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Some(OutsideHost {
        scheme: url.scheme().to_owned(),
        authority,
    })
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, field: &str, reason: Reason) {
        self.0.push(Problem {
            field: field.to_owned(),
            reason,
        });
    }

    fn require(&mut self, field: &str, text: &str) {
        if text.trim().is_empty() {
            self.add(
                field,
                Reason::new("missing", "入力してください。", "This is needed."),
            );
        }
    }

    fn within(&mut self, field: &str, value: u32, range: std::ops::RangeInclusive<u32>) {
        if !range.contains(&value) {
            let (from, to) = (range.start(), range.end());
            let reason = Reason::new(
                "out-of-range",
                format!("{from}から{to}までの値にしてください。"),
                format!("Choose a value from {from} to {to}."),
            );
            self.add(field, reason.value(value.to_string()));
        }
    }

    fn id(&mut self, field: &str, text: &str) {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        if !plain || !(1..=ID_DIGITS).contains(&text.len()) {
            let reason = Reason::new(
                "not-an-id",
                "9桁までの番号を入力してください。",
                "Give a number of at most nine digits.",
            );
            self.add(field, reason.value(text));
        }
    }

    fn code(&mut self, field: &str, text: &str) {
        let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !plain || !(1..=LONGEST_CODE).contains(&text.len()) {
            let reason = Reason::new(
                "not-a-code",
                "スマレジの商品コード(半角20文字まで)を入力してください。",
                "Give a Smaregi product code: half-width, at most 20 characters.",
            );
            self.add(field, reason.value(text));
        }
    }
}

fn endpoints(endpoints: &Endpoints, found: &mut Problems) {
    for (field, address) in [
        (
            "endpoints.next-engine-sign-in",
            &endpoints.next_engine_sign_in,
        ),
        ("endpoints.next-engine-api", &endpoints.next_engine_api),
        ("endpoints.smaregi-id", &endpoints.smaregi_id),
        ("endpoints.smaregi-api", &endpoints.smaregi_api),
    ] {
        if !is_base(address) {
            let reason = Reason::new(
                "not-an-address",
                "https:// で始まり、末尾に / のないアドレスを入力してください。",
                "Give an address that begins with https:// and does not end in a slash.",
            );
            found.add(field, reason.value(address.as_str()));
        }
    }
}

/// `https`, or `http` to this very machine; host and perhaps port and path, nothing else.
fn is_base(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let scheme = url.scheme() == "https" || url.scheme() == "http" && loopback;
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    scheme && plain && url.has_host() && !address.ends_with('/')
}

fn credentials(credentials: &Credentials, found: &mut Problems) {
    found.require(
        "credentials.next-engine-client-id",
        &credentials.next_engine_client_id,
    );
    found.require(
        "credentials.next-engine-client-secret",
        credentials.next_engine_client_secret.reveal(),
    );
    found.require(
        "credentials.smaregi-contract-id",
        &credentials.smaregi_contract_id,
    );
    found.require(
        "credentials.smaregi-client-id",
        &credentials.smaregi_client_id,
    );
    found.require(
        "credentials.smaregi-client-secret",
        credentials.smaregi_client_secret.reveal(),
    );
    let redirect = &credentials.next_engine_redirect;
    if !redirect.is_empty() && Url::parse(redirect).is_err() {
        let reason = Reason::new(
            "not-an-address",
            "ネクストエンジンに登録したリダイレクト先をそのまま入力してください。",
            "Give the redirect address as it is registered with Next Engine.",
        );
        found.add(
            "credentials.next-engine-redirect",
            reason.value(redirect.as_str()),
        );
    }
}

fn stock(stock: &StockSettings, found: &mut Problems) {
    let mut seen = HashSet::new();
    for (index, store) in stock.stores.iter().enumerate() {
        let field = format!("stock.stores[{index}]");
        found.id(&field, store);
        if !seen.insert(store) {
            found.add(&field, twice(store));
        }
    }
    let (mut ours, mut theirs) = (HashSet::new(), HashSet::new());
    for (index, pair) in stock.codes.pairs.iter().enumerate() {
        let field = |side: &str| format!("stock.codes.pairs[{index}].{side}");
        found.require(&field("next-engine"), &pair.next_engine);
        found.require(&field("smaregi"), &pair.smaregi);
        if !theirs.insert(&pair.next_engine) {
            found.add(&field("next-engine"), twice(&pair.next_engine));
        }
        if !ours.insert(&pair.smaregi) {
            found.add(&field("smaregi"), twice(&pair.smaregi));
        }
    }
    found.within(
        "stock.guard.moved-percent",
        stock.guard.moved_percent,
        0..=100,
    );
}

fn twice(value: &str) -> Reason {
    Reason::new("twice", "同じ値が2度あります。", "This value occurs twice.").value(value)
}

fn orders(orders: &OrderSettings, found: &mut Problems) {
    let (mut shops, mut terminals) = (HashSet::new(), HashSet::new());
    for (index, store) in orders.receiving_stores.iter().enumerate() {
        let field = |name: &str| format!("orders.receiving-stores[{index}].{name}");
        receiving_store(store, &field, found);
        if !shops.insert(&store.shop_id) {
            found.add(&field("shop-id"), twice(&store.shop_id));
        }
        // Two shops under one terminal of one store could not be told apart, nor their sales' keys.
        if !terminals.insert((&store.store_id, store.terminal())) {
            found.add(&field("terminal-id"), twice(&store.terminal()));
        }
    }
    for (field, mode) in [
        ("orders.charge", &orders.charge),
        ("orders.delivery", &orders.delivery),
        ("orders.other", &orders.other),
    ] {
        if let FeeMode::Line(code) = mode {
            found.code(field, code);
        }
    }
    let mut methods = HashSet::new();
    for (index, rule) in orders.payments.iter().enumerate() {
        let field = format!("orders.payments[{index}].method-id");
        found.require(&field, &rule.method_id);
        if !methods.insert(&rule.method_id) {
            found.add(&field, twice(&rule.method_id));
        }
    }
}

fn receiving_store(store: &ReceivingStore, field: &dyn Fn(&str) -> String, found: &mut Problems) {
    found.id(&field("store-id"), &store.store_id);
    found.id(&field("shop-id"), &store.shop_id);
    if let Some(source) = &store.source_store_id {
        found.id(&field("source-store-id"), source);
        if *source == store.store_id {
            let reason = Reason::new(
                "same-store",
                "在庫移動元店舗が店舗と同じです。同じなら空にしてください。",
                "The goods leave the selling store anyway. Leave this empty.",
            );
            found.add(&field("source-store-id"), reason.value(source.as_str()));
        }
    }
    found.id(&field("terminal-id"), &store.terminal());
}

fn pace(pace: &Pace, found: &mut Problems) {
    found.within("pace.import-minutes", pace.import_minutes, 1..=1_440);
    found.within("pace.send-minutes", pace.send_minutes, 1..=1_440);
    found.within(
        "pace.send-early-products",
        pace.send_early_products,
        1..=100_000,
    );
    found.within("pace.smaregi-parallel", pace.smaregi_parallel, 1..=16);
    found.within(
        "pace.smaregi-writes-per-second",
        pace.smaregi_writes_per_second,
        1..=200,
    );
    found.within("pace.catch-up-minutes", pace.catch_up_minutes, 5..=1_440);
    found.within("pace.compare-days", pace.compare_days, 0..=31);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rules::samples,
        settings::{CodePair, PaymentKind, PaymentRule, Secret},
    };

    fn complete() -> Settings {
        let secret = || Secret::new("s".to_owned());
        Settings {
            credentials: Credentials {
                next_engine_client_id: "ne".to_owned(),
                next_engine_client_secret: secret(),
                next_engine_redirect: String::new(),
                smaregi_contract_id: "sb_1".to_owned(),
                smaregi_client_id: "sm".to_owned(),
                smaregi_client_secret: secret(),
            },
            orders: samples::settings(),
            ..Settings::default()
        }
    }

    fn fields(change: impl FnOnce(&mut Settings)) -> Vec<String> {
        let mut settings = complete();
        change(&mut settings);
        validate(&settings)
            .into_iter()
            .map(|problem| problem.field)
            .collect()
    }

    #[test]
    fn finds_every_problem_and_names_its_field() {
        assert!(fields(|_| ()).is_empty());
        assert_eq!(
            fields(|settings| {
                settings.endpoints.smaregi_api = "http://api.example".to_owned();
                settings.credentials.smaregi_client_id = String::new();
                settings.stock.stores = vec!["1".to_owned(), "x".to_owned(), "1".to_owned()];
                settings.orders.receiving_stores.push(samples::store());
                settings.orders.receiving_stores[0].source_store_id = Some("10".to_owned());
                settings.orders.charge = FeeMode::Line("手数料".to_owned());
                settings.pace.smaregi_parallel = 0;
            }),
            [
                "endpoints.smaregi-api",
                "credentials.smaregi-client-id",
                "stock.stores[1]",
                "stock.stores[2]",
                "orders.receiving-stores[0].source-store-id",
                "orders.receiving-stores[1].shop-id",
                "orders.receiving-stores[1].terminal-id",
                "orders.charge",
                "pace.smaregi-parallel",
            ]
        );
    }

    #[test]
    fn what_may_occur_once_is_named_where_it_occurs_again() {
        let pair = |next_engine: &str, smaregi: &str| CodePair {
            next_engine: next_engine.to_owned(),
            smaregi: smaregi.to_owned(),
        };
        let payment = |method_id: &str| PaymentRule {
            method_id: method_id.to_owned(),
            kind: PaymentKind::Cash,
        };
        assert_eq!(
            fields(|settings| {
                settings.stock.codes.pairs = vec![
                    pair("a", "1"),
                    pair("b", "1"),
                    pair("a", "2"),
                    pair("c", "3"),
                ];
                settings.orders.payments = vec![payment("1"), payment("2"), payment("1")];
            }),
            [
                "stock.codes.pairs[1].smaregi",
                "stock.codes.pairs[2].next-engine",
                "orders.payments[2].method-id",
            ]
        );
    }

    #[test]
    fn credentials_are_all_needed_and_a_redirect_is_an_address() {
        assert_eq!(
            fields(|settings| {
                let blank = || Secret::new(" ".to_owned());
                settings.credentials = Credentials {
                    next_engine_client_id: String::new(),
                    next_engine_client_secret: blank(),
                    next_engine_redirect: "login".to_owned(),
                    smaregi_contract_id: " ".to_owned(),
                    smaregi_client_id: String::new(),
                    smaregi_client_secret: blank(),
                };
            }),
            [
                "credentials.next-engine-client-id",
                "credentials.next-engine-client-secret",
                "credentials.smaregi-contract-id",
                "credentials.smaregi-client-id",
                "credentials.smaregi-client-secret",
                "credentials.next-engine-redirect",
            ]
        );
        let registered = "https://shop.example/login";
        let given =
            fields(|settings| settings.credentials.next_engine_redirect = registered.to_owned());
        assert!(given.is_empty());
    }

    #[test]
    fn a_number_has_up_to_nine_digits_and_a_code_up_to_twenty_half_width_letters() {
        for (id, good) in [
            ("1", true),
            ("999999999", true),
            ("1000000000", false),
            ("012", false),
            ("1a", false),
            ("", false),
        ] {
            let found = fields(|settings| settings.stock.stores = vec![id.to_owned()]);
            assert_eq!(found.is_empty(), good, "{id}");
        }
        for (code, good) in [
            ("fee 1~", true),
            ("12345678901234567890", true),
            ("123456789012345678901", false),
            ("fee\t", false),
            ("送料", false),
            ("", false),
        ] {
            let found = fields(|settings| settings.orders.other = FeeMode::Line(code.to_owned()));
            assert_eq!(found.is_empty(), good, "{code}");
        }
    }

    #[test]
    fn numbers_may_reach_the_ends_of_their_ranges_and_no_further() {
        let minutes = |minutes| fields(|settings| settings.pace.import_minutes = minutes);
        assert!(minutes(1).is_empty() && minutes(1_440).is_empty());
        assert_eq!(minutes(0), ["pace.import-minutes"]);
        assert_eq!(minutes(1_441), ["pace.import-minutes"]);
        let percent = |percent| fields(|settings| settings.stock.guard.moved_percent = percent);
        assert!(percent(100).is_empty());
        assert_eq!(percent(101), ["stock.guard.moved-percent"]);
    }

    #[test]
    fn an_address_is_https_or_this_machine() {
        for (address, good) in [
            ("https://api.smaregi.jp", true),
            ("http://127.0.0.1:8080", true),
            ("http://localhost:1/base", true),
            ("https://api.smaregi.jp/", false),
            ("http://api.smaregi.jp", false),
            ("https://user@api.smaregi.jp", false),
            ("https://:word@api.smaregi.jp", false),
            ("https://api.smaregi.jp?a=1", false),
            ("https://api.smaregi.jp#a", false),
            ("https:///", false),
            ("ftp://api.smaregi.jp", false),
            ("", false),
        ] {
            assert_eq!(is_base(address), good, "{address}");
        }
    }

    #[test]
    fn hosts_are_those_we_call_each_once() {
        let hosts = hosts(&Settings::default().endpoints);
        let names: Vec<&str> = hosts.iter().map(|host| host.authority.as_str()).collect();
        assert_eq!(
            names,
            ["api.next-engine.org", "api.smaregi.jp", "id.smaregi.jp"]
        );
        assert_eq!(
            outside_host("http://127.0.0.1:99").unwrap().authority,
            "127.0.0.1:99"
        );
    }
}
