//! ログイン企業情報: the cheapest call that needs a living login (next-engine.md 1.2); used by the connection check and to renew.

use super::Call;
use crate::{
    reason::Reason,
    wire::{self, Row, Value},
};

/// The company of this login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// `company_ne_id`, where the answer has it.
    pub id: Option<String>,
    /// 企業名
    pub name: String,
}

/// Asks for it.
pub fn info() -> Call {
    Call {
        path: "/api_v1_login_company/info",
        form: Vec::new(),
        writes: false,
    }
}

/// The first row, or the answer itself (its shape is not documented further).
pub fn decode(answer: &Value) -> Result<Company, Reason> {
    let data = answer.get("data").unwrap_or(answer);
    let first = data.as_list().map_or(Some(data), |rows| rows.first());
    let row = Row::of(first.unwrap_or(&Value::Null), "data")?;
    let name = row
        .maybe_text("company_name")
        .ok_or_else(|| wire::unreadable("company_name", row.value("company_name")))?;
    Ok(Company {
        id: row.maybe_text("company_ne_id"),
        name,
    })
}
