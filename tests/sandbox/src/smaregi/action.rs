//! The operator's actions as JSON: the same that Rust callers have as methods. It must hold no rule of its own.

use serde::Deserialize;
use serde_json::{Value, json};

use super::books::{Moment, Product};
use super::{Hook, Limits, Smaregi};
use crate::service::Refused;

/// Goods at a store.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Goods {
    product: u64,
    store: u32,
    quantity: i64,
}

/// A loss, now or of an earlier moment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Loss {
    product: u64,
    store: u32,
    quantity: i64,
    #[serde(default)]
    target: Option<Moment>,
}

/// A count, now or of an earlier moment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    product: u64,
    store: u32,
    counted: i64,
    #[serde(default)]
    target: Option<Moment>,
}

/// `{"action": "pos_sale", "store": 1, "lines": [[1, 2]]}`.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
enum Action {
    PosSale {
        store: u32,
        lines: Vec<(u64, i64)>,
    },
    PosSaleCancel {
        transaction: u64,
    },
    PosReturn {
        store: u32,
        lines: Vec<(u64, i64)>,
    },
    Correct {
        product: u64,
        store: u32,
        by: i64,
    },
    Purchase(Goods),
    ShipOut(Goods),
    Transfer {
        product: u64,
        from: u32,
        to: u32,
        quantity: i64,
    },
    Stocktake(Count),
    Loss(Loss),
    OddRow {
        product: u64,
        store: u32,
        by: i64,
        division: String,
    },
    SetProduct {
        product: Product,
    },
    DeleteProduct {
        product: u64,
    },
    PauseStore {
        store: u32,
        paused: bool,
    },
    SetStore {
        store: u32,
        closes_itself: Option<bool>,
        tax_added: Option<bool>,
    },
    SetCustomer {
        customer: u64,
        code: String,
    },
    AddStaff {
        staff: u64,
    },
    SetPace {
        limits: Limits,
        #[serde(default)]
        real_time: bool,
    },
    UnsetHook,
    SetHook {
        url: String,
        header: (String, String),
    },
    SetScopes {
        scopes: Vec<String>,
    },
    RevokeTokens,
}

/// Does one action.
pub fn operate(smaregi: &mut Smaregi, action: Value) -> Result<Value, Refused> {
    let action: Action =
        serde_json::from_value(action).map_err(|error| Refused::new(error.to_string()))?;
    match action {
        Action::PosSale { store, lines } => {
            return Ok(json!({"transaction": smaregi.pos_sale(store, &lines)?}));
        }
        Action::PosReturn { store, lines } => {
            return Ok(json!({"transaction": smaregi.pos_return(store, &lines)?}));
        }
        Action::PosSaleCancel { transaction } => smaregi.pos_sale_cancel(transaction)?,
        Action::Correct { product, store, by } => smaregi.correct(product, store, by)?,
        Action::Purchase(goods) => smaregi.purchase(goods.product, goods.store, goods.quantity)?,
        Action::ShipOut(goods) => smaregi.ship_out(goods.product, goods.store, goods.quantity)?,
        Action::Transfer {
            product,
            from,
            to,
            quantity,
        } => smaregi.transfer(product, from, to, quantity)?,
        Action::Stocktake(count) => {
            smaregi.stocktake_of(count.product, count.store, count.counted, count.target)?;
        }
        Action::Loss(loss) => {
            smaregi.loss_of(loss.product, loss.store, loss.quantity, loss.target)?;
        }
        Action::OddRow {
            product,
            store,
            by,
            division,
        } => smaregi.odd_row(product, store, by, &division)?,
        Action::SetProduct { product } => smaregi.set_product(product),
        Action::DeleteProduct { product } => smaregi.delete_product(product)?,
        Action::PauseStore { store, paused } => smaregi.pause_store(store, paused)?,
        Action::SetStore {
            store,
            closes_itself,
            tax_added,
        } => smaregi.set_store(store, closes_itself, tax_added)?,
        Action::SetCustomer { customer, code } => smaregi.set_customer(customer, &code),
        Action::AddStaff { staff } => smaregi.add_staff(staff),
        Action::SetPace { limits, real_time } => smaregi.set_pace(limits, real_time),
        Action::UnsetHook => smaregi.set_hook(None),
        Action::SetHook { url, header } if header.0.is_empty() || url.is_empty() => {
            return Err(Refused::new("a hook needs an address and a header name"));
        }
        Action::SetHook { url, header } => smaregi.set_hook(Some(Hook { url, header })),
        Action::SetScopes { scopes } => {
            smaregi.set_scopes(&scopes.iter().map(String::as_str).collect::<Vec<_>>())
        }
        Action::RevokeTokens => smaregi.revoke_tokens(),
    }
    Ok(json!({"done": true}))
}
