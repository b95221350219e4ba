//! スマレジ's reads: which rows match, sorted, paged, cut to the fields asked for; unknown parameters refused (smaregi.md 1, 2, 4, 5).
//! It must not change anything.

use chrono::{DateTime, TimeDelta};
use serde_json::{Map, Value};

use super::answer::Problem;
use super::body::bad;
use super::books::Books;
use super::rows;
use crate::wire::{self, Form, Request};

/// Rows a page, most and default.
const MOST: usize = 1000;
const USUAL: usize = 100;
/// Longest range of moments.
const LONGEST: TimeDelta = TimeDelta::days(31);

/// What a list can be asked for: parameter, the row's field, and whether it is a range.
struct Filters {
    exact: &'static [(&'static str, &'static str)],
    ranges: &'static [(&'static str, &'static str)],
    other: &'static [&'static str],
}

pub fn products(books: &Books, request: &Request) -> Result<Value, Problem> {
    let filters = Filters {
        exact: &[
            ("product_id", "productId"),
            ("product_code", "productCode"),
            ("group_code", "groupCode"),
            ("category_id", "categoryId"),
            ("display_flag", "displayFlag"),
            ("division", "division"),
            ("sales_division", "salesDivision"),
            ("stock_control_division", "stockControlDivision"),
            ("supplier_product_no", "supplierProductNo"),
        ],
        ranges: &[("upd_date_time", "updDateTime")],
        // Products of this shop draw on no others.
        other: &["with_inventory_reservations"],
    };
    filters.answer(
        books.products.values().map(rows::product).collect(),
        request,
        MOST,
    )
}

pub fn product(books: &Books, id: &str, request: &Request) -> Result<Value, Problem> {
    let query = wire::query(request);
    only(&query, &["fields", "with_inventory_reservations"])?;
    let found = id
        .parse()
        .ok()
        .and_then(|id: u64| books.products.get(&id))
        .ok_or_else(Problem::not_found)?;
    chosen(&rows::product(found), &query)
}

pub fn stores(books: &Books, request: &Request) -> Result<Value, Problem> {
    let filters = Filters {
        exact: &[],
        ranges: &[],
        other: &[],
    };
    filters.answer(
        books.stores.values().map(rows::store).collect(),
        request,
        MOST,
    )
}

pub fn stock(books: &Books, request: &Request) -> Result<Value, Problem> {
    let filters = Filters {
        exact: &[("store_id", "storeId"), ("product_id", "productId")],
        ranges: &[("upd_date_time", "updDateTime")],
        other: &[],
    };
    filters.answer(books.stock.iter().map(rows::stock).collect(), request, MOST)
}

/// Of a product or store that does not exist there is no history (assumed: an empty list).
pub fn changes(
    books: &Books,
    (product, store): (&str, &str),
    request: &Request,
) -> Result<Value, Problem> {
    let filters = Filters {
        exact: &[
            ("id", "id"),
            ("stock_amount", "stockAmount"),
            ("stock_division", "stockDivision"),
            ("from_store_id", "fromStoreId"),
            ("to_store_id", "toStoreId"),
        ],
        ranges: &[],
        other: &[],
    };
    let (product, store) = (product.parse().unwrap_or(0), store.parse().unwrap_or(0));
    filters.answer(
        books.history(product, store).map(rows::change).collect(),
        request,
        MOST,
    )
}

pub fn transactions(books: &Books, request: &Request) -> Result<Value, Problem> {
    let filters = Filters {
        exact: &[
            ("store_id", "storeId"),
            ("transaction_uuid", "transactionUuid"),
        ],
        ranges: &[
            ("transaction_date_time", "transactionDateTime"),
            ("terminal_tran_date_time", "terminalTranDateTime"),
            ("sum_date", "sumDate"),
            ("upd_date_time", "updDateTime"),
        ],
        other: &[
            "with_details",
            "with_deposit_others",
            "customer_code",
            "barcode",
        ],
    };
    let query = wire::query(request);
    let ranged = filters
        .ranges
        .iter()
        .any(|(name, _)| query.filled(&format!("{name}-from")).is_some());
    if !ranged {
        return Err(Problem::invalid("日付の範囲を指定してください。"));
    }
    let details = query
        .filled("with_details")
        .is_some_and(|with| with != "none");
    let most = if details { USUAL } else { MOST };
    filters.answer(
        books
            .transactions
            .values()
            .map(|sale| rows::transaction(sale, details))
            .collect(),
        request,
        most,
    )
}

pub fn transaction(books: &Books, id: &str, request: &Request) -> Result<Value, Problem> {
    let query = wire::query(request);
    only(&query, &["fields", "with_details", "with_deposit_others"])?;
    let found = id
        .parse()
        .ok()
        .and_then(|id: u64| books.transactions.get(&id))
        .ok_or_else(Problem::not_found)?;
    chosen(
        &rows::transaction(
            found,
            query
                .filled("with_details")
                .is_some_and(|with| with != "none"),
        ),
        &query,
    )
}

fn only(query: &Form, known: &[&str]) -> Result<(), Problem> {
    let unknown = query.names().find(|name| !known.contains(name));
    unknown.map_or(Ok(()), |name| Err(Problem::unsupported(name)))
}

impl Filters {
    fn answer(&self, rows: Vec<Value>, request: &Request, most: usize) -> Result<Value, Problem> {
        let query = wire::query(request);
        self.check_names(&query)?;
        let mut found = Vec::new();
        for row in rows {
            if self.matches(&row, &query)? {
                found.push(row);
            }
        }
        sort(&mut found, query.filled("sort"))?;
        let limit = count(&query, "limit", USUAL, most)?;
        let page = count(&query, "page", 1, usize::MAX)?;
        let page = found
            .iter()
            .skip((page - 1).saturating_mul(limit))
            .take(limit);
        page.map(|row| chosen(row, &query))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::from)
    }

    fn check_names(&self, query: &Form) -> Result<(), Problem> {
        let known = |name: &str| {
            let ranges = self.ranges.iter().any(|(range, _)| {
                name.strip_prefix(range)
                    .is_some_and(|end| end == "-from" || end == "-to")
            });
            ranges
                || self.exact.iter().any(|(exact, _)| *exact == name)
                || self.other.contains(&name)
                || ["fields", "sort", "limit", "page"].contains(&name)
        };
        let unknown = query.names().find(|name| !known(name));
        unknown.map_or(Ok(()), |name| Err(Problem::unsupported(name)))
    }

    fn matches(&self, row: &Value, query: &Form) -> Result<bool, Problem> {
        let exact = self
            .exact
            .iter()
            .all(|(name, field)| query.text(name).is_none_or(|wanted| row[*field] == wanted));
        for (name, field) in self.ranges {
            if !within(row[*field].as_str().unwrap_or_default(), query, name)? {
                return Ok(false);
            }
        }
        Ok(exact)
    }
}

/// Both ends belong to the range (assumed); it needs both and is at most 31 days long.
fn within(value: &str, query: &Form, name: &str) -> Result<bool, Problem> {
    let end = |side: &str| {
        let name = format!("{name}{side}");
        query
            .filled(&name)
            .map(|text| moment(text).ok_or_else(|| bad(&name)))
            .transpose()
    };
    let (from, to) = (end("-from")?, end("-to")?);
    match (from, to) {
        (None, None) => Ok(true),
        (Some(from), Some(to)) if to - from <= LONGEST && to >= from => {
            Ok(moment(value).is_some_and(|value| (from..=to).contains(&value)))
        }
        _ => Err(Problem::invalid(format!(
            "{name}の範囲は31日以内で指定してください。"
        ))),
    }
}

/// A moment, or a day's first one.
fn moment(text: &str) -> Option<DateTime<chrono::FixedOffset>> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_rfc3339(&format!("{text}T00:00:00+09:00")))
        .ok()
}

fn count(query: &Form, name: &str, usual: usize, most: usize) -> Result<usize, Problem> {
    let Some(text) = query.filled(name) else {
        return Ok(usual);
    };
    text.parse()
        .ok()
        .filter(|number| (1..=most).contains(number))
        .ok_or_else(|| bad(name))
}

fn sort(rows: &mut [Value], order: Option<&str>) -> Result<(), Problem> {
    let Some(order) = order else { return Ok(()) };
    for part in order.split(',').rev() {
        let (field, backward) = part
            .strip_suffix(":desc")
            .map_or((part, false), |field| (field, true));
        if rows.first().is_some_and(|row| row.get(field).is_none()) {
            return Err(bad("sort"));
        }
        // Ids are numbers, whatever their length; everything else is text of equal length.
        let key = |row: &Value| {
            row[field]
                .as_str()
                .map(|text| (text.len(), text.to_owned()))
        };
        rows.sort_by(|a, b| {
            if backward {
                key(b).cmp(&key(a))
            } else {
                key(a).cmp(&key(b))
            }
        });
    }
    Ok(())
}

fn chosen(row: &Value, query: &Form) -> Result<Value, Problem> {
    let Some(fields) = query.filled("fields") else {
        return Ok(row.clone());
    };
    let pick = |field: &str| Some((field.to_owned(), row.get(field)?.clone()));
    let picked: Option<Map<String, Value>> = fields.split(',').map(pick).collect();
    picked.map(Value::Object).ok_or_else(|| bad("fields"))
}
