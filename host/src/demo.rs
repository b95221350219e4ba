//! The demo: a day of a small shop against the sandbox, told to a person or as one JSON object, and judged by both services' own
//! books. Decides nothing about orders or stock.

pub mod browser;
mod day;
pub mod judge;
pub mod stage;
mod story;

use std::pin::pin;

use anyhow::Context;
use chrono::DateTime;
use tsunagi_sandbox::{
    Switches,
    shop::{ShopData, demo_shop},
};

use crate::{
    cli::words::Language,
    runtime::{Runtime, RuntimeConfig},
};
use stage::{Play, Stage};
use story::Story;

/// How to tell it.
#[derive(Debug, Clone, Copy)]
pub struct DemoOptions {
    /// One JSON object on standard output and nothing else.
    pub json: bool,
    /// The story's language.
    pub language: Language,
}

/// The morning the demo plays on; fixed, so that two runs tell the same.
const MORNING: &str = "2026-11-24T09:00:00+09:00";

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Both services' books agree.
    Agree,
    /// They do not.
    Differ,
    /// Somebody asked to end before it was told.
    Interrupted,
}

/// Plays the day until `asked` ends; with `keep` everything stays up afterwards, until then.
///
/// # Errors
/// When the day cannot be played to its end.
pub async fn run(
    options: DemoOptions,
    runtime: RuntimeConfig,
    keep: bool,
    asked: impl Future<Output = ()>,
) -> anyhow::Result<Told> {
    let story = Story::new(options.language, options.json);
    let mut asked = pin!(asked);
    let (stage, good) = tokio::select! {
        played = play(&story, runtime) => played?,
        () = &mut asked => return Ok(Told::Interrupted),
    };
    if keep {
        story.kept(&stage, &stage.console_link().await?);
        asked.await;
    }
    stage.close().await;
    Ok(if good { Told::Agree } else { Told::Differ })
}

/// The stage in the evening of the day, for who goes on from there; nothing is told and nothing judged.
///
/// # Errors
/// When the day cannot be played to its end.
pub async fn played(runtime: Runtime) -> anyhow::Result<Stage> {
    let story = Story::new(Language::En, true);
    let (stage, shop) = set(runtime).await?;
    day::play(&stage, &shop, &story).await?;
    Ok(stage)
}

async fn play(story: &Story, runtime: RuntimeConfig) -> anyhow::Result<(Stage, bool)> {
    story.waiting("コンポーネントを準備しています", "Preparing the component");
    let runtime = tokio::task::spawn_blocking(move || Runtime::new(runtime))
        .await?
        .map_err(anyhow::Error::from)?;
    let (stage, shop) = set(runtime).await?;
    let script = day::play(&stage, &shop, story).await?;
    let verdict = judge::judge(&stage, &script, story.decided()).await?;
    story.finish(&stage, &verdict).await?;
    Ok((stage, verdict.is_good()))
}

/// The stage before the day, and the shop of the sandbox.
async fn set(runtime: Runtime) -> anyhow::Result<(Stage, ShopData)> {
    let begins = DateTime::parse_from_rfc3339(MORNING).context("the demo's morning")?;
    let shop = demo_shop(begins);
    let play = Play {
        shop: shop.clone(),
        switches: Switches::default(),
        begins,
    };
    Ok((Stage::start(play, runtime).await?, shop))
}
