//! An order as the rules see it: one Next Engine slip (伝票) with its lines, in our words, without personal data. Holds no rule.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// How far an order has come (`receive_order_order_status_id`, next-engine.md 2.2). Can move backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderState {
    /// 0, 1: not complete yet.
    Provisional,
    /// 2: 起票済
    Issued,
    /// 20, 30, 40: 納品書印刷待ち to 印刷済
    Printing,
    /// 50: 出荷確定済
    Shipped,
    /// A state we do not know; never imported, shown.
    Unknown,
}

impl OrderState {
    /// How far along; `None` for a state we do not know, which can be compared with none.
    pub fn rank(self) -> Option<u8> {
        match self {
            Self::Unknown => None,
            Self::Provisional => Some(0),
            Self::Issued => Some(1),
            Self::Printing => Some(2),
            Self::Shipped => Some(3),
        }
    }
}

/// What its cancel type means (next-engine.md 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Life {
    /// 0: 有効
    Live,
    /// 3: 同梱; its content lives on in another slip.
    Merged,
    /// 6, 8, 14 to 17: the goods came back after shipping.
    Returned,
    /// Every other type: cancelled.
    Cancelled,
}

/// One line (明細).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Line number in Next Engine.
    pub number: String,
    /// 商品コード
    pub code: String,
    /// 商品名
    pub name: String,
    /// Ordered quantity.
    pub quantity: Decimal,
    /// Unit price times ratio (掛率 / 10): what one piece costs in this order.
    pub unit_price: Decimal,
    /// `receive_order_row_sub_total_price`
    pub amount: Decimal,
    /// 消費税率 in percent; `None` where Next Engine has none, then the product's own rate is meant.
    pub tax_rate: Option<Decimal>,
    /// The line was cancelled or deleted; it counts for nothing.
    pub cancelled: bool,
    /// Pieces that came back, good and bad together.
    pub returned: Decimal,
}

/// What says whether a slip counts at all. Often readable where one of its numbers is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// State.
    pub state: OrderState,
    /// State, as it came.
    pub state_id: String,
    /// Cancel type, in meaning.
    pub life: Life,
    /// Cancel type, as it came.
    pub cancel_type: String,
    /// The day of the sale; absent when it cannot be read.
    pub sold_on: Option<NaiveDate>,
}

/// One slip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// 伝票番号
    pub slip: String,
    /// 店舗ID
    pub shop_id: String,
    /// 受注番号
    pub order_number: String,
    /// State.
    pub state: OrderState,
    /// State, as it came, for people.
    pub state_id: String,
    /// Cancel type, in meaning.
    pub life: Life,
    /// Cancel type, as it came.
    pub cancel_type: String,
    /// 受注日; the ship date where Next Engine has none.
    pub ordered_at: crate::time::Moment,
    /// 出荷確定日; absent while not shipped.
    pub shipped_on: Option<NaiveDate>,
    /// 商品計
    pub goods: Decimal,
    /// 税金: zero in shops whose prices include it.
    pub tax: Decimal,
    /// 手数料
    pub charge: Decimal,
    /// 発送代
    pub delivery: Decimal,
    /// 他費用; negative for coupons.
    pub other: Decimal,
    /// ポイント数
    pub points: Decimal,
    /// 総合計
    pub total: Decimal,
    /// 支払区分
    pub payment_method: String,
    /// Newer of the slip's and its lines' change, Next Engine's clock.
    pub changed_at: crate::time::Moment,
    /// In the order of their numbers.
    pub lines: Vec<OrderLine>,
}

impl Order {
    /// The day of the sale: shipped, else ordered.
    pub fn sold_on(&self) -> NaiveDate {
        self.shipped_on
            .unwrap_or_else(|| crate::time::day(self.ordered_at))
    }

    /// The lines that count.
    pub fn live_lines(&self) -> impl Iterator<Item = &OrderLine> {
        self.lines.iter().filter(|line| !line.cancelled)
    }

    /// The lines that sell something: a line of no pieces is worth nothing, and no transaction can hold it.
    pub fn sold_lines(&self) -> impl Iterator<Item = &OrderLine> {
        self.live_lines().filter(|line| !line.quantity.is_zero())
    }

    /// Whether another reading of the slip says the same. Its time says nothing, nor does the step within a state.
    pub fn says_same(&self, other: &Self) -> bool {
        let timeless = Self {
            changed_at: other.changed_at,
            state_id: other.state_id.clone(),
            ..self.clone()
        };
        timeless == *other
    }

    /// Takes over what a reading said of the slip as a whole, when its numbers could not be read.
    pub fn follow(&mut self, head: &Head) {
        self.state = head.state;
        self.state_id.clone_from(&head.state_id);
        self.life = head.life;
        self.cancel_type.clone_from(&head.cancel_type);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::samples;

    #[test]
    fn neither_time_nor_step_makes_another_reading_and_everything_else_does() {
        let order = samples::order("1");
        let same = |change: fn(&mut Order)| {
            let mut other = order.clone();
            change(&mut other);
            order.says_same(&other)
        };
        assert!(same(|order| order.changed_at += chrono::TimeDelta::days(1)));
        assert!(same(|order| order.state_id = "40".to_owned()));
        assert!(!same(|order| order.state = OrderState::Printing));
        assert!(!same(|order| order.lines[0].name.push('!')));
    }
}
