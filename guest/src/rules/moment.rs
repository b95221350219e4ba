//! Import moment (取込タイミング) and start date (取込開始日): whether the settings take an order as it stands. Knows nothing of what
//! was imported before; that is `cancellation`.

use crate::{
    reason::Reason,
    rules::order::{Head, Life, Order, OrderState},
    settings::{ImportMoment, OrderSettings, ReceivingStore},
};

/// Why an order is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTaken {
    /// The order itself says so: cancelled, merged, returned. A sale made of it has to go.
    ByOrder(Reason),
    /// It is not that far. A sale made of it has to go only if the order went back: a later moment does not undo sales.
    NotYet(Reason),
    /// The settings say so: shop or day. A sale made under earlier settings stays.
    BySettings(Reason),
}

impl NotTaken {
    /// The reason alone.
    pub fn into_reason(self) -> Reason {
        match self {
            Self::ByOrder(reason) | Self::NotYet(reason) | Self::BySettings(reason) => reason,
        }
    }
}

/// The receiving store that takes the order, or why none does.
pub fn taken<'a>(
    order: &Order,
    settings: &'a OrderSettings,
) -> Result<&'a ReceivingStore, NotTaken> {
    let store = settings
        .receiving_store(&order.shop_id)
        .ok_or_else(|| NotTaken::BySettings(no_store(order)))?;
    alive(order).map_err(NotTaken::ByOrder)?;
    if !reached(settings.moment, order.state) {
        return Err(NotTaken::NotYet(not_reached(order)));
    }
    if order.sold_on() < store.start_date {
        return Err(NotTaken::BySettings(too_early(order, store)));
    }
    Ok(store)
}

/// Whether a slip that cannot be read as a whole would be taken. What is not known of it speaks for it, so that it is shown.
pub fn may_be_taken(shop_id: &str, head: Option<&Head>, settings: &OrderSettings) -> bool {
    let store = settings.receiving_store(shop_id);
    if store.is_none() && !shop_id.is_empty() {
        return false;
    }
    head.is_none_or(|head| {
        let early = store
            .zip(head.sold_on)
            .is_some_and(|(store, sold_on)| sold_on < store.start_date);
        head.life == Life::Live && reached(settings.moment, head.state) && !early
    })
}

/// Whether the order is taken as soon as its goods are allocated (引当). Next Engine then moves it from 2 to 20 without dating the
/// slip (next-engine.md 6), so that no search for changes shows it: it must be asked after.
pub fn only_waits_for_goods(order: &Order, settings: &OrderSettings) -> bool {
    let ready = || Order {
        state: OrderState::Printing,
        ..order.clone()
    };
    may_move_unseen(order.state, settings) && taken(&ready(), settings).is_ok()
}

/// The same for a slip that cannot be read as a whole.
pub fn may_only_wait_for_goods(shop_id: &str, head: &Head, settings: &OrderSettings) -> bool {
    let ready = Head {
        state: OrderState::Printing,
        ..head.clone()
    };
    may_move_unseen(head.state, settings) && may_be_taken(shop_id, Some(&ready), settings)
}

fn may_move_unseen(state: OrderState, settings: &OrderSettings) -> bool {
    settings.moment == ImportMoment::ReadyToShip && state == OrderState::Issued
}

/// Whether a state is at or past the moment. A state we do not know never is.
pub fn reached(moment: ImportMoment, state: OrderState) -> bool {
    state.rank().is_some_and(|rank| rank >= needed(moment))
}

/// The rank of the earliest state that a moment takes.
pub fn needed(moment: ImportMoment) -> u8 {
    match moment {
        ImportMoment::Issued => 1,
        ImportMoment::ReadyToShip => 2,
        ImportMoment::Shipped => 3,
    }
}

fn alive(order: &Order) -> Result<(), Reason> {
    let (code, ja, en) = match order.life {
        Life::Live => return Ok(()),
        Life::Merged => (
            "merged",
            "別の伝票に同梱されています。売上は同梱先の伝票で取り込みます。",
            "Merged into another slip, which becomes the sale.",
        ),
        Life::Returned => (
            "returned",
            "出荷後に返品された伝票です。",
            "The goods came back after shipping.",
        ),
        Life::Cancelled => (
            "cancelled",
            "キャンセルされた伝票です。",
            "The slip is cancelled.",
        ),
    };
    Err(Reason::new(code, ja, en)
        .field("receive_order_cancel_type_id")
        .value(&order.cancel_type))
}

fn not_reached(order: &Order) -> Reason {
    let field = "receive_order_order_status_id";
    if order.state == OrderState::Unknown {
        let ja = "未知の受注状態のため取り込みません。ネクストエンジンで受注状態を確かめてください。知っている状態になれば取り込みます。";
        let en = "Its state is not one we know. Look at it in Next Engine; it is imported once its state is a known one.";
        return Reason::new("unknown-state", ja, en)
            .field(field)
            .value(&order.state_id);
    }
    let ja = "まだ取込タイミングの受注状態になっていません。その状態になれば自動で取り込みます。";
    let en = "It has not reached the import moment yet. It is imported by itself once it has.";
    Reason::new("not-that-far", ja, en)
        .field(field)
        .value(&order.state_id)
}

fn no_store(order: &Order) -> Reason {
    let ja = "このネクストエンジン店舗の受信店舗がありません。受信店舗を追加してください。";
    let en = "No receiving store has this Next Engine shop. Add one.";
    Reason::new("no-receiving-store", ja, en)
        .field("receive_order_shop_id")
        .value(&order.shop_id)
}

fn too_early(order: &Order, store: &ReceivingStore) -> Reason {
    let ja = format!(
        "取込開始日({})より前の売上のため取り込みません。取り込むには受信店舗の取込開始日を早めてください。",
        store.start_date
    );
    let en = format!(
        "Sold before the start date ({}), so it is not imported. Move the start date back to import it.",
        store.start_date
    );
    Reason::new("before-start-date", ja, en)
        .field("receive_order_send_date")
        .value(order.sold_on().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::samples;

    #[test]
    fn each_moment_takes_its_states_and_later_ones() {
        use ImportMoment as M;
        use OrderState as S;
        for (state, shipped, ready, issued) in [
            (S::Provisional, false, false, false),
            (S::Issued, false, false, true),
            (S::Printing, false, true, true),
            (S::Shipped, true, true, true),
            (S::Unknown, false, false, false),
        ] {
            let taken =
                [M::Shipped, M::ReadyToShip, M::Issued].map(|moment| reached(moment, state));
            assert_eq!(taken, [shipped, ready, issued], "{state:?}");
        }
    }

    #[test]
    fn says_why_an_order_is_not_taken() {
        let settings = samples::settings();
        let change = |change: fn(&mut Order)| {
            let mut order = samples::order("1001");
            change(&mut order);
            taken(&order, &settings)
                .map_err(|why| (matches!(why, NotTaken::ByOrder(_)), why.into_reason().code))
        };
        assert!(change(|_| ()).is_ok());
        for (changed, by_order, code) in [
            (change(|order| order.life = Life::Merged), true, "merged"),
            (
                change(|order| order.life = Life::Cancelled),
                true,
                "cancelled",
            ),
            (
                change(|order| order.life = Life::Returned),
                true,
                "returned",
            ),
            (
                change(|order| order.state = OrderState::Issued),
                false,
                "not-that-far",
            ),
            (
                change(|order| order.shop_id = "77".to_owned()),
                false,
                "no-receiving-store",
            ),
            (
                change(|order| order.shipped_on = crate::time::parse_day("2026-10-31")),
                false,
                "before-start-date",
            ),
        ] {
            assert_eq!(changed.unwrap_err(), (by_order, code.to_owned()));
        }
    }

    #[test]
    fn the_start_date_itself_is_taken() {
        let mut order = samples::order("1001");
        order.shipped_on = crate::time::parse_day("2026-11-01");
        assert!(taken(&order, &samples::settings()).is_ok());
    }

    #[test]
    fn goods_are_all_that_is_missing_only_where_ready_to_ship_is_the_moment() {
        use ImportMoment as M;
        use OrderState as S;
        for (moment, state, life, day, expected) in [
            (M::ReadyToShip, S::Issued, Life::Live, "2026-11-21", true),
            (M::ReadyToShip, S::Issued, Life::Live, "2026-10-31", false),
            (M::ReadyToShip, S::Issued, Life::Merged, "2026-11-21", false),
            (M::ReadyToShip, S::Printing, Life::Live, "2026-11-21", false),
            (
                M::ReadyToShip,
                S::Provisional,
                Life::Live,
                "2026-11-21",
                false,
            ),
            (M::Shipped, S::Issued, Life::Live, "2026-11-21", false),
            (M::Issued, S::Issued, Life::Live, "2026-11-21", false),
        ] {
            let settings = OrderSettings {
                moment,
                ..samples::settings()
            };
            let mut order = samples::order("1001");
            (order.state, order.life) = (state, life);
            order.shipped_on = crate::time::parse_day(day);
            let head = Head {
                state,
                state_id: order.state_id.clone(),
                life,
                cancel_type: order.cancel_type.clone(),
                sold_on: order.shipped_on,
            };
            let found = [
                only_waits_for_goods(&order, &settings),
                may_only_wait_for_goods("1", &head, &settings),
            ];
            assert_eq!(found, [expected; 2], "{moment:?} {state:?} {life:?} {day}");
        }
    }

    #[test]
    fn a_slip_that_cannot_be_read_is_shown_only_if_it_could_be_a_sale() {
        let settings = samples::settings();
        let head = |state, life, day: &str| Head {
            state,
            state_id: "50".to_owned(),
            life,
            cancel_type: "0".to_owned(),
            sold_on: crate::time::parse_day(day),
        };
        for (shop, head, expected) in [
            ("1", None, true),
            ("", None, true),
            ("77", None, false),
            (
                "1",
                Some(head(OrderState::Shipped, Life::Live, "2026-11-21")),
                true,
            ),
            ("1", Some(head(OrderState::Shipped, Life::Live, "")), true),
            (
                "1",
                Some(head(OrderState::Shipped, Life::Live, "2026-11-01")),
                true,
            ),
            (
                "1",
                Some(head(OrderState::Shipped, Life::Live, "2026-10-31")),
                false,
            ),
            (
                "1",
                Some(head(OrderState::Printing, Life::Live, "2026-11-21")),
                false,
            ),
            (
                "1",
                Some(head(OrderState::Shipped, Life::Cancelled, "2026-11-21")),
                false,
            ),
        ] {
            assert_eq!(
                may_be_taken(shop, head.as_ref(), &settings),
                expected,
                "{shop} {head:?}"
            );
        }
    }
}
