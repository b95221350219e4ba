//! `tenants`: which shops there are and how they stand, adding and removing them while `serve` runs, a shop's data as a file. What a running
//! `serve` keeps going, it ends; the command only says so and waits. Decides nothing about orders or stock.

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use chrono::Utc;
use clap::{Args, Subcommand};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::{
    Common, Ending,
    failure::{Unfit as NotTaken, Usage},
    serve::{self, Opened},
    words::{self, Language, count, field, table},
};
use crate::{
    config::{Config, is_place},
    console, notices,
    records::Records,
    shops::{
        Served,
        book::{self, Fate},
        bring_back, finish,
    },
    storage::{Sqlite, Store, new_private_file},
};

/// Shops asked at once.
const AT_ONCE: usize = 4;
/// How long a running `serve` is waited for: it looks every other second, and lets a call under way finish.
const PATIENCE: Duration = Duration::from_secs(90);
const AGAIN: Duration = Duration::from_millis(300);

/// `tenants`
#[derive(Args)]
pub struct Tenants {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Lists them with their states, those that need somebody first.
    List {
        /// Only names that have this in them.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Adds one; a running `serve` takes it up within seconds.
    Add {
        /// Lower-case letters, digits and hyphens, at most 40.
        name: String,
        /// Go on with the data that was kept when a shop of this name was removed.
        #[arg(long)]
        with_kept_data: bool,
        /// A place it may reach beyond those its settings need, as https://api.example.jp; may be repeated.
        #[arg(long, value_name = "PLACE")]
        allowed_host: Vec<String>,
    },
    /// Removes one that was added, once its call under way has ended. Nothing changes at Smaregi and Next Engine.
    #[command(group = clap::ArgGroup::new("data").required(true))]
    Remove {
        /// Its name.
        name: String,
        /// Keep its data aside, for `tenants add --with-kept-data`.
        #[arg(long, group = "data")]
        keep_data: bool,
        /// Delete its data for good.
        #[arg(long, group = "data")]
        delete_data: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Writes a shop's data, without tokens and secrets, as JSON lines.
    Export {
        /// Its name.
        name: String,
        /// Where to.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Runs it.
pub async fn run(common: &Common, tenants: Tenants) -> anyhow::Result<Ending> {
    match tenants.what.unwrap_or(What::List { search: None }) {
        What::List { search } => list(common, search.unwrap_or_default()).await,
        What::Add {
            name,
            with_kept_data,
            allowed_host,
        } => add(common, &name, with_kept_data, allowed_host).await,
        What::Remove {
            name,
            delete_data,
            yes,
            ..
        } => remove(common, &name, delete_data, yes).await,
        What::Export { name, out } => export(common, &name, &out).await,
    }
}

fn records(opened: &Opened) -> Records {
    Records::new(opened.store.clone())
}

async fn list(common: &Common, search: String) -> anyhow::Result<Ending> {
    let opened = serve::open(common).await?;
    let wanted = |served: &Served| served.tenant.name.contains(&search);
    let shops = opened.shops.all().into_iter().filter(wanted);
    let states = stream::iter(shops).map(state).buffered(AT_ONCE);
    let mut states: Vec<Value> = states.collect().await;
    states.sort_by_key(|state| !needs(state));
    let book = book::all(&records(&opened)).await?;
    let leaving = book.iter().filter(|(_, added)| added.leaving.is_some());
    let leaving: Vec<&str> = leaving.map(|(name, _)| name.as_str()).collect();
    let kept = book::kept(&records(&opened)).await?;
    if common.json {
        outln!(
            "{:#}",
            json!({ "tenants": states, "leaving": leaving, "kept": kept })
        );
    } else {
        show(common.language(), &states, &leaving, &kept);
    }
    let waits = states.iter().any(needs);
    Ok(if waits { Ending::Waiting } else { Ending::Done })
}

fn needs(state: &Value) -> bool {
    state.get("needs-person") == Some(&json!(true))
}

/// How a shop stands, by what the component says of it.
async fn state(served: Served) -> Value {
    let tenant = &served.tenant;
    let read = tokio::try_join!(
        tenant.call("connection.get-status", json!({})),
        tenant.call("orders.stores", json!({})),
    );
    let mut state =
        json!({ "name": tenant.name, "origin": served.origin.word(), "needs-person": true });
    let told = match read {
        Ok((status, stores)) => {
            let ends = status
                .pointer("/tokens/refresh-expires-at")
                .cloned()
                .unwrap_or_default();
            let needs = notices::needs_person(&status, &stores, tenant.clock().now());
            json!({
                "switched-on": status.get("switched-on"), "login-ends": ends, "refused": notices::refused(&stores),
                "last-import": console::last_import(&stores), "needs-person": needs,
            })
        }
        Err(error) => json!({ "error": error.to_string() }),
    };
    crate::json::lay(&mut state, &told);
    state
}

fn show(language: Language, states: &[Value], leaving: &[&str], kept: &[String]) {
    let head = [
        ("店舗", "shop"),
        ("登録元", "from"),
        ("連携", "link"),
        ("ログインの期限", "login ends"),
        ("見送り", "refused"),
        ("最終取込", "last import"),
        ("要対応", "needs you"),
    ];
    let mut shown = table(&head.map(|(ja, en)| language.of(ja, en)));
    for state in states {
        let is = |name: &str| state.get(name) == Some(&json!(true));
        let error = field(state, "error");
        let link = if is("switched-on") {
            language.of("オン", "on")
        } else {
            language.of("オフ", "off")
        };
        let mark = if is("needs-person") {
            language.of("要対応", "yes")
        } else {
            ""
        };
        shown.add_row([
            field(state, "name"),
            field(state, "origin"),
            if error.is_empty() {
                link.to_owned()
            } else {
                error
            },
            words::short_moment(&field(state, "login-ends")),
            count(state, "refused").to_string(),
            words::short_moment(&field(state, "last-import")),
            mark.to_owned(),
        ]);
    }
    if states.is_empty() {
        let none = language.of(
            "店舗がありません。`tsunagi tenants add 名前` で追加できます。",
            "No shop; `tsunagi tenants add NAME` adds one.",
        );
        outln!("{none}");
    } else {
        outln!("{shown}");
    }
    if !leaving.is_empty() {
        outln!(
            "{}: {}",
            language.of("削除中", "being removed"),
            leaving.join(", ")
        );
    }
    if !kept.is_empty() {
        outln!(
            "{}: {}",
            language.of("データを残した店舗", "data kept of"),
            kept.join(", ")
        );
    }
}

async fn add(
    common: &Common,
    name: &str,
    with_kept_data: bool,
    allowed_hosts: Vec<String>,
) -> anyhow::Result<Ending> {
    if let Some(host) = allowed_hosts.iter().find(|host| !is_place(host)) {
        return Err(Usage(format!("{host} is no place such as https://api.example.jp")).into());
    }
    let (config, store) = book_of(common)?;
    if config.tenants.contains_key(name) {
        return Err(NotTaken(format!("{name} {}", book::Unfit::Taken)).into());
    }
    let records = Records::new(store.clone());
    if with_kept_data && let Err(unfit) = bring_back(&store, name).await? {
        return Err(NotTaken(format!("{name} {unfit}")).into());
    }
    let added = book::add(&records, name, allowed_hosts, Utc::now()).await?;
    let secret = added.map_err(|unfit| NotTaken(format!("{name} {unfit}")))?;
    console::note_by_command(&records, name, "shop-added", &[("shop", name)], Utc::now()).await?;
    let address = format!("{}/t/{name}/webhook/smaregi", config.public_url);
    if common.json {
        outln!(
            "{:#}",
            json!({ "name": name, "webhook-address": address, "webhook-header": "X-Tsunagi-Secret", "webhook-secret": secret })
        );
        return Ok(Ending::Done);
    }
    let said = common.language().of(
        "追加しました。スマレジの Webhook に次の2つを登録してください(合言葉はもう表示されません):",
        "Added. Register these two with Smaregi's webhook (the secret is not shown again):",
    );
    outln!("{said}\n  {address}\n  X-Tsunagi-Secret: {secret}");
    outln!("tsunagi settings put FILE --tenant {name}\ntsunagi operator --tenant {name}");
    Ok(Ending::Done)
}

/// The configuration and the store, without the component.
fn book_of(common: &Common) -> anyhow::Result<(Config, Arc<dyn Store>)> {
    let config = Config::load(&common.config)?;
    let store = Sqlite::open(&config.store).with_context(|| config.store.display().to_string())?;
    Ok((config, Arc::new(store)))
}

async fn remove(
    common: &Common,
    name: &str,
    delete_data: bool,
    yes: bool,
) -> anyhow::Result<Ending> {
    let (config, store) = book_of(common)?;
    if config.tenants.contains_key(name) {
        return Err(NotTaken(format!("{name} {}", book::Unfit::Configured)).into());
    }
    let records = Records::new(store.clone());
    if book::find(&records, name).await?.is_none() {
        return Err(NotTaken(format!("{name} {}", book::Unfit::Unknown)).into());
    }
    if !yes {
        confirm(common.language(), name)?;
    }
    let (data, word) = if delete_data {
        (Fate::Deleted, "deleted")
    } else {
        (Fate::Kept, "kept")
    };
    // One that is leaving already is waited for.
    if book::remove(&records, name, data, Utc::now())
        .await?
        .is_ok()
    {
        let what = [("shop", name), ("data", word)];
        console::note_by_command(&records, name, "shop-removed", &what, Utc::now()).await?;
    }
    drop((records, store));
    let is_gone = gone(&config.store, name).await?;
    if common.json {
        outln!(
            "{:#}",
            json!({ "name": name, "data": word, "gone": is_gone })
        );
    } else {
        let said = if is_gone {
            common.language().of("削除しました。", "Removed.")
        } else {
            common.language().of(
                "削除を記録しました。動いている serve が、処理中のものを終えてから取り除きます。`tsunagi tenants` で確かめてください。",
                "Its removal is written down; the running serve takes it away once what is under way has ended. See `tsunagi tenants`.",
            )
        };
        outln!("{said}");
    }
    Ok(Ending::Done)
}

/// Whether it is gone in time: by whoever keeps the shops going, or, when nobody uses the store, by ourselves.
async fn gone(path: &Path, name: &str) -> anyhow::Result<bool> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(store) = Sqlite::open_alone(path)? {
            let store: Arc<dyn Store> = Arc::new(store);
            let found = book::find(&Records::new(store.clone()), name).await?;
            if let Some(leaving) = found.and_then(|added| added.leaving) {
                finish(&store, name, leaving.data).await?;
            }
            return Ok(true);
        }
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(path)?);
        if book::find(&Records::new(store), name).await?.is_none() {
            return Ok(true);
        }
        tokio::time::sleep(AGAIN).await;
    }
    Ok(false)
}

fn confirm(language: Language, name: &str) -> anyhow::Result<()> {
    let first = format!("tsunagi tenants export {name} --out {name}.jsonl");
    if !std::io::stdin().is_terminal() {
        let what = format!("add --yes to remove {name}; its data as a file first: {first}");
        return Err(Usage(what).into());
    }
    let said = language.of(
        "データを手元に残すには先に次を実行してください。削除するには店舗の名前を入力:",
        "To have its data as a file, run this first. To remove it, type its name:",
    );
    eprint!("{said}\n  {first}\n> ");
    std::io::stderr().flush()?;
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    if typed.trim() == name {
        return Ok(());
    }
    let what =
        "this is not its name; nothing was removed. Run it again and type the name as it is listed";
    Err(NotTaken(what.to_owned()).into())
}

async fn export(common: &Common, name: &str, out: &Path) -> anyhow::Result<Ending> {
    let opened = serve::open(common).await?;
    let tenant = opened.one(Some(name))?;
    let mut file = new_private_file(out).with_context(|| {
        format!(
            "{} cannot be written; choose a name that is not used yet",
            out.display()
        )
    })?;
    let mut rows = std::pin::pin!(console::export_rows(records(&opened), tenant));
    while let Some(piece) = rows.next().await {
        file.write_all(&piece?)?;
    }
    file.sync_all()?;
    console::note_by_command(&records(&opened), name, "exported", &[], Utc::now()).await?;
    if common.json {
        outln!(
            "{:#}",
            json!({ "name": name, "file": out.display().to_string() })
        );
    }
    Ok(Ending::Done)
}
