//! Both services, the clock, the faults and the counters as one value: the whole sandbox without sockets.
//! It must stay deterministic: no threads, no real waiting, no time but the sandbox's.

use std::time::Duration;

use http::StatusCode;

use crate::clock::SandboxClock;
use crate::counters::Counters;
use crate::faults::{FaultKind, Faults};
use crate::next_engine::NextEngine;
use crate::service::{Refused, Service, ServiceName};
use crate::shop::ShopData;
use crate::smaregi::Smaregi;
use crate::switches::Switches;
use crate::webhook::{Webhook, Webhooks};
use crate::wire::{self, Request, Response};

/// The sandbox in process.
pub struct World {
    /// Time.
    pub clock: SandboxClock,
    /// What was asked and answered.
    pub counters: Counters,
    /// What goes wrong.
    pub faults: Faults,
    /// What is on its way to the webhook receiver.
    pub webhooks: Webhooks,
    /// ネクストエンジン.
    pub next_engine: NextEngine,
    /// スマレジ.
    pub smaregi: Smaregi,
}

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// An answer.
    Answer(Response),
    /// The connection closed before the service acted.
    LostBefore,
    /// The service acted, then the connection closed without an answer.
    LostAfter,
    /// The service acted; only the first `keep` bytes of the answer's body arrive.
    CutBody {
        /// The answer as it would have been.
        response: Response,
        /// Bytes of its body that arrive.
        keep: usize,
    },
}

impl Outcome {
    /// The HTTP status that left, if any did.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(response) | Self::CutBody { response, .. } => {
                Some(response.status().as_u16())
            }
            Self::LostBefore | Self::LostAfter => None,
        }
    }
}

/// A request that has arrived and is not over yet.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// How long it shall wait before it is acted on.
    pub delay: Duration,
    service: ServiceName,
    caller: Option<String>,
    together: u64,
    fault: Option<FaultKind>,
}

impl Ticket {
    /// Where the request arrived.
    pub fn service(&self) -> ServiceName {
        self.service
    }
}

impl World {
    /// A sandbox with empty books.
    pub fn new(clock: SandboxClock, switches: Switches) -> Self {
        let webhooks = Webhooks::new(clock.clone());
        Self {
            counters: Counters::default(),
            faults: Faults::default(),
            next_engine: NextEngine::new(clock.clone(), switches),
            smaregi: Smaregi::new(clock.clone(), switches, webhooks.clone()),
            webhooks,
            clock,
        }
    }

    /// The same world again, on a clock held at the same instant; what happens in one does not happen in the other.
    pub fn fork(&self) -> Self {
        let clock = SandboxClock::held_at(self.clock.now());
        let webhooks = self.webhooks.fork(clock.clone());
        Self {
            counters: self.counters.clone(),
            faults: self.faults.clone(),
            next_engine: self.next_engine.fork(clock.clone()),
            smaregi: self.smaregi.fork(clock.clone(), webhooks.clone()),
            webhooks,
            clock,
        }
    }

    /// Fills both services' books with a shop.
    ///
    /// # Errors
    /// When the shop's past does not fit together, e.g. more was shipped than there was.
    pub fn load(&mut self, shop: &ShopData) -> Result<(), Refused> {
        self.smaregi.load(shop);
        self.next_engine.load(shop)
    }

    /// The double of this name.
    pub fn service(&mut self, service: ServiceName) -> &mut dyn Service {
        match service {
            ServiceName::NextEngine => &mut self.next_engine,
            ServiceName::Smaregi => &mut self.smaregi,
        }
    }

    /// Handles one request from arrival to end. Delays are skipped: who plays time looks at [`World::begin`].
    pub fn handle(&mut self, service: ServiceName, request: &Request) -> Outcome {
        let ticket = self.begin(service, request);
        let outcome = self.act(&ticket, request);
        self.end(ticket, &outcome);
        outcome
    }

    /// A request arrives: it is counted, and its faults are decided.
    pub fn begin(&mut self, service: ServiceName, request: &Request) -> Ticket {
        let double = self.service(service);
        let (endpoint, caller) = (double.endpoint(request), double.caller(request));
        let together = self.counters.begin(service, &endpoint, caller.as_deref());
        let (delay, fault) = self.faults.strike(service, &endpoint);
        Ticket {
            delay,
            service,
            caller,
            together,
            fault,
        }
    }

    /// The request is acted on, or meets its fault.
    pub fn act(&mut self, ticket: &Ticket, request: &Request) -> Outcome {
        self.tick();
        let crowded = ticket.together > 1
            && ticket.service == ServiceName::NextEngine
            && self.next_engine.refuses_beside_another(request);
        let double = self.service(ticket.service);
        match &ticket.fault {
            Some(FaultKind::Refuse { status, body }) => Outcome::Answer(plain(*status, body)),
            Some(FaultKind::RefuseCode { code }) => Outcome::Answer(double.refuse(request, code)),
            Some(FaultKind::RefuseConnection) => Outcome::LostBefore,
            Some(FaultKind::RateLimit {
                retry_after_seconds,
            }) => Outcome::Answer(double.rate_limited(request, *retry_after_seconds)),
            Some(FaultKind::DropAnswer) => {
                double.handle(request);
                Outcome::LostAfter
            }
            Some(FaultKind::FailAfterActing { status }) => {
                double.handle(request);
                Outcome::Answer(plain(*status, "{}"))
            }
            Some(FaultKind::CutBody { keep }) => Outcome::CutBody {
                response: double.handle(request),
                keep: *keep,
            },
            // Next Engine's threat to limit parallel calls (next-engine.md 1.4); the code is assumed.
            Some(FaultKind::Delay { .. }) | None if crowded => {
                Outcome::Answer(double.refuse(request, "003002"))
            }
            Some(FaultKind::Delay { .. }) | None => Outcome::Answer(double.handle(request)),
        }
    }

    /// The request is over.
    pub fn end(&mut self, ticket: Ticket, outcome: &Outcome) {
        self.counters
            .end(ticket.service, ticket.caller.as_deref(), outcome.status());
    }

    /// Runs whatever the clock has made due in both services.
    pub fn tick(&mut self) {
        self.next_engine.tick();
        self.smaregi.tick();
    }

    /// Takes the webhooks that are due.
    pub fn take_webhooks(&mut self) -> Vec<Webhook> {
        self.tick();
        self.webhooks.take()
    }

    /// Webhooks that are due or just being posted.
    pub fn webhooks_waiting(&self) -> u64 {
        self.webhooks.on_the_way()
    }

    /// How the open questions are answered now.
    pub fn switches(&self) -> Switches {
        self.next_engine.switches()
    }

    /// Changes how the open questions are answered from now on, in both services.
    pub fn set_switches(&mut self, switches: Switches) {
        self.next_engine.set_switches(switches);
        self.smaregi.set_switches(switches);
    }
}

fn plain(status: u16, body: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    wire::answer(status, "application/json", body.as_bytes().to_vec())
}
