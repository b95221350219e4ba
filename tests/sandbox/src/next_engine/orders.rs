//! What a shop does with its orders: allocate, print, ship, set back, cancel.
//! It must keep stock, allocation and last-modified dates true to each other; requests never come here.

use super::NextEngine;
use super::books::{
    ISSUED, LIVE, Line, MERGED, Moment, MovementKind, PRINTED, SHIPPED, Slip, StockChange,
    WAITING_FOR_PRINT,
};
use crate::service::Refused;
use crate::switches::AllocationModifies;

impl NextEngine {
    /// Gives free stock to the lines that wait for it, oldest slip first; full slips go on to 納品書印刷待ち.
    pub(super) fn allocate_waiting(&mut self, now: Moment) {
        let touches = self.switches.allocation_modifies == AllocationModifies::Yes;
        for slip in self
            .books
            .slips
            .values_mut()
            .filter(|slip| slip.is_live() && (ISSUED..SHIPPED).contains(&slip.status))
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
        }
        for (code, quantity) in self.ordered_lines(id) {
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
        for (code, quantity) in self.ordered_lines(id) {
            self.move_for_slip(id, &code, quantity, MovementKind::ShipmentUndone);
        }
        for (code, quantity) in self.allocated_lines(id) {
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
    pub(super) fn close(&mut self, id: u64, cancel_type: u8) -> Result<(), Refused> {
        let now = self.now();
        let slip = self.live_slip(id)?;
        slip.cancel_type = cancel_type;
        slip.cancelled = Some(now);
        slip.modified = Some(now);
        self.free_allocation(id, now);
        Ok(())
    }

    /// What an unshipped slip holds goes back to free stock.
    pub(super) fn free_allocation(&mut self, id: u64, now: Moment) {
        if self.books.slips.get(&id).is_none_or(Slip::is_shipped) {
            return;
        }
        for (code, quantity) in self.allocated_lines(id) {
            self.books.allocate(&code, -quantity, now);
        }
        let slip = self.books.slips.get_mut(&id);
        for line in slip.into_iter().flat_map(|slip| slip.lines.iter_mut()) {
            line.allocated = 0;
        }
    }

    pub(super) fn live_slip(&mut self, id: u64) -> Result<&mut Slip, Refused> {
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

    /// What a shipment takes: the ordered quantities; a full slip has them all allocated.
    fn ordered_lines(&self, id: u64) -> Vec<(String, i64)> {
        let lines = self.books.slips.get(&id).into_iter();
        lines
            .flat_map(Slip::live_lines)
            .map(|line| (line.code.clone(), line.quantity))
            .collect()
    }

    pub(super) fn allocated_lines(&self, id: u64) -> Vec<(String, i64)> {
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

    pub(super) fn move_for_slip(&mut self, id: u64, code: &str, by: i64, kind: MovementKind) {
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
