//! The words of the contract `tsunagi:connector` as Rust types, interface by interface. `wit/` documents each of them.
//! Nothing is defined here: the types are generated from `wit/`, and [`crate::json`] says how they look as JSON.

pub use crate::runtime::types::{
    Budget, Contention, Error, Gap, LoginDemand, Missing, Outage, PageRequest, Problem, Problems,
    Reason, Refusal, Side, StorageFailure, Text,
};

/// `connection`: connecting the two services.
pub mod connection {
    pub use crate::runtime::exports::connection::{
        Backlog, CheckReport, LoginStart, SideCheck, Status, TokenTimes,
    };
}

/// `settings`: everything a tenant sets.
pub mod settings {
    pub use crate::runtime::exports::settings::{
        CodeBasis, CodePair, CodeRule, Credentials, Endpoints, FeeMode, Guard, ImportMoment,
        OrderSettings, OutsideHost, Pace, PaymentKind, PaymentRule, PointMode, ReceivingStore,
        Settings, StockSettings, TaxRounding, Triggers,
    };
}

/// `stock`: stock out.
pub mod stock {
    pub use crate::runtime::exports::stock::{
        Alignment, AlignmentLine, ChangeHint, Comparison, ComparisonLine, Explanation,
        ResendChoice, SendProgress, Taken, Webhook,
    };
}

/// `orders`: orders in.
pub mod orders {
    pub use crate::runtime::exports::orders::{
        ImportProgress, Preview, PreviewChoice, RetryChoice, Sale, SaleLine, StoreState,
    };
}

/// `history`: what was sent and received.
pub mod history {
    pub use crate::runtime::exports::history::{
        ReceivedEntry, ReceivedFilter, ReceivedPage, ReceivedResult, SentEntry, SentFilter,
        SentPage, SentResult,
    };
}

/// `schedule`: doing what is due.
pub mod schedule {
    pub use crate::runtime::exports::schedule::{EndpointCalls, Meter, Round};
}
