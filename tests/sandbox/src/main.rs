//! The sandbox as a program, for clients in other languages: prints its description as one line of JSON, runs until its
//! standard input closes. It must hold nothing but the start.

use std::io::{self, Read};

use tsunagi_sandbox::shop::demo_shop;
use tsunagi_sandbox::{Sandbox, SandboxClock, SandboxConfig};

const USAGE: &str = "usage: tsunagi-sandbox [--empty] [--next-engine-port N] [--smaregi-port N] [--redirect ADDRESS]";

fn main() -> io::Result<()> {
    let sandbox = Sandbox::start(read_arguments()?)?;
    let mut told = sandbox.describe();
    // The four addresses by their older names, too, for programs that read those.
    let addresses = [
        ("ne_sign_in", sandbox.ne_sign_in()),
        ("ne_api", sandbox.ne_api()),
        ("smaregi_id", sandbox.smaregi_id()),
        ("smaregi_api", sandbox.smaregi_api()),
    ];
    for (name, address) in addresses {
        tsunagi_sandbox::wire::set(&mut told, name, address.into());
    }
    println!("{told}");
    io::stdin().read_to_end(&mut Vec::new()).map(|_| ())
}

fn read_arguments() -> io::Result<SandboxConfig> {
    let shop = demo_shop(SandboxClock::system().now());
    let mut config = SandboxConfig {
        shop: Some(shop),
        ..SandboxConfig::default()
    };
    let usage = || io::Error::other(USAGE);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--empty" {
            config.shop = None;
            continue;
        }
        let value = arguments.next().ok_or_else(usage)?;
        let port = || value.parse().map_err(|_| usage());
        match argument.as_str() {
            "--next-engine-port" => config.next_engine_port = port()?,
            "--smaregi-port" => config.smaregi_port = port()?,
            "--redirect" => config.redirect_uri = Some(value),
            _ => return Err(usage()),
        }
    }
    Ok(config)
}
