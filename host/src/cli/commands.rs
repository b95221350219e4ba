//! One shop's commands: call the contract, show what it answered, say whether a person is needed. Decides nothing about orders or
//! stock.

mod bar;
mod slices;

use std::{io::Read, path::Path, time::Duration};

use serde_json::{Value, json};

use super::{
    Command, Common, Ending, Which,
    failure::{Unfit, Usage},
    interrupt::Interrupt,
    operate::{Connect, SettingsCommand},
    serve::{self, laid_over, put_settings},
    show::Show,
    words::{count, items},
};
use crate::{
    server::login_address,
    tenant::{CallError, Tenant},
};
use slices::{SLICE, Slices};

/// Runs a command on one shop.
pub async fn run(
    common: &Common,
    command: Command,
    interrupt: Interrupt,
) -> anyhow::Result<Ending> {
    let opened = serve::open(common).await?;
    let tenant = opened.one(common.tenant.as_deref())?;
    let show = Show {
        language: common.language(),
        json: common.json,
    };
    let slices = Slices {
        tenant: &tenant,
        show: &show,
        interrupt,
        slice: SLICE,
    };
    match command {
        Command::Connect(arguments) => {
            connect(&tenant, &show, &arguments, &opened.config.public_url).await
        }
        Command::Settings { what } => settings(&tenant, &show, &what).await,
        Command::Import { shop } => slices.import(shop).await,
        Command::Send => slices.shown("stock.send", json!({})).await,
        Command::CatchUp { since } => {
            slices
                .shown("stock.catch-up", json!({ "since": since }))
                .await
        }
        Command::Retry(arguments) => slices.retry(arguments.choice()).await,
        Command::History {
            which,
            limit,
            outcome,
        } => history(&tenant, &show, which, limit, outcome).await,
        Command::Call {
            function,
            arguments,
        } => {
            show.value(&tenant.call(&function, given(arguments)?).await?);
            Ok(Ending::Done)
        }
        other => short(&tenant, &show, other).await,
    }
}

/// Tries again while another call is at work with Next Engine, which as a rule takes moments: at most ten seconds.
async fn patiently(tenant: &Tenant, function: &str, arguments: &Value) -> Result<Value, CallError> {
    for _ in 0..20 {
        match tenant.call(function, arguments.clone()).await {
            Err(CallError::Contract(error)) if error.kind == "contended" => {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            called => return called,
        }
    }
    tenant.call(function, arguments.clone()).await
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
        Command::Why { key } => ("history.story", json!({ "key": key })),
        _ => ("schedule.calls", json!({})),
    };
    let answer = if function == "connection.check" {
        patiently(tenant, function, &arguments).await?
    } else {
        tenant.call(function, arguments).await?
    };
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
        None => {
            let link = tenant.new_link().await?;
            let address = login_address(public_url, &tenant.name, &link);
            show.login_link(&address, link.expires_at);
        }
    }
    Ok(Ending::Done)
}

async fn settings(tenant: &Tenant, show: &Show, what: &SettingsCommand) -> anyhow::Result<Ending> {
    match what {
        SettingsCommand::Get => show.value(&tenant.call("settings.get", json!({})).await?),
        SettingsCommand::Put { file } => {
            put_settings(tenant, &read(file)?).await?;
            show.stored(&tenant.call("settings.get", json!({})).await?);
        }
        SettingsCommand::Check { file } => {
            let settings = laid_over(tenant, &read(file)?).await?;
            let problems = tenant
                .call("settings.validate", json!({ "settings": settings }))
                .await?;
            show.problems(&problems);
            return Ok(if problems.as_array().is_some_and(Vec::is_empty) {
                Ending::Done
            } else {
                Ending::ToMend
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
        SettingsCommand::Form => {
            let language = json!({ "language": show.language.code() });
            let form = tenant.call("settings.form", language).await?;
            // As it came: read and printed anew, its fields would lose their order.
            outln!("{}", form.as_str().unwrap_or_default());
        }
    }
    Ok(Ending::Done)
}

/// Arguments as they were given, or from standard input.
fn given(arguments: String) -> anyhow::Result<Value> {
    if arguments == "-" {
        return read(Path::new("-"));
    }
    let read = serde_json::from_str(&arguments);
    Ok(read.map_err(|error| Unfit(format!(
            "the arguments are no JSON ({error}): give one JSON object, such as '{{\"shop-id\": \"1\"}}'"
        )))?)
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| {
        Usage(format!(
            "{} cannot be read ({error}); `tsunagi settings get > {}` makes one to edit",
            file.display(),
            file.display()
        ))
    })?;
    let read = serde_json::from_str(&text);
    Ok(read.map_err(|error| Unfit(format!(
            "{} is no JSON ({error}); mend it at that place, or begin again with `tsunagi settings get`",
            file.display()
        )))?)
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
