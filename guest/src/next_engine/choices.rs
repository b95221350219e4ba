//! 店舗マスタ and 支払区分: what the settings name by id. Read for people to choose from; no rule depends on it.

use super::Call;
use crate::{
    reason::Reason,
    wire::{self, Row, Value},
};

/// Rows a call: more shops than any company runs.
const MOST: u32 = 1_000;

/// An id with its name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Choice {
    /// As orders carry it.
    pub id: String,
    /// May be empty.
    pub name: String,
}

/// The shops (next-engine.md 2.4 names the endpoint; `shop_id` and `shop_name` are assumed after its `shop_tax_id`, `shop_tax_name`).
pub fn shops() -> Call {
    Call::search(
        "/api_v1_master_shop/search",
        &["shop_id", "shop_name"],
        MOST,
    )
}

/// The payment methods, a fixed list without parameters (next-engine.md 2.5; its field names are assumed after 2.2's).
pub fn payment_methods() -> Call {
    Call {
        path: "/api_v1_system_paymentmethod/info",
        form: Vec::new(),
        writes: false,
    }
}

/// The rows of [`shops`].
pub fn decode_shops(answer: &Value) -> Vec<Result<Choice, Reason>> {
    decode(answer, "shop_id", "shop_name")
}

/// The rows of [`payment_methods`].
pub fn decode_payment_methods(answer: &Value) -> Vec<Result<Choice, Reason>> {
    decode(answer, "payment_method_id", "payment_method_name")
}

fn decode(answer: &Value, id: &str, name: &str) -> Vec<Result<Choice, Reason>> {
    let read = |row: Row<'_>| {
        Ok(Choice {
            id: row.id(id)?,
            name: row.maybe_text(name).unwrap_or_default(),
        })
    };
    wire::rows(answer.get("data").unwrap_or(&Value::Null), "data", read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sent as json;

    #[test]
    fn a_row_without_an_id_fails_alone() {
        let answer = json!({"data": [
            {"shop_id": "1", "shop_name": "楽天市場店"}, {"shop_id": 2, "shop_name": null}, {"shop_id": null, "shop_name": "x"},
        ]});
        let read = decode_shops(&answer);
        let choice = |id: &str, name: &str| Choice {
            id: id.to_owned(),
            name: name.to_owned(),
        };
        assert_eq!(read[0], Ok(choice("1", "楽天市場店")));
        assert_eq!(read[1], Ok(choice("2", "")));
        assert_eq!(
            read[2].as_ref().unwrap_err().field.as_deref(),
            Some("shop_id")
        );
    }

    #[test]
    fn an_answer_without_a_list_is_one_unreadable_row() {
        for answer in [json!({}), json!({"data": null}), json!([])] {
            assert!(matches!(
                decode_payment_methods(&answer).as_slice(),
                [Err(_)]
            ));
        }
    }
}
