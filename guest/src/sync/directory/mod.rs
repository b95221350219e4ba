//! Choice lists for people who fill in the settings, each kept for a while. See `wit/directory.wit`. No rule depends on them, and
//! they change nothing but their own records.

mod catalogue;
#[cfg(test)]
mod tests;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, Result, Side},
    next_engine::{
        Call,
        choices::{self, Choice},
    },
    reason::Reason,
    smaregi::stores,
    sync::{
        meter, next_engine_login,
        next_engine_session::NextEngine,
        smaregi_session::Smaregi,
        store::{self, Commit},
        tenant::Tenant,
    },
    time::Moment,
    wire::Value,
};

pub use catalogue::{Found, ProductChoice, products};

const STORES_KEY: &str = "directory/smaregi-stores";
const SHOPS_KEY: &str = "directory/next-engine-shops";
const PAYMENTS_KEY: &str = "directory/payment-methods";

/// How long a list is given without asking again.
const KEPT: TimeDelta = TimeDelta::minutes(10);

/// A list as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept<T> {
    /// In the order of the service.
    pub choices: Vec<T>,
    /// Rows that could not be read.
    pub left_out: u32,
    /// When it was read.
    pub read_at: Moment,
    /// Where it came from: other settings or another login lead elsewhere.
    of: String,
}

/// A store of Smaregi.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreChoice {
    /// 店舗ID
    pub id: String,
    /// 店舗名
    pub name: String,
    /// Suspended.
    pub paused: bool,
}

/// Smaregi's stores.
pub async fn smaregi_stores(tenant: &Tenant<'_>) -> Result<Kept<StoreChoice>> {
    let of = of_smaregi(tenant);
    if let Some(kept) = kept(tenant, STORES_KEY, &of)?.filter(|kept| is_fresh(tenant, kept)) {
        return Ok(kept);
    }
    let session = Smaregi::open(tenant).await?;
    let answer = session.send(&stores::list()).await?;
    let choice = |store: stores::Store| StoreChoice {
        id: store.id,
        name: store.name,
        paused: store.paused,
    };
    let rows = stores::decode(&answer).into_iter();
    let rows = rows.map(|row| row.map(choice)).collect();
    keep(tenant, STORES_KEY, read(tenant, Side::Smaregi, of, rows)?)
}

/// Next Engine's shops.
pub async fn next_engine_shops(tenant: &Tenant<'_>) -> Result<Kept<Choice>> {
    next_engine(tenant, SHOPS_KEY, choices::shops(), choices::decode_shops).await
}

/// Next Engine's payment methods.
pub async fn payment_methods(tenant: &Tenant<'_>) -> Result<Kept<Choice>> {
    let call = choices::payment_methods();
    next_engine(tenant, PAYMENTS_KEY, call, choices::decode_payment_methods).await
}

async fn next_engine(
    tenant: &Tenant<'_>,
    key: &str,
    call: Call,
    decode: fn(&Value) -> Vec<std::result::Result<Choice, Reason>>,
) -> Result<Kept<Choice>> {
    let login = next_engine_login::usable(tenant)?;
    let of = format!(
        "{} {}",
        tenant.settings.endpoints.next_engine_api, login.uid
    );
    let older = kept(tenant, key, &of)?;
    if let Some(kept) = older.clone().filter(|kept| is_fresh(tenant, kept)) {
        return Ok(kept);
    }
    if meter::is_spent(tenant)? {
        return older.ok_or_else(spent);
    }
    match (ask(tenant, call).await, older) {
        (Err(Error::Contended(..)), Some(older)) => Ok(older),
        (answer, _) => {
            let rows = decode(&answer?);
            keep(tenant, key, read(tenant, Side::NextEngine, of, rows)?)
        }
    }
}

async fn ask(tenant: &Tenant<'_>, call: Call) -> Result<Value> {
    let mut session = NextEngine::open(tenant).await?;
    let answer = session.send(call).await;
    session.close()?;
    Ok(answer?)
}

fn spent() -> Error {
    let reason = Reason::new(
        "monthly-calls-spent",
        "今月のネクストエンジンの呼び出し回数を使い切りました。回数の上限を上げるか、IDを直接入力してください。",
        "This month's calls to Next Engine are spent. Raise their limit, or type the id by hand.",
    );
    Error::invalid("pace.monthly-calls", reason)
}

fn of_smaregi(tenant: &Tenant<'_>) -> String {
    let contract = &tenant.settings.credentials.smaregi_contract_id;
    format!("{} {contract}", tenant.settings.endpoints.smaregi_api)
}

/// What came of an answer. One of which no row can be read is no list.
fn read<T>(
    tenant: &Tenant<'_>,
    side: Side,
    of: String,
    rows: Vec<std::result::Result<T, Reason>>,
) -> Result<Kept<T>> {
    let (mut choices, mut left_out, mut why) = (Vec::new(), 0_u32, None);
    for row in rows {
        match row {
            Ok(choice) => choices.push(choice),
            Err(reason) => {
                left_out = left_out.saturating_add(1);
                why.get_or_insert(reason);
            }
        }
    }
    match why {
        Some(reason) if choices.is_empty() => {
            Err(Error::Refused(side, reason.code, reason.message))
        }
        _ => Ok(Kept {
            choices,
            left_out,
            read_at: tenant.now(),
            of,
        }),
    }
}

fn kept<T: DeserializeOwned>(tenant: &Tenant<'_>, key: &str, of: &str) -> Result<Option<Kept<T>>> {
    let stored = store::read::<Kept<T>>(&tenant.ports, key)?.map(|stored| stored.value);
    Ok(stored.filter(|kept| kept.of == of))
}

/// A list of the future is one of a clock that was set back since.
fn is_fresh<T>(tenant: &Tenant<'_>, kept: &Kept<T>) -> bool {
    let age = tenant.now() - kept.read_at;
    (TimeDelta::zero()..KEPT).contains(&age)
}

fn keep<T: Serialize>(tenant: &Tenant<'_>, key: &str, kept: Kept<T>) -> Result<Kept<T>> {
    Commit::new().put(key, &kept)?.apply(&tenant.ports)?;
    Ok(kept)
}
