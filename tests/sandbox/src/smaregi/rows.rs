//! スマレジ's books as rows of its answers: every value a text or null (smaregi.md 2, 4, 5). It must not decide which rows are shown.

use serde_json::{Value, json};

use crate::wire;

use super::books::{
    Books, Change, Detail, Disposal, Listed, Moment, ProductKind, Shelf, Stock, Store, Transaction,
    moment_text,
};

fn flag(set: bool) -> &'static str {
    if set { "1" } else { "0" }
}

fn at(moment: Moment) -> String {
    moment_text(moment)
}

pub fn product(listed: &Listed) -> Value {
    let product = &listed.product;
    let division = match product.kind {
        ProductKind::Normal => "0",
        ProductKind::Ticket => "1",
        ProductKind::Option => "2",
    };
    json!({
        "productId": product.id.to_string(), "categoryId": product.category_id.to_string(), "productCode": product.code,
        "productName": product.name, "groupCode": product.group_code, "taxDivision": product.tax_division.to_string(),
        "productPriceDivision": "1", "price": product.price.to_string(), "cost": product.cost.to_string(),
        "salesDivision": "0", "stockControlDivision": flag(!product.stock_managed), "displayFlag": flag(product.displayed),
        "division": division, "supplierProductNo": product.supplier_product_no, "useCategoryReduceTax": "0",
        "reduceTaxId": product.reduce_tax_id.map(|id| id.to_string()),
        "insDateTime": at(listed.created), "updDateTime": at(listed.modified),
    })
}

pub fn store(store: &Store) -> Value {
    json!({
        "storeId": store.id.to_string(), "storeCode": store.code, "storeName": store.name, "storeAbbr": store.name,
        "division": if store.warehouse { "2" } else { "1" }, "sellDivision": "0", "sumProcDivision": flag(store.closes_itself),
        "pauseFlag": flag(store.paused), "displaySequence": store.id.to_string(),
        "insDateTime": at(store.created), "updDateTime": at(store.modified),
    })
}

pub fn stock((&(product, store), stock): (&Shelf, &Stock)) -> Value {
    json!({
        "storeId": store.to_string(), "productId": product.to_string(), "stockAmount": stock.amount.to_string(),
        "layawayStockAmount": "0", "updDateTime": at(stock.modified),
    })
}

pub fn change(change: &Change) -> Value {
    json!({
        "id": change.id.to_string(), "updDateTime": at(change.at), "targetDateTime": at(change.target),
        "productId": change.product.to_string(), "storeId": change.store.to_string(), "amount": change.amount.to_string(),
        "stockAmount": change.stock.to_string(), "layawayStockAmount": "0", "stockDivision": change.division,
        "fromStoreId": change.from_store.map(|id| id.to_string()), "toStoreId": change.to_store.map(|id| id.to_string()),
        "memo": change.memo,
    })
}

pub fn transaction(sale: &Transaction, with_details: bool) -> Value {
    let money = &sale.amounts;
    let (dispose, of) = match sale.disposal {
        Disposal::None => ("0", None),
        Disposal::CancelledOut => ("1", None),
        Disposal::Negative(of) => ("2", Some(of.to_string())),
    };
    let mut row = json!({
        "transactionHeadId": sale.id.to_string(), "transactionDateTime": at(sale.created),
        "transactionHeadDivision": sale.division.to_string(), "cancelDivision": flag(sale.cancelled),
        "disposeDivision": dispose, "disposeServerTransactionHeadId": of, "subtotal": money.subtotal.to_string(),
        "subtotalDiscountPrice": money.subtotal_discount.to_string(), "pointDiscount": money.point_discount.to_string(),
        "total": money.total.to_string(), "taxInclude": money.tax_include.to_string(), "taxExclude": money.tax_exclude.to_string(),
        "carriage": money.carriage.to_string(), "commission": money.commission.to_string(), "deposit": money.deposit.to_string(),
        "depositCash": money.deposit_cash.to_string(), "depositCredit": money.deposit_credit.to_string(),
        "change": money.change.to_string(), "cashTotal": (money.deposit_cash - money.change).to_string(),
        "creditTotal": money.deposit_credit.to_string(), "storeId": sale.store.to_string(), "terminalId": sale.terminal.to_string(),
        "terminalTranId": sale.terminal_number, "terminalTranDateTime": at(sale.terminal_time),
        "sumDivision": sale.sum_division.to_string(), "sumDate": sale.sum_date.map(|day| day.to_string()),
        "transactionUuid": sale.uuid, "memo": sale.memo, "tags": sale.labels.get("tags"),
        "insDateTime": at(sale.created), "updDateTime": at(sale.modified),
    });
    if with_details {
        wire::set(
            &mut row,
            "details",
            sale.details
                .iter()
                .map(|line| detail(sale.id, line))
                .collect(),
        );
    }
    row
}

fn detail(sale: u64, line: &Detail) -> Value {
    json!({
        "transactionHeadId": sale.to_string(), "transactionDetailId": line.id.to_string(),
        "transactionDetailDivision": line.division.to_string(), "productId": line.product.map(|id| id.to_string()),
        "productCode": line.code, "productName": line.name, "taxDivision": line.tax_division.to_string(),
        "taxRate": line.tax_rate.to_string(), "reduceTaxId": line.reduce_tax_id.map(|id| id.to_string()),
        "price": line.price.to_string(), "salesPrice": line.sales_price.to_string(),
        "unitDiscountPrice": line.unit_discount.to_string(), "quantity": line.quantity.to_string(),
        "unitDiscountedSum": line.subtotal().to_string(),
    })
}

/// A part of the books for an operator.
pub fn book(books: &Books, part: &str) -> Option<Value> {
    Some(match part {
        "products" => books.products.values().map(product).collect(),
        "stores" => books.stores.values().map(store).collect(),
        "stock" => books.stock.iter().map(stock).collect(),
        "changes" => books.changes.iter().map(change).collect(),
        "transactions" => books
            .transactions
            .values()
            .map(|sale| transaction(sale, true))
            .collect(),
        _ => return None,
    })
}
