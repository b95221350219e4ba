//! Lists: what they can be asked for, checked before any row is looked at.

use serde_json::json;

use super::{Client, sale};
use crate::switches::Switches;

const RANGE: &str = "terminal_tran_date_time-from=2026-11-22T00:00:00%2B0900&terminal_tran_date_time-to=2026-11-24T00:00:00%2B0900";

#[test]
fn bad_queries_are_refused_on_empty_lists_too() {
    let mut client = Client::new(Switches::default());
    for (query, status) in [
        ("sort=transactionHeadId:desc", 200),
        ("sort=terminalTranId:asc", 200),
        ("sort=nothing", 400),
        ("sort=memo", 400),
        ("sort=storeId:down", 400),
        ("with_details=some", 400),
        ("with_details=summary", 200),
        ("with_deposit_others=yes", 400),
        ("store_id=one", 400),
        ("limit=0", 400),
        ("limit=101&with_details=all", 400),
        ("fields=nothing", 400),
        ("fields=transactionHeadId,details&with_details=all", 200),
        ("transaction_head_id-from=x", 400),
        ("upd_date_time-from=2026-11-22", 400),
    ] {
        assert_eq!(
            client.get(&format!("/transactions?{RANGE}&{query}")).0,
            status,
            "{query}"
        );
    }
    for (path, status) in [
        ("/stock?sort=stockAmount", 400),
        ("/stock?with_details=all", 400),
        ("/stores?with_point_condition=all", 200),
        ("/stores?with_point_condition=some", 400),
        ("/stores/99", 404),
        ("/stock/changes/1/1?target_date=2026-11-24", 200),
        ("/stock/changes/1/1?target_date=today", 400),
        ("/transactions?sum_date=2026-11-24", 200),
        ("/transactions/99/details", 404),
        ("/payment_methods", 200),
        ("/customers", 200),
        ("/shipping", 403),
        ("/receiving/1", 403),
    ] {
        assert_eq!(client.get(path).0, status, "{path}");
    }
}

#[test]
fn transactions_are_found_by_id_customer_and_barcode() {
    let mut client = Client::new(Switches::default());
    client.smaregi.set_customer(8, "C-8");
    for (number, customer) in [("1", "8"), ("2", ""), ("3", "8")] {
        let sent = sale(|sale| {
            sale["terminalTranId"] = json!(number);
            sale["barcode"] = json!(format!("B{number}"));
            if !customer.is_empty() {
                sale["customerId"] = json!(customer);
                sale["customerCode"] = json!("C-8");
            }
        });
        assert_eq!(client.post("/transactions", &sent).0, 200);
    }
    for (query, ids) in [
        ("transaction_head_id-from=2", vec!["2", "3"]),
        (
            "transaction_head_id-from=2&transaction_head_id-to=2",
            vec!["2"],
        ),
        (
            "customer_code=C-8&sort=transactionHeadId:desc",
            vec!["3", "1"],
        ),
        ("barcode=B2", vec!["2"]),
        ("transaction_head_division=3", vec![]),
    ] {
        let (_, found) = client.get(&format!("/transactions?{RANGE}&{query}"));
        let rows = found.as_array().unwrap().iter();
        let found: Vec<_> = rows
            .map(|row| row["transactionHeadId"].as_str().unwrap())
            .collect();
        assert_eq!(found, ids, "{query}");
    }
}
