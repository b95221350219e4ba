//! Uploads as a client sees them, from the file to the movement history.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, NE};
use crate::next_engine::Spoil;
use crate::switches::*;

/// File, switches, status, part of the message, stock of A-1 afterwards.
type Case = (&'static str, Switches, &'static str, &'static str, i64);

/// Differences that are applied, or refused for want of stock.
fn differences() -> [Case; 7] {
    let partial = Switches::default();
    let failed = Switches {
        partial_upload_ends: PartialUploadEnds::Failed,
        ..partial
    };
    let all = Switches {
        upload_bad_rows: UploadBadRows::AllOrNothing,
        ..partial
    };
    [
        (
            "syohin_code,zaiko_su\nA-1,-3\nA-1,+1\n",
            partial,
            "2",
            "",
            8,
        ),
        ("syohin_code,zaiko_su\nA-1,\n", partial, "2", "", 10),
        (
            "syohin_code,zaiko_su\nA-1,-11\nB-2,1\n",
            partial,
            "2",
            "2行目 [A-1] フリー在庫数(10)",
            10,
        ),
        (
            "syohin_code,zaiko_su\nA-1,2\nB-2,-11\n",
            failed,
            "-1",
            "3行目 [B-2]",
            12,
        ),
        (
            "syohin_code,zaiko_su\nA-1,2\nB-2,-11\n",
            all,
            "-1",
            "3行目 [B-2]",
            10,
        ),
        (
            "syohin_code,zaiko_su\nA-1,2\nB-2,-11\n",
            Switches {
                all_or_nothing_ends: AllOrNothingEnds::Done,
                queue_message: QueueMessage::Count,
                ..all
            },
            "2",
            "1件",
            10,
        ),
        (
            "syohin_code,yoyaku_zaiko_su\nA-1,2\n",
            partial,
            "2",
            "予約在庫",
            10,
        ),
    ]
}

/// Codes, numbers and headers, good and bad.
fn forms() -> [Case; 5] {
    let partial = Switches::default();
    let ignored = Switches {
        code_case: CodeCase::Ignored,
        ..partial
    };
    [
        (
            "syohin_code,zaiko_su\na-1,2\n",
            partial,
            "2",
            "sire_code",
            10,
        ),
        ("syohin_code,zaiko_su\na-1,2\n", ignored, "2", "", 12),
        ("syohin_code,zaiko_su\nA-1,1.5\n", partial, "2", "整数", 10),
        ("syohin_code,zaiko\nA-1,1\n", partial, "-1", "zaiko", 10),
        ("zaiko_su\n1\n", partial, "-1", "syohin_code", 10),
    ]
}

#[test]
fn uploads_follow_the_table() {
    for (file, switches, status, message, stock) in differences().into_iter().chain(forms()) {
        let mut client = Client::new(switches);
        let found = client.upload(file);
        assert_eq!(found.0, status, "{file}");
        assert!(
            found.1.contains(message) && found.1.is_empty() == message.is_empty(),
            "{file}: {}",
            found.1
        );
        assert_eq!(client.stock("A-1").0, stock, "{file}");
    }
}

#[test]
fn an_unknown_code_with_enough_columns_is_a_new_product() {
    let mut client = Client::new(Switches::default());
    let file = "syohin_code,sire_code,syohin_name,genka_tnk,baika_tnk,zaiko_su,nyusyukko_riyu\nN-1,0001,新商品,100,200,4,tsunagi:7\n";
    assert_eq!(client.upload(file).0, "2");
    assert_eq!(client.stock("N-1"), (4, 4));
    let fields = "stock_io_history_goods_id,stock_io_history_before_stock_quantity,stock_io_history_after_stock_quantity";
    let asked = [
        ("fields", fields),
        ("stock_io_history_reason-eq", "tsunagi:7"),
    ];
    let answer = client.call("/api_v1_master_stockiohistory/search", &asked);
    let row = json!({"stock_io_history_goods_id": "N-1", "stock_io_history_before_stock_quantity": "0",
                     "stock_io_history_after_stock_quantity": "4"});
    assert_eq!(answer["data"], json!([row]));
}

#[test]
fn the_queue_waits_runs_and_ends_by_the_clock() {
    let mut client = Client::new(Switches {
        movement_delay: MovementDelay::Minute,
        ..Switches::default()
    });
    client.call(
        "/api_v1_master_goods/upload",
        &[
            ("data_type", "csv"),
            ("data", "syohin_code,zaiko_su\nA-1,1\n"),
        ],
    );
    // seconds passed, status, stock, movements to read
    for (seconds, status, stock, movements) in [
        (0, "0", 10, "0"),
        (10, "1", 11, "0"),
        (5, "2", 11, "0"),
        (60, "2", 11, "1"),
    ] {
        client.world.clock.advance(Duration::from_secs(seconds));
        let answer = client.call("/api_v1_system_que/search", &[("fields", "que_status_id")]);
        assert_eq!(answer["data"][0]["que_status_id"], status);
        assert_eq!(client.stock("A-1").0, stock);
        assert_eq!(
            client.call("/api_v1_master_stockiohistory/count", &[])["count"],
            movements
        );
    }
}

#[test]
fn gzip_and_shift_jis_are_read() {
    use std::io::Write;
    let (text, ..) = encoding_rs::SHIFT_JIS.encode("syohin_code,syohin_name\nA-1,煎茶\n");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&text).unwrap();
    let mut client = Client::new(Switches {
        queue_delay: QueueDelay::None,
        ..Switches::default()
    });
    let data: String = packed
        .finish()
        .unwrap()
        .iter()
        .map(|byte| format!("%{byte:02X}"))
        .collect();
    let body = format!("access_token={}&data_type=gz&data={data}", client.access);
    let request = http::Request::post("/api_v1_master_goods/upload")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.into_bytes())
        .unwrap();
    client.world.handle(NE, &request);
    client.world.tick();
    assert_eq!(client.world.next_engine.books().goods["A-1"].name, "煎茶");
}

#[test]
fn a_spoilt_upload_fails_or_hangs_and_the_next_one_runs() {
    // how, final status, stock of A-1 after it
    for (how, status, stock) in [
        (Spoil::FailUnapplied, "-1", 10),
        (Spoil::FailApplied, "-1", 12),
        (Spoil::Hang, "1", 10),
    ] {
        let mut client = Client::new(Switches::default());
        client.world.next_engine.spoil_next_upload(how);
        let file = "syohin_code,zaiko_su\nA-1,2\n";
        assert_eq!(client.upload(file).0, status, "{how:?}");
        assert_eq!(client.stock("A-1").0, stock, "{how:?}");
        assert_eq!(client.upload(file).0, "2", "{how:?}");
        assert_eq!(client.stock("A-1").0, stock + 2, "{how:?}");
    }
}

#[test]
fn the_history_shows_reasons_as_the_switch_says() {
    let long = "x".repeat(60);
    for (upload_reason, shown) in [
        (UploadReason::Verbatim, long.clone()),
        (UploadReason::Truncated, "x".repeat(50)),
        (UploadReason::Prefixed, format!("商品マスタ一括登録 {long}")),
        (UploadReason::Absent, String::new()),
    ] {
        let mut client = Client::new(Switches {
            upload_reason,
            ..Switches::default()
        });
        client.upload(&format!(
            "syohin_code,zaiko_su,nyusyukko_riyu\nA-1,2,{long}\n"
        ));
        let movements = &client.world.next_engine.books().movements;
        assert_eq!(movements[0].reason, shown);
    }
}

#[test]
fn joins_heed_the_case_switch() {
    for (code_case, name) in [
        (CodeCase::Exact, Value::Null),
        (CodeCase::Ignored, json!("商品A-1")),
    ] {
        let mut client = Client::new(Switches {
            code_case,
            ..Switches::default()
        });
        let mut order = super::order(1, 1);
        order.lines[0].code = String::from("a-1");
        client.world.next_engine.place(&order).unwrap();
        let path = "/api_v1_receiveorder_row/search";
        let answer = client.call(path, &[("fields", "goods_name")]);
        assert_eq!(answer["data"][0]["goods_name"], name);
    }
}
