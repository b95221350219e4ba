//! Stock updates by API, relative and absolute (smaregi.md 4a). It must not know transactions.

use serde_json::{Value, json};

use super::answer::Problem;
use super::body::{Body, bad};
use super::books::{Movement, STOCK_LIMIT, moment_text};
use super::{Books, Smaregi};
use crate::switches::OwnStockDivision;

/// One update, checked.
#[derive(Clone)]
pub struct Update {
    /// Product.
    pub product: u64,
    /// Store.
    pub store: u32,
    /// メモ.
    pub memo: String,
    relative: bool,
    given: i64,
}

impl Update {
    /// By how much stock moves; `None` when it would leave the range a row can hold.
    pub fn difference(&self, before: i64) -> Option<i64> {
        let by = if self.relative {
            self.given
        } else {
            self.given - before
        };
        ((before + by).abs() <= STOCK_LIMIT).then_some(by)
    }
}

/// Reads an update of one product.
pub fn read(
    smaregi: &Smaregi,
    product: &str,
    body: &Body,
    relative: bool,
) -> Result<Update, Problem> {
    let product: u64 = product.parse().map_err(|_| Problem::not_found())?;
    if !smaregi.books.products.contains_key(&product) {
        return Err(Problem::not_found());
    }
    let store = existing_store(&smaregi.books, body.need_int("storeId", 999_999_999)?)?;
    let most = if relative {
        2 * STOCK_LIMIT
    } else {
        STOCK_LIMIT
    };
    let given = body.need_int("stockAmount", most)?;
    // That products without stock control are refused is assumed.
    if (relative && given == 0) || !smaregi.books.manages_stock(product) {
        return Err(bad("stockAmount"));
    }
    Ok(Update {
        product,
        store,
        memo: memo(body)?,
        relative,
        given,
    })
}

/// `POST /stock/{product}/add` and `PATCH /stock/{product}`. API updates raise webhooks, the caller's own included (smaregi.md 6c).
pub fn change(
    smaregi: &mut Smaregi,
    product: &str,
    body: Body,
    relative: bool,
) -> Result<Value, Problem> {
    body.only(&["storeId", "stockAmount", "stockHistory"])?;
    let update = read(smaregi, product, &body, relative)?;
    let before = smaregi.books.stock_of(update.product, update.store);
    let by = update
        .difference(before)
        .ok_or_else(|| bad("stockAmount"))?;
    let (product, store) = (update.product.to_string(), update.store.to_string());
    let mut movement = Movement::new(update.product, update.store, by, division(smaregi));
    movement.memo = update.memo;
    let at = smaregi.now();
    let Some(change) = smaregi.move_stock(vec![movement], true).pop() else {
        // An absolute update to the same number writes no history (assumed).
        return Ok(
            json!({"productId": product, "storeId": store, "stockAmount": before.to_string(),
            "updDateTime": moment_text(at)}),
        );
    };
    Ok(json!({
        "productId": product, "storeId": store, "stockAmount": change.stock.to_string(),
        "updDateTime": moment_text(change.at), "stockHistory": {"id": change.id.to_string(), "memo": change.memo},
    }))
}

fn memo(body: &Body) -> Result<String, Problem> {
    let Some(history) = body.value("stockHistory") else {
        return Ok(String::new());
    };
    let history = Body::of(history, "stockHistory")?;
    history.only(&["memo"])?;
    Ok(history.text("memo", 100)?.unwrap_or_default())
}

/// The division that API updates write.
pub fn division(smaregi: &Smaregi) -> &'static str {
    match smaregi.switches.own_stock_division {
        OwnStockDivision::Division15 => "15",
        OwnStockDivision::Division01 => "01",
        OwnStockDivision::Division09 => "09",
    }
}

/// A store of the contract; the detail is the documented one (smaregi.md 4a).
pub fn existing_store(books: &Books, id: i64) -> Result<u32, Problem> {
    let known = u32::try_from(id)
        .ok()
        .filter(|id| books.stores.contains_key(id));
    known.ok_or_else(|| Problem::invalid("指定された店舗IDのリソースが見つかりません"))
}
