//! Stock updates by API, relative and absolute (smaregi.md 4a). It must not know transactions.

use serde_json::{Value, json};

use super::answer::Problem;
use super::body::{Body, bad};
use super::books::{Movement, STOCK_LIMIT, moment_text};
use super::{Books, Smaregi};
use crate::switches::OwnStockDivision;

/// `POST /stock/{product}/add` and `PATCH /stock/{product}`. API updates raise webhooks, the caller's own included (smaregi.md 6c).
pub fn change(
    smaregi: &mut Smaregi,
    product: &str,
    body: Body,
    relative: bool,
) -> Result<Value, Problem> {
    body.only(&["storeId", "stockAmount", "stockHistory"])?;
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
    let before = smaregi.books.stock_of(product, store);
    let after = if relative { before + given } else { given };
    if after.abs() > STOCK_LIMIT
        || (relative && given == 0)
        || !smaregi.books.manages_stock(product)
    {
        // That products without stock control are refused is assumed.
        return Err(bad("stockAmount"));
    }
    let mut movement = Movement::new(product, store, after - before, division(smaregi));
    movement.memo = memo(&body)?;
    let at = smaregi.now();
    let Some(change) = smaregi.move_stock(vec![movement], true).pop() else {
        // An absolute update to the same number writes no history (assumed).
        return Ok(
            json!({"productId": product.to_string(), "storeId": store.to_string(), "stockAmount": after.to_string(),
            "updDateTime": moment_text(at)}),
        );
    };
    Ok(json!({
        "productId": product.to_string(), "storeId": store.to_string(), "stockAmount": change.stock.to_string(),
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

fn division(smaregi: &Smaregi) -> &'static str {
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
