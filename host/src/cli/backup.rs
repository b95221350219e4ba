//! `backup` and `restore`: the store as it is at one moment, and putting it back. After a restore every link is off: what happened since the
//! backup is at both services and not in the store, and only a person can say when it was looked at. Decides nothing about orders or stock.

use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde_json::json;

use super::{
    Common, Ending,
    failure::{Unfit, Usage},
    help, serve,
    words::Language,
};
use crate::{
    config::Config,
    console,
    storage::{backup, lock},
};

/// `backup`
#[derive(Args)]
pub struct Backup {
    /// A folder that is not there yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// `restore`
#[derive(Args)]
pub struct Restore {
    /// The folder that `backup` made.
    #[arg(value_name = "DIR")]
    from: PathBuf,
    /// Put it in the place of the store that is there; that one is kept beside it.
    #[arg(long)]
    replace: bool,
}

/// Makes one.
pub async fn make(common: &Common, arguments: Backup) -> anyhow::Result<Ending> {
    let config = Config::load(&common.config)?;
    // Nobody may put another store in its place meanwhile.
    let _held = lock::shared(&config.store)?;
    let (store, out) = (config.store.clone(), arguments.out.clone());
    let made = tokio::task::spawn_blocking(move || backup::make(&store, &out, Utc::now())).await?;
    let made = made.map_err(|error| Unfit(format!("{error:#}")))?;
    if common.json {
        outln!(
            "{:#}",
            json!({ "folder": arguments.out.display().to_string(), "manifest": made })
        );
        return Ok(Ending::Done);
    }
    outln!("{}", arguments.out.display());
    eprintln!(
        "{}",
        common.language().of(
            "バックアップしました。トークンを含みます。設定ファイルと合言葉のファイルは含みません。",
            "Backed up. It holds tokens; the configuration and files of secrets are not in it.",
        )
    );
    Ok(Ending::Done)
}

/// Puts one back, and switches all links off.
pub async fn put_back(common: &Common, arguments: Restore) -> anyhow::Result<Ending> {
    let config = Config::load(&common.config)?;
    let store = config.store.clone();
    let Some(held) = lock::alone(&store)? else {
        let what = "the store is in use; end `tsunagi serve` (SIGTERM) and other commands, then restore again";
        return Err(Usage(what.to_owned()).into());
    };
    if store.exists() && !arguments.replace {
        let what = format!(
            "{} is there already; with --replace the backup takes its place, and it is kept beside it",
            store.display()
        );
        return Err(Usage(what).into());
    }
    let manifest = backup::check(&arguments.from).map_err(|error| Unfit(format!("{error:#}")))?;
    let (from, to) = (arguments.from.clone(), store.clone());
    let put = tokio::task::spawn_blocking(move || {
        let put = backup::put_back(&from, &to, Utc::now(), &held);
        put.map(|before| (before, held))
    });
    let (before, held) = put.await?.map_err(|error| Unfit(format!("{error:#}")))?;
    // Before anybody else can begin with it.
    let off = tell_shops(common, held, manifest.made_at).await?;
    if common.json {
        outln!(
            "{:#}",
            json!({ "store": store.display().to_string(), "kept": before.map(|path| path.display().to_string()),
                "made-at": manifest.made_at, "switched-off": off })
        );
    } else {
        tell(
            common.language(),
            &manifest.made_at.to_rfc3339(),
            before.as_deref(),
            &off,
        );
    }
    Ok(Ending::Done)
}

/// Tells every shop's component that its storage is as of then, which switches its link off; says at which shops it was on.
async fn tell_shops(
    common: &Common,
    held: lock::Held,
    made_at: DateTime<Utc>,
) -> anyhow::Result<Vec<String>> {
    let opened = serve::open_held(common, held).await?;
    let as_of = made_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut off = Vec::new();
    for served in opened.shops.all() {
        let tenant = served.tenant;
        let status = tenant.call("connection.get-status", json!({})).await?;
        let restored = json!({ "as-of": as_of });
        tenant.call("connection.restored", restored).await?;
        if status.get("switched-on") == Some(&json!(true)) {
            off.push(tenant.name.clone());
        }
    }
    Ok(off)
}

fn tell(language: Language, made_at: &str, before: Option<&Path>, off: &[String]) {
    let made_at = console::moment(made_at);
    outln!(
        "{}: {made_at}",
        language.of("復元しました。バックアップの時刻", "Restored, as of")
    );
    if let Some(before) = before {
        outln!(
            "{}: {}",
            language.of(
                "それまでの保存先を残しました",
                "The store that was there is kept"
            ),
            before.display()
        );
    }
    if off.is_empty() {
        return;
    }
    outln!(
        "{}: {}\n{}",
        language.of("連携をオフにした店舗", "Links that are off now"),
        off.join(", "),
        language.of(AFTER.0, AFTER.1)
    );
}

/// What a restore of old data means.
pub const AFTER: (&str, &str) = (
    "バックアップのあとに両サービスで起きたことは、この保存先にはありません。店舗ごとに次の順に進めてください:
  1. tsunagi check --tenant 店舗            ログインし直しが必要なら tsunagi connect
  2. tsunagi connect --on                   それまでの在庫変動は送りません(すでに送ったものを二度送らないため)
  3. tsunagi import                         すでに行った登録・取消・在庫移動は、行う前にスマレジで探して見つけます
  4. tsunagi compare、次に tsunagi align    残った差を確かめて合わせます
バックアップのあとに取り込み、復元後の取込より前にキャンセルした受注の取引は、スマレジに残ります。スマレジで取り消してください。",
    help::after_restore!(),
);
