//! One shop's commands: call the contract, show what it answered, say whether a person is needed. Decides nothing about orders or
//! stock.

use std::{
    io::{IsTerminal, Read},
    path::Path,
};

use anyhow::Context;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{
    Command, Common, Ending, Which,
    operate::{Connect, SettingsCommand},
    serve::{self, laid_over, put_settings},
    show::Show,
    words::{count, field, items},
};
use crate::{runtime::EMBEDDED, tenant::Tenant};

/// One slice of long work.
const SLICE: (u32, u32) = (200, 20);

/// Runs a command on one shop.
pub async fn run(common: &Common, command: Command) -> anyhow::Result<Ending> {
    let opened = serve::open(common).await?;
    let tenant = opened.one(common.tenant.as_deref()).await?;
    let show = Show {
        language: common.language(),
        json: common.json,
    };
    match command {
        Command::Connect(arguments) => {
            connect(&tenant, &show, &arguments, &opened.config.public_url).await
        }
        Command::Settings { what } => settings(&tenant, &show, &what).await,
        Command::Import { shop } => import(&tenant, &show, shop).await,
        Command::Send => long(&tenant, &show, "stock.send", json!({})).await,
        Command::CatchUp { since } => {
            long(&tenant, &show, "stock.catch-up", json!({ "since": since })).await
        }
        Command::Retry(arguments) => {
            long(
                &tenant,
                &show,
                "orders.retry",
                json!({ "choice": arguments.choice() }),
            )
            .await
        }
        Command::History {
            which,
            limit,
            outcome,
        } => history(&tenant, &show, which, limit, outcome).await,
        other => short(&tenant, &show, other).await,
    }
}

/// Commands of a single call.
async fn short(tenant: &Tenant, show: &Show, command: Command) -> anyhow::Result<Ending> {
    let (function, arguments) = match command {
        Command::Check => ("connection.check", json!({})),
        Command::Status => ("connection.get-status", json!({})),
        Command::Preview(arguments) => ("orders.preview", json!({ "choice": arguments.choice() })),
        Command::Resend(arguments) => ("stock.resend", json!({ "choice": arguments.choice() })),
        Command::Compare => ("stock.compare", json!({})),
        Command::Align(arguments) => ("stock.align", arguments.arguments()),
        _ => ("schedule.calls", json!({})),
    };
    let answer = tenant.call(function, arguments).await?;
    show.answer(function, &answer);
    let waiting = match function {
        "connection.check" => {
            let good = |side: &str| {
                answer
                    .pointer(&format!("/{side}/ok"))
                    .and_then(Value::as_bool)
                    == Some(true)
            };
            !good("next-engine")
                || !good("smaregi")
                || items(&answer, "missing-scopes").next().is_some()
        }
        "connection.get-status" => answer
            .get("login-needed")
            .is_some_and(|text| !text.is_null()),
        "stock.compare" => count(&answer, "unexplained-products") > 0,
        "stock.align" => answer.get("guard").is_some_and(|guard| !guard.is_null()),
        _ => false,
    };
    Ok(if waiting {
        Ending::Waiting
    } else {
        Ending::Done
    })
}

async fn connect(
    tenant: &Tenant,
    show: &Show,
    arguments: &Connect,
    public_url: &str,
) -> anyhow::Result<Ending> {
    let call = if arguments.on {
        Some((
            "connection.switch-on",
            json!({ "backlog": arguments.backlog.word() }),
        ))
    } else if arguments.off {
        Some(("connection.switch-off", json!({})))
    } else if arguments.disconnect {
        Some(("connection.disconnect", json!({})))
    } else {
        None
    };
    match call {
        Some((function, call)) => {
            show.answer("connection.get-status", &tenant.call(function, call).await?)
        }
        // The login needs the browser that will come back, so the running server begins it.
        None => show.login_address(&format!("{public_url}/t/{}/login", tenant.name)),
    }
    Ok(Ending::Done)
}

async fn settings(tenant: &Tenant, show: &Show, what: &SettingsCommand) -> anyhow::Result<Ending> {
    match what {
        SettingsCommand::Get => show.value(&tenant.call("settings.get", json!({})).await?),
        SettingsCommand::Put { file } => put_settings(tenant, &read(file)?).await?,
        SettingsCommand::Check { file } => {
            let settings = laid_over(tenant, &read(file)?).await?;
            let problems = tenant
                .call("settings.validate", json!({ "settings": settings }))
                .await?;
            show.problems(&problems);
            return Ok(if problems.as_array().is_some_and(Vec::is_empty) {
                Ending::Done
            } else {
                Ending::Waiting
            });
        }
        SettingsCommand::Hosts => {
            let settings = tenant.call("settings.get", json!({})).await?;
            show.hosts(
                &tenant
                    .call("settings.hosts", json!({ "settings": settings }))
                    .await?,
            );
        }
    }
    Ok(Ending::Done)
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    }
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))
}

async fn import(tenant: &Tenant, show: &Show, shop: Option<String>) -> anyhow::Result<Ending> {
    let shops = match shop {
        Some(shop) => vec![shop],
        None => {
            let stores = tenant.call("orders.stores", json!({})).await?;
            stores
                .as_array()
                .into_iter()
                .flatten()
                .map(|store| field(store, "shop-id"))
                .collect()
        }
    };
    let mut ending = Ending::Done;
    for shop in shops {
        if long(
            tenant,
            show,
            "orders.import-shop",
            json!({ "shop-id": shop }),
        )
        .await?
            == Ending::Waiting
        {
            ending = Ending::Waiting;
        }
    }
    show.answer(
        "orders.stores",
        &tenant.call("orders.stores", json!({})).await?,
    );
    Ok(ending)
}

/// Calls in slices until nothing is left to do now, adding the counts up.
async fn long(
    tenant: &Tenant,
    show: &Show,
    function: &str,
    mut arguments: Value,
) -> anyhow::Result<Ending> {
    let bar = if std::io::stderr().is_terminal() && !show.json {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    if let Some(arguments) = arguments.as_object_mut() {
        arguments.insert(
            "budget".to_owned(),
            json!({ "requests": SLICE.0, "seconds": SLICE.1 }),
        );
    }
    let mut total = Value::Null;
    loop {
        let progress = tenant.call(function, arguments.clone()).await?;
        let more = progress.get("more").and_then(Value::as_bool) == Some(true);
        add(&mut total, progress);
        bar.set_message(show.line(function, &total));
        if !more {
            break;
        }
    }
    bar.finish_and_clear();
    show.answer(function, &total);
    let waiting = count(&total, "refused") + count(&total, "products-held") > 0;
    Ok(if waiting {
        Ending::Waiting
    } else {
        Ending::Done
    })
}

/// What counts only the call is added up; what tells the present is replaced.
const PRESENT: [&str; 4] = [
    "waiting",
    "products-waiting",
    "products-held",
    "hints-waiting",
];

fn add(total: &mut Value, progress: Value) {
    let (Some(sum), Some(new)) = (total.as_object_mut(), progress.as_object()) else {
        *total = progress;
        return;
    };
    for (name, value) in new {
        let added = value
            .as_u64()
            .zip(sum.get(name).and_then(Value::as_u64))
            .map(|(a, b)| json!(a + b));
        let value = added
            .filter(|_| !PRESENT.contains(&name.as_str()))
            .unwrap_or_else(|| value.clone());
        sum.insert(name.clone(), value);
    }
}

async fn history(
    tenant: &Tenant,
    show: &Show,
    which: Which,
    limit: u32,
    outcome: Option<String>,
) -> anyhow::Result<Ending> {
    let function = match which {
        Which::Sent => "history.sent",
        Which::Received => "history.received",
    };
    let (mut entries, mut continuation) = (Vec::new(), Value::Null);
    loop {
        let left = usize::try_from(limit)
            .unwrap_or(usize::MAX)
            .saturating_sub(entries.len());
        let page = json!({ "filter": { "outcome": outcome }, "page": { "limit": left.min(500), "continuation": continuation } });
        let answer = tenant.call(function, page).await?;
        entries.extend(items(&answer, "entries").cloned());
        continuation = answer.get("continuation").cloned().unwrap_or_default();
        if continuation.is_null() || entries.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            break;
        }
    }
    entries.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    show.answer(function, &Value::Array(entries));
    Ok(Ending::Done)
}

/// `component`
pub fn component(wit: bool, out: Option<&Path>) -> anyhow::Result<Ending> {
    if wit || out.is_none() {
        println!("{}", crate::runtime::contract(EMBEDDED)?);
    }
    if let Some(out) = out {
        std::fs::write(out, EMBEDDED).with_context(|| out.display().to_string())?;
    }
    Ok(Ending::Done)
}
