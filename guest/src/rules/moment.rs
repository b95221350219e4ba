//! Import moment (取込タイミング) and start date (取込開始日): whether the settings take an order as it stands. Knows nothing of what
//! was imported before; that is `cancellation`.

use crate::{
    reason::Reason,
    rules::order::{Life, Order, OrderState},
    settings::{ImportMoment, OrderSettings, ReceivingStore},
};

/// Why an order is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTaken {
    /// The order itself says so: not that far yet, cancelled, merged. A sale made of it has to go.
    ByOrder(Reason),
    /// The settings say so: shop or day. A sale made under earlier settings stays.
    BySettings(Reason),
}

impl NotTaken {
    /// The reason alone.
    pub fn into_reason(self) -> Reason {
        match self {
            Self::ByOrder(reason) | Self::BySettings(reason) => reason,
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
        return Err(NotTaken::ByOrder(not_reached(order)));
    }
    if order.sold_on() < store.start_date {
        return Err(NotTaken::BySettings(too_early(order, store)));
    }
    Ok(store)
}

/// Whether a state is at or past the moment. A state we do not know never is.
pub fn reached(moment: ImportMoment, state: OrderState) -> bool {
    let rank = match state {
        OrderState::Unknown | OrderState::Provisional => return false,
        OrderState::Issued => 1,
        OrderState::Printing => 2,
        OrderState::Shipped => 3,
    };
    let needed = match moment {
        ImportMoment::Issued => 1,
        ImportMoment::ReadyToShip => 2,
        ImportMoment::Shipped => 3,
    };
    rank >= needed
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
        let ja = "未知の受注状態のため取り込みません。";
        let en = "Its state is not one we know, so it is not imported.";
        return Reason::new("unknown-state", ja, en).field(field);
    }
    let ja = "まだ取込タイミングの受注状態になっていません。";
    Reason::new(
        "not-that-far",
        ja,
        "It has not reached the import moment yet.",
    )
    .field(field)
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
        "取込開始日({})より前の売上のため取り込みません。",
        store.start_date
    );
    let en = format!(
        "Sold before the start date ({}), so it is not imported.",
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
                true,
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
}
