//! A world that gives the component and its native flows the very same answers, so that what is left is their own work: both services'
//! doubles answer once, and from then on their answers are given from a list. Storage is a map in memory, time stands still, and waiting
//! ends at once. What the world itself takes is measured and can be taken off.

mod imports;
mod native;
mod wasm;

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use chrono::{DateTime, FixedOffset};
use tsunagi_sandbox::{
    Outcome, SandboxClock, ServiceName, Switches,
    smaregi::Limits,
    wire::{Request, Response},
};
use tsunagi_simulation::memory::Memory;

use crate::shop;
pub use native::Native;
pub use wasm::Wasm;

/// Everything outside of an instance. Clones share it.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

/// What is behind the lock.
pub struct State {
    /// The tenant's storage.
    pub memory: Memory,
    /// The only moment there is.
    pub now: DateTime<FixedOffset>,
    services: tsunagi_sandbox::World,
    answers: HashMap<u64, Vec<Response>>,
    /// How many answers of each list were given in this run.
    given: HashMap<u64, usize>,
    /// Whether the doubles are still asked.
    asks: bool,
    dice: u64,
    took: Duration,
    /// Questions that no list answers.
    misses: u32,
}

impl World {
    /// A shop with so many orders, each of at most so many lines; nobody has logged in.
    pub fn new(orders: u64, most_lines: u64) -> Result<Self> {
        let now = DateTime::parse_from_rfc3339("2026-11-24T09:00:00+09:00")?;
        let clock = SandboxClock::held_at(now);
        let mut services = tsunagi_sandbox::World::new(clock, Switches::default());
        services.smaregi.set_pace(Limits::None, false);
        let mut data = shop::shop(now, orders);
        for order in &mut data.orders {
            order.lines.truncate(usize::try_from(most_lines)?);
        }
        services
            .load(&data)
            .map_err(|refused| anyhow!("{refused}"))?;
        Ok(Self(Arc::new(Mutex::new(State {
            memory: Memory::default(),
            now,
            services,
            answers: HashMap::new(),
            given: HashMap::new(),
            asks: true,
            dice: 0,
            took: Duration::ZERO,
            misses: 0,
        }))))
    }

    /// Everything.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run from this storage on, with the answers that were given before; and what of its time was the world's.
    pub fn run<T>(
        &self,
        memory: &Memory,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<(Duration, T)> {
        {
            let mut state = self.state();
            state.memory = memory.clone();
            state.given.clear();
            (state.dice, state.took, state.misses) = (0, Duration::ZERO, 0);
        }
        let begun = Instant::now();
        let done = work()?;
        let took = begun.elapsed();
        let state = self.state();
        anyhow::ensure!(
            state.misses == 0,
            "{} questions were never asked before",
            state.misses
        );
        Ok((took.saturating_sub(state.took), done))
    }

    /// From here on the doubles are asked no more.
    pub fn replays(&self) {
        self.state().asks = false;
    }

    /// An effect of the world, whose time is not the guest's.
    pub fn act<T>(&self, effect: impl FnOnce(&mut State) -> T) -> T {
        let begun = Instant::now();
        let mut state = self.state();
        let done = effect(&mut state);
        state.took += begun.elapsed();
        done
    }

    /// What a service answers; `None` for what it was never asked before.
    pub fn answer(&self, request: &Request) -> Option<Response> {
        self.act(|state| state.answer(request))
    }

    /// A person signs in on Next Engine's page: user and state, as they come back.
    pub fn signed_in(&self) -> Result<(String, String)> {
        let next_engine = &mut self.state().services.next_engine;
        let uid = next_engine.users().first().map(|user| user.uid.clone());
        crate::field::state_of(&next_engine.launch(&uid.unwrap_or_default()))
    }

    /// The services' credentials, as a sandbox describes itself; addresses are production's.
    pub fn described(&self) -> serde_json::Value {
        let services = &self.state().services;
        let (app, smaregi) = (services.next_engine.app(), services.smaregi.app());
        serde_json::json!({
            "endpoints": {
                "next-engine-sign-in": "https://base.next-engine.org", "next-engine-api": "https://api.next-engine.org",
                "smaregi-id": "https://id.smaregi.jp", "smaregi-api": "https://api.smaregi.jp",
            },
            "credentials": {
                "next-engine-client-id": app.client_id, "next-engine-client-secret": app.client_secret,
                "next-engine-redirect": app.redirect_uri, "smaregi-contract-id": smaregi.contract_id,
                "smaregi-client-id": smaregi.client_id, "smaregi-client-secret": smaregi.client_secret,
            },
        })
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Option<Response> {
        let mut hasher = DefaultHasher::new();
        (request.method(), request.uri(), request.body()).hash(&mut hasher);
        let question = hasher.finish();
        if self.asks {
            let Outcome::Answer(answer) = self.services.handle(service_of(request), request) else {
                return None;
            };
            self.answers
                .entry(question)
                .or_default()
                .push(answer.clone());
            return Some(answer);
        }
        let given = self.given.entry(question).or_default();
        let answer = self
            .answers
            .get(&question)
            .and_then(|answers| answers.get(*given));
        *given += 1;
        self.misses += u32::from(answer.is_none());
        answer.cloned()
    }

    /// The next of numbers that are the same in each run.
    pub fn roll(&mut self) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.dice.rotate_left(32)
    }
}

fn service_of(request: &Request) -> ServiceName {
    match request.uri().host() {
        Some(host) if host.contains("smaregi") => ServiceName::Smaregi,
        _ => ServiceName::NextEngine,
    }
}
