//! What a shop does with its orders in Next Engine. It must not know what becomes of them here.

use chrono::TimeDelta;
use rust_decimal::Decimal;
use tsunagi_sandbox::{
    Refused,
    next_engine::{AmountEdit, ISSUED, Line, SHIPPED, Slip, WAITING_FOR_PRINT},
    shop::{Order, OrderLine},
};

use super::super::{Life, SEASONAL, TOUCHED};
use crate::{
    shop::{self, GOODS, MALL, OWN},
    stage::Broken,
};

/// Cancel types people use: wishes, returns, a refused delivery, an unpaid order.
const CANCEL_TYPES: [u8; 6] = [1, 2, 5, 6, 8, 20];

impl Life {
    pub(super) fn order_comes(&mut self) {
        let order = self.order();
        let (at_once, mail) = (self.dice.percent(45), self.dice.percent(8));
        let lines: Vec<String> = order
            .lines
            .iter()
            .map(|line| format!("{} {}", line.quantity, line.code))
            .collect();
        let how = match (mail, at_once) {
            (true, _) => "mail only",
            (_, true) => "shipped at once",
            _ => "to be shipped later",
        };
        let text = format!(
            "order {} of shop {}: {}, charge {} delivery {} other {} points {} total {:?}, {how}",
            order.number,
            order.mall,
            lines.join(" + "),
            order.charge,
            order.delivery_fee,
            order.other,
            order.points,
            order.total
        );
        self.people(
            || text,
            |services| {
                if mail {
                    return services.next_engine.place_mail(&order).map(|_| ());
                }
                let slip = services.next_engine.place(&order)?;
                if at_once {
                    // Without stock it waits.
                    let _ = services.next_engine.ship(slip);
                }
                Ok(())
            },
        );
    }

    fn order(&mut self) -> Order {
        self.serial += 1;
        let dice = &mut self.dice;
        let mall = if dice.percent(55) { MALL } else { OWN };
        let mut lines = Vec::new();
        for _ in 0..dice.from_to(1, 3) {
            let product = dice.pick(&GOODS).map_or(1, |row| row.0);
            lines.push((product, dice.from_to(1, 4)));
        }
        let mut order = shop::order(mall, &format!("L-{}", self.serial), &lines);
        if dice.percent(8) {
            order.lines.push(line(SEASONAL.1, 1, 800, 10));
        }
        if dice.percent(2) {
            order.lines.push(line("NOWHERE", 1, 500, 10));
        }
        let mut money = |percent: u64, low: i64, high: i64| -> Decimal {
            let amount = dice.from_to(low, high);
            if dice.percent(percent) { amount } else { 0 }.into()
        };
        order.charge = money(20, 1, 400);
        order.delivery_fee = money(40, 100, 900);
        order.other = money(20, -100, 300);
        order.points = money(30, 1, 300);
        order.payment_method = u32::try_from(dice.below(2)).unwrap_or_default();
        if dice.percent(2) {
            order.total = Some(12_345.into());
        }
        order.ordered_at = self.stage.world.now() - TimeDelta::hours(1);
        order
    }

    pub(super) fn order_ships(&mut self) {
        let ready = |slip: &Slip| slip.is_live() && slip.status < SHIPPED;
        let Some(slip) = self.slip(ready) else { return };
        self.people(
            || format!("slip {} is shipped", slip.id),
            |services| {
                if slip.status < ISSUED {
                    services.next_engine.complete(slip.id)?;
                }
                services.next_engine.ship(slip.id).or_else(|refused| {
                    if slip.status < ISSUED {
                        Ok(())
                    } else {
                        Err(refused)
                    }
                })
            },
        );
    }

    pub(super) fn order_changes(&mut self) -> Result<(), Broken> {
        if self.dice.percent(15) {
            // In the very second of the cursor.
            self.stage.round()?;
        }
        match self.dice.below(26) {
            0..5 => self.cancel(),
            5..10 => self.amounts(),
            10..16 => self.lines(),
            16 | 17 => self.merge(),
            18 | 19 => self.split(),
            20..22 => self.unship(),
            22 => self.goods_return(),
            23 => self.revive(),
            24 => self.ship_date(),
            _ => self.print(),
        }
        Ok(())
    }

    /// One of the newest slips that is so, and without what is deleted just now.
    fn slip(&mut self, fits: impl Fn(&Slip) -> bool) -> Option<Slip> {
        let seasonal = self.has(SEASONAL.0);
        let found: Vec<Slip> = {
            let state = self.stage.world.state();
            let slips = &state.services.next_engine.books().slips;
            let there =
                |slip: &&&Slip| seasonal || slip.lines.iter().all(|line| line.code != SEASONAL.1);
            let newest = slips.values().rev().take(TOUCHED);
            let newest: Vec<&Slip> = newest.collect();
            newest
                .iter()
                .filter(there)
                .filter(|slip| fits(slip))
                .map(|slip| (*slip).clone())
                .collect()
        };
        self.dice.pick(&found)
    }

    fn with(
        &mut self,
        fits: impl Fn(&Slip) -> bool,
        what: &str,
        work: impl FnOnce(&mut tsunagi_sandbox::World, &Slip) -> Result<(), Refused>,
    ) {
        if let Some(slip) = self.slip(fits) {
            self.people(
                || format!("slip {} {what}", slip.id),
                |services| work(services, &slip),
            );
        }
    }

    fn cancel(&mut self) {
        let cancel_type = self.dice.pick(&CANCEL_TYPES).unwrap_or(1);
        self.with(
            Slip::is_live,
            &format!("is cancelled, type {cancel_type}"),
            |services, slip| services.next_engine.cancel(slip.id, cancel_type),
        );
    }

    fn revive(&mut self) {
        let dead = |slip: &Slip| !slip.is_live() && slip.include_to.is_none();
        self.with(dead, "is revived", |services, slip| {
            services.next_engine.revive(slip.id)
        });
    }

    fn amounts(&mut self) {
        let dice = &mut self.dice;
        let mut some = |percent: u64, low: i64, high: i64| {
            let amount = Decimal::from(dice.from_to(low, high));
            dice.percent(percent).then_some(amount)
        };
        let edit = AmountEdit {
            charge: some(30, 0, 400),
            delivery_fee: some(60, 0, 900),
            other: some(30, -100, 300),
            points: some(40, 0, 300),
            ..AmountEdit::default()
        };
        let what = format!(
            "gets charge {:?} delivery {:?} other {:?} points {:?}",
            edit.charge, edit.delivery_fee, edit.other, edit.points
        );
        self.with(Slip::is_live, &what, |services, slip| {
            services.next_engine.edit_amounts(slip.id, &edit)
        });
    }

    fn lines(&mut self) {
        let open = |slip: &Slip| slip.is_live() && !slip.is_shipped();
        let Some(slip) = self.slip(open) else { return };
        let Some(chosen) = self.dice.pick(&slip.lines) else {
            return;
        };
        let quantity = self.dice.from_to(1, 5);
        let (id, no) = (slip.id, chosen.no);
        let which = self.dice.below(5);
        let product = self.dice.pick(&GOODS).map_or(1, |row| row.0);
        let added = shop::order(slip.shop_id, "", &[(product, quantity)]);
        let what = ["quantity", "price", "cancelled", "deleted", "added"];
        let what = usize::try_from(which).ok().and_then(|at| what.get(at));
        self.people(
            || format!("slip {id} line {no}: {what:?} ({quantity})"),
            |services| {
                let next_engine = &mut services.next_engine;
                match which {
                    0 => next_engine.edit_line(id, no, Some(quantity), None),
                    1 => next_engine.edit_line(id, no, None, Some((700 + quantity).into())),
                    2 => next_engine.cancel_line(id, no),
                    3 => next_engine.delete_line(id, no),
                    _ => match added.lines.first() {
                        Some(line) => next_engine.add_line(id, line).map(|_| ()),
                        None => Ok(()),
                    },
                }
            },
        );
    }

    fn merge(&mut self) {
        let open = |slip: &Slip| slip.is_live() && (ISSUED..SHIPPED).contains(&slip.status);
        let Some(from) = self.slip(open) else { return };
        let other = |slip: &Slip| open(slip) && slip.id != from.id && slip.shop_id == from.shop_id;
        self.with(
            other,
            &format!("takes slip {} in", from.id),
            |services, slip| services.next_engine.merge(from.id, slip.id),
        );
    }

    fn split(&mut self) {
        let open = |slip: &Slip| {
            slip.is_live() && (ISSUED..SHIPPED).contains(&slip.status) && slip.lines.len() > 1
        };
        self.with(open, "is split", |services, slip| {
            let last: Vec<u32> = slip
                .lines
                .iter()
                .map(|line| line.no)
                .max()
                .into_iter()
                .collect();
            services.next_engine.split(slip.id, &last).map(|_| ())
        });
    }

    fn unship(&mut self) {
        let shipped = |slip: &Slip| slip.is_live() && slip.is_shipped();
        self.with(shipped, "is set back from shipped", |services, slip| {
            services.next_engine.unship(slip.id)
        });
    }

    fn goods_return(&mut self) {
        let shipped = |slip: &Slip| slip.is_live() && slip.is_shipped();
        let good = self.dice.percent(70);
        self.with(shipped, "gets a piece back", |services, slip| {
            let live = |line: &&Line| line.is_live();
            let line = slip.lines.iter().find(live).map_or(0, |line| line.no);
            services
                .next_engine
                .take_return(slip.id, line, i64::from(good), i64::from(!good))
        });
    }

    fn ship_date(&mut self) {
        let date = self.stage.world.now() - TimeDelta::days(self.dice.from_to(0, 3));
        let shipped = |slip: &Slip| slip.is_live() && slip.is_shipped();
        self.with(
            shipped,
            &format!("is said to have left on {date}"),
            |services, slip| services.next_engine.edit_ship_date(slip.id, date),
        );
    }

    fn print(&mut self) {
        let full = |slip: &Slip| slip.is_live() && slip.status == WAITING_FOR_PRINT;
        self.with(full, "is printed", |services, slip| {
            services.next_engine.print(slip.id)
        });
    }
}

fn line(code: &str, quantity: i64, price: i64, tax_rate: u8) -> OrderLine {
    OrderLine {
        code: code.to_owned(),
        name: code.to_owned(),
        quantity,
        unit_price: price.into(),
        tax_rate,
        cancelled: false,
    }
}
