//! 取消, 返品取消 and returns: lines, webhooks, rows that come late.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, sale};
use crate::switches::*;

fn told(client: &Client, event: &str, action: &str) -> Vec<Value> {
    let sent = client.webhooks.take().into_iter().map(|hook| hook.body);
    sent.filter(|body| body["event"] == event && body["action"] == action)
        .collect()
}

#[test]
fn a_negative_has_lines_that_add_up() {
    for (dispose_lines, quantity, division) in [
        (DisposeLines::QuantityNegated, "-2", "2"),
        (DisposeLines::AsSold, "2", "1"),
    ] {
        let mut client = Client::new(Switches {
            dispose_lines,
            ..Switches::default()
        });
        client.post("/transactions", &sale(|_| ()));
        client.post("/transactions/1/dispose", &json!({}));
        let (_, lines) = client.get("/transactions/2/details");
        assert_eq!(
            (
                &lines[0]["quantity"],
                &lines[0]["transactionDetailDivision"]
            ),
            (&json!(quantity), &json!(division))
        );
        assert_eq!(client.get("/transactions/2").1["subtotal"], "-2000");
    }
}

#[test]
fn webhooks_of_undoing_follow_their_switches() {
    for (disposed_ids, ids) in [
        (DisposedIds::New, json!(["2"])),
        (DisposedIds::Original, json!(["1"])),
        (DisposedIds::Both, json!(["1", "2"])),
    ] {
        let mut client = Client::new(Switches {
            disposed_ids,
            undo_webhook: UndoWebhook::Silent,
            ..Switches::default()
        });
        client.post("/transactions", &sale(|_| ()));
        client.webhooks.take();
        client.post("/transactions/1/dispose", &json!({}));
        let hooks = client.webhooks.take();
        let events: Vec<_> = hooks
            .iter()
            .map(|hook| hook.body["event"].clone())
            .collect();
        assert_eq!(events, [json!("pos:transactions")]);
        assert_eq!(hooks[0].body["transactionHeadIds"], ids);
    }
}

#[test]
fn a_sale_writes_rows_as_the_switches_say() {
    let twice = sale(|sale| {
        sale["subtotal"] = json!("4000");
        sale["total"] = json!("4000");
        let mut line = sale["details"][0].clone();
        line["transactionDetailId"] = json!("2");
        sale["details"].as_array_mut().unwrap().push(line);
    });
    for (sale_rows, rows) in [(SaleRows::PerLine, 2), (SaleRows::PerProduct, 1)] {
        let mut client = Client::new(Switches {
            sale_rows,
            sale_stock_delay: SaleStockDelay::Seconds7,
            ..Switches::default()
        });
        let before = client.smaregi.books().changes.len();
        client.post("/transactions", &twice);
        assert_eq!(client.smaregi.books().changes.len(), before, "later");
        client.smaregi.clock.advance(Duration::from_secs(7));
        client.get("/stores");
        assert_eq!(client.smaregi.books().changes.len(), before + rows);
        assert_eq!(told(&client, "pos:stock", "edited").len(), 1);
    }
    let mut client = Client::new(Switches {
        sale_stock_delay: SaleStockDelay::Seconds7,
        ..Switches::default()
    });
    let before = client.smaregi.books().stock_of(1, 1);
    client.post("/transactions", &twice);
    client.post("/transactions/1/cancel", &json!({}));
    client.smaregi.clock.advance(Duration::from_secs(7));
    client.get("/stores");
    assert_eq!(client.smaregi.books().stock_of(1, 1), before);
}

#[test]
fn a_return_at_the_till_is_negative_and_brings_goods_back() {
    let mut client = Client::new(Switches::default());
    let before = client.smaregi.books().stock_of(1, 1);
    let id = client.smaregi.pos_return(1, &[(1, 2)]).unwrap();
    assert_eq!(client.smaregi.books().stock_of(1, 1), before + 2);
    let last = client.smaregi.books().changes.last().unwrap();
    assert_eq!(last.division, "12");
    assert!(client.smaregi.books().transactions[&id].amounts.total < 0);
}

#[test]
fn other_payments_of_an_undoing_are_checked() {
    let mut client = Client::new(Switches::default());
    client.post("/transactions", &sale(|_| ()));
    for (others, status) in [
        (json!([{"no": "4"}]), 400),
        (json!([{"no": "1"}, {"no": "2"}]), 400),
        (json!([{"no": "1", "amount": "5"}]), 400),
        (json!([{"no": "1", "cancelSlipNumber": "77"}]), 200),
    ] {
        let body = json!({"depositOthers": others});
        assert_eq!(
            client.post("/transactions/1/cancel", &body).0,
            status,
            "{body}"
        );
    }
}

#[test]
fn operators_can_be_driven_by_json() {
    use crate::service::Service;
    let mut client = Client::new(Switches::default());
    for action in [
        json!({"action": "pos_return", "store": 1, "lines": [[1, 2]]}),
        json!({"action": "purchase", "product": 1, "store": 1, "quantity": 3}),
        json!({"action": "stocktake", "product": 1, "store": 1, "counted": 3}),
        json!({"action": "loss", "product": 1, "store": 1, "quantity": 1, "target": "2026-11-20T09:00:00+09:00"}),
        json!({"action": "set_store", "store": 1, "closes_itself": true}),
        json!({"action": "set_pace", "limits": "sandbox", "real_time": true}),
        json!({"action": "set_customer", "customer": 8, "code": "C-8"}),
        json!({"action": "add_staff", "staff": 6}),
        json!({"action": "unset_hook"}),
    ] {
        assert!(client.smaregi.operate(action.clone()).is_ok(), "{action}");
    }
    let odd =
        json!({"action": "purchase", "product": 1, "store": 1, "quantity": 3, "target": null});
    assert!(client.smaregi.operate(odd).is_err());
    assert!(client.smaregi.book("daily_report").is_some());
    let refused = (0..9).filter(|_| client.post("/transactions", &json!({})).0 == 429);
    assert!(refused.count() >= 1);
}
