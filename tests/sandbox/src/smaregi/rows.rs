//! スマレジ's books as rows of its answers: every value a text or null (smaregi.md 2, 4, 5). It must not decide which rows are shown.

pub mod names;

use serde_json::{Map, Value, json};

use crate::wire;

use super::books::{
    Books, Change, DailyReport, Detail, Disposal, Listed, Moment, OtherDeposit, ProductKind, Shelf,
    Stock, Store, Transaction, moment_text,
};

fn flag(set: bool) -> &'static str {
    if set { "1" } else { "0" }
}

fn at(moment: Moment) -> String {
    moment_text(moment)
}

/// A row with all of its names: null but for what is played. Only rows that leave are padded; most are filtered away before.
pub fn padded(names: &[&str], given: Value) -> Value {
    let nulls = names.iter().map(|name| ((*name).to_owned(), Value::Null));
    let mut row: Map<String, Value> = nulls.collect();
    if let Value::Object(given) = given {
        row.extend(given);
    }
    if let Some(Value::Array(lines)) = row.get_mut("details") {
        for line in lines {
            *line = padded(names::DETAIL, line.take());
        }
    }
    Value::Object(row)
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
        "division": if store.warehouse { "2" } else { "1" }, "sellDivision": flag(store.tax_added), "sumProcDivision": flag(store.closes_itself),
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

/// A transaction; with its lines, with its other payments.
pub fn transaction(books: &Books, sale: &Transaction, (lines, others): (bool, bool)) -> Value {
    let mut row = head(sale);
    let code = books.stores.get(&sale.store).map(|store| &store.code);
    wire::set(&mut row, "storeCode", json!(code));
    for (name, text) in money(sale) {
        wire::set(&mut row, name, json!(text.to_string()));
    }
    for (name, text) in &sale.labels {
        wire::set(&mut row, name, json!(text));
    }
    if lines {
        let lines = sale.details.iter().map(|line| detail(sale.id, line));
        wire::set(&mut row, "details", lines.collect());
    }
    if others {
        let others = sale
            .deposit_others
            .iter()
            .map(|other| deposit(sale.id, other));
        wire::set(&mut row, "depositOthers", others.collect());
    }
    row
}

fn head(sale: &Transaction) -> Value {
    let (dispose, of) = match sale.disposal {
        Disposal::None => ("0", None),
        Disposal::CancelledOut => ("1", None),
        Disposal::Negative(of) => ("2", Some(of.to_string())),
    };
    json!({
        "transactionHeadId": sale.id.to_string(), "transactionDateTime": at(sale.created),
        "transactionHeadDivision": sale.division.to_string(), "cancelDivision": flag(sale.cancelled),
        "disposeDivision": dispose, "disposeServerTransactionHeadId": of, "storeId": sale.store.to_string(),
        "terminalId": sale.terminal.to_string(), "terminalTranId": sale.terminal_number,
        "terminalTranDateTime": at(sale.terminal_time), "sumDivision": sale.sum_division.to_string(),
        "sumDate": sale.sum_date.map(|day| day.to_string()), "transactionUuid": sale.uuid, "memo": sale.memo,
        "returnSales": "0", "insDateTime": at(sale.created), "updDateTime": at(sale.modified),
    })
}

fn money(sale: &Transaction) -> [(&'static str, i64); 17] {
    let money = &sale.amounts;
    let pieces = |lines: &dyn Fn(&&Detail) -> bool| -> i64 {
        let lines = sale.details.iter().filter(lines);
        lines.map(|line| line.quantity.abs()).sum()
    };
    [
        ("subtotal", money.subtotal),
        ("subtotalDiscountPrice", money.subtotal_discount),
        ("pointDiscount", money.point_discount),
        ("total", money.total),
        ("taxInclude", money.tax_include),
        ("taxExclude", money.tax_exclude),
        ("roundingPrice", money.rounding),
        ("carriage", money.carriage),
        ("commission", money.commission),
        ("deposit", money.deposit),
        ("depositCash", money.deposit_cash),
        ("depositCredit", money.deposit_credit),
        ("change", money.change),
        ("cashTotal", money.deposit_cash - money.change),
        ("creditTotal", money.deposit_credit),
        ("amount", pieces(&|line| line.division != 2)),
        ("returnAmount", pieces(&|line| line.division == 2)),
    ]
}

/// A line of a transaction.
pub fn detail(sale: u64, line: &Detail) -> Value {
    let mut row = json!({
        "transactionHeadId": sale.to_string(), "transactionDetailId": line.id.to_string(),
        "parentTransactionDetailId": line.parent.map(|id| id.to_string()),
        "transactionDetailDivision": line.division.to_string(), "productId": line.product.map(|id| id.to_string()),
        "productCode": line.code, "productName": line.name, "taxDivision": line.tax_division.to_string(),
        "taxRate": line.tax_rate.to_string(), "reduceTaxId": line.reduce_tax_id.map(|id| id.to_string()),
        "price": line.price.to_string(), "salesPrice": line.sales_price.to_string(),
        "unitDiscountPrice": line.unit_discount.to_string(), "quantity": line.quantity.to_string(),
        "unitDiscountedSum": line.subtotal().to_string(),
    });
    for (name, text) in &line.labels {
        wire::set(&mut row, name, json!(text));
    }
    row
}

fn deposit(sale: u64, other: &OtherDeposit) -> Value {
    let known = PAYMENT_METHODS.iter().find(|(id, _)| *id == other.method);
    json!({
        "transactionHeadId": sale.to_string(), "no": other.no.to_string(), "paymentMethodId": other.method.to_string(),
        "paymentMethodName": known.map(|(_, name)| name), "depositOthers": other.amount.to_string(),
        "paymentUnitPrice": null, "paymentChangeFlag": null, "paymentDivision": null, "paymentSecuritiesFlag": null,
    })
}

/// The contract's payment methods besides cash and credit (made up).
const PAYMENT_METHODS: [(u64, &str); 3] = [(1, "電子マネー"), (2, "QRコード決済"), (3, "商品券")];

/// `GET /payment_methods`.
pub fn payment_methods() -> Vec<Value> {
    let row = |(id, name): &(u64, &str)| {
        let id = id.to_string();
        json!({"paymentMethodId": id, "code": id, "paymentMethodName": name, "displayFlag": "1"})
    };
    PAYMENT_METHODS.iter().map(row).collect()
}

/// A part of the books for an operator.
pub fn book(books: &Books, part: &str) -> Option<Value> {
    Some(match part {
        "products" => books.products.values().map(product).collect(),
        "stores" => books.stores.values().map(store).collect(),
        "stock" => books.stock.iter().map(stock).collect(),
        "changes" => books.changes.iter().map(change).collect(),
        "transactions" => {
            let sales = books.transactions.values();
            sales
                .map(|sale| transaction(books, sale, (true, true)))
                .collect()
        }
        "daily_report" => {
            let days = books.daily_report().into_iter();
            let row = |((store, day), report): ((u32, chrono::NaiveDate), DailyReport)| {
                json!({
                    "store": store, "day": day.to_string(), "total": report.total, "cash": report.cash,
                    "credit": report.credit, "others": report.others, "wrong": report.wrong, "agrees": report.agrees(),
                })
            };
            days.map(row).collect()
        }
        _ => return None,
    })
}
