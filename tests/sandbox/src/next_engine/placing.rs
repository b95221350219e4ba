//! How orders come in: the mail first, then the slip with its lines (next-engine.md 2.2).
//! It must leave stock to `orders`, which allocates it.

use rust_decimal::Decimal;

use super::NextEngine;
use super::books::{ISSUED, LIVE, Line, MAIL_ONLY, MallShop, Moment, Slip, Taxing};
use crate::service::Refused;
use crate::shop::{Order, OrderLine};

/// First slip number of an empty book.
pub(super) const FIRST_SLIP: u64 = 10_001;

impl NextEngine {
    /// An order comes in: a slip is made and stock is allocated as far as it goes. Answers the slip's number.
    ///
    /// # Errors
    /// When the shop is unknown.
    pub fn place(&mut self, order: &Order) -> Result<u64, Refused> {
        let id = self.place_mail(order)?;
        self.complete(id)?;
        // Allocating is part of placing here; the switch is about later allocation.
        if let Some(slip) = self.books.slips.get_mut(&id) {
            slip.modified = None;
            slip.lines.iter_mut().for_each(|line| line.modified = None);
        }
        Ok(id)
    }

    /// Only the order's mail comes in: a provisional slip that takes no stock yet. Answers the slip's number.
    ///
    /// # Errors
    /// When the shop is unknown.
    pub fn place_mail(&mut self, order: &Order) -> Result<u64, Refused> {
        let now = self.now();
        let mall = self.books.malls.get(&order.mall);
        let mall = mall
            .ok_or_else(|| Refused::new(format!("no shop {}", order.mall)))?
            .clone();
        let id = self
            .books
            .slips
            .last_key_value()
            .map_or(FIRST_SLIP, |(last, _)| last + 1);
        let slip = self.new_slip(id, order, &mall, now);
        self.books.slips.insert(id, slip);
        Ok(id)
    }

    /// A provisional slip is issued (起票) and takes stock.
    ///
    /// # Errors
    /// When the slip is not live and provisional.
    pub fn complete(&mut self, id: u64) -> Result<(), Refused> {
        let now = self.now();
        let slip = self.live_slip(id)?;
        if slip.status != MAIL_ONLY {
            return Err(Refused::new(format!("slip {id} is not provisional")));
        }
        slip.status = ISSUED;
        slip.modified = Some(now);
        self.allocate_waiting(now);
        Ok(())
    }

    /// A line as the mall sent it.
    pub(super) fn new_line(&self, no: u32, line: &OrderLine, now: Moment) -> Line {
        Line {
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
            ratio: Decimal::TEN,
            cancelled: line.cancelled,
            deleted: false,
            allocated: 0,
            allocation_date: None,
            returned_good: 0,
            returned_bad: 0,
            include_from: None,
            divide_from: None,
            created: now,
            modified: None,
        }
    }

    fn new_slip(&self, id: u64, order: &Order, mall: &MallShop, now: Moment) -> Slip {
        let lines = (1..).zip(&order.lines);
        let lines = lines.map(|(no, line)| self.new_line(no, line, now));
        Slip {
            id,
            shop_id: order.mall,
            shop_cut_form_id: order.number.clone(),
            ordered: order.ordered_at,
            created: now,
            modified: None,
            send_plan: None,
            sent: None,
            status: MAIL_ONLY,
            cancel_type: LIVE,
            cancelled: None,
            tax_mode: mall.tax,
            taxing: Taxing {
                base: self.switches.tax_base,
                ..mall.taxing
            },
            charge: order.charge,
            delivery_fee: order.delivery_fee,
            other: order.other,
            points: order.points,
            stated_total: order.total,
            payment_method: order.payment_method,
            deposit: None,
            shop_coupon: None,
            mall_coupon: None,
            deleted: false,
            include_to: None,
            divide_from: None,
            lines: lines.collect(),
        }
    }
}
