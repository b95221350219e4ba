//! The command line: what it accepts, and how it ends. What a command does is in its own file; nothing here decides about orders or
//! stock.

// First: the others print by it.
#[macro_use]
mod out;

mod backup;
mod commands;
mod component;
mod conformance;
mod failure;
mod help;
mod interrupt;
mod manual;
mod operate;
mod operator;
mod replay;
mod serve;
pub mod shapes;
mod show;
mod tenants;
pub mod words;

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};
use tsunagi_sandbox::SandboxConfig;

use crate::{
    demo::{self, DemoOptions, Told},
    runtime::RuntimeConfig,
};
use failure::Failure;
use interrupt::Interrupt;
use words::Language;

/// 繋ぎ: keeps a shop's Smaregi and Next Engine in step.
#[derive(Parser)]
#[command(name = "tsunagi", version, about, after_help = help::EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

/// Flags of every command.
#[derive(Args, Clone)]
pub struct Common {
    /// The configuration.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "tsunagi.toml",
        env = "TSUNAGI_CONFIG"
    )]
    config: PathBuf,
    /// The shop, when there are several.
    #[arg(long, global = true, value_name = "NAME")]
    tenant: Option<String>,
    /// One JSON value on standard output, for programs; a failure is one, too.
    #[arg(long, global = true)]
    json: bool,
    /// ja or en; the environment's language otherwise.
    #[arg(long, global = true, value_name = "LANG")]
    lang: Option<Language>,
    /// Another component than the embedded one; also what `component` prints or writes.
    #[arg(long, global = true, value_name = "FILE")]
    component: Option<PathBuf>,
    /// Record each call of the component into a file below this folder, without secrets and personal data, for `tsunagi replay`.
    #[arg(long, global = true, value_name = "FOLDER")]
    record: Option<PathBuf>,
}

impl Common {
    fn language(&self) -> Language {
        Language::or_environment(self.lang)
    }
}

#[derive(Subcommand)]
enum Command {
    /// Plays a day of a small shop against a sandbox of both services, and compares their books.
    Demo {
        /// Leave everything running afterwards.
        #[arg(long)]
        keep: bool,
    },
    /// Starts doubles of both services on this machine, for any client to talk to.
    #[command(
        after_help = "Example: tsunagi sandbox --json   # addresses and credentials; runs until Ctrl-C"
    )]
    Sandbox {
        /// Without the demo's shop.
        #[arg(long)]
        empty: bool,
        /// Where Next Engine's double listens; 0 takes any free port.
        #[arg(long, value_name = "PORT", default_value_t = 0)]
        next_engine_port: u16,
        /// Where Smaregi's double listens; 0 takes any free port.
        #[arg(long, value_name = "PORT", default_value_t = 0)]
        smaregi_port: u16,
        /// The app's redirect address at Next Engine, as registered in its console.
        #[arg(long, value_name = "ADDRESS")]
        redirect: Option<String>,
    },
    /// Serves the console, webhooks, the login and the JSON API, and does what is due.
    #[command(after_help = help::CONFIGURATION)]
    Serve,
    /// Prints a one-time invitation to the console: the operator's account, or with --tenant one of that shop.
    #[command(
        after_help = "Examples: tsunagi operator                     # open the printed address in a browser, within 2 days\n          tsunagi operator --tenant myshop     # for a merchant, who sees that shop only\n          tsunagi operator --account taro      # a new password for an account"
    )]
    Operator {
        /// An account that gets a new password.
        #[arg(long, value_name = "NAME", conflicts_with = "tenant")]
        account: Option<String>,
    },
    /// Lists the shops with their states; adds and removes them while `serve` runs; writes a shop's data to a file.
    #[command(after_help = help::TENANTS)]
    Tenants(tenants::Tenants),
    /// Copies the store, as it is at one moment, into a new folder; `serve` may run on.
    #[command(after_help = help::BACKUP)]
    Backup(backup::Backup),
    /// Puts a backup in the store's place, while nothing else uses it, and switches all links off.
    #[command(after_help = help::RESTORE)]
    Restore(backup::Restore),
    /// Prints a one-time login link, or switches the link between the services on or off (連携オン・オフ).
    #[command(
        after_help = "Examples: tsunagi connect   # open the printed address in a browser, within 30 minutes\n          tsunagi connect --on --backlog send"
    )]
    Connect(operate::Connect),
    /// 接続確認: calls both services and shows until when the login lives.
    Check,
    /// What is known of the connection, without calling anybody.
    Status,
    /// Shows, replaces or checks the settings, as JSON.
    #[command(
        after_help = "Example: tsunagi settings get > shop.json; edit it; tsunagi settings put shop.json"
    )]
    Settings {
        #[command(subcommand)]
        what: operate::SettingsCommand,
    },
    /// 手動取込: imports the orders of one Next Engine shop, or of all.
    Import {
        /// ネクストエンジン店舗ID; all receiving stores when left out.
        shop: Option<String>,
    },
    /// What the next import would do, writing nothing.
    Preview(operate::Preview),
    /// 再取込: maps refused orders again.
    Retry(operate::Retry),
    /// Sends what waits to Next Engine, without waiting for the interval.
    Send,
    /// Looks for stock changes that webhooks missed.
    CatchUp {
        /// From this moment on (2026-11-24T00:00:00+09:00).
        since: Option<String>,
    },
    /// 再送信: lets held products go again.
    Resend(operate::Resend),
    /// 在庫照合: compares both sides and explains every unit.
    Compare,
    /// 在庫合わせ: sends unexplained differences to Next Engine, after a look.
    Align(operate::Align),
    /// 送信履歴・受信履歴.
    History {
        /// Which one.
        which: Which,
        /// At most so many entries.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Only this outcome, e.g. refused, returned, waiting.
        #[arg(long)]
        outcome: Option<String>,
    },
    /// The whole story of one order or one product: what came in, was decided, sent, refused, and what it waits for.
    #[command(
        after_help = "Examples: tsunagi why 1001        # 伝票番号 or 受注番号\n          tsunagi why UME-1 --json"
    )]
    Why {
        /// 伝票番号, 受注番号, 商品コード or 商品ID.
        #[arg(value_name = "ORDER|PRODUCT-CODE")]
        key: String,
    },
    /// Calls made this month, and Next Engine's forecast.
    Calls,
    /// Calls one function of the contract as it is, and shows its answer as JSON.
    #[command(
        after_help = "Examples: tsunagi call connection.get-status\n          tsunagi call orders.import-shop '{\"shop-id\": \"1\"}'\n          tsunagi call settings.put - < arguments.json"
    )]
    Call {
        /// Interface and function, as the contract spells them.
        #[arg(value_name = "INTERFACE.FUNCTION")]
        function: String,
        /// The arguments as one JSON object; - reads it from standard input.
        #[arg(default_value = "{}")]
        arguments: String,
    },
    /// Prints completions for a shell.
    #[command(
        after_help = "Examples: tsunagi completions bash > /etc/bash_completion.d/tsunagi\n          tsunagi completions zsh > ~/.zfunc/_tsunagi"
    )]
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Writes manual pages (roff): one for the program, one for each command.
    #[command(after_help = "Example: tsunagi man --out /usr/local/share/man/man1")]
    Man {
        /// A folder; it is made if it is not there.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// What each command prints with --json: names, and what stands for each value.
    #[command(
        after_help = "Examples: tsunagi shapes status\n          tsunagi shapes --json   # all, as one object"
    )]
    Shapes {
        /// Only this one's, such as `tenants list`.
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// The component itself.
    Component {
        /// Print its contract (WIT).
        #[arg(long)]
        wit: bool,
        /// Write the component here.
        #[arg(long, value_name = "FILE", visible_alias = "output")]
        out: Option<PathBuf>,
    },
    /// Runs recorded calls again, offline, and tells the first thing that the component does otherwise.
    #[command(after_help = help::REPLAY)]
    Replay {
        /// Files that `--record` wrote, or folders of them.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Tries whether a platform's storage, HTTP and clocks are what the contract asks for: this host's, or with the kit's component
    /// another's.
    #[command(
        after_help = help::CONFORMANCE
    )]
    Conformance {
        /// Write the kit's component here.
        #[arg(long, value_name = "FILE", conflicts_with = "peer")]
        out: Option<PathBuf>,
        /// Serve the other side of the HTTP checks, here or on a free port of this machine.
        #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:0")]
        peer: Option<std::net::SocketAddr>,
    },
}

/// Which history.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    /// 送信履歴
    Sent,
    /// 受信履歴
    Received,
}

/// How a command ended, when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing is left.
    Done,
    /// Problems were found that a person has to mend.
    ToMend,
    /// Something waits for a person.
    Waiting,
    /// Somebody asked to end before all was done.
    Interrupted,
    /// What was to be shown does not hold.
    Failed,
}

impl Ending {
    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::ToMend => 3,
            Self::Waiting => 7,
            Self::Failed => 1,
            Self::Interrupted => interrupt::EXIT_CODE,
        }
    }
}

/// <https://no-color.org>: set to anything, there are none.
fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// What happens goes to the error stream, from `info` up or as `TSUNAGI_LOG` says (`debug`, `tsunagi=debug,wasmtime=warn`).
fn log_to_stderr() {
    let said = std::env::var("TSUNAGI_LOG").ok();
    let filter: Option<Targets> = said.and_then(|said| said.parse().ok());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && wants_colours())
        // A log on a full disk loses lines. Complaining about that on the same stream would panic, and end what was at work.
        .log_internal_errors(false);
    tracing_subscriber::registry()
        .with(lines)
        .with(filter.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO)))
        .init();
}

/// Runs the program.
pub async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_taken(&error),
    };
    log_to_stderr();
    let (language, json) = (cli.common.language(), cli.common.json);
    match run(cli, Interrupt::listen()).await {
        Ok(ending) => ExitCode::from(ending.code()),
        Err(error) => ended(&Failure::new(&error, language), json),
    }
}

/// Help and version come this way, too.
fn not_taken(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || !std::env::args().any(|argument| argument == "--json") {
        error.exit();
    }
    ended(&Failure::usage(error.to_string()), true)
}

fn ended(failure: &Failure, json: bool) -> ExitCode {
    // Where nobody can read it, the code must do.
    let _ = if json {
        writeln!(std::io::stdout(), "{:#}", failure.json())
    } else {
        writeln!(std::io::stderr(), "{}", failure.message)
    };
    ExitCode::from(failure.code)
}

async fn run(cli: Cli, interrupt: Interrupt) -> anyhow::Result<Ending> {
    let common = cli.common;
    match cli.command {
        Command::Demo { keep } => {
            let options = DemoOptions {
                json: common.json,
                language: common.language(),
            };
            let runtime = RuntimeConfig {
                component: common.component.clone(),
                record: common.record.clone(),
                ..RuntimeConfig::default()
            };
            let mut interrupt = interrupt;
            let told = demo::run(options, runtime, keep, interrupt.asked()).await?;
            match told {
                Told::Agree => Ok(Ending::Done),
                Told::Differ => Ok(Ending::Failed),
                Told::Interrupted => Err(failure::Interrupted.into()),
            }
        }
        Command::Sandbox {
            empty,
            next_engine_port,
            smaregi_port,
            redirect,
        } => {
            let config = SandboxConfig {
                next_engine_port,
                smaregi_port,
                redirect_uri: redirect,
                ..SandboxConfig::default()
            };
            serve::sandbox(&common, empty, config, interrupt).await
        }
        Command::Component { wit, out } => component::show(&common, wit, out.as_deref()),
        Command::Replay { files } => replay::run(&common, &files).await,
        Command::Conformance { out: Some(out), .. } => conformance::write(&common, &out),
        Command::Conformance { peer: Some(on), .. } => {
            conformance::peer(&common, on, interrupt).await
        }
        Command::Conformance { .. } => conformance::run(&common).await,
        Command::Completions { shell } => manual::completions(&common, shell),
        Command::Man { out } => manual::pages(&common, &out),
        Command::Shapes { command } => shapes::show(&common, &command),
        Command::Serve => serve::serve(&common, interrupt).await,
        Command::Backup(arguments) => backup::make(&common, arguments).await,
        Command::Restore(arguments) => backup::put_back(&common, arguments).await,
        Command::Tenants(arguments) => tenants::run(&common, arguments).await,
        Command::Operator { account } => operator::invite(&common, account).await,
        command => commands::run(&common, command, interrupt).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
