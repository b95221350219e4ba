//! The operator's actions as JSON: the same that Rust callers have as methods. It must hold no rule of its own.

use serde::Deserialize;
use serde_json::{Value, json};

use super::books::Product;
use super::{Hook, Smaregi};
use crate::service::Refused;

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
    Correct {
        product: u64,
        store: u32,
        by: i64,
    },
    Purchase {
        product: u64,
        store: u32,
        quantity: i64,
    },
    ShipOut {
        product: u64,
        store: u32,
        quantity: i64,
    },
    Transfer {
        product: u64,
        from: u32,
        to: u32,
        quantity: i64,
    },
    Stocktake {
        product: u64,
        store: u32,
        counted: i64,
    },
    Loss {
        product: u64,
        store: u32,
        quantity: i64,
    },
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
        Action::PosSaleCancel { transaction } => smaregi.pos_sale_cancel(transaction)?,
        Action::Correct { product, store, by } => smaregi.correct(product, store, by)?,
        Action::Purchase {
            product,
            store,
            quantity,
        } => smaregi.purchase(product, store, quantity)?,
        Action::ShipOut {
            product,
            store,
            quantity,
        } => smaregi.ship_out(product, store, quantity)?,
        Action::Transfer {
            product,
            from,
            to,
            quantity,
        } => smaregi.transfer(product, from, to, quantity)?,
        Action::Stocktake {
            product,
            store,
            counted,
        } => smaregi.stocktake(product, store, counted)?,
        Action::Loss {
            product,
            store,
            quantity,
        } => smaregi.loss(product, store, quantity)?,
        Action::OddRow {
            product,
            store,
            by,
            division,
        } => smaregi.odd_row(product, store, by, &division)?,
        Action::SetProduct { product } => smaregi.set_product(product),
        Action::DeleteProduct { product } => smaregi.delete_product(product)?,
        Action::PauseStore { store, paused } => smaregi.pause_store(store, paused)?,
        Action::SetHook { url, header } => smaregi.set_hook(Some(Hook { url, header })),
        Action::SetScopes { scopes } => {
            smaregi.set_scopes(&scopes.iter().map(String::as_str).collect::<Vec<_>>())
        }
        Action::RevokeTokens => smaregi.revoke_tokens(),
    }
    Ok(json!({"done": true}))
}
