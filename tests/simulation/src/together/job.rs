//! What an instance is asked to do: one export with its arguments, so that it can be done again from its beginning. Decides nothing.

use tsunagi_guest::{
    error::Result as Done,
    sync::{
        connection, orders,
        report::{ResendChoice, RetryChoice, Webhook},
        schedule, stock,
        tenant::Tenant,
    },
};

use crate::{
    instance::BUDGET,
    shop::{MALL, OWN},
};

/// For what is not sliced.
const WHOLE: (u32, u32) = (u32::MAX, 86_400);

/// One call of an export.
#[derive(Debug, Clone)]
pub enum Job {
    /// `schedule.run`.
    Round,
    /// `stock.take-in`.
    Webhook(Webhook),
    /// `orders.import` of both web shops.
    Import,
    /// `orders.retry` of all that was refused.
    Retry,
    /// `stock.resend` of all that failed.
    Resend,
    /// `stock.align` of this code.
    Align(String),
    /// `connection.switch-off`.
    SwitchOff,
    /// `connection.finish-login` with its ticket, user and state.
    FinishLogin(String, String, String),
}

impl Job {
    /// As the trace spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Round => "schedule.run",
            Self::Webhook(_) => "stock.take-in",
            Self::Import => "orders.import",
            Self::Retry => "orders.retry",
            Self::Resend => "stock.resend",
            Self::Align(_) => "stock.align",
            Self::SwitchOff => "connection.switch-off",
            Self::FinishLogin(..) => "connection.finish-login",
        }
    }

    /// Requests and seconds.
    pub fn budget(&self) -> (u32, u32) {
        match self {
            Self::Round => BUDGET,
            _ => WHOLE,
        }
    }

    /// Whether a person waits for it, and presses again when it fails.
    pub fn is_pressed(&self) -> bool {
        !matches!(self, Self::Round | Self::Webhook(_) | Self::FinishLogin(..))
    }

    /// Does it.
    ///
    /// # Errors
    /// As the export.
    pub async fn run(&self, tenant: &Tenant<'_>) -> Done<()> {
        match self {
            Self::Round => schedule::run(tenant).await.map(drop),
            Self::Webhook(webhook) => stock::take_in(tenant, webhook).map(drop),
            Self::Import => {
                let shops = [MALL.to_string(), OWN.to_string()];
                orders::import_due(tenant, &shops).await.map(drop)
            }
            Self::Retry => {
                let all = RetryChoice::AllRefused(true);
                orders::retry(tenant, &all).await.map(drop)
            }
            Self::Resend => stock::resend(tenant, &ResendChoice::AllFailed).map(drop),
            Self::Align(code) => {
                let codes = [code.clone()];
                stock::align(tenant, &codes, true, true).await.map(drop)
            }
            Self::SwitchOff => connection::switch_off(&tenant.ports).map(drop),
            Self::FinishLogin(ticket, uid, state) => {
                let login = connection::finish_login(tenant, ticket, uid, state);
                login.await.map(drop)
            }
        }
    }
}
