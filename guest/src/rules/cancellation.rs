//! Changes after the import (取込後の変更・キャンセル・返品): what a registered slip needs when Next Engine shows it anew. Compares and
//! decides; undoes nothing.
//!
//! | registered | order now | step |
//! | --- | --- | --- |
//! | no | taken | register |
//! | no | not taken | nothing |
//! | yes | taken, same content | nothing; returned pieces are told once |
//! | yes | taken, other content | replace: undo, then register as the next revision |
//! | yes | returned (6, 8, 14 to 17) | undo by 返品取消, dated now |
//! | yes | cancelled, merged | undo by 取消 |
//! | yes | not that far, and further when it was booked | undo by 取消 |
//! | yes | not taken by today's settings, or their import moment | nothing: a setting does not undo sales |

use rust_decimal::Decimal;

use crate::{
    rules::{
        moment::NotTaken,
        order::{Life, Order, OrderLine, OrderState},
        sale::Sale,
    },
    settings::{ImportMoment, ReceivingStore},
};

/// How a transaction is undone first. What Smaregi refuses is tried the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undoing {
    /// 取消: as if it had never been.
    Cancel,
    /// 返品取消: a negative transaction of today.
    Dispose,
}

/// What a slip needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Map and register it.
    Register,
    /// Map it; undo and register again if the sale is another one.
    Replace,
    /// Undo what is registered.
    Undo(Undoing),
    /// Tell a person once that so many pieces came back while the order stands.
    TellReturned(Decimal),
}

/// The step for an order, given whether the settings take it and the order that the registered sale was made from.
pub fn step(
    order: &Order,
    taken: &Result<&ReceivingStore, NotTaken>,
    booked: Option<&Order>,
    told: Decimal,
    moment: ImportMoment,
) -> Step {
    match (taken, booked) {
        (Ok(_), None) => Step::Register,
        (Ok(_), Some(booked)) if !same_content(order, booked, moment) => Step::Replace,
        (Ok(_), Some(_)) if returned(order) > told => Step::TellReturned(returned(order)),
        (Err(NotTaken::ByOrder(_)), Some(_)) if order.life == Life::Returned => {
            Step::Undo(Undoing::Dispose)
        }
        (Err(NotTaken::ByOrder(_)), Some(_)) => Step::Undo(Undoing::Cancel),
        (Err(NotTaken::NotYet(_)), Some(booked)) if went_back(order, booked) => {
            Step::Undo(Undoing::Cancel)
        }
        _ => Step::Nothing,
    }
}

/// Whether the order is less far than when it was booked. A state we do not know is neither.
fn went_back(now: &Order, then: &Order) -> bool {
    let ranks = now.state.rank().zip(then.state.rank());
    ranks.is_some_and(|(now, then)| now < then)
}

/// Whether a reading says anything else than the one that was booked, whatever today's settings make of it.
pub fn says_more(now: &Order, then: &Order, moment: ImportMoment) -> bool {
    now.life != Life::Live || went_back(now, then) || !same_content(now, then, moment)
}

/// Pieces that came back on lines that count.
pub fn returned(order: &Order) -> Decimal {
    order.live_lines().map(|line| line.returned).sum()
}

/// Whether the day belongs to the sale that was made of a reading: only where shipping made it. An order taken earlier stays on
/// its day when it is shipped, whatever the moment is by then.
pub fn day_counts(then: &Order, moment: ImportMoment) -> bool {
    moment == ImportMoment::Shipped && then.state == OrderState::Shipped
}

/// Whether two readings of a slip make the same sale under the same settings.
pub fn same_content(now: &Order, then: &Order, moment: ImportMoment) -> bool {
    let money = |order: &Order| {
        [
            order.goods,
            order.tax,
            order.charge,
            order.delivery,
            order.other,
            order.points,
            order.total,
        ]
        .map(|amount| amount.normalize())
    };
    let same_day = !day_counts(then, moment) || now.sold_on() == then.sold_on();
    same_day
        && now.shop_id == then.shop_id
        && now.payment_method == then.payment_method
        && money(now) == money(then)
        && now
            .live_lines()
            .map(essence)
            .eq(then.live_lines().map(essence))
}

fn essence(line: &OrderLine) -> (&str, Decimal, Decimal, Option<Decimal>) {
    (
        &line.code,
        line.quantity.normalize(),
        line.unit_price.normalize(),
        line.tax_rate.map(|rate| rate.normalize()),
    )
}

/// Whether two sales book the same: everything but what is only for people (memo, tags, names), and the day unless it counts.
pub fn same_sale(one: &Sale, other: &Sale, day_counts: bool) -> bool {
    let plain = |sale: &Sale| {
        let mut sale = Sale {
            memo: String::new(),
            tags: Vec::new(),
            ..sale.clone()
        };
        sale.lines.iter_mut().for_each(|line| line.name.clear());
        if !day_counts {
            sale.sold_on = one.sold_on;
        }
        sale
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{moment, samples};

    fn after(change: fn(&mut Order)) -> Step {
        let settings = samples::settings();
        let booked = samples::order("1");
        let mut order = booked.clone();
        change(&mut order);
        step(
            &order,
            &moment::taken(&order, &settings),
            Some(&booked),
            Decimal::ZERO,
            settings.moment,
        )
    }

    #[test]
    fn every_row_of_the_table() {
        let settings = samples::settings();
        let order = samples::order("1");
        let fresh = step(
            &order,
            &moment::taken(&order, &settings),
            None,
            Decimal::ZERO,
            settings.moment,
        );
        assert_eq!(fresh, Step::Register);
        for (found, expected) in [
            (after(|_| ()), Step::Nothing),
            (
                after(|order| order.changed_at += chrono::TimeDelta::days(1)),
                Step::Nothing,
            ),
            (after(|order| order.lines[0].name.push('!')), Step::Nothing),
            (after(|order| order.total += Decimal::ONE), Step::Replace),
            (
                after(|order| order.lines[0].cancelled = true),
                Step::Replace,
            ),
            (
                after(|order| order.shipped_on = crate::time::parse_day("2026-11-22")),
                Step::Replace,
            ),
            (
                after(|order| order.life = Life::Cancelled),
                Step::Undo(Undoing::Cancel),
            ),
            (
                after(|order| order.life = Life::Merged),
                Step::Undo(Undoing::Cancel),
            ),
            (
                after(|order| order.life = Life::Returned),
                Step::Undo(Undoing::Dispose),
            ),
            (
                after(|order| order.state = OrderState::Printing),
                Step::Undo(Undoing::Cancel),
            ),
            (
                after(|order| order.state = OrderState::Unknown),
                Step::Nothing,
            ),
            (
                after(|order| order.shop_id = "77".to_owned()),
                Step::Nothing,
            ),
            (
                after(|order| order.lines[0].returned = Decimal::ONE),
                Step::TellReturned(Decimal::ONE),
            ),
        ] {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_later_moment_undoes_no_sale_and_moves_none() {
        let settings = samples::settings();
        let mut booked = samples::order("1");
        booked.state = OrderState::Issued;
        booked.shipped_on = None;
        let at = |state, shipped_on| {
            let mut order = booked.clone();
            (order.state, order.shipped_on) = (state, crate::time::parse_day(shipped_on));
            step(
                &order,
                &moment::taken(&order, &settings),
                Some(&booked),
                Decimal::ZERO,
                settings.moment,
            )
        };
        assert_eq!(at(OrderState::Issued, ""), Step::Nothing);
        assert_eq!(at(OrderState::Printing, ""), Step::Nothing);
        assert_eq!(at(OrderState::Shipped, "2026-11-22"), Step::Nothing);
        assert_eq!(at(OrderState::Provisional, ""), Step::Undo(Undoing::Cancel));
    }

    #[test]
    fn what_is_only_for_people_makes_no_other_sale_and_the_day_does_where_it_counts() {
        let sold = |change: fn(&mut Sale)| {
            let mut sale = samples::sale(&samples::order("1"), &samples::store());
            change(&mut sale);
            sale
        };
        let plain = sold(|_| ());
        for (other, same_by_day, same_without) in [
            (sold(|sale| sale.memo.push('!')), true, true),
            (sold(|sale| sale.tags.push("x".to_owned())), true, true),
            (sold(|sale| sale.lines[0].name.push('!')), true, true),
            (
                sold(|sale| sale.sold_on += chrono::TimeDelta::days(1)),
                false,
                true,
            ),
            (sold(|sale| sale.total += 1), false, false),
            (sold(|sale| sale.lines[0].quantity += 1), false, false),
        ] {
            let found = [true, false].map(|by_day| same_sale(&plain, &other, by_day));
            assert_eq!(found, [same_by_day, same_without], "{other:?}");
        }
    }

    #[test]
    fn a_reading_says_more_when_it_would_undo_or_replace_the_sale() {
        let booked = samples::order("1");
        let says = |change: fn(&mut Order)| {
            let mut order = booked.clone();
            change(&mut order);
            says_more(&order, &booked, ImportMoment::Shipped)
        };
        assert!(!says(|_| ()));
        assert!(!says(|order| order.state = OrderState::Unknown));
        assert!(says(|order| order.life = Life::Cancelled));
        assert!(says(|order| order.state = OrderState::Printing));
        assert!(says(|order| order.total += Decimal::ONE));
    }

    #[test]
    fn an_order_taken_before_shipping_stays_on_its_day() {
        let mut ordered = samples::order("1");
        ordered.shipped_on = None;
        let shipped = samples::order("1");
        assert!(same_content(&shipped, &ordered, ImportMoment::Issued));
        assert!(!same_content(&shipped, &ordered, ImportMoment::Shipped));
    }
}
