//! Addresses, credentials and pace, as they are told and limited.

use super::{
    Field, Kind, MOST, NONE, field,
    text::Form::{Base, Needed, Redirect},
};

pub(super) const ENDPOINTS: &[Field] = &[
    field(
        "next-engine-sign-in",
        ("ネクストエンジン ログイン", "Next Engine login"),
        (
            "ログインする人のブラウザが開くアドレス。",
            "The browser of whoever logs in opens it.",
        ),
        Kind::Text(Base(false)),
    ),
    field(
        "next-engine-api",
        ("ネクストエンジン API", "Next Engine API"),
        NONE,
        Kind::Text(Base(true)),
    ),
    field(
        "smaregi-id",
        ("スマレジ ID", "Smaregi id"),
        (
            "サンドボックスは https://id.smaregi.dev です。",
            "The sandbox is https://id.smaregi.dev.",
        ),
        Kind::Text(Base(true)),
    ),
    field(
        "smaregi-api",
        ("スマレジ API", "Smaregi API"),
        (
            "サンドボックスは https://api.smaregi.dev です。",
            "The sandbox is https://api.smaregi.dev.",
        ),
        Kind::Text(Base(true)),
    ),
];

pub(super) const CREDENTIALS: &[Field] = &[
    field(
        "next-engine-client-id",
        ("ネクストエンジン クライアントID", "Next Engine client id"),
        (
            "ネクストエンジンのアプリ画面の「API」タブにあります。",
            "On the app's API tab at Next Engine.",
        ),
        Kind::Text(Needed),
    ),
    field(
        "next-engine-client-secret",
        (
            "ネクストエンジン クライアントシークレット",
            "Next Engine client secret",
        ),
        (
            "空欄なら、保存済みのものをそのまま使います。",
            "Left out, the stored one stays.",
        ),
        Kind::Secret("has-next-engine-secret"),
    ),
    field(
        "next-engine-redirect",
        (
            "ネクストエンジン リダイレクト先",
            "Next Engine redirect address",
        ),
        (
            "アプリに登録したものと一字一句同じに。空欄なら登録済みのものが使われます。",
            "To the letter as registered with the app; empty uses the registered one.",
        ),
        Kind::Text(Redirect),
    ),
    field(
        "smaregi-contract-id",
        ("スマレジ 契約ID", "Smaregi contract id"),
        NONE,
        Kind::Text(Needed),
    ),
    field(
        "smaregi-client-id",
        ("スマレジ クライアントID", "Smaregi client id"),
        (
            "スマレジ・デベロッパーズのアプリ画面にあります。",
            "On the app's page at Smaregi Developers.",
        ),
        Kind::Text(Needed),
    ),
    field(
        "smaregi-client-secret",
        ("スマレジ クライアントシークレット", "Smaregi client secret"),
        (
            "空欄なら、保存済みのものをそのまま使います。",
            "Left out, the stored one stays.",
        ),
        Kind::Secret("has-smaregi-secret"),
    ),
    field(
        "has-next-engine-secret",
        (
            "ネクストエンジン クライアントシークレットは保存済み",
            "A Next Engine client secret is stored",
        ),
        NONE,
        Kind::Stored,
    ),
    field(
        "has-smaregi-secret",
        (
            "スマレジ クライアントシークレットは保存済み",
            "A Smaregi client secret is stored",
        ),
        NONE,
        Kind::Stored,
    ),
];

/// Minutes of a day.
const DAY: u32 = 1_440;

pub(super) const PACE: &[Field] = &[
    field(
        "import-minutes",
        ("受注の取込間隔(分)", "Minutes between imports"),
        NONE,
        Kind::Number(1, DAY),
    ),
    field(
        "send-minutes",
        ("在庫の送信間隔(分)", "Minutes between sendings"),
        NONE,
        Kind::Number(1, DAY),
    ),
    field(
        "send-early-products",
        (
            "間隔を待たずに送る商品数",
            "Products from which a sending is not put off",
        ),
        NONE,
        Kind::Number(1, 100_000),
    ),
    field(
        "monthly-calls",
        (
            "ネクストエンジンの月間呼び出し上限",
            "Calls to Next Engine that a month may cost",
        ),
        (
            "0なら上限なし。上限に合わせて間隔が延びます。",
            "Zero: no limit. The intervals stretch to stay within.",
        ),
        Kind::Number(0, MOST),
    ),
    field(
        "smaregi-parallel",
        (
            "スマレジへの同時リクエスト数",
            "Requests to Smaregi at once",
        ),
        NONE,
        Kind::Number(1, 16),
    ),
    field(
        "smaregi-writes-per-second",
        ("スマレジへの毎秒の書き込み数", "Writes a second to Smaregi"),
        NONE,
        Kind::Number(1, 200),
    ),
    field(
        "catch-up-minutes",
        (
            "通知の取りこぼしを確かめる間隔(分)",
            "Minutes between looks for what webhooks missed",
        ),
        NONE,
        Kind::Number(5, DAY),
    ),
    field(
        "compare-days",
        (
            "夜間に在庫を照合する間隔(日)",
            "Days between comparisons of stock at night",
        ),
        (
            "0なら自動では照合しません。照合は商品1000点ごとにネクストエンジンを1回呼び出します。",
            "Zero: none by itself. Each costs one call to Next Engine for a thousand products.",
        ),
        Kind::Number(0, 31),
    ),
];
