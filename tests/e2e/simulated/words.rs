//! The contract's words to the simulation's and back. Written from `wit/` alone: what the glue does is not repeated, but checked.

use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};
use tsunagi_guest::{
    reason::{Reason, Text},
    settings::{Settings, Trigger},
    sync::report::{
        Alignment, AlignmentLine, Backlog, Compared, Comparison, ComparisonLine, Explanation,
        ImportProgress, LeftOut, LoginStart, ResendChoice, RetryChoice, Round, SendProgress,
        Status, Taken, TokenTimes, Webhook,
    },
};
use tsunagi_simulation::export::{Answer, Export, Failure};

/// Arguments by name.
pub fn arguments(export: &Export) -> Value {
    let (requests, seconds) = export.budget();
    let mut given = match export {
        Export::FinishLogin { ticket, uid, state } => {
            json!({ "ticket": ticket, "uid": uid, "state": state })
        }
        Export::SwitchOn(Backlog::Send) => json!({ "backlog": "send" }),
        Export::Restored(as_of) => json!({ "as-of": as_of.to_rfc3339() }),
        Export::SwitchOn(Backlog::Leave) => json!({ "backlog": "leave" }),
        Export::PutSettings(given) => json!({ "settings": settings(given) }),
        Export::ImportShop(shop) | Export::ImportSlice(shop, _) => json!({ "shop-id": shop }),
        Export::Retry(RetryChoice::Slip(slip)) => json!({ "choice": { "slip": slip } }),
        Export::Retry(RetryChoice::AllRefused(all)) => json!({ "choice": { "all-refused": all } }),
        Export::TakeIn(delivery) => json!({ "webhook": webhook(delivery) }),
        Export::TakeInChanges(hints) => {
            let hint = hints
                .iter()
                .map(|hint| json!({ "product-id": hint.product_id, "store-id": hint.store_id }));
            json!({ "hints": hint.collect::<Value>() })
        }
        Export::CatchUp(since) => json!({ "since": since.map(|since| since.to_rfc3339()) }),
        Export::Resend(ResendChoice::Entry(id)) => json!({ "choice": { "entry": id } }),
        Export::Resend(ResendChoice::AllFailed) => json!({ "choice": { "all-failed": true } }),
        Export::Align {
            codes,
            confirmed,
            over_guard,
        } => json!({ "codes": codes, "confirmed": confirmed, "over-guard": over_guard }),
        _ => json!({}),
    };
    given["budget"] = json!({ "requests": requests, "seconds": seconds });
    given
}

fn webhook(delivery: &Webhook) -> Value {
    json!({
        "contract-id": delivery.contract_id,
        "event": delivery.event,
        "event-id": delivery.event_id,
        "body": String::from_utf8(delivery.body.clone()).unwrap(),
    })
}

/// As they are stored, but for the spelling of names, the triggers, and what the contract alone has.
fn settings(given: &Settings) -> Value {
    let mut shown = kebab(serde_json::to_value(given).unwrap());
    let triggers = Trigger::ALL.iter().map(|trigger| {
        let sent = given.stock.triggers.contains(trigger);
        (trigger.name().to_owned(), Value::Bool(sent))
    });
    shown["stock"]["triggers"] = Value::Object(triggers.collect());
    let credentials = &given.credentials;
    let shown_credentials = &mut shown["credentials"];
    for (name, secret) in [
        ("next-engine", &credentials.next_engine_client_secret),
        ("smaregi", &credentials.smaregi_client_secret),
    ] {
        shown_credentials[format!("{name}-client-secret")] = secret.reveal().into();
        shown_credentials[format!("has-{name}-secret")] = false.into();
    }
    shown
}

fn kebab(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name.replace('_', "-"), kebab(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(kebab).collect(),
        other => other,
    }
}

/// What a call answered.
pub fn answer(export: &Export, value: &Value) -> Answer {
    match export {
        Export::BeginLogin => Answer::Login(LoginStart {
            address: text(&value["address"]),
            ticket: text(&value["ticket"]),
            expires_at: moment(&value["expires-at"]),
        }),
        Export::FinishLogin { .. }
        | Export::GetStatus
        | Export::SwitchOn(_)
        | Export::SwitchOff
        | Export::Restored(_)
        | Export::Disconnect => Answer::Status(status(value)),
        Export::PutSettings(_) => Answer::Done,
        Export::ImportShop(_) | Export::ImportSlice(..) | Export::Retry(_) => {
            Answer::Imported(imported(value))
        }
        Export::Run => Answer::Round(round(value)),
        Export::TakeIn(_) | Export::TakeInChanges(_) => Answer::Taken(Taken {
            hints: number(&value["hints"]),
            repeated: flag(&value["repeated"]),
        }),
        Export::Send | Export::CatchUp(_) => Answer::Sent(sent(value)),
        Export::Resend(_) => Answer::Resent(number(value)),
        Export::Compare => Answer::Compared(comparison(value)),
        Export::Align { .. } => Answer::Aligned(alignment(value)),
    }
}

/// The contract's error.
pub fn failure(error: &Value) -> Failure {
    let (case, payload) = error.as_object().unwrap().iter().next().unwrap();
    let message = match payload.get("problems") {
        Some(problems) => &problems[0]["reason"]["message"],
        None => &payload["message"],
    };
    Failure {
        case: case.clone(),
        message: text(&message["en"]),
        retry_at: maybe(&payload["retry-at"], moment),
    }
}

fn maybe<T>(value: &Value, read: impl Fn(&Value) -> T) -> Option<T> {
    (!value.is_null()).then(|| read(value))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn flag(value: &Value) -> bool {
    value.as_bool().unwrap()
}

fn moment(value: &Value) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap()
}

fn decimal(value: &Value) -> rust_decimal::Decimal {
    value.as_str().unwrap().parse().unwrap()
}

fn words(value: &Value) -> Text {
    Text {
        ja: text(&value["ja"]),
        en: text(&value["en"]),
    }
}

fn reason(value: &Value) -> Reason {
    Reason {
        code: text(&value["code"]),
        message: words(&value["message"]),
        field: maybe(&value["field"], text),
        value: maybe(&value["value"], text),
    }
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(read).collect()
}

fn status(value: &Value) -> Status {
    Status {
        switched_on: flag(&value["switched-on"]),
        tokens: maybe(&value["tokens"], |tokens| TokenTimes {
            access_expires_at: moment(&tokens["access-expires-at"]),
            refresh_expires_at: moment(&tokens["refresh-expires-at"]),
        }),
        company_name: maybe(&value["company-name"], text),
        company_id: maybe(&value["company-id"], text),
        login_needed: maybe(&value["login-needed"], words),
        baseline: maybe(&value["baseline"], moment),
    }
}

fn imported(value: &Value) -> ImportProgress {
    ImportProgress {
        slips_read: number(&value["slips-read"]),
        registered: number(&value["registered"]),
        undone: number(&value["undone"]),
        refused: number(&value["refused"]),
        waiting: number(&value["waiting"]),
        more: flag(&value["more"]),
    }
}

fn round(value: &Value) -> Round {
    Round {
        orders_registered: number(&value["orders-registered"]),
        orders_undone: number(&value["orders-undone"]),
        orders_refused: number(&value["orders-refused"]),
        changes_decided: number(&value["changes-decided"]),
        rows_applied: number(&value["rows-applied"]),
        rows_returned: number(&value["rows-returned"]),
        trouble: maybe(&value["trouble"], reason),
        compared: maybe(&value["compared"], |told| Compared {
            compared_at: moment(&told["compared-at"]),
            both: number(&told["both"]),
            one_side: number(&told["one-side"]),
            unexplained: number(&told["unexplained"]),
        }),
        more: flag(&value["more"]),
        next_at: moment(&value["next-at"]),
    }
}

fn sent(value: &Value) -> SendProgress {
    SendProgress {
        changes_decided: number(&value["changes-decided"]),
        rows_applied: number(&value["rows-applied"]),
        rows_returned: number(&value["rows-returned"]),
        products_waiting: number(&value["products-waiting"]),
        products_held: number(&value["products-held"]),
        hints_waiting: number(&value["hints-waiting"]),
        in_flight: flag(&value["in-flight"]),
        more: flag(&value["more"]),
        next_at: maybe(&value["next-at"], moment),
    }
}

fn comparison(value: &Value) -> Comparison {
    Comparison {
        lines: list(&value["lines"], |line| ComparisonLine {
            code: text(&line["code"]),
            name: text(&line["name"]),
            smaregi: maybe(&line["smaregi"], decimal),
            next_engine: maybe(&line["next-engine"], decimal),
            next_engine_free: maybe(&line["next-engine-free"], decimal),
            next_engine_allocated: maybe(&line["next-engine-allocated"], decimal),
            difference: decimal(&line["difference"]),
            explanations: list(&line["explanations"], |part| Explanation {
                reason: reason(&part["reason"]),
                quantity: decimal(&part["quantity"]),
            }),
            unexplained: decimal(&line["unexplained"]),
        }),
        unexplained_products: number(&value["unexplained-products"]),
        compared_at: moment(&value["compared-at"]),
    }
}

fn alignment(value: &Value) -> Alignment {
    Alignment {
        lines: list(&value["lines"], |line| AlignmentLine {
            code: text(&line["code"]),
            quantity: decimal(&line["quantity"]),
        }),
        left_out: list(&value["left-out"], |left| LeftOut {
            code: text(&left["code"]),
            reason: reason(&left["reason"]),
        }),
        queued: flag(&value["queued"]),
        guard: maybe(&value["guard"], reason),
    }
}
