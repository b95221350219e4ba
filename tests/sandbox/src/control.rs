//! The operator's door over HTTP, `/_sandbox/...`, so that programs in other languages can drive the sandbox.
//! It must stay apart from the services: no counter sees it and no fault hits it.
//!
//! | request | does |
//! | --- | --- |
//! | `GET`, `DELETE /_sandbox/counters` | reads, resets the counters |
//! | `GET`, `POST /_sandbox/clock` | reads, moves time: `{"advance_seconds": 60}`, `{"set": "2026-11-24T09:00:00+09:00"}`, `{"hold": true}` |
//! | `POST`, `DELETE /_sandbox/faults` | adds a fault rule, lifts all |
//! | `POST`, `DELETE /_sandbox/webhook_faults` | adds `{"kind": "drop", "times": 1}`, lifts all |
//! | `GET`, `PUT /_sandbox/switches` | reads the switches; sets those given, the others to their defaults |
//! | `GET /_sandbox/books/{part}` | one part of the service's books: Next Engine's `orders`, `stock`, `movements`, `queue`, `shops`, `credentials`; Smaregi's `products`, `stores`, `stock`, `changes`, `transactions`, `daily_report` |
//! | `POST /_sandbox/actions` | one operator's action, `{"action": "ship", ...}` |

use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::faults::FaultRule;
use crate::service::{Refused, ServiceName};
use crate::switches::Switches;
use crate::webhook::WebhookFault;
use crate::wire::{self, Request, Response};
use crate::world::World;

/// The operator's answer to a request under `/_sandbox/`; `None` when the request is the service's.
pub fn handle(world: &mut World, service: ServiceName, request: &Request) -> Option<Response> {
    let path = request.uri().path().strip_prefix("/_sandbox/")?;
    world.tick();
    let answer = dispatch(world, service, request.method(), path, request.body());
    Some(match answer {
        Ok(body) => wire::json(StatusCode::OK, &body),
        Err(refused) => wire::json(StatusCode::BAD_REQUEST, &json!({"refused": refused.0})),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ClockMove {
    AdvanceSeconds(u64),
    Set(DateTime<FixedOffset>),
    Hold(bool),
}

#[derive(Deserialize)]
struct WebhookFaultOrder {
    #[serde(flatten)]
    fault: WebhookFault,
    times: u32,
}

fn dispatch(
    world: &mut World,
    service: ServiceName,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<Value, Refused> {
    match (method.as_str(), path) {
        ("GET", "counters") => return to_json(&world.counters),
        ("GET", "clock") => return Ok(json!({"now": world.clock.now().to_rfc3339()})),
        ("POST", "actions") => return world.service(service).operate(read(body)?),
        ("GET", "switches") => return to_json(&world.switches()),
        ("GET", path) => {
            let part = path.strip_prefix("books/").unwrap_or_default();
            return world
                .service(service)
                .book(part)
                .ok_or_else(|| Refused::new(format!("no such page: {path}")));
        }
        ("DELETE", "counters") => world.counters.reset(),
        ("POST", "clock") => move_clock(world, &read(body)?),
        ("POST", "faults") => world.faults.add(read::<FaultRule>(body)?),
        ("DELETE", "faults") => world.faults.clear(),
        ("POST", "webhook_faults") => {
            let order: WebhookFaultOrder = read(body)?;
            world.webhooks.add_fault(order.fault, order.times);
        }
        ("DELETE", "webhook_faults") => world.webhooks.clear_faults(),
        ("PUT", "switches") => world.set_switches(read::<Switches>(body)?),
        _ => return Err(Refused::new(format!("no such page: {method} {path}"))),
    }
    Ok(json!({"done": true}))
}

fn move_clock(world: &mut World, step: &ClockMove) {
    match step {
        ClockMove::AdvanceSeconds(seconds) => world.clock.advance(Duration::from_secs(*seconds)),
        ClockMove::Set(instant) => world.clock.set(*instant),
        ClockMove::Hold(true) => world.clock.hold(),
        ClockMove::Hold(false) => world.clock.run(),
    }
    world.tick();
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused::new(error.to_string()))
}

fn to_json(value: &impl serde::Serialize) -> Result<Value, Refused> {
    serde_json::to_value(value).map_err(|error| Refused::new(error.to_string()))
}
