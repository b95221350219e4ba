//! The sandbox as a program, for clients in other languages: prints its addresses as one line of JSON, runs until its
//! standard input closes. It must hold nothing but the start.

use std::io::{self, Read};

use serde_json::json;
use tsunagi_sandbox::shop::demo_shop;
use tsunagi_sandbox::{Sandbox, SandboxClock, SandboxConfig};

const USAGE: &str = "usage: tsunagi-sandbox [--empty] [--next-engine-port N] [--smaregi-port N]";

fn main() -> io::Result<()> {
    let sandbox = Sandbox::start(read_arguments()?)?;
    let addresses = json!({
        "ne_sign_in": sandbox.ne_sign_in(),
        "ne_api": sandbox.ne_api(),
        "smaregi_id": sandbox.smaregi_id(),
        "smaregi_api": sandbox.smaregi_api(),
    });
    println!("{addresses}");
    io::stdin().read_to_end(&mut Vec::new()).map(|_| ())
}

fn read_arguments() -> io::Result<SandboxConfig> {
    let shop = demo_shop(SandboxClock::system().now());
    let mut config = SandboxConfig {
        shop: Some(shop),
        ..SandboxConfig::default()
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut port = || {
            arguments
                .next()
                .and_then(|port| port.parse().ok())
                .ok_or(io::Error::other(USAGE))
        };
        match argument.as_str() {
            "--empty" => config.shop = None,
            "--next-engine-port" => config.next_engine_port = port()?,
            "--smaregi-port" => config.smaregi_port = port()?,
            _ => return Err(io::Error::other(USAGE)),
        }
    }
    Ok(config)
}
