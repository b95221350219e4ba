//! Payment (支払): how Smaregi books the money, by Next Engine's 支払区分. Chooses only; the amount is always the sale's total.

use crate::settings::{OrderSettings, PaymentKind};

/// The booking of a payment method: its rule's, else the default.
pub fn kind(settings: &OrderSettings, method_id: &str) -> PaymentKind {
    let rule = settings
        .payments
        .iter()
        .find(|rule| rule.method_id == method_id);
    rule.map_or(settings.default_payment, |rule| rule.kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rules::samples, settings::PaymentRule};

    #[test]
    fn by_rule_else_by_default() {
        let mut settings = samples::settings();
        settings.payments = vec![PaymentRule {
            method_id: "1".to_owned(),
            kind: PaymentKind::Cash,
        }];
        settings.default_payment = PaymentKind::Credit;
        assert_eq!(kind(&settings, "1"), PaymentKind::Cash);
        assert_eq!(kind(&settings, "11"), PaymentKind::Credit);
    }
}
