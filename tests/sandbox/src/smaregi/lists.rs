//! スマレジ's reads: what each list can be asked for, and its rows; unknown parameters are refused (smaregi.md 1, 2, 4, 5).
//! It must not change anything.

mod query;

use serde_json::{Value, json};

use self::query::{List, MOST, PARTS, Query, USUAL, choice, chosen, fields};
use super::answer::Problem;
use super::books::Books;
use super::rows::{self, names, padded};
use crate::wire::{self, Form, Request};

/// What `with_details` may say; all but none has lines (smaregi.md 2, cited YAML).
const DETAILS: [&str; 3] = ["all", "summary", "none"];

// Sort fields without a documented list are those a client may plausibly want (assumed).
const PRODUCTS: List = List {
    names: names::PRODUCT,
    ids: &[("product_id", "productId"), ("category_id", "categoryId")],
    texts: &[
        ("product_code", "productCode"),
        ("group_code", "groupCode"),
        ("display_flag", "displayFlag"),
        ("division", "division"),
        ("sales_division", "salesDivision"),
        ("stock_control_division", "stockControlDivision"),
        ("supplier_product_no", "supplierProductNo"),
    ],
    ranges: &[("upd_date_time", "updDateTime")],
    sort: &[
        "productId",
        "productCode",
        "groupCode",
        "categoryId",
        "displaySequence",
        "insDateTime",
        "updDateTime",
    ],
    ..List::PLAIN
};

const STORES: List = List {
    names: names::STORE,
    with: &["with_point_condition", "with_receipt_print_info"],
    sort: &["storeId", "storeCode", "displaySequence", "updDateTime"],
    ..List::PLAIN
};

const STOCK: List = List {
    names: names::STOCK,
    ids: &[("store_id", "storeId"), ("product_id", "productId")],
    ranges: &[("upd_date_time", "updDateTime")],
    sort: &["productId", "storeId"],
    ..List::PLAIN
};

const CHANGES: List = List {
    names: names::CHANGE,
    ids: &[
        ("id", "id"),
        ("from_store_id", "fromStoreId"),
        ("to_store_id", "toStoreId"),
    ],
    texts: &[
        ("stock_amount", "stockAmount"),
        ("stock_division", "stockDivision"),
    ],
    days: &[("target_date", "targetDateTime")],
    sort: &[
        "id",
        "updDateTime",
        "targetDateTime",
        "amount",
        "stockAmount",
        "stockDivision",
    ],
    ..List::PLAIN
};

const TRANSACTIONS: List = List {
    names: names::TRANSACTION,
    ids: &[("store_id", "storeId")],
    texts: &[
        ("transaction_uuid", "transactionUuid"),
        ("transaction_head_division", "transactionHeadDivision"),
        ("customer_code", "customerCode"),
        ("barcode", "barcode"),
    ],
    days: &[("sum_date", "sumDate")],
    ranges: &[
        ("transaction_date_time", "transactionDateTime"),
        ("terminal_tran_date_time", "terminalTranDateTime"),
        ("sum_date", "sumDate"),
        ("upd_date_time", "updDateTime"),
    ],
    id_ranges: &[("transaction_head_id", "transactionHeadId")],
    with: &["with_deposit_others", "with_layaway"],
    lines: true,
    sort: &[
        "transactionHeadId",
        "transactionDateTime",
        "terminalTranDateTime",
        "terminalTranId",
        "terminalId",
        "storeId",
        "sumDate",
        "transactionUuid",
        "updDateTime",
    ],
};

pub fn products(books: &Books, request: &Request) -> Result<Value, Problem> {
    let query = Query::read(&PRODUCTS, &wire::query(request), MOST)?;
    Ok(query.answer(books.products.values().map(rows::product)))
}

pub fn product(books: &Books, id: &str, request: &Request) -> Result<Value, Problem> {
    let form = wire::query(request);
    // The second is documented for a single product only; products of these shops draw on no others.
    only(&form, &["fields", "with_inventory_reservations"])?;
    let fields = fields(names::PRODUCT, &[], &form)?;
    let found = id.parse().ok().and_then(|id: u64| books.products.get(&id));
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(chosen(
        padded(names::PRODUCT, rows::product(found)),
        fields.as_deref(),
    ))
}

pub fn stores(books: &Books, request: &Request) -> Result<Value, Problem> {
    let form = wire::query(request);
    let query = Query::read(&STORES, &form, MOST)?;
    let rows = books.stores.values().map(rows::store);
    let rows = rows.map(|row| with_parts(row, &form));
    Ok(query.answer(rows))
}

pub fn store(books: &Books, id: &str, request: &Request) -> Result<Value, Problem> {
    let form = wire::query(request);
    only(
        &form,
        &["fields", "with_point_condition", "with_receipt_print_info"],
    )?;
    for name in STORES.with {
        choice(&form, name, &["all", "none"])?;
    }
    let fields = fields(names::STORE, &[], &form)?;
    let found = id.parse().ok().and_then(|id: u32| books.stores.get(&id));
    let row = rows::store(found.ok_or_else(Problem::not_found)?);
    let row = padded(names::STORE, row);
    Ok(chosen(with_parts(row, &form), fields.as_deref()))
}

/// What `with_point_condition` and `with_receipt_print_info` add; neither is played, so both are null.
fn with_parts(mut row: Value, form: &Form) -> Value {
    for (name, part) in [
        ("with_point_condition", "pointCondition"),
        ("with_receipt_print_info", "receiptPrintInfo"),
    ] {
        if form.text(name) == Some("all") {
            wire::set(&mut row, part, Value::Null);
        }
    }
    row
}

pub fn stock(books: &Books, request: &Request) -> Result<Value, Problem> {
    let query = Query::read(&STOCK, &wire::query(request), MOST)?;
    Ok(query.answer(books.stock.iter().map(rows::stock)))
}

/// Of a product or store that does not exist there is no history (assumed: an empty list).
pub fn changes(
    books: &Books,
    (product, store): (&str, &str),
    request: &Request,
) -> Result<Value, Problem> {
    let query = Query::read(&CHANGES, &wire::query(request), MOST)?;
    let (product, store) = (product.parse().unwrap_or(0), store.parse().unwrap_or(0));
    Ok(query.answer(books.history(product, store).map(rows::change)))
}

pub fn transactions(books: &Books, request: &Request) -> Result<Value, Problem> {
    let form = wire::query(request);
    let lines = choice(&form, "with_details", &DETAILS)?.is_some_and(|with| with != "none");
    let query = Query::read(&TRANSACTIONS, &form, if lines { USUAL } else { MOST })?;
    let ranged = TRANSACTIONS
        .ranges
        .iter()
        .any(|(name, _)| form.filled(&format!("{name}-from")).is_some());
    if !ranged && form.filled("sum_date").is_none() {
        return Err(Problem::invalid("日付の範囲を指定してください。"));
    }
    let others = form.text("with_deposit_others") == Some("all");
    let sales = books.transactions.values();
    Ok(query.answer(sales.map(|sale| rows::transaction(books, sale, (lines, others)))))
}

/// What a single transaction can be asked for besides lines (smaregi.md 2, cited YAML); only other payments are played.
const WITH: [&str; 6] = [
    "with_deposit_others",
    "with_layaway",
    "with_coupons",
    "with_store",
    "with_customer",
    "with_staff",
];

pub fn transaction(books: &Books, id: &str, request: &Request) -> Result<Value, Problem> {
    let form = wire::query(request);
    let known: Vec<_> = WITH
        .iter()
        .chain(&["fields", "with_details"])
        .copied()
        .collect();
    only(&form, &known)?;
    for name in WITH {
        choice(&form, name, &["all", "none"])?;
    }
    let lines = choice(&form, "with_details", &DETAILS)?.is_some_and(|with| with != "none");
    let others = form.text("with_deposit_others") == Some("all");
    let fields = fields(names::TRANSACTION, &PARTS, &form)?;
    let found = id.parse().ok();
    let found = found.and_then(|id: u64| books.transactions.get(&id));
    let row = rows::transaction(
        books,
        found.ok_or_else(Problem::not_found)?,
        (lines, others),
    );
    let row = padded(names::TRANSACTION, row);
    Ok(chosen(row, fields.as_deref()))
}

pub fn details(books: &Books, id: &str, request: &Request) -> Result<Value, Problem> {
    let list = List {
        names: names::DETAIL,
        sort: &["transactionDetailId"],
        ..List::PLAIN
    };
    let query = Query::read(&list, &wire::query(request), MOST)?;
    let found = id.parse().ok();
    let sale = found.and_then(|id: u64| books.transactions.get(&id));
    let sale = sale.ok_or_else(Problem::not_found)?;
    let rows = sale.details.iter().map(|line| rows::detail(sale.id, line));
    Ok(query.answer(rows))
}

pub fn payment_methods(request: &Request) -> Result<Value, Problem> {
    let list = List {
        names: names::PAYMENT_METHOD,
        sort: &["paymentMethodId"],
        ..List::PLAIN
    };
    let query = Query::read(&list, &wire::query(request), MOST)?;
    Ok(query.answer(rows::payment_methods().into_iter()))
}

pub fn customers(books: &Books, request: &Request) -> Result<Value, Problem> {
    let list = List {
        names: names::CUSTOMER,
        ids: &[("customer_id", "customerId")],
        texts: &[("customer_code", "customerCode")],
        sort: &["customerId", "customerCode"],
        ..List::PLAIN
    };
    let query = Query::read(&list, &wire::query(request), MOST)?;
    let rows = books
        .customers
        .iter()
        .map(|(id, code)| json!({"customerId": id.to_string(), "customerCode": code}));
    Ok(query.answer(rows))
}

fn only(form: &Form, known: &[&str]) -> Result<(), Problem> {
    let unknown = form.names().find(|name| !known.contains(name));
    unknown.map_or(Ok(()), |name| Err(Problem::unsupported(name)))
}
