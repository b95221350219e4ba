//! 商品: looking products up (smaregi.md 5). Reads only the fields it uses.

use super::{PAGE_ROWS, Request, segment};
use crate::{
    money,
    reason::Reason,
    rules::{
        product::{Draw, Product, TaxClass},
        product_search::Listed,
    },
    text,
    wire::{self, Row, Value},
};

const FIELDS: &str =
    "productId,productCode,productName,taxDivision,reduceTaxId,stockControlDivision";

/// What people choose a product by.
const LISTED: &str = "productId,productCode,productName,price";
/// The longest 商品コード and 商品名 (smaregi.md 5).
const LONGEST_CODE: usize = 20;
const LONGEST_NAME: usize = 85;

/// Whether 在庫引当 is asked for. The parameter is documented for a single product; a list that refuses it is asked without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draws {
    /// With `inventoryReservations`, which `fields` cannot name.
    Asked,
    /// Without.
    Left,
}

/// The products with this 商品コード: none or one, since it is unique; two only if Smaregi ever breaks that.
pub fn by_code(code: &str, draws: Draws) -> Request {
    read("/products", "/products", draws).with("product_code", code)
}

/// One product; 404 when there is none.
pub fn one(id: &str, draws: Draws) -> Request {
    let path = format!("/products/{}", segment(id));
    read("/products/{product}", &path, draws).single()
}

/// A page of all products, from 1.
pub fn page(page: u32, draws: Draws) -> Request {
    read("/products", "/products", draws).page(page, PAGE_ROWS)
}

/// A page of all products to choose from, from 1.
pub fn listing(page: u32) -> Request {
    let request = Request::get("/products", "/products").with("fields", LISTED);
    request.page(page, PAGE_ROWS)
}

/// The same for one 商品コード.
pub fn listing_of(code: &str) -> Request {
    let request = Request::get("/products", "/products").with("fields", LISTED);
    request.with("product_code", code)
}

/// The rows of either. A price that cannot be read keeps nobody from choosing the product.
pub fn decode_listing(answer: &Value) -> Vec<Result<Listed, Reason>> {
    wire::rows(answer, "products", |row| {
        let code = row.maybe_text("productCode").unwrap_or_default();
        if code.len() > LONGEST_CODE {
            return Err(wire::unreadable("productCode", row.value("productCode")));
        }
        let name = row.maybe_text("productName").unwrap_or_default();
        Ok(Listed {
            id: row.id("productId")?,
            code,
            name: text::fit(&name, LONGEST_NAME),
            price: row.maybe_decimal("price").unwrap_or_default(),
        })
    })
}

fn read(name: &'static str, path: &str, draws: Draws) -> Request {
    let request = Request::get(name, path).with("fields", FIELDS);
    match draws {
        Draws::Asked => request.with("with_inventory_reservations", "all"),
        Draws::Left => request,
    }
}

/// The rows of a list.
pub fn decode(answer: &Value) -> Vec<Result<Product, Reason>> {
    wire::rows(answer, "products", product)
}

/// A single product.
pub fn decode_one(answer: &Value) -> Result<Product, Reason> {
    Row::of(answer, "product").and_then(product)
}

/// A product that can be named is one, whatever else of it cannot be read: its orders are refused for that, not for its absence.
/// One with a code alone has no id.
fn product(row: Row<'_>) -> Result<Product, Reason> {
    let mut flaw = None;
    let tax = tax(row).unwrap_or_else(|reason| {
        flaw.get_or_insert(reason);
        TaxClass::Standard
    });
    let stock_managed = row
        .read("stockControlDivision", managed)
        .unwrap_or_else(|reason| {
            flaw.get_or_insert(reason);
            false
        });
    let draws_on = draws(row.value("inventoryReservations")).unwrap_or_else(|reason| {
        flaw.get_or_insert(reason);
        Vec::new()
    });
    let code = row.maybe_text("productCode").unwrap_or_default();
    let id = match row.id("productId") {
        Err(reason) if !code.is_empty() => {
            flaw.get_or_insert(reason);
            String::new()
        }
        id => id?,
    };
    Ok(Product {
        id,
        code,
        name: row.maybe_text("productName").unwrap_or_default(),
        tax,
        stock_managed,
        draws_on,
        flaw,
    })
}

/// Absent and null stand for none.
fn draws(value: &Value) -> Result<Vec<Draw>, Reason> {
    if *value == Value::Null {
        return Ok(Vec::new());
    }
    let read = wire::rows(value, "inventoryReservations", |row| {
        let whole = |text: &str| money::parse(text).and_then(money::whole);
        Ok(Draw {
            product_id: row.id("reservationProductId")?,
            pieces: row.read("reservationAmount", whole)?,
        })
    });
    let draws: Result<Vec<Draw>, Reason> = read.into_iter().collect();
    Ok(draws?.into_iter().filter(|draw| draw.pieces != 0).collect())
}

fn managed(division: &str) -> Option<bool> {
    match division {
        "0" => Some(true),
        "1" => Some(false),
        _ => None,
    }
}

/// 10000001 is the reduced rate, 10000003 the one preset to reduced; null, 10000002 and 10000004 (chosen at each sale) are
/// standard unless the order says otherwise.
fn tax(row: Row<'_>) -> Result<TaxClass, Reason> {
    let division = row.maybe_text("taxDivision").unwrap_or_default();
    match (division.as_str(), row.maybe_text("reduceTaxId").as_deref()) {
        ("2", _) => Ok(TaxClass::Exempt),
        ("" | "0" | "1", Some("10000001" | "10000003")) => Ok(TaxClass::Reduced),
        ("" | "0" | "1", _) => Ok(TaxClass::Standard),
        _ => Err(wire::unreadable("taxDivision", row.value("taxDivision"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sent as json;

    #[test]
    fn reads_tax_and_stock_control() {
        for (tax_division, reduce, control, expected) in [
            (
                json!("0"),
                json!(null),
                json!("0"),
                Some((TaxClass::Standard, true)),
            ),
            (
                json!("1"),
                json!("10000001"),
                json!("1"),
                Some((TaxClass::Reduced, false)),
            ),
            (
                json!(1),
                json!(10_000_003),
                json!(0),
                Some((TaxClass::Reduced, true)),
            ),
            (
                json!("2"),
                json!(null),
                json!("0"),
                Some((TaxClass::Exempt, true)),
            ),
            (json!("9"), json!(null), json!("0"), None),
            (json!("0"), json!(null), json!(null), None),
            (json!("0"), json!(null), json!("9"), None),
        ] {
            let row = json!({"productId": "8", "productCode": "ume-1", "productName": "梅干し", "taxDivision": tax_division,
                "reduceTaxId": reduce, "stockControlDivision": control});
            let product = decode_one(&row)
                .ok()
                .filter(|product| product.flaw.is_none())
                .map(|product| (product.tax, product.stock_managed));
            assert_eq!(product, expected, "{row}");
        }
    }

    #[test]
    fn what_is_to_be_chosen_has_a_code_that_can_be_one() {
        let row = |code: &str| json!({"productId": "8", "productCode": code, "productName": "梅", "price": "x"});
        let list = json!([
            row(""),
            row(&"1".repeat(20)),
            row(&"1".repeat(21)),
            row(&"1".repeat(30))
        ]);
        let read: Vec<bool> = decode_listing(&list).iter().map(Result::is_ok).collect();
        assert_eq!(read, [true, true, false, false]);
    }

    #[test]
    fn a_product_with_a_code_alone_is_there_and_cannot_be_sold() {
        let product = decode_one(
            &json!({"productId": "x1", "productCode": "ume-1", "taxDivision": "0",
            "stockControlDivision": "0"}),
        );
        let product = product.unwrap();
        let field = product.flaw.unwrap().field;
        assert_eq!(
            (product.code.as_str(), field.as_deref()),
            ("ume-1", Some("productId"))
        );
        assert!(decode_one(&json!({"productId": "x1"})).is_err());
    }

    #[test]
    fn reads_what_a_product_draws_on() {
        let read = |draws: Value| {
            let row = json!({"productId": "8", "productCode": "set", "taxDivision": "0", "stockControlDivision": "0",
                "inventoryReservations": draws});
            let product = decode_one(&row).unwrap();
            let draws = product
                .draws_on
                .into_iter()
                .map(|draw| (draw.product_id, draw.pieces));
            (draws.collect::<Vec<_>>(), product.flaw.is_some())
        };
        assert_eq!(read(json!(null)), (vec![], false));
        assert_eq!(read(json!([])), (vec![], false));
        let one =
            json!([{"productId": "8", "reservationProductId": "9", "reservationAmount": "2"}]);
        assert_eq!(read(one), (vec![("9".to_owned(), 2)], false));
        assert_eq!(
            read(json!([{"reservationProductId": "9", "reservationAmount": "1.5"}])),
            (vec![], true)
        );
    }
}
