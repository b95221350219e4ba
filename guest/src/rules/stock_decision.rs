//! Whether one stock movement of Smaregi is sent to Next Engine: decided once, from the row, the settings and our own doing. Pure; the
//! ledger that remembers the decision is `sync::stock`.

use rust_decimal::Decimal;

use crate::{
    money,
    reason::Reason,
    rules::triggers::{self, Cause},
    settings::{StockSettings, Trigger},
    time::Moment,
};

/// A row of Smaregi's change history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement<'a> {
    /// 店舗ID
    pub store_id: &'a str,
    /// Signed quantity.
    pub amount: Decimal,
    /// `stockDivision`
    pub division: &'a str,
    /// When Smaregi wrote it.
    pub at: Moment,
    /// It carries our mark, or an id that Smaregi gave for a move of ours.
    pub marked_ours: bool,
}

/// What our own registrations may claim of the rows of one product in one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Signed pieces still to be seen.
    pub remaining: i64,
    /// False while it is not known whether the registration happened.
    pub due: bool,
    /// The division of its rows; `None` while not known.
    pub division: Option<String>,
    /// Rows written later are somebody else's; `None` while it is not known when the registration happened.
    pub until: Option<Moment>,
    /// Rows written earlier are somebody else's. It matters for rows from before the link alone: of all others the sum is what counts,
    /// whichever row is taken for ours.
    pub from: Moment,
}

impl Claim {
    fn concerns(&self, movement: &Movement<'_>, since: Option<Moment>) -> bool {
        let at = movement.at;
        let older = since.is_some_and(|since| at < since);
        self.until.is_none_or(|until| at <= until) && (!older || at >= self.from)
    }
}

/// Divisions in which a registration of ours may show, as long as its own is not known (smaregi.md 9, a and c).
const POSSIBLE_DIVISIONS: [&str; 4] = ["02", "12", "15", "11"];

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Send this much, for this cause.
    Send(i64, Trigger),
    /// Not sent; the reason is for people, and the quantity is what is left after our own part of it.
    Not(Reason, i64),
    /// Not yet: it could be our own.
    Wait,
}

/// A decision, with the pieces it takes from each claim (signed, same order as the claims).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What to do.
    pub decision: Decision,
    /// Pieces consumed from each claim.
    pub taken: Vec<i64>,
}

/// Decides one movement. `since` is when this store began to take part: older rows are never sent, but they do use up claims.
pub fn decide(
    movement: &Movement<'_>,
    since: Option<Moment>,
    settings: &StockSettings,
    claims: &[Claim],
) -> Outcome {
    let untouched = |decision| Outcome {
        decision,
        taken: vec![0; claims.len()],
    };
    if movement.marked_ours {
        return untouched(Decision::Not(own(), 0));
    }
    let Some(amount) = money::whole(movement.amount) else {
        return untouched(Decision::Not(fraction(movement.amount), 0));
    };
    if could_be_ours(movement, amount, since, claims) {
        return untouched(Decision::Wait);
    }
    let (rest, taken) = consume(movement, amount, since, claims);
    let decision = if rest == 0 && amount != 0 {
        Decision::Not(own(), 0)
    } else {
        by_settings(movement, rest, since, settings)
    };
    Outcome { decision, taken }
}

fn could_be_ours(
    movement: &Movement<'_>,
    amount: i64,
    since: Option<Moment>,
    claims: &[Claim],
) -> bool {
    let division = movement.division;
    let certain = consume(movement, amount, since, claims).0 == 0;
    !certain
        && claims.iter().any(|claim| {
            let fits = claim
                .division
                .as_deref()
                .map_or(POSSIBLE_DIVISIONS.contains(&division), |own| {
                    own == division
                });
            let open = !claim.due || claim.division.is_none();
            open && fits && claim.concerns(movement, since) && same_sign(claim.remaining, amount)
        })
}

fn consume(
    movement: &Movement<'_>,
    amount: i64,
    since: Option<Moment>,
    claims: &[Claim],
) -> (i64, Vec<i64>) {
    let mut rest = amount;
    let taken = claims.iter().map(|claim| {
        let ours = claim.due
            && claim.division.as_deref() == Some(movement.division)
            && claim.concerns(movement, since)
            && same_sign(claim.remaining, rest);
        let part = if ours {
            smaller(claim.remaining, rest)
        } else {
            0
        };
        rest = rest.saturating_sub(part);
        part
    });
    let taken = taken.collect();
    (rest, taken)
}

fn same_sign(a: i64, b: i64) -> bool {
    a.signum() == b.signum() && a != 0
}

fn smaller(a: i64, b: i64) -> i64 {
    if a.unsigned_abs() <= b.unsigned_abs() {
        a
    } else {
        b
    }
}

fn by_settings(
    movement: &Movement<'_>,
    rest: i64,
    since: Option<Moment>,
    settings: &StockSettings,
) -> Decision {
    if since.is_some_and(|since| movement.at < since) {
        let reason = Reason::new(
            "before-baseline",
            "連携(または店舗の対象化)より前の変動のため、送信しません。",
            "It happened before the link, or this store, was switched on.",
        );
        return Decision::Not(reason, rest);
    }
    if !settings
        .stores
        .iter()
        .any(|store| store == movement.store_id)
    {
        return Decision::Not(
            Reason::new(
                "store-not-chosen",
                "店舗設定で対象外の店舗です。",
                "This store is not chosen in the settings.",
            )
            .value(movement.store_id),
            rest,
        );
    }
    match triggers::cause(movement.division) {
        Cause::Trigger(trigger) if settings.triggers.contains(&trigger) => {
            Decision::Send(rest, trigger)
        }
        Cause::Trigger(trigger) => Decision::Not(
            Reason::new(
                "trigger-off",
                "在庫送信設定で「送信しない」になっています。",
                "This cause is set not to be sent.",
            )
            .value(trigger.name()),
            rest,
        ),
        Cause::Never(reason) | Cause::Unknown(reason) => Decision::Not(reason, rest),
    }
}

fn own() -> Reason {
    Reason::new(
        "own-doing",
        "この連携が登録した取引・在庫移動による変動で、ネクストエンジンでは計上済みです。",
        "Caused by this connector's own registration; Next Engine has counted it already.",
    )
}

fn fraction(amount: Decimal) -> Reason {
    Reason::new(
        "fractional-quantity",
        "ネクストエンジンの在庫は整数だけです。在庫照合で合わせてください。",
        "Next Engine takes whole quantities only. Align it by hand.",
    )
    .field("amount")
    .value(money::text(amount))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use proptest::prelude::*;

    fn settings() -> StockSettings {
        StockSettings {
            triggers: vec![Trigger::Sale, Trigger::Loss],
            stores: vec!["1".to_owned()],
            ..Settings::default().stock
        }
    }

    fn movement(amount: i64, division: &str) -> Movement<'_> {
        let at = crate::time::from_unix(1_000, 0).unwrap();
        Movement {
            store_id: "1",
            amount: amount.into(),
            division,
            at,
            marked_ours: false,
        }
    }

    fn claim(remaining: i64, due: bool, division: Option<&str>) -> Claim {
        Claim {
            remaining,
            due,
            division: division.map(str::to_owned),
            until: None,
            from: crate::time::from_unix(0, 0).unwrap(),
        }
    }

    fn code(outcome: &Outcome) -> String {
        match &outcome.decision {
            Decision::Send(quantity, trigger) => format!("send {quantity} {}", trigger.name()),
            Decision::Not(reason, _) => reason.code.clone(),
            Decision::Wait => "wait".to_owned(),
        }
    }

    #[test]
    fn decides_by_settings_and_own_doing() {
        let known = Some("02");
        for (movement, claims, expected, taken) in [
            (movement(-3, "02"), vec![], "send -3 sale", vec![]),
            (movement(-3, "14"), vec![], "send -3 loss", vec![]),
            (movement(5, "03"), vec![], "trigger-off", vec![]),
            (movement(5, "99"), vec![], "unknown-division", vec![]),
            (movement(-1, "07"), vec![], "promised-only", vec![]),
            (
                movement(-3, "02"),
                vec![claim(-3, true, known)],
                "own-doing",
                vec![-3],
            ),
            (
                movement(-3, "02"),
                vec![claim(-2, true, known)],
                "send -1 sale",
                vec![-2],
            ),
            (
                movement(-3, "02"),
                vec![claim(-2, true, known), claim(-4, true, known)],
                "own-doing",
                vec![-2, -1],
            ),
            (
                movement(3, "02"),
                vec![claim(-3, true, known)],
                "send 3 sale",
                vec![0],
            ),
            (
                movement(-3, "14"),
                vec![claim(-3, true, known)],
                "send -3 loss",
                vec![0],
            ),
            (
                movement(-3, "02"),
                vec![claim(-3, false, known)],
                "wait",
                vec![0],
            ),
            (
                movement(-3, "02"),
                vec![claim(-3, true, None)],
                "wait",
                vec![0],
            ),
            (
                movement(-3, "14"),
                vec![claim(-3, true, None)],
                "send -3 loss",
                vec![0],
            ),
            (
                movement(-1, "02"),
                vec![claim(-1, true, known), claim(-1, false, known)],
                "own-doing",
                vec![-1, 0],
            ),
        ] {
            let outcome = decide(&movement, None, &settings(), &claims);
            assert_eq!(
                (code(&outcome).as_str(), &outcome.taken),
                (expected, &taken),
                "{movement:?} {claims:?}"
            );
        }
    }

    #[test]
    fn what_is_older_or_elsewhere_or_marked_is_not_sent() {
        let since = crate::time::from_unix(2_000, 0);
        assert_eq!(
            code(&decide(&movement(-1, "02"), since, &settings(), &[])),
            "before-baseline"
        );
        let since = crate::time::from_unix(1_000, 0);
        assert_eq!(
            code(&decide(&movement(-1, "02"), since, &settings(), &[])),
            "send -1 sale",
            "the very second of the baseline takes part"
        );
        let elsewhere = Movement {
            store_id: "2",
            ..movement(-1, "02")
        };
        assert_eq!(
            code(&decide(&elsewhere, None, &settings(), &[])),
            "store-not-chosen"
        );
        let marked = Movement {
            marked_ours: true,
            ..movement(-1, "15")
        };
        assert_eq!(code(&decide(&marked, None, &settings(), &[])), "own-doing");
    }

    #[test]
    fn a_row_from_before_a_registration_can_be_its_row_only_since_the_baseline() {
        let moment = |seconds| crate::time::from_unix(seconds, 0);
        let later = Claim {
            from: moment(1_001).unwrap(),
            ..claim(-1, true, Some("02"))
        };
        for (since, expected) in [(None, -1), (moment(1_000), -1), (moment(1_001), 0)] {
            let claims = [later.clone()];
            let outcome = decide(&movement(-1, "02"), since, &settings(), &claims);
            assert_eq!(outcome.taken, [expected], "{since:?}");
        }
    }

    #[test]
    fn what_is_kept_back_is_the_rest_of_a_row() {
        let outcome = decide(
            &movement(-5, "12"),
            None,
            &StockSettings {
                triggers: vec![],
                ..settings()
            },
            &[claim(-2, true, Some("12"))],
        );
        assert!(
            matches!(&outcome.decision, Decision::Not(reason, -3) if reason.code == "trigger-off")
        );
    }

    #[test]
    fn a_row_long_after_a_registration_is_not_its_row() {
        let late = Claim {
            until: crate::time::from_unix(999, 0),
            ..claim(-3, true, Some("02"))
        };
        for claim in [
            late.clone(),
            Claim {
                division: None,
                ..late
            },
        ] {
            let outcome = decide(&movement(-3, "02"), None, &settings(), &[claim]);
            assert_eq!(code(&outcome), "send -3 sale");
        }
    }

    proptest! {
        /// Our own pieces and the till's, arriving in any order: exactly the till's are sent.
        #[test]
        fn whatever_the_order_only_the_tills_pieces_travel(
            own in prop::collection::vec(1i64..9, 0..8),
            till in prop::collection::vec(1i64..9, 0..8),
            shuffle in any::<u64>(),
        ) {
            let mut rows: Vec<i64> = own.iter().chain(&till).map(|pieces| -pieces).collect();
            let mut seed = shuffle;
            rows.sort_by_key(|_| { seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1); seed });
            let mut claims: Vec<Claim> = own.iter().map(|pieces| claim(-pieces, true, Some("02"))).collect();
            let mut sent = 0;
            for row in rows {
                let outcome = decide(&movement(row, "02"), None, &settings(), &claims);
                for (claim, taken) in claims.iter_mut().zip(&outcome.taken) {
                    claim.remaining -= taken;
                }
                if let Decision::Send(quantity, _) = outcome.decision {
                    sent += quantity;
                }
            }
            prop_assert_eq!(sent, -till.iter().sum::<i64>());
        }
    }
}
