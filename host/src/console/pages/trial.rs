//! 試す: which of the last orders would come out differently under settings as they were typed, in yen, before they are saved. Shown
//! above the form, which stays as it was typed. What comes out is the component's to say.

use maud::{Markup, html};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{orders::encoded, sent_table::word};
use crate::{
    console::{
        Console,
        access::AtShop,
        form::{Draft, TRY},
        layout::{Tone, message, told},
        names::Names,
        show::{self, count, items, text},
    },
    tenant::CallError,
};

/// Orders that are looked at, at most.
const LAST: u32 = 100;

/// The contract's terms.
const DIFFERENCES: [(&str, &str, &str); 12] = [
    ("outcome", "結果", "result"),
    ("reason", "理由", "reason"),
    ("store", "店舗", "store"),
    ("source-store", "在庫移動元", "stock from"),
    ("terminal", "端末番号", "terminal"),
    ("day", "締め日", "day"),
    ("lines", "明細", "lines"),
    ("discount", "小計値引き", "discount"),
    ("tax", "消費税", "tax"),
    ("total", "合計", "total"),
    ("payment", "支払方法", "payment"),
    ("tags", "タグ", "tags"),
];

/// The second button of a form whose settings can be tried. Behind the first, which is the one that the return key presses.
pub fn button(at: &AtShop) -> Markup {
    html! {
        button.quiet name=(TRY) value="true" { (at.say("保存せずに試す", "Try without saving")) }
    }
}

/// Tries a draft: the result, or nothing where something is wrong with what was typed; the form says what then.
pub async fn of(console: &Console, at: &AtShop, draft: &mut Draft) -> Markup {
    if !draft.problems.is_empty() {
        return html! {};
    }
    let arguments = json!({ "proposed": draft.settings, "last": LAST });
    match at.try_call("orders.try-settings", arguments).await {
        Ok(trial) => result(at, &trial, &Names::of(console, at).await),
        Err(error) => {
            if let CallError::Contract(error) = &error {
                draft.problems = error.problems(at.language().code());
            }
            if draft.problems.is_empty() {
                message(Tone::Bad, &told(at.language(), &error))
            } else {
                html! {}
            }
        }
    }
}

fn result(at: &AtShop, trial: &Value, called: &Names) -> Markup {
    let changes = items(trial, "/changes");
    html! {
        section #tried {
            h2 { (at.say("試した結果", "How it would come out")) }
            (message(Tone::Plain, &headline(at, trial)))
            @if count(trial, "/looked-at") > 0 { (sums(at, trial)) }
            @if !changes.is_empty() { (table(at, changes, called)) }
            (limits(at))
        }
    }
}

/// How many of how many differ, and that nothing is saved.
fn headline(at: &AtShop, trial: &Value) -> String {
    let number = |pointer: &str| show::number(&count(trial, pointer).to_string());
    let unsaved = at.say(
        "まだ保存していません。下の入力はそのままです。",
        "Nothing is saved yet; the form below is as you typed it.",
    );
    if count(trial, "/looked-at") == 0 {
        let empty = at.say(
            "まだ受注を読み取っていないため、比べられません。一度取り込むと、その受注で試せます。",
            "No order was read so far, so there is nothing to compare. After a first import its orders are tried here.",
        );
        return format!("{empty}\n{unsaved}");
    }
    let changed = items(trial, "/changes").len();
    let found = if changed == 0 {
        at.say(
            "最近の受注{n}件では、この設定にしても結果は変わりません。",
            "Of the last {n} orders none would come out differently.",
        )
    } else {
        at.say(
            "最近の受注{n}件のうち、{c}件の結果が変わります。",
            "Of the last {n} orders, {c} would come out differently.",
        )
    };
    let found = found.replace("{n}", &number("/looked-at"));
    let mut lines = vec![found.replace("{c}", &show::number(&changed.to_string()))];
    let changes = items(trial, "/changes").iter();
    let booked = changes.filter(|change| !text(change, "/transaction-id").is_empty());
    let already = at.say(
        "そのうち{n}件はすでに取引になっており、設定を保存しても変わりません。",
        "{n} of these are transactions already and stay as they are when the settings are saved.",
    );
    let unreadable = at.say(
        "読み取れなかった受注{n}件は含まれていません。",
        "{n} orders that could not be read are left out.",
    );
    let counted = [
        (booked.count().to_string(), already),
        (count(trial, "/unreadable").to_string(), unreadable),
    ];
    let counted = counted.iter().filter(|(number, _)| number != "0");
    lines.extend(counted.map(|(number, told)| told.replace("{n}", &show::number(number))));
    lines.push(unsaved.to_owned());
    lines.join("\n")
}

fn sums(at: &AtShop, trial: &Value) -> Markup {
    let rows = [
        ("/booked", at.say("取引になる受注", "Booked")),
        ("/refused", at.say("取り込めない受注", "Refused")),
        ("/skipped", at.say("対象外の受注", "Not taken")),
    ];
    let amount = |side: &str, what: &str| count(trial, &format!("{side}{what}")).to_string();
    let yen = |side: &str| text(trial, &format!("{side}/yen"));
    let columns = [
        at.say("今の設定", "Settings now"),
        at.say("入力した設定", "As typed"),
        at.say("差", "Difference"),
    ];
    html! {
        div.scroll tabindex="0" {
            table.rows {
                thead { tr {
                    th scope="col" { (at.say("合計", "Sums")) }
                    @for column in columns { th.number scope="col" { (column) } }
                } }
                tbody {
                    @for (what, name) in rows {
                        @let (before, after) = (amount("/before", what), amount("/after", what));
                        (sum(name, columns, [show::number(&before), show::number(&after), show::signed(&less(&after, &before))]))
                    }
                    (sum(at.say("取引の金額", "Yen booked"), columns, [
                        show::money(at.language(), yen("/before")), show::money(at.language(), yen("/after")),
                        signed_money(at, &less(yen("/after"), yen("/before"))),
                    ]))
                }
            }
        }
    }
}

fn sum(name: &str, columns: [&str; 3], values: [String; 3]) -> Markup {
    html! {
        tr {
            th scope="row" { (name) }
            @for (column, value) in columns.iter().zip(values) { td.number data-name=(column) { (value) } }
        }
    }
}

/// The difference of two numbers of the contract; empty where one is none.
fn less(after: &str, before: &str) -> String {
    let both = after.parse::<Decimal>().ok().zip(before.parse().ok());
    let less = both.and_then(|(after, before)| after.checked_sub(before));
    less.map_or_else(String::new, |less| less.to_string())
}

fn signed_money(at: &AtShop, difference: &str) -> String {
    let money = show::money(at.language(), difference);
    if show::signed(difference).starts_with('+') {
        format!("+{money}")
    } else {
        money
    }
}

fn names(at: &AtShop) -> [&str; 6] {
    [
        at.say("伝票番号・受注番号", "Slip, order number"),
        at.say("受注の総合計", "Order's total"),
        at.say("今の設定", "Settings now"),
        at.say("入力した設定", "As typed"),
        at.say("差額", "Difference"),
        at.say("違うところ", "Wherein"),
    ]
}

fn table(at: &AtShop, changes: &[Value], called: &Names) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table.rows {
                caption.hidden { (at.say("結果が変わる受注", "Orders that would come out differently")) }
                thead { tr {
                    @for (index, name) in names(at).iter().enumerate() { th.number[[1, 4].contains(&index)] scope="col" { (name) } }
                } }
                tbody { @for change in changes { (row(at, change, called)) } }
            }
        }
    }
}

fn row(at: &AtShop, change: &Value, called: &Names) -> Markup {
    let slip = text(change, "/slip");
    let [order, total, before, after, difference, wherein] = names(at);
    let transaction = text(change, "/transaction-id");
    let differs: Vec<String> = items(change, "/differs-in")
        .iter()
        .filter_map(Value::as_str)
        .map(|term| word(at.language(), &DIFFERENCES, term))
        .collect();
    html! {
        tr {
            td data-name=(order) {
                a href={ (at.address("received/order")) "?slip=" (encoded(slip)) } { (slip) } " "
                span.faint { (text(change, "/order-number")) }
            }
            td.number data-name=(total) { (show::money(at.language(), text(change, "/order-total"))) }
            td data-name=(before) { (outcome(at, change.get("before"), called)) }
            td data-name=(after) { (outcome(at, change.get("after"), called)) }
            td.number data-name=(difference) { (signed_money(at, text(change, "/difference"))) }
            td data-name=(wherein) {
                (differs.join(at.say("・", ", ")))
                @if !transaction.is_empty() {
                    " " span.faint { (at.say("登録済みの取引", "already transaction")) " " (transaction) }
                }
            }
        }
    }
}

fn outcome(at: &AtShop, outcome: Option<&Value>, called: &Names) -> Markup {
    let outcome = outcome.unwrap_or(&Value::Null);
    let reason = |case: &str| outcome.get(case).map(|reason| at.language().reason(reason));
    html! {
        @if let Some(sale) = outcome.get("booked") {
            span.badge.good { (at.say("取引", "booked")) } " " (show::money(at.language(), text(sale, "/total"))) " "
            span.faint {
                (called.store(text(sale, "/store-id")))
                @let source = text(sale, "/source-store-id");
                @if !source.is_empty() { (at.say("(在庫移動元 ", " (stock from ")) (called.store(source)) ")" }
                ", " (text(sale, "/sold-on"))
            }
        }
        @if let Some(reason) = reason("refused") { span.badge.bad { (at.say("取り込めず", "refused")) } " " (reason) }
        @if let Some(reason) = reason("skipped") { span.badge.plain { (at.say("対象外", "not taken")) } " " (reason) }
    }
}

/// What the result does not tell.
fn limits(at: &AtShop) -> Markup {
    html! {
        p.hint { (at.say(
            "比べたのは、これまでの取込で読み取った受注のうち伝票番号の新しいもの(最大{n}件)です。これまでのどの設定でも対象にならなかった受注と、これから追加する店舗の受注は含まれません。ネクストエンジンには問い合わせず、商品はスマレジの今の登録で計算しています。",
            "Compared are the orders with the highest slip numbers that imports have read so far, {n} at most. Orders that no settings so far have taken are not among them, nor are those of a shop that is only now being added. Next Engine was not asked; products are as they are in Smaregi now.",
        ).replace("{n}", &LAST.to_string())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_exact_and_nothing_is_made_of_what_is_no_number() {
        for (after, before, expected) in [
            ("1200", "200", "1000"),
            ("0", "1980", "-1980"),
            ("0.3", "0.1", "0.2"),
            ("", "1", ""),
        ] {
            assert_eq!(less(after, before), expected, "{after} - {before}");
        }
    }
}
