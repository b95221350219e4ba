//! Checking a tenant's settings: every problem at once, each with its field's path in the contract's spelling. Calls nobody, so
//! whether a store or product exists is not its question.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;
use url::Url;

use crate::{
    error::Problem,
    reason::Reason,
    rules::{
        settings_form::{Kind, List, SETTINGS, part, text::Form},
        settings_size,
    },
    settings::{Endpoints, OrderSettings, Settings},
    sync::report::OutsideHost,
};

/// All problems, in the order of the settings, group by group; empty when there are none.
pub fn validate(settings: &Settings) -> Vec<Problem> {
    let too_large = settings_size::too_large(settings);
    if !too_large.is_empty() {
        return too_large;
    }
    let stored = serde_json::to_value(settings).unwrap_or_default();
    let mut found = Problems::default();
    for group in SETTINGS {
        let value = part(&stored, group.name).unwrap_or_default();
        found.look(&group.kind, &value, group.name);
        if group.name == "orders" {
            together(&settings.orders, &mut found);
        }
    }
    found.0
}

/// The problems of settings whose secrets, these two or one of them, are stored already and need no repeating.
pub fn but_stored(mut problems: Vec<Problem>, next_engine: bool, smaregi: bool) -> Vec<Problem> {
    let stored = [
        ("credentials.next-engine-client-secret", next_engine),
        ("credentials.smaregi-client-secret", smaregi),
    ];
    problems.retain(|problem| {
        let is_stored = |(field, stored): &(&str, bool)| *stored && problem.field == *field;
        problem.reason.code != MISSING || !stored.iter().any(is_stored)
    });
    problems
}

/// The places these settings need to reach, each once. Addresses that cannot be read are left out.
pub fn hosts(endpoints: &Endpoints) -> Vec<OutsideHost> {
    let all = serde_json::to_value(endpoints).unwrap_or_default();
    let fields = SETTINGS.iter().filter_map(|group| match group.kind {
        Kind::Record(fields) if group.name == "endpoints" => Some(fields),
        _ => None,
    });
    let called = fields
        .flatten()
        .filter(|field| matches!(field.kind, Kind::Text(Form::Base(true))));
    let needed: BTreeSet<OutsideHost> = called
        .filter_map(|field| outside_host(part(&all, field.name)?.as_str()?))
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

/// Something that is needed is not there.
const MISSING: &str = "missing";

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, field: &str, reason: Reason) {
        self.0.push(Problem {
            field: field.to_owned(),
            reason,
        });
    }

    /// Holds a value against what its field may be. Whether days, flags and words are any is seen where they are read.
    fn look(&mut self, kind: &Kind, value: &Value, field: &str) {
        let text = || value.as_str().unwrap_or_default();
        match kind {
            Kind::Record(fields) => {
                for inner in *fields {
                    if let Some(value) = part(value, inner.name) {
                        self.look(&inner.kind, &value, &format!("{field}.{}", inner.name));
                    }
                }
            }
            Kind::List(list) => self.entries(list, value, field),
            Kind::Text(form) => self.form(*form, text(), field),
            Kind::Optional(form) if !value.is_null() => self.form(*form, text(), field),
            Kind::Secret(_) => self.form(Form::Needed, text(), field),
            Kind::Number(least, most) => self.within(*least, *most, value, field),
            Kind::Fee => {
                if let Some(code) = value.get("line").and_then(Value::as_str) {
                    self.form(Form::Code, code, field);
                }
            }
            Kind::Optional(_) | Kind::Stored | Kind::Flag | Kind::Date | Kind::Choice(_) => {}
        }
    }

    fn form(&mut self, form: Form, text: &str, field: &str) {
        if !form.fits(text) {
            self.add(field, unlike(form, text));
        }
    }

    fn within(&mut self, least: u32, most: u32, value: &Value, field: &str) {
        let range = u64::from(least)..=u64::from(most);
        if !value.as_u64().is_some_and(|number| range.contains(&number)) {
            let reason = Reason::new(
                "out-of-range",
                format!("{least}から{most}までの値にしてください。"),
                format!("Choose a value from {least} to {most}."),
            );
            self.add(field, reason.value(value.to_string()));
        }
    }

    fn entries(&mut self, list: &List, value: &Value, field: &str) {
        let mut seen = HashSet::new();
        for (index, entry) in value.as_array().into_iter().flatten().enumerate() {
            let field = format!("{field}[{index}]");
            self.look(&list.entry, entry, &field);
            if list.once.is_empty() && !seen.insert(("", entry.to_string())) {
                self.add(&field, twice(entry.as_str().unwrap_or_default()));
            }
            for name in list.once {
                let value = part(entry, name).unwrap_or_default();
                let text = value.as_str().unwrap_or_default();
                if !seen.insert((*name, text.to_owned())) {
                    self.add(&format!("{field}.{name}"), twice(text));
                }
            }
        }
    }
}

fn unlike(form: Form, text: &str) -> Reason {
    let (code, ja, en) = match form {
        Form::Any | Form::Needed => {
            return Reason::new(MISSING, "入力してください。", "This is needed.");
        }
        Form::Id => (
            "not-an-id",
            "9桁までの番号を入力してください。",
            "Give a number of at most nine digits.",
        ),
        Form::Code => (
            "not-a-code",
            "スマレジの商品コード(半角20文字まで)を入力してください。",
            "Give a Smaregi product code: half-width, at most 20 characters.",
        ),
        Form::Base(_) => (
            "not-an-address",
            "https:// で始まり、末尾に / のないアドレスを入力してください。",
            "Give an address that begins with https:// and does not end in a slash.",
        ),
        Form::Redirect => (
            "not-an-address",
            "ネクストエンジンに登録したリダイレクト先をそのまま入力してください。",
            "Give the redirect address as it is registered with Next Engine.",
        ),
    };
    Reason::new(code, ja, en).value(text)
}

fn twice(value: &str) -> Reason {
    Reason::new("twice", "同じ値が2度あります。", "This value occurs twice.").value(value)
}

/// What a receiving store's fields must be together.
fn together(orders: &OrderSettings, found: &mut Problems) {
    let mut terminals = HashSet::new();
    for (index, store) in orders.receiving_stores.iter().enumerate() {
        let field = |name: &str| format!("orders.receiving-stores[{index}].{name}");
        if let Some(source) = store.source_store_id.as_ref()
            && *source == store.store_id
        {
            let reason = Reason::new(
                "same-store",
                "在庫移動元店舗が店舗と同じです。同じなら空にしてください。",
                "The goods leave the selling store anyway. Leave this empty.",
            );
            found.add(&field("source-store-id"), reason.value(source.as_str()));
        }
        // One that is set was looked at already.
        if store.terminal_id.is_none() {
            found.form(Form::Id, &store.terminal(), &field("terminal-id"));
        }
        // Two shops under one terminal of one store could not be told apart, nor their sales' keys.
        if !terminals.insert((&store.store_id, store.terminal())) {
            found.add(&field("terminal-id"), twice(&store.terminal()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rules::samples,
        settings::{CodePair, Credentials, FeeMode, PaymentKind, PaymentRule, Secret},
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
                "orders.receiving-stores[1].shop-id",
                "orders.charge",
                "orders.receiving-stores[0].source-store-id",
                "orders.receiving-stores[1].terminal-id",
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
                "credentials.next-engine-redirect",
                "credentials.smaregi-contract-id",
                "credentials.smaregi-client-id",
                "credentials.smaregi-client-secret",
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
