//! 商品: looking products up (smaregi.md 5). Reads only the fields it uses.

use serde_json::Value;

use super::{PAGE_ROWS, Request, segment};
use crate::{
    reason::Reason,
    rules::product::{Product, TaxClass},
    wire::{self, Row},
};

const FIELDS: &str =
    "productId,productCode,productName,taxDivision,reduceTaxId,stockControlDivision";

/// The products with this 商品コード: none or one, since it is unique; two only if Smaregi ever breaks that.
pub fn by_code(code: &str) -> Request {
    Request::get("/products", "/products")
        .with("fields", FIELDS)
        .with("product_code", code)
}

/// One product; 404 when there is none.
pub fn one(id: &str) -> Request {
    Request::get("/products/{product}", format!("/products/{}", segment(id))).with("fields", FIELDS)
}

/// A page of all products, from 1.
pub fn page(page: u32) -> Request {
    Request::get("/products", "/products")
        .with("fields", FIELDS)
        .page(page, PAGE_ROWS)
}

/// The rows of a list.
pub fn decode(answer: &Value) -> Vec<Result<Product, Reason>> {
    wire::rows(answer, "products", product)
}

/// A single product.
pub fn decode_one(answer: &Value) -> Result<Product, Reason> {
    Row::of(answer, "product").and_then(product)
}

fn product(row: Row<'_>) -> Result<Product, Reason> {
    Ok(Product {
        id: row.text("productId")?,
        code: row.maybe_text("productCode").unwrap_or_default(),
        name: row.maybe_text("productName").unwrap_or_default(),
        tax: tax(row)?,
        stock_managed: row.read("stockControlDivision", managed)?,
    })
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
    use serde_json::json;

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
        ] {
            let row = json!({"productId": "8", "productCode": "ume-1", "productName": "梅干し", "taxDivision": tax_division,
                "reduceTaxId": reduce, "stockControlDivision": control});
            let product = decode_one(&row)
                .ok()
                .map(|product| (product.tax, product.stock_managed));
            assert_eq!(product, expected, "{row}");
        }
    }
}
