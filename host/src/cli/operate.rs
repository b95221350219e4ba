//! Arguments of the commands that act on a shop. They only become the contract's arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

/// `connect`
#[derive(Args)]
pub struct Connect {
    /// 連携オン.
    #[arg(long, conflicts_with_all = ["off", "disconnect"])]
    pub on: bool,
    /// 連携オフ; what was begun is still followed to its end.
    #[arg(long, conflicts_with = "disconnect")]
    pub off: bool,
    /// Forget the tokens.
    #[arg(long)]
    pub disconnect: bool,
    /// With --on: what to do with stock that moved while the link was off.
    #[arg(long, value_enum, default_value_t = Backlog::Leave, requires = "on")]
    pub backlog: Backlog,
}

/// Stock that moved while the link was off.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Backlog {
    /// Send it.
    Send,
    /// Leave it to `align`.
    Leave,
}

impl Backlog {
    /// The contract's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Leave => "leave",
        }
    }
}

/// `settings`
#[derive(Subcommand)]
pub enum SettingsCommand {
    /// Prints them, secrets left out.
    Get,
    /// Lays a file over what is stored; nothing is stored when there is a problem.
    Put {
        /// JSON, whole or in part; `-` reads standard input.
        file: PathBuf,
    },
    /// Lists the problems that `put` would find.
    Check {
        /// JSON, whole or in part.
        file: PathBuf,
    },
    /// Prints the hosts that the settings need, as lines of the configuration.
    Hosts,
    /// Prints the settings' form for whoever draws one: their JSON Schema (2020-12), in Japanese or English (--lang).
    Form,
}

/// `preview`
#[derive(Args)]
pub struct Preview {
    /// 伝票番号
    #[arg(required_unless_present = "shop")]
    slip: Option<String>,
    /// ネクストエンジン店舗ID: what its next import would meet.
    #[arg(long, conflicts_with = "slip")]
    shop: Option<String>,
}

impl Preview {
    /// The contract's argument.
    pub fn choice(&self) -> Value {
        match (&self.shop, &self.slip) {
            (Some(shop), _) => json!({ "shop": shop }),
            (None, slip) => json!({ "slip": slip.clone().unwrap_or_default() }),
        }
    }
}

/// `retry`
#[derive(Args)]
pub struct Retry {
    /// 伝票番号
    #[arg(required_unless_present = "all")]
    slip: Option<String>,
    /// Every refused order.
    #[arg(long, conflicts_with = "slip")]
    all: bool,
}

impl Retry {
    /// The contract's argument.
    pub fn choice(&self) -> Value {
        self.slip.as_ref().map_or_else(
            || json!({ "all-refused": true }),
            |slip| json!({ "slip": slip }),
        )
    }
}

/// `resend`
#[derive(Args)]
pub struct Resend {
    /// Id of an entry of the send history.
    #[arg(required_unless_present = "all")]
    entry: Option<String>,
    /// Every held product.
    #[arg(long, conflicts_with = "entry")]
    all: bool,
}

impl Resend {
    /// The contract's argument.
    pub fn choice(&self) -> Value {
        self.entry.as_ref().map_or_else(
            || json!({ "all-failed": true }),
            |entry| json!({ "entry": entry }),
        )
    }
}

/// `align`
#[derive(Args)]
pub struct Align {
    /// Next Engine's codes; all unexplained ones when left out.
    codes: Vec<String>,
    /// Send; without it only a preview is shown.
    #[arg(long)]
    pub yes: bool,
    /// Also beyond the guard's limits.
    #[arg(long, requires = "yes")]
    over_guard: bool,
}

impl Align {
    /// The contract's arguments.
    pub fn arguments(&self) -> Value {
        json!({ "codes": self.codes, "confirmed": self.yes, "over-guard": self.over_guard })
    }
}
