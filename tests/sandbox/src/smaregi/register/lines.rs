//! The lines of a registration (smaregi.md 2, details). It must not know the head.

use std::collections::{BTreeMap, BTreeSet};

use crate::smaregi::answer::Problem;
use crate::smaregi::body::{Body, bad, missing};
use crate::smaregi::books::{Books, Detail, Listed, ProductKind};
use crate::switches::Offsets;

use super::fields::{self, DETAIL, MOST};
use super::needs;

/// Fields that are read below; the others are kept as labels.
const READ: [&str; 13] = [
    "transactionDetailId",
    "parentTransactionDetailId",
    "transactionDetailDivision",
    "productId",
    "productCode",
    "productName",
    "taxDivision",
    "price",
    "salesPrice",
    "unitDiscountPrice",
    "quantity",
    "reduceTaxId",
    "categoryId",
];

/// Reads all lines; none is allowed, too.
pub fn read(books: &Books, body: &Body, offsets: Offsets) -> Result<Vec<Detail>, Problem> {
    let Some(details) = body.value("details") else {
        return Ok(Vec::new());
    };
    let details = details.as_array().ok_or_else(|| bad("details"))?;
    let mut ids = BTreeSet::new();
    let mut read = Vec::new();
    for value in details {
        let body = Body::of(value, "details")?;
        fields::check(&body, DETAIL, offsets)?;
        let line = line(books, &body)?;
        if !ids.insert(line.id) {
            return Err(bad("transactionDetailId"));
        }
        read.push(line);
    }
    Ok(read)
}

fn line(books: &Books, body: &Body) -> Result<Detail, Problem> {
    needs(body, "unitDiscountRate", "unitDiscountPrice")?;
    let id = body.need_int("transactionDetailId", 999)?;
    let id = u32::try_from(id)
        .ok()
        .filter(|id| *id > 0)
        .ok_or_else(|| bad("transactionDetailId"))?;
    let division = body.one_of("transactionDetailDivision", &["1", "2", "3"])?;
    let division = division.ok_or_else(|| missing("transactionDetailDivision"))?;
    // An unknown product is stored as none (smaregi.md 2), also when its number is too long to be one.
    let known = product(body)?
        .and_then(|id| id.parse().ok())
        .and_then(|id: u64| books.products.get(&id));
    if known.is_some_and(|listed| listed.product.kind == ProductKind::Ticket) {
        return Err(bad("productId"));
    }
    let master = known.map(|listed| &listed.product);
    let text = |name: &str, longest| body.text(name, longest);
    let tax_division = body
        .one_of("taxDivision", &["0", "1", "2"])?
        .and_then(|text| text.parse().ok());
    let tax_division = tax_division
        .or(master.map(|product| product.tax_division))
        .unwrap_or(0);
    let reduce_tax_id = reduced(body, known)?;
    let price = master.map_or(0, |product| product.price);
    Ok(Detail {
        id,
        parent: body
            .int("parentTransactionDetailId", 999)?
            .and_then(|id| u32::try_from(id).ok()),
        division: division.parse().unwrap_or(1),
        product: master.map(|product| product.id),
        code: text("productCode", 20)?
            .or_else(|| master.map(|product| product.code.clone()))
            .unwrap_or_default(),
        name: text("productName", 85)?
            .or_else(|| master.map(|product| product.name.clone()))
            .unwrap_or_default(),
        tax_division,
        reduce_tax_id,
        tax_rate: rate(tax_division, reduce_tax_id),
        price: body.int("price", MOST)?.unwrap_or(price),
        sales_price: body.need_int("salesPrice", MOST)?,
        unit_discount: body.int("unitDiscountPrice", MOST)?.unwrap_or(0),
        quantity: body.need_int("quantity", MOST)?,
        labels: labels(body, known)?,
    })
}

/// A number as text, of any length.
fn product(body: &Body) -> Result<Option<String>, Problem> {
    let id = body.text("productId", usize::MAX)?;
    let digits = |id: &String| id.bytes().all(|byte| byte.is_ascii_digit());
    if id.as_ref().is_some_and(|id| id.is_empty() || !digits(id)) {
        return Err(bad("productId"));
    }
    Ok(id)
}

/// What is only kept; a category must be the product's own (smaregi.md 2).
fn labels(body: &Body, known: Option<&Listed>) -> Result<BTreeMap<String, String>, Problem> {
    let mut labels: BTreeMap<_, _> = fields::labels(body, DETAIL, &READ).collect();
    let own = known.map(|listed| i64::from(listed.product.category_id));
    if let Some(category) = body.int("categoryId", MOST)? {
        if own.is_some_and(|own| own != category) {
            return Err(bad("categoryId"));
        }
        labels.insert("categoryId".to_owned(), category.to_string());
    }
    Ok(labels)
}

/// Sent, null included, it counts; left out, the master's does (smaregi.md 2).
fn reduced(body: &Body, known: Option<&Listed>) -> Result<Option<u32>, Problem> {
    if !body.has("reduceTaxId") {
        return Ok(known.and_then(|listed| listed.product.reduce_tax_id));
    }
    let ids = ["10000001", "10000002", "10000003", "10000004"];
    Ok(body
        .one_of("reduceTaxId", &ids)?
        .and_then(|id| id.parse().ok()))
}

/// Percent.
fn rate(tax_division: u8, reduce_tax_id: Option<u32>) -> u8 {
    match (tax_division, reduce_tax_id) {
        (2, _) => 0,
        (_, Some(10_000_001 | 10_000_003)) => 8,
        _ => 10,
    }
}
