//! What a shop deletes, adds and revives: slips and lines, with their allocation.
//! It must leave deleted rows in the books: searches still show them, with their flag.

use super::NextEngine;
use super::books::{ISSUED, LIVE, MERGED, WAITING_FOR_PRINT};
use crate::service::Refused;
use crate::shop::OrderLine;
use crate::switches::LineChangeModifiesSlip;

impl NextEngine {
    /// Deletes a slip (`receive_order_deleted_flag` 1). Before shipping its allocation goes back; a shipped slip's stock
    /// stays as it is (assumed).
    ///
    /// # Errors
    /// When there is no such slip that is not deleted yet.
    pub fn delete_slip(&mut self, id: u64) -> Result<(), Refused> {
        let now = self.now();
        let slip = self.books.slips.get_mut(&id).filter(|slip| !slip.deleted);
        let slip = slip.ok_or_else(|| Refused::new(format!("no slip {id} to delete")))?;
        slip.deleted = true;
        slip.modified = Some(now);
        self.free_allocation(id, now);
        self.allocate_waiting(now);
        Ok(())
    }

    /// Deletes one line before shipping (`receive_order_row_deleted_flag` 1); its allocation goes back.
    ///
    /// # Errors
    /// As [`NextEngine::edit_line`].
    pub fn delete_line(&mut self, id: u64, no: u32) -> Result<(), Refused> {
        self.change_line(id, no, |line| line.deleted = true)
    }

    /// Adds a line before shipping; answers its number.
    ///
    /// # Errors
    /// When the slip does not exist, is not live, or is shipped.
    pub fn add_line(&mut self, id: u64, line: &OrderLine) -> Result<u32, Refused> {
        let now = self.now();
        let touches_slip = self.switches.line_change_modifies_slip == LineChangeModifiesSlip::Yes;
        if self.live_slip(id)?.is_shipped() {
            return Err(Refused::new(format!("slip {id} is shipped")));
        }
        let numbers = self.live_slip(id)?.lines.iter().map(|line| line.no);
        let no = numbers.max().unwrap_or_default() + 1;
        let line = self.new_line(no, line, now);
        let slip = self.live_slip(id)?;
        slip.lines.push(line);
        slip.stated_total = None;
        if touches_slip {
            slip.modified = Some(now);
        }
        if slip.status == WAITING_FOR_PRINT {
            slip.status = ISSUED;
        }
        self.allocate_waiting(now);
        Ok(no)
    }

    /// Makes a cancelled slip valid again; an unshipped one waits for stock like a new one.
    ///
    /// # Errors
    /// When the slip is not cancelled, or was merged into another.
    pub fn revive(&mut self, id: u64) -> Result<(), Refused> {
        let now = self.now();
        let slip =
            self.books.slips.get_mut(&id).filter(|slip| {
                !slip.deleted && slip.cancel_type != LIVE && slip.cancel_type != MERGED
            });
        let slip = slip.ok_or_else(|| Refused::new(format!("no cancelled slip {id}")))?;
        slip.cancel_type = LIVE;
        slip.cancelled = None;
        slip.modified = Some(now);
        if !slip.is_shipped() && slip.status > ISSUED {
            slip.status = ISSUED;
        }
        self.allocate_waiting(now);
        Ok(())
    }
}
