//! The calls of the contract that the stage makes, as data: names and arguments as `wit/` has them, so that another engine than the
//! native flows can play them. Runs nothing.

use std::fmt;

use tsunagi_guest::{
    settings::Settings,
    sync::report::{
        Alignment, Backlog, ChangeHint, Comparison, ImportProgress, LoginStart, ResendChoice,
        RetryChoice, Round, SendProgress, Status, Taken, Webhook,
    },
};

use crate::world::{Moment, World};

/// What the scheduler of the reference host gives a round.
pub const BUDGET: (u32, u32) = (500, 60);
/// Enough for whatever is not sliced.
const WHOLE: (u32, u32) = (u32::MAX, 86_400);

/// One call. Next Engine is never told which of them it was.
#[derive(Debug, Clone)]
pub enum Export {
    /// `connection.begin-login`
    BeginLogin,
    /// `connection.finish-login`
    FinishLogin {
        /// What `begin-login` gave.
        ticket: String,
        /// What came back with the browser.
        uid: String,
        /// The same.
        state: String,
    },
    /// `connection.get-status`
    GetStatus,
    /// `connection.switch-on`
    SwitchOn(Backlog),
    /// `connection.switch-off`
    SwitchOff,
    /// `connection.restored`
    Restored(Moment),
    /// `connection.disconnect`
    Disconnect,
    /// `settings.put`, with both secrets.
    PutSettings(Box<Settings>),
    /// `orders.import-shop`
    ImportShop(String),
    /// The same with so small a budget of requests.
    ImportSlice(String, u32),
    /// `orders.retry`
    Retry(RetryChoice),
    /// `schedule.run`, with the budget of the reference host.
    Run,
    /// `stock.take-in`
    TakeIn(Webhook),
    /// `stock.take-in-changes`
    TakeInChanges(Vec<ChangeHint>),
    /// `stock.send`
    Send,
    /// `stock.catch-up`
    CatchUp(Option<Moment>),
    /// `stock.resend`
    Resend(ResendChoice),
    /// `stock.compare`
    Compare,
    /// `stock.align`
    Align {
        /// Next Engine's codes.
        codes: Vec<String>,
        /// Not only shown.
        confirmed: bool,
        /// Whatever the guard says.
        over_guard: bool,
    },
}

impl Export {
    /// As `interface.function`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BeginLogin => "connection.begin-login",
            Self::FinishLogin { .. } => "connection.finish-login",
            Self::GetStatus => "connection.get-status",
            Self::SwitchOn(_) => "connection.switch-on",
            Self::SwitchOff => "connection.switch-off",
            Self::Restored(_) => "connection.restored",
            Self::Disconnect => "connection.disconnect",
            Self::PutSettings(_) => "settings.put",
            Self::ImportShop(_) | Self::ImportSlice(..) => "orders.import-shop",
            Self::Retry(_) => "orders.retry",
            Self::Run => "schedule.run",
            Self::TakeIn(_) => "stock.take-in",
            Self::TakeInChanges(_) => "stock.take-in-changes",
            Self::Send => "stock.send",
            Self::CatchUp(_) => "stock.catch-up",
            Self::Resend(_) => "stock.resend",
            Self::Compare => "stock.compare",
            Self::Align { .. } => "stock.align",
        }
    }

    /// Requests and seconds, also where the contract takes none.
    pub fn budget(&self) -> (u32, u32) {
        match self {
            Self::Run => BUDGET,
            Self::ImportSlice(_, requests) => (*requests, WHOLE.1),
            _ => WHOLE,
        }
    }
}

/// What a call answers, to the precision of the contract: moments without their fractions of a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing but that it is done.
    Done,
    /// Of `begin-login`.
    Login(LoginStart),
    /// Of everything else in `connection`.
    Status(Status),
    /// Of `import-shop` and `retry`.
    Imported(ImportProgress),
    /// Of `schedule.run`.
    Round(Round),
    /// Of `take-in` and `take-in-changes`.
    Taken(Taken),
    /// Of `send` and `catch-up`.
    Sent(SendProgress),
    /// Of `resend`: entries.
    Resent(u32),
    /// Of `compare`.
    Compared(Comparison),
    /// Of `align`.
    Aligned(Alignment),
}

/// The contract's `error`, as far as it is read here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its case.
    pub case: String,
    /// Its English message; of several problems the first one's.
    pub message: String,
    /// When the contract says that trying again may help.
    pub retry_at: Option<Moment>,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.case, self.message)?;
        self.retry_at.map_or(Ok(()), |at| {
            write!(formatter, " (again at {})", at.format("%H:%M:%S"))
        })
    }
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With what the host sees.
    Returned(Result<Answer, Failure>),
    /// In the middle.
    Died,
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Died => formatter.write_str("died"),
            Self::Returned(Ok(answer)) => write!(formatter, "{answer:?}"),
            Self::Returned(Err(failure)) => failure.fmt(formatter),
        }
    }
}

/// What runs the guest: an instance for each call, which meets its faults in the world and holds nothing beyond it.
pub trait Engine: Send + Sync {
    /// Runs one call to its end or its death.
    fn call(&self, world: &World, export: &Export) -> Ended;
}
