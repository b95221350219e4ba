//! The sandbox over real HTTP on loopback: one listener for Next Engine, one for Smaregi, and webhook delivery.
//! It must hold no rule of either service: it starts, stops and locks the world.

mod carry;
mod describe;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;

use crate::clock::SandboxClock;
use crate::faults::FaultRule;
use crate::lock;
use crate::next_engine::NextEngine;
use crate::shop::ShopData;
use crate::smaregi::Smaregi;
use crate::switches::Switches;
use crate::world::World;

/// What to start the sandbox with.
#[derive(Default)]
pub struct SandboxConfig {
    /// Time; the system's when `None`.
    pub clock: Option<SandboxClock>,
    /// Answers to the open questions.
    pub switches: Switches,
    /// Port of the Next Engine listener; 0 for any free one.
    pub next_engine_port: u16,
    /// Port of the Smaregi listener; 0 for any free one.
    pub smaregi_port: u16,
    /// The app's redirect address at Next Engine; the usual one when `None`.
    pub redirect_uri: Option<String>,
    /// What makes Smaregi's event ids differ from another process's; taken from the system when `None`.
    pub event_seed: Option<u64>,
    /// What fills both services' books; empty books when `None`.
    pub shop: Option<ShopData>,
}

/// A running sandbox; dropping it closes the listeners.
pub struct Sandbox {
    world: Arc<Mutex<World>>,
    clock: SandboxClock,
    next_engine: String,
    smaregi: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts both listeners on a thread of their own, so it works from plain tests and from any async runtime.
    ///
    /// # Errors
    /// When a port cannot be had, the thread or its runtime cannot be made, the redirect address is not allowed, or the shop does
    /// not fit together.
    pub fn start(config: SandboxConfig) -> io::Result<Self> {
        let clock = config.clock.unwrap_or_else(SandboxClock::system);
        let mut world = World::new(clock.clone(), config.switches);
        if let Some(shop) = &config.shop {
            world.load(shop).map_err(io::Error::other)?;
        }
        if let Some(address) = &config.redirect_uri {
            let registered = world.next_engine.set_redirect_uri(address);
            registered.map_err(io::Error::other)?;
        }
        world
            .smaregi
            .seed_events(config.event_seed.unwrap_or_else(of_this_process));
        let (ne_listener, next_engine) = listen(config.next_engine_port)?;
        let (smaregi_listener, smaregi) = listen(config.smaregi_port)?;
        let world = Arc::new(Mutex::new(world));
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let shared = Arc::clone(&world);
        let thread = std::thread::Builder::new()
            .name(String::from("sandbox"))
            .spawn(move || {
                runtime.block_on(carry::run(shared, ne_listener, smaregi_listener, stopped));
                runtime.shutdown_background();
            })?;
        Ok(Self {
            world,
            clock,
            next_engine,
            smaregi,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Base address of Next Engine's sign-in host (in production `https://base.next-engine.org`), without a trailing slash.
    pub fn ne_sign_in(&self) -> String {
        self.next_engine.clone()
    }

    /// Base address of Next Engine's API host (`https://api.next-engine.org`), without a trailing slash.
    pub fn ne_api(&self) -> String {
        self.next_engine.clone()
    }

    /// Base address of Smaregi's identity host (`https://id.smaregi.jp`), without a trailing slash.
    pub fn smaregi_id(&self) -> String {
        self.smaregi.clone()
    }

    /// Base address of Smaregi's API host (`https://api.smaregi.jp`), without a trailing slash.
    pub fn smaregi_api(&self) -> String {
        self.smaregi.clone()
    }

    /// The clock both services live by.
    pub fn clock(&self) -> &SandboxClock {
        &self.clock
    }

    /// Locks everything; whatever the clock has made due runs first. Don't send a request from inside.
    pub fn world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        let mut world = lock(&self.world);
        world.tick();
        look(&mut world)
    }

    /// Locks Next Engine's books.
    pub fn next_engine<R>(&self, look: impl FnOnce(&mut NextEngine) -> R) -> R {
        self.world(|world| look(&mut world.next_engine))
    }

    /// Locks Smaregi's books.
    pub fn smaregi<R>(&self, look: impl FnOnce(&mut Smaregi) -> R) -> R {
        self.world(|world| look(&mut world.smaregi))
    }

    /// Puts a fault in force.
    pub fn add_fault(&self, rule: FaultRule) {
        self.world(|world| world.faults.add(rule));
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means the thread is gone already, which is what we want.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A number that no other process is likely to have.
fn of_this_process() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let moment = now.map_or(0, |since| since.as_nanos() as u64);
    moment.rotate_left(20) ^ u64::from(std::process::id())
}

fn listen(port: u16) -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let address = format!("http://{}", listener.local_addr()?);
    Ok((listener, address))
}
