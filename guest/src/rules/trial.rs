//! 試す: what an order would become under two sets of settings, and wherein the two differ. Pure; books nothing.

use crate::{
    reason::Reason,
    rules::{goods::Products, mapping, moment, order::Order, sale::Sale},
    settings::Settings,
};

/// What an order would become.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// This transaction.
    Booked(Box<Sale>),
    /// No transaction, for this reason.
    Refused(Reason),
    /// Not taken by the settings.
    Skipped(Reason),
}

impl Outcome {
    /// Yen that would be booked.
    pub fn yen(&self) -> i64 {
        match self {
            Self::Booked(sale) => sale.total,
            Self::Refused(_) | Self::Skipped(_) => 0,
        }
    }
}

/// The outcome under these settings, from everything that was looked up.
pub fn outcome(order: &Order, settings: &Settings, products: &Products) -> Outcome {
    let (orders, codes) = (&settings.orders, &settings.stock.codes);
    match moment::taken(order, orders) {
        Err(not_taken) => Outcome::Skipped(not_taken.into_reason()),
        Ok(store) => match mapping::map(order, store, orders, codes, products) {
            Ok(sale) => Outcome::Booked(Box::new(sale)),
            Err(reason) => Outcome::Refused(reason),
        },
    }
}

/// Wherein two outcomes differ, in the contract's words; empty when they are the same.
pub fn differences(before: &Outcome, after: &Outcome) -> Vec<&'static str> {
    match (before, after) {
        (Outcome::Booked(before), Outcome::Booked(after)) => of_sales(before, after),
        (Outcome::Refused(before), Outcome::Refused(after))
        | (Outcome::Skipped(before), Outcome::Skipped(after)) => {
            if before == after {
                Vec::new()
            } else {
                vec!["reason"]
            }
        }
        _ => vec!["outcome"],
    }
}

fn of_sales(before: &Sale, after: &Sale) -> Vec<&'static str> {
    let tax = |sale: &Sale| (sale.tax_included, sale.tax_added, sale.rounding);
    let parts = [
        ("store", before.store_id != after.store_id),
        (
            "source-store",
            before.source_store_id != after.source_store_id,
        ),
        ("terminal", before.terminal_id != after.terminal_id),
        ("day", before.sold_on != after.sold_on),
        ("lines", before.lines != after.lines),
        ("discount", before.discount != after.discount),
        ("tax", tax(before) != tax(after)),
        ("total", before.total != after.total),
        ("payment", before.payment != after.payment),
        ("tags", before.tags != after.tags),
    ];
    let differing = parts.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rules::samples,
        settings::{FeeMode, PaymentKind, PaymentRule},
    };

    fn with(change: impl FnOnce(&mut Settings)) -> Settings {
        let mut settings = Settings {
            orders: samples::settings(),
            ..Settings::default()
        };
        change(&mut settings);
        settings
    }

    #[test]
    fn each_setting_shows_where_it_bites() {
        type Change = fn(&mut Settings);
        let store: Change = |settings| settings.orders.receiving_stores[0].store_id = "11".into();
        let source: Change =
            |settings| settings.orders.receiving_stores[0].source_store_id = Some("12".into());
        let terminal: Change =
            |settings| settings.orders.receiving_stores[0].terminal_id = Some("7".into());
        let name: Change = |settings| settings.orders.receiving_stores[0].shop_name = "x".into();
        let fee: Change = |settings| settings.orders.charge = FeeMode::Line("misc".into());
        let unset: Change = |settings| settings.orders.charge = FeeMode::Unset;
        let gone: Change = |settings| settings.orders.receiving_stores.clear();
        let payment: Change = |settings| {
            let method_id = "1".to_owned();
            let kind = match settings.orders.default_payment {
                PaymentKind::Cash => PaymentKind::Credit,
                PaymentKind::Credit => PaymentKind::Cash,
            };
            settings.orders.payments = vec![PaymentRule { method_id, kind }];
        };
        let nothing: Change = |_| ();
        let mut order = samples::order("7");
        (order.charge, order.total) = (330.into(), 3_410.into());
        let before = outcome(&order, &with(nothing), &samples::products());
        assert_eq!(before.yen(), 3_410);
        for (change, expected, yen) in [
            (nothing, vec![], 3_410),
            (store, vec!["store"], 3_410),
            (source, vec!["source-store"], 3_410),
            (terminal, vec!["terminal"], 3_410),
            (name, vec!["tags"], 3_410),
            (fee, vec!["lines"], 3_410),
            (payment, vec!["payment"], 3_410),
            (unset, vec!["outcome"], 0),
            (gone, vec!["outcome"], 0),
        ] {
            let after = outcome(&order, &with(change), &samples::products());
            assert_eq!((differences(&before, &after), after.yen()), (expected, yen));
        }
    }

    #[test]
    fn another_reason_is_a_difference() {
        let mut order = samples::order("7");
        (order.charge, order.points) = (330.into(), 1.into());
        let unset = with(|settings| settings.orders.charge = FeeMode::Unset);
        let unknown = with(|settings| settings.orders.charge = FeeMode::Line("no".into()));
        let before = outcome(&order, &unset, &samples::products());
        let mut products = samples::products();
        let key = crate::rules::codes::SmaregiKey::Code("no".to_owned());
        products.insert(key, Vec::new());
        let after = outcome(&order, &unknown, &products);
        assert_eq!(differences(&before, &after), ["reason"]);
        assert!(differences(&before, &before).is_empty());
    }
}
