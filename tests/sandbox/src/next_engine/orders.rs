//! What a shop does with its orders: place, print, ship, set back, cancel, edit, merge, split, take returns.
//! It must keep stock, allocation and last-modified dates true to each other; requests never come here.

use super::NextEngine;
use super::books::{
    ISSUED, LIVE, Line, MERGED, Moment, MovementKind, PRINTED, SHIPPED, Slip, StockChange,
    WAITING_FOR_PRINT,
};
use crate::service::Refused;
use crate::shop::{MallTax, Order};
use crate::switches::{AllocationModifies, LineChangeModifiesSlip};
use rust_decimal::Decimal;
use serde::Deserialize;

/// First slip number of an empty book.
const FIRST_SLIP: u64 = 10_001;

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
}

impl NextEngine {
    /// An order comes in: a slip is made and stock is allocated as far as it goes. Answers the slip's number.
    ///
    /// # Errors
    /// When the shop is unknown.
    pub fn place(&mut self, order: &Order) -> Result<u64, Refused> {
        let now = self.now();
        let mall = self
            .books
            .malls
            .get(&order.mall)
            .ok_or_else(|| Refused::new(format!("no shop {}", order.mall)))?;
        let tax_mode = mall.tax;
        let id = self
            .books
            .slips
            .last_key_value()
            .map_or(FIRST_SLIP, |(last, _)| last + 1);
        let slip = self.new_slip(id, order, tax_mode, now);
        self.books.slips.insert(id, slip);
        self.allocate_waiting(now);
        // Allocating is part of placing here; the switch is about later allocation.
        if let Some(slip) = self.books.slips.get_mut(&id) {
            slip.modified = None;
            slip.lines.iter_mut().for_each(|line| line.modified = None);
        }
        Ok(id)
    }

    fn new_slip(&self, id: u64, order: &Order, tax_mode: MallTax, now: Moment) -> Slip {
        let lines = (1..).zip(&order.lines).map(|(no, line)| Line {
            no,
            code: line.code.clone(),
            name: line.name.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            tax_rate: line.tax_rate,
            first_cost: self
                .books
                .goods
                .get(&line.code)
                .map_or(Decimal::ZERO, |goods| goods.cost),
            cancelled: line.cancelled,
            allocated: 0,
            allocation_date: None,
            returned_good: 0,
            returned_bad: 0,
            include_from: None,
            divide_from: None,
            created: now,
            modified: None,
        });
        Slip {
            id,
            shop_id: order.mall,
            shop_cut_form_id: order.number.clone(),
            ordered: order.ordered_at,
            created: now,
            modified: None,
            send_plan: None,
            sent: None,
            status: ISSUED,
            cancel_type: LIVE,
            cancelled: None,
            tax_mode,
            charge: order.charge,
            delivery_fee: order.delivery_fee,
            other: order.other,
            points: order.points,
            stated_total: order.total,
            payment_method: order.payment_method,
            include_to: None,
            divide_from: None,
            lines: lines.collect(),
        }
    }

    /// Gives free stock to the lines that wait for it, oldest slip first; full slips go on to 納品書印刷待ち.
    pub(super) fn allocate_waiting(&mut self, now: Moment) {
        let touches = self.switches.allocation_modifies == AllocationModifies::Yes;
        for slip in self
            .books
            .slips
            .values_mut()
            .filter(|slip| slip.is_live() && !slip.is_shipped())
        {
            for line in slip.lines.iter_mut().filter(|line| line.waiting() > 0) {
                let Some(goods) = self.books.goods.get_mut(&line.code) else {
                    continue;
                };
                let given = line.waiting().min(goods.free());
                if given > 0 {
                    goods.allocated += given;
                    goods.stock_modified = Some(now);
                    line.allocated += given;
                    line.allocation_date = Some(now);
                    if touches {
                        line.modified = Some(now);
                        slip.modified = Some(now);
                    }
                }
            }
            // A line of an unknown product can't wait for stock.
            let known = |line: &&Line| self.books.goods.contains_key(&line.code);
            if slip.status == ISSUED
                && slip
                    .lines
                    .iter()
                    .filter(known)
                    .all(|line| line.waiting() <= 0)
            {
                slip.status = WAITING_FOR_PRINT;
            }
        }
    }

    /// The delivery slip is printed.
    ///
    /// # Errors
    /// When the slip is not live and waiting for print.
    pub fn print(&mut self, id: u64) -> Result<(), Refused> {
        let now = self.now();
        let slip = self.live_slip(id)?;
        if slip.status != WAITING_FOR_PRINT {
            return Err(Refused::new(format!("slip {id} does not wait for print")));
        }
        slip.status = PRINTED;
        slip.modified = Some(now);
        Ok(())
    }

    /// 出荷確定: the stock leaves and its allocation ends.
    ///
    /// # Errors
    /// When the slip is not live, is shipped, or waits for stock.
    pub fn ship(&mut self, id: u64) -> Result<(), Refused> {
        let now = self.now();
        let slip = self.live_slip(id)?;
        if !(WAITING_FOR_PRINT..SHIPPED).contains(&slip.status) {
            return Err(Refused::new(format!(
                "slip {id} can't be shipped: status {}",
                slip.status
            )));
        }
        slip.status = SHIPPED;
        slip.sent = Some(now);
        slip.modified = Some(now);
        for (code, quantity) in self.allocated_lines(id) {
            self.books.allocate(&code, -quantity, now);
            self.move_for_slip(id, &code, -quantity, MovementKind::Shipment);
        }
        Ok(())
    }

    /// A shipped slip is set back: stock and allocation return.
    ///
    /// # Errors
    /// When the slip is not shipped and live.
    pub fn unship(&mut self, id: u64) -> Result<(), Refused> {
        let now = self.now();
        let slip = self.live_slip(id)?;
        if !slip.is_shipped() {
            return Err(Refused::new(format!("slip {id} is not shipped")));
        }
        slip.status = WAITING_FOR_PRINT;
        slip.sent = None;
        slip.modified = Some(now);
        for (code, quantity) in self.allocated_lines(id) {
            self.move_for_slip(id, &code, quantity, MovementKind::ShipmentUndone);
            self.books.allocate(&code, quantity, now);
        }
        Ok(())
    }

    /// Cancels a slip. Before shipping its allocation goes back to free stock; after shipping stock stays as it is
    /// until goods come back ([`NextEngine::take_return`]) (assumed).
    ///
    /// # Errors
    /// When the slip is not live, or the type is 0 or 3.
    pub fn cancel(&mut self, id: u64, cancel_type: u8) -> Result<(), Refused> {
        if matches!(cancel_type, LIVE | MERGED) {
            return Err(Refused::new("cancel types 0 and 3 are no cancellations"));
        }
        self.close(id, cancel_type)?;
        let now = self.now();
        self.allocate_waiting(now);
        Ok(())
    }

    /// Takes a slip out of the live ones and frees its allocation.
    fn close(&mut self, id: u64, cancel_type: u8) -> Result<(), Refused> {
        let now = self.now();
        let slip = self.live_slip(id)?;
        slip.cancel_type = cancel_type;
        slip.cancelled = Some(now);
        slip.modified = Some(now);
        if !slip.is_shipped() {
            for (code, quantity) in self.allocated_lines(id) {
                self.books.allocate(&code, -quantity, now);
            }
            let lines = self
                .books
                .slips
                .get_mut(&id)
                .map(|slip| slip.lines.iter_mut());
            lines
                .into_iter()
                .flatten()
                .for_each(|line| line.allocated = 0);
        }
        Ok(())
    }

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

    fn change_line(
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
        let kept = if line.cancelled {
            0
        } else {
            line.allocated.min(line.quantity)
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
        self.close(from, MERGED)?;
        let Some(absorbed) = self.books.slips.get_mut(&from) else {
            return Ok(());
        };
        absorbed.include_to = Some(into);
        let absorbed = absorbed.clone();
        let target = self.live_slip(into)?;
        let first = target
            .lines
            .iter()
            .map(|line| line.no)
            .max()
            .unwrap_or_default()
            + 1;
        let moved = (first..).zip(absorbed.lines.iter().filter(|line| !line.cancelled));
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
        target.modified = Some(now);
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
        slip.modified = Some(now);
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
        slip.modified = Some(now);
        let code = line.code.clone();
        if let Some(goods) = self.books.goods.get_mut(&code) {
            goods.defective += bad;
        }
        self.move_for_slip(id, &code, good, MovementKind::Return);
        self.allocate_waiting(now);
        Ok(())
    }

    fn live_slip(&mut self, id: u64) -> Result<&mut Slip, Refused> {
        let slip = self
            .books
            .slips
            .get_mut(&id)
            .ok_or_else(|| Refused::new(format!("no slip {id}")))?;
        if slip.is_live() {
            Ok(slip)
        } else {
            Err(Refused::new(format!("slip {id} is not live")))
        }
    }

    fn allocated_lines(&self, id: u64) -> Vec<(String, i64)> {
        let lines = self
            .books
            .slips
            .get(&id)
            .into_iter()
            .flat_map(Slip::live_lines);
        lines
            .map(|line| (line.code.clone(), line.allocated))
            .collect()
    }

    fn move_for_slip(&mut self, id: u64, code: &str, by: i64, kind: MovementKind) {
        let at = self.now();
        let slip = self
            .books
            .slips
            .get(&id)
            .map(|slip| (slip.id, slip.shop_id));
        self.books.move_stock(&StockChange {
            code,
            by,
            at,
            kind,
            reason: kind.label().1,
            slip,
            visible_from: at,
        });
    }
}
