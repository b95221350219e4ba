//! What a shop changes on a slip after it was placed: lines, amounts, dates; merging, splitting, returns.
//! It must keep allocation and last-modified dates true, like the rest of an order's life in `orders`.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::NextEngine;
use super::books::{ISSUED, Line, MERGED, Moment, MovementKind, Slip, WAITING_FOR_PRINT};
use super::placing::FIRST_SLIP;
use crate::service::Refused;
use crate::switches::{LineChangeModifiesSlip, MergeModifies, SplitModifies};

/// Header amounts to change; what is `None` stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AmountEdit {
    /// 手数料.
    pub charge: Option<Decimal>,
    /// 発送代.
    pub delivery_fee: Option<Decimal>,
    /// 他費用.
    pub other: Option<Decimal>,
    /// ポイント数.
    pub points: Option<Decimal>,
    /// 入金額.
    pub deposit: Option<Decimal>,
    /// The shop's coupon, as the mall tells of it; the money itself is in `other` or `points` (assumed).
    pub shop_coupon: Option<Decimal>,
    /// The mall's coupon, likewise.
    pub mall_coupon: Option<Decimal>,
}

impl NextEngine {
    /// Changes a line's quantity or price before shipping; allocation follows.
    ///
    /// # Errors
    /// When slip or line do not exist, the slip is not live, or it is shipped.
    pub fn edit_line(
        &mut self,
        id: u64,
        no: u32,
        quantity: Option<i64>,
        price: Option<Decimal>,
    ) -> Result<(), Refused> {
        self.change_line(id, no, |line| {
            line.quantity = quantity.unwrap_or(line.quantity);
            line.unit_price = price.unwrap_or(line.unit_price);
        })
    }

    /// Cancels one line before shipping; its allocation goes back.
    ///
    /// # Errors
    /// As [`NextEngine::edit_line`].
    pub fn cancel_line(&mut self, id: u64, no: u32) -> Result<(), Refused> {
        self.change_line(id, no, |line| line.cancelled = true)
    }

    /// Changes a line's 掛率 before shipping; 10 is 100 %.
    ///
    /// # Errors
    /// As [`NextEngine::edit_line`].
    pub fn edit_ratio(&mut self, id: u64, no: u32, ratio: Decimal) -> Result<(), Refused> {
        self.change_line(id, no, |line| line.ratio = ratio)
    }

    pub(super) fn change_line(
        &mut self,
        id: u64,
        no: u32,
        change: impl FnOnce(&mut Line),
    ) -> Result<(), Refused> {
        let now = self.now();
        let touches_slip = self.switches.line_change_modifies_slip == LineChangeModifiesSlip::Yes;
        let slip = self.live_slip(id)?;
        if slip.is_shipped() {
            return Err(Refused::new(format!(
                "slip {id} is shipped; set it back first"
            )));
        }
        let line = slip.lines.iter_mut().find(|line| line.no == no);
        let line = line.ok_or_else(|| Refused::new(format!("slip {id} has no line {no}")))?;
        change(line);
        line.modified = Some(now);
        let kept = if line.is_live() {
            line.allocated.min(line.quantity)
        } else {
            0
        };
        let (code, released) = (line.code.clone(), line.allocated - kept);
        line.allocated = kept;
        slip.stated_total = None;
        if touches_slip {
            slip.modified = Some(now);
        }
        if slip.status == WAITING_FOR_PRINT {
            slip.status = ISSUED;
        }
        self.books.allocate(&code, -released, now);
        self.allocate_waiting(now);
        Ok(())
    }

    /// Changes header amounts, shipped or not.
    ///
    /// # Errors
    /// When the slip does not exist or is not live.
    pub fn edit_amounts(&mut self, id: u64, edit: &AmountEdit) -> Result<(), Refused> {
        let now = self.now();
        let slip = self.live_slip(id)?;
        slip.charge = edit.charge.unwrap_or(slip.charge);
        slip.delivery_fee = edit.delivery_fee.unwrap_or(slip.delivery_fee);
        slip.other = edit.other.unwrap_or(slip.other);
        slip.points = edit.points.unwrap_or(slip.points);
        slip.deposit = edit.deposit.or(slip.deposit);
        slip.shop_coupon = edit.shop_coupon.or(slip.shop_coupon);
        slip.mall_coupon = edit.mall_coupon.or(slip.mall_coupon);
        slip.stated_total = None;
        slip.modified = Some(now);
        Ok(())
    }

    /// Changes the planned and, on a shipped slip, the actual shipping date.
    ///
    /// # Errors
    /// When the slip does not exist or is not live.
    pub fn edit_ship_date(&mut self, id: u64, date: Moment) -> Result<(), Refused> {
        let now = self.now();
        let slip = self.live_slip(id)?;
        slip.send_plan = Some(date);
        slip.sent = slip.sent.and(Some(date));
        slip.modified = Some(now);
        Ok(())
    }

    /// Merges one slip into another (同梱): its lines reappear there, its header amounts are added (assumed).
    ///
    /// # Errors
    /// When either slip is not live or is shipped.
    pub fn merge(&mut self, from: u64, into: u64) -> Result<(), Refused> {
        let now = self.now();
        for id in [from, into] {
            if self.live_slip(id)?.is_shipped() || from == into {
                return Err(Refused::new(format!("slip {id} can't be merged")));
            }
        }
        let touches = self.switches.merge_modifies == MergeModifies::Yes;
        let before = self.live_slip(from)?.modified;
        self.close(from, MERGED)?;
        let Some(absorbed) = self.books.slips.get_mut(&from) else {
            return Ok(());
        };
        absorbed.include_to = Some(into);
        if !touches {
            absorbed.modified = before;
        }
        let absorbed = absorbed.clone();
        let target = self.live_slip(into)?;
        let first = target
            .lines
            .iter()
            .map(|line| line.no)
            .max()
            .unwrap_or_default()
            + 1;
        let moved = (first..).zip(absorbed.live_lines());
        target.lines.extend(moved.map(|(no, line)| Line {
            no,
            include_from: Some((from, line.no)),
            created: now,
            modified: None,
            ..line.clone()
        }));
        target.charge += absorbed.charge;
        target.delivery_fee += absorbed.delivery_fee;
        target.other += absorbed.other;
        target.points += absorbed.points;
        target.stated_total = None;
        if touches {
            target.modified = Some(now);
        }
        // Full again only when the new lines have their stock.
        if target.status == WAITING_FOR_PRINT {
            target.status = ISSUED;
        }
        self.allocate_waiting(now);
        Ok(())
    }

    /// Splits lines off into a slip of their own (分割), which keeps the mall's number; header amounts stay behind (assumed).
    ///
    /// # Errors
    /// When the slip is not live, is shipped, or nothing would stay or go.
    pub fn split(&mut self, id: u64, numbers: &[u32]) -> Result<u64, Refused> {
        let now = self.now();
        let new_id = self
            .books
            .slips
            .last_key_value()
            .map_or(FIRST_SLIP, |(last, _)| last + 1);
        let touches = self.switches.split_modifies == SplitModifies::Yes;
        let slip = self.live_slip(id)?;
        let (moved, kept): (Vec<Line>, Vec<Line>) = slip
            .lines
            .iter()
            .cloned()
            .partition(|line| numbers.contains(&line.no));
        if slip.is_shipped() || moved.is_empty() || kept.is_empty() {
            return Err(Refused::new(format!("slip {id} can't be split so")));
        }
        slip.lines = kept;
        if touches {
            slip.modified = Some(now);
        }
        slip.stated_total = None;
        let lines = (1..).zip(moved);
        let lines = lines.map(|(no, line)| Line {
            no,
            divide_from: Some(line.no),
            created: now,
            modified: None,
            ..line
        });
        let part = Slip {
            id: new_id,
            created: now,
            modified: None,
            divide_from: Some(id),
            charge: Decimal::ZERO,
            delivery_fee: Decimal::ZERO,
            other: Decimal::ZERO,
            points: Decimal::ZERO,
            lines: lines.collect(),
            ..slip.clone()
        };
        self.books.slips.insert(new_id, part);
        self.allocate_waiting(now);
        Ok(new_id)
    }

    /// Goods of a shipped slip come back: good ones into stock, bad ones aside.
    ///
    /// # Errors
    /// When slip or line do not exist, the slip is not shipped, or more would come back than went.
    pub fn take_return(&mut self, id: u64, no: u32, good: i64, bad: i64) -> Result<(), Refused> {
        let now = self.now();
        let touches_slip = self.switches.line_change_modifies_slip == LineChangeModifiesSlip::Yes;
        let slip = self
            .books
            .slips
            .get_mut(&id)
            .filter(|slip| slip.is_shipped());
        let slip = slip.ok_or_else(|| Refused::new(format!("no shipped slip {id}")))?;
        let line = slip.lines.iter_mut().find(|line| line.no == no);
        let line = line.ok_or_else(|| Refused::new(format!("slip {id} has no line {no}")))?;
        if good < 0
            || bad < 0
            || line.returned_good + line.returned_bad + good + bad > line.quantity
        {
            return Err(Refused::new("more would come back than went"));
        }
        line.returned_good += good;
        line.returned_bad += bad;
        line.modified = Some(now);
        if touches_slip {
            slip.modified = Some(now);
        }
        let code = line.code.clone();
        if let Some(goods) = self.books.goods.get_mut(&code) {
            goods.defective += bad;
        }
        self.move_for_slip(id, &code, good, MovementKind::Return);
        self.allocate_waiting(now);
        Ok(())
    }
}
