//! Shapes of answers that the switches leave open, and what ordered refusals do to tokens.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, NE};
use crate::faults::{FaultKind, FaultRule};
use crate::switches::*;

const SEARCH: &str = "/api_v1_master_stock/search";

#[test]
fn counts_and_limits_follow_the_switches() {
    let one = [("fields", "stock_goods_id"), ("limit", "1")];
    let base = Switches::default();
    let table = [
        (base, json!("1")),
        (
            Switches {
                count_type: CountType::Number,
                ..base
            },
            json!(1),
        ),
        (
            Switches {
                search_count: SearchCount::Total,
                ..base
            },
            json!("2"),
        ),
    ];
    for (switches, count) in table {
        let answer = Client::new(switches).call(SEARCH, &one);
        assert_eq!(answer["count"], count, "{switches:?}");
        assert_eq!(answer["data"].as_array().unwrap().len(), 1);
    }
    let much = [("fields", "stock_goods_id"), ("limit", "10001")];
    assert_eq!(Client::new(base).call(SEARCH, &much)["result"], "success");
    let refuse = Switches {
        over_limit: OverLimit::Refuse,
        ..base
    };
    assert_eq!(Client::new(refuse).call(SEARCH, &much)["code"], "004002");
}

#[test]
fn redirects_errors_and_bad_refresh_tokens_follow_the_switches() {
    let bare = Switches {
        redirect_shape: RedirectShape::Bare,
        bad_refresh: BadRefresh::Redirect,
        ..Switches::default()
    };
    for (switches, code) in [
        (Switches::default(), json!("002003")),
        (
            Switches {
                bad_refresh: BadRefresh::Code002004,
                ..Switches::default()
            },
            json!("002004"),
        ),
        (bare, Value::Null),
    ] {
        let mut client = Client::new(switches);
        client.world.clock.advance(Duration::from_secs(25 * 3600));
        client.refresh = String::from("nobody's");
        let answer = client.call(SEARCH, &[]);
        assert_eq!(answer["code"], code);
        let redirected = switches == bare;
        assert_eq!(answer["result"] == "redirect", redirected);
    }
    let mut client = Client::new(Switches {
        error_status: ErrorStatus::BadRequest400,
        ..Switches::default()
    });
    client.call(SEARCH, &[]);
    assert_eq!(client.world.counters.status(NE, 400), 1);
}

#[test]
fn an_ordered_answer_without_tokens_does_not_renew_them() {
    let mut client = Client::new(Switches::default());
    client.world.clock.advance(Duration::from_secs(25 * 3600));
    let uid = client.world.next_engine.users()[0].uid.clone();
    let before = client.world.next_engine.pair(&uid).unwrap().access.clone();
    let fault = FaultKind::RefuseCode {
        code: String::from("002002"),
    };
    client
        .world
        .faults
        .add(FaultRule::once(NE, "/search", fault));
    assert_eq!(client.call(SEARCH, &[])["code"], "002002");
    let pair = client.world.next_engine.pair(&uid).unwrap();
    assert_eq!(pair.access, before);
}

#[test]
fn locations_companies_and_lists_can_be_read() {
    let mut client = Client::new(Switches::default());
    let fields = "warehouse_stock_warehouse_id,warehouse_stock_goods_id,warehouse_stock_quantity";
    let found = client.call(
        "/api_v1_warehouse_stock/search",
        &[("fields", fields), ("warehouse_stock_goods_id-eq", "A-1")],
    );
    assert_eq!(
        found["data"],
        json!([{"warehouse_stock_warehouse_id": "0", "warehouse_stock_goods_id": "A-1", "warehouse_stock_quantity": "10"}])
    );
    let found = client.call(
        "/api_v1_warehouse_base/search",
        &[("fields", "warehouse_id,warehouse_name")],
    );
    assert_eq!(found["data"][0]["warehouse_name"], "基本拠点");
    let app = [
        ("client_id", "sandbox-client"),
        ("client_secret", "sandbox-client-secret"),
    ];
    let found = client.call("/api_app/company", &app);
    assert_eq!(found["data"][0]["company_ne_id"], "NE000001");
    assert_eq!(client.call("/api_app/company", &[])["code"], "001003");
    let kinds = client.call("/api_v1_system_customertype/info", &[]);
    assert_eq!(kinds["data"][1]["customer_type_id"], "9");
}

#[test]
fn movements_use_the_ids_of_their_list_and_flags_as_the_switch_says() {
    for (io_flag, flag) in [(IoFlag::ZeroIn, "0"), (IoFlag::OneIn, "1")] {
        let mut client = Client::new(Switches {
            io_flag,
            ..Switches::default()
        });
        client.upload("syohin_code,zaiko_su\nA-1,2\n");
        let fields =
            "stock_io_history_io_flag,stock_io_history_io_type_id,stock_io_history_io_type_name";
        let row = client.call(
            "/api_v1_master_stockiohistory/search",
            &[("fields", fields)],
        )["data"][0]
            .clone();
        assert_eq!(row["stock_io_history_io_flag"], flag);
        let kinds = client.call("/api_v1_system_iotype/info", &[])["data"].clone();
        let listed = kinds.as_array().unwrap().iter().any(|kind| {
            kind["io_type_id"] == row["stock_io_history_io_type_id"]
                && kind["io_type_name"] == row["stock_io_history_io_type_name"]
        });
        assert!(listed, "{kinds}");
    }
}

#[test]
fn shipping_is_in_the_tax_account_where_the_switch_puts_it() {
    for (tax_account_shipping, charge, requested) in [
        (TaxAccountShipping::Requested, "330.00", "2728.00"),
        (TaxAccountShipping::Charged, "880.00", "2728.00"),
        (TaxAccountShipping::Absent, "330.00", "2178.00"),
    ] {
        let mut client = Client::new(Switches {
            tax_account_shipping,
            ..Switches::default()
        });
        client.world.next_engine.place(&super::order(1, 2)).unwrap();
        let found = client.call(
            "/api_v1_receiveorder_tax_account/search",
            &[("receive_order_ids", "10001")],
        );
        let row = &found["data"][0];
        assert_eq!(row["receive_order_charge_amount_tax10"], charge);
        assert_eq!(row["receive_order_request_amount_tax10"], requested);
    }
}
