//! What a call costs that does next to nothing: a fresh instance out of the pool, the call, and the instance's end, through the host as it
//! is. The component's is `connection.get-status` of a shop that has nothing stored; beside it a component of one function that
//! returns a number, called by the same host in turn.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use async_trait::async_trait;
use serde_json::json;
use tsunagi::{
    clock::SystemClock,
    runtime::{AllowList, Runtime, RuntimeConfig, Surroundings},
    storage::{Check, Direction, Entry, Store, StoreError, Write},
};

use crate::{
    Plan,
    figures::in_turn,
    table::{Goal, Row},
};

/// Calls of one measurement.
const CALLS: u32 = 50;
const CALLED: &str = "connection.get-status";
/// Everything that a component needs to be called by the same name.
const EMPTY: &str = r#"(component
    (core module $module (func (export "f") (result i32) i32.const 0))
    (core instance $core (instantiate $module))
    (func $f (result u32) (canon lift (core func $core "f")))
    (instance $connection (export "get-status" (func $f)))
    (export "tsunagi:connector/connection@0.1.0" (instance $connection)))"#;

pub fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let empty = Runtime::of(&wat::parse_str(EMPTY)?, RuntimeConfig::default())?;
    // One thread: what a call costs, not how quickly two threads wake each other.
    let threads = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let surroundings = Surroundings {
        store: Arc::new(Nothing),
        tenant: "none".to_owned(),
        clock: Arc::new(SystemClock::new()),
        allowed: AllowList::default(),
    };
    let calls = |runtime: &Runtime| threads.block_on(calls(runtime, &surroundings));
    let times = plan.size(200, 20);
    let [ours, emptys, ratio] = in_turn(times, || calls(&plan.runtime), || calls(&empty))?;
    let micro = |figures: crate::figures::Figures| figures.times(1e6 / f64::from(CALLS));
    let what = "fresh instance and an empty call, pooled";
    let note = format!("an empty component: {:.0} µs", micro(emptys).median());
    Ok(vec![
        Row::of("instance.call", what, "µs", &micro(ours))
            .goal(Goal::AtMost(60.0))
            .note(note),
        Row::of(
            "instance.ratio",
            format!("{what} ÷ an empty component"),
            "",
            &ratio,
        )
        .goal(Goal::AtMost(1.3)),
    ])
}

async fn calls(runtime: &Runtime, surroundings: &Surroundings) -> Result<Duration> {
    let nothing = json!({});
    let begun = Instant::now();
    for _ in 0..CALLS {
        let done = runtime.call(surroundings, CALLED, &nothing).await?;
        done.map_err(|error| anyhow!("{error}"))?;
    }
    Ok(begun.elapsed())
}

/// A store without anything.
struct Nothing;

#[async_trait]
impl Store for Nothing {
    async fn get(&self, _: &str, keys: Vec<String>) -> Result<Vec<Option<Entry>>, StoreError> {
        Ok(keys.iter().map(|_| None).collect())
    }

    async fn scan(
        &self,
        _: &str,
        _: String,
        _: String,
        _: Direction,
        _: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }

    async fn commit(&self, _: &str, _: Vec<Check>, _: Vec<Write>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn move_to(&self, _: &str, _: Option<&str>) -> Result<(), StoreError> {
        Ok(())
    }
}
