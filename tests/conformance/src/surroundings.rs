//! Checks of the clocks and of random.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Result, ensure};

use crate::{ports::Surroundings, report::Finding};

const WALL: &str = "The wall clock tells the time of day.";
const MONOTONIC: &str = "The monotonic clock never goes back, and waiting lets it pass.";
const RANDOM: &str = "No random number can be guessed from another, nor from another instance's.";

/// 2026-01-01: nobody ran this before.
const BEGINNING: u64 = 1_767_225_600_000;
const WAIT: Duration = Duration::from_millis(60);
/// The other side's clock and ours may be this far apart (milliseconds): a wrong zone is more, a slow network less.
const APART: u64 = 120_000;
const NUMBERS: usize = 256;

/// All of them; `peer_time` is the other side's clock, where there is one.
pub async fn run(around: &dyn Surroundings, peer_time: Option<u64>) -> Vec<Finding> {
    vec![
        Finding::of("wall-clock", WALL, wall(around, peer_time)),
        Finding::of("monotonic-clock", MONOTONIC, monotonic(around).await),
        Finding::of("random", RANDOM, random(around)),
    ]
}

fn wall(around: &dyn Surroundings, peer_time: Option<u64>) -> Result<()> {
    let now = around.wall();
    ensure!(now >= BEGINNING, "{now} ms since 1970 lie before this kit");
    if let Some(theirs) = peer_time {
        let apart = now.abs_diff(theirs);
        ensure!(
            apart <= APART,
            "{apart} ms apart from the other side's clock"
        );
    }
    Ok(())
}

async fn monotonic(around: &dyn Surroundings) -> Result<()> {
    let mut last = around.monotonic();
    for _ in 0..1_000 {
        let now = around.monotonic();
        ensure!(now >= last, "{now} ms after {last} ms");
        last = now;
    }
    around.sleep(WAIT).await;
    let passed = around.monotonic().saturating_sub(last);
    let least = u64::try_from(WAIT.as_millis())? - 1;
    ensure!(
        passed >= least,
        "{passed} ms passed while {WAIT:?} were waited"
    );
    Ok(())
}

fn random(around: &dyn Surroundings) -> Result<()> {
    let drawn: BTreeSet<u64> = (0..NUMBERS).map(|_| around.random()).collect();
    ensure!(
        drawn.len() == NUMBERS,
        "{} different ones of {NUMBERS}",
        drawn.len()
    );
    let bits = drawn.iter().fold(0, |bits, number| bits | number);
    ensure!(bits == u64::MAX, "some of 64 bits are never set");
    Ok(())
}
