//! The kit as a component: the traits over its imports, and the export. Decides nothing.

mod bindings;
mod http;

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use wasip2::{
    clocks::{monotonic_clock, wall_clock},
    random::random::get_random_u64,
};

use crate::{
    contention,
    ports::{Condition, Entry, Failure, Storage, Surroundings, Write},
    report, storage, surroundings,
    web::{self, Around},
};
use bindings::{exports::tsunagi::connector::checks as wit, tsunagi::connector::storage as import};

struct Kit;

#[expect(
    unsafe_code,
    reason = "the generated export glue declares the component's symbols"
)]
mod export {
    super::bindings::export!(Kit with_types_in super::bindings);

    use super::Kit;
}

impl wit::Guest for Kit {
    fn run(peer: Option<String>) -> Vec<wit::Finding> {
        let checks = storage::all();
        let mut findings: Vec<_> = checks
            .iter()
            .map(|check| storage::run(check, &Platform))
            .collect();
        findings.push(contention::leave(&Platform));
        findings.extend(wstd::runtime::block_on(outside(peer)));
        findings.into_iter().map(finding).collect()
    }

    fn contend(turns: u32) -> Result<u32, String> {
        contention::contend(&Platform, turns).map_err(|why| format!("{why:#}"))
    }

    fn contended(turns: u32) -> wit::Finding {
        finding(contention::contended(&Platform, turns))
    }

    fn survived() -> wit::Finding {
        finding(contention::survived(&Platform))
    }
}

async fn outside(peer: Option<String>) -> Vec<report::Finding> {
    let peer = peer.map(|address| http::Peer { address });
    let around = peer.as_ref().map(|peer| Around {
        web: peer,
        surroundings: &Platform,
    });
    let peer_time = match &peer {
        Some(peer) => web::peer_time(peer).await.ok(),
        None => None,
    };
    let mut findings = surroundings::run(&Platform, peer_time).await;
    findings.extend(web::run(around).await);
    findings
}

fn finding(finding: report::Finding) -> wit::Finding {
    wit::Finding {
        name: finding.name.to_owned(),
        sentence: finding.sentence.to_owned(),
        outcome: match finding.outcome {
            report::Outcome::Kept => wit::Outcome::Kept,
            report::Outcome::Broken(why) => wit::Outcome::Broken(why),
            report::Outcome::Skipped(needs) => wit::Outcome::Skipped(needs),
        },
    }
}

/// What the platform gives.
struct Platform;

impl Surroundings for Platform {
    fn wall(&self) -> u64 {
        let now = wall_clock::now();
        now.seconds
            .saturating_mul(1_000)
            .saturating_add(u64::from(now.nanoseconds / 1_000_000))
    }

    fn monotonic(&self) -> u64 {
        monotonic_clock::now() / 1_000_000
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(async move {
            wstd::task::sleep(duration.into()).await;
        })
    }

    fn random(&self) -> u64 {
        get_random_u64()
    }
}

impl Storage for Platform {
    fn get(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, Failure> {
        let found = import::get(keys).map_err(failure)?;
        Ok(found.into_iter().map(|found| found.map(entry)).collect())
    }

    fn scan(
        &self,
        start: &str,
        end: &str,
        backward: bool,
        limit: u32,
    ) -> Result<Vec<Entry>, Failure> {
        let range = import::KeyRange {
            start: start.to_owned(),
            end: end.to_owned(),
        };
        let direction = if backward {
            import::Direction::Backward
        } else {
            import::Direction::Forward
        };
        let found = import::scan(&range, direction, limit).map_err(failure)?;
        Ok(found.into_iter().map(entry).collect())
    }

    fn commit(&self, checks: &[Condition], writes: &[Write]) -> Result<(), Failure> {
        let checks: Vec<_> = checks
            .iter()
            .map(|(key, revision)| import::Check {
                key: key.clone(),
                revision: *revision,
            })
            .collect();
        let writes: Vec<_> = writes
            .iter()
            .map(|(key, value)| import::Write {
                key: key.clone(),
                value: value.clone(),
            })
            .collect();
        import::commit(&checks, &writes).map_err(failure)
    }
}

fn entry(entry: import::Entry) -> Entry {
    Entry {
        key: entry.key,
        revision: entry.revision,
        value: entry.value,
    }
}

fn failure(error: import::StorageError) -> Failure {
    match error {
        import::StorageError::Conflict(key) => Failure::Conflict(key),
        import::StorageError::Unavailable(why) => Failure::Unavailable(why),
    }
}
