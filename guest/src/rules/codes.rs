//! The code rule (商品の紐付け): which Smaregi product is which Next Engine 商品コード, both ways, and the same answer both ways.
//! Compares to the letter; looks nothing up.
//!
//! A pair names both sides and takes both out of the general rule: with the pair `x` = `A`, Smaregi's `A` is Next Engine's `x`
//! and nothing else, so that Next Engine's own `A` finds no product instead of a second stock of the same one.

use serde::{Deserialize, Serialize};

use crate::{
    rules::product::Product,
    settings::{CodeBasis, CodeRule},
};

/// What to look for in Smaregi.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmaregiKey {
    /// 商品コード
    Code(String),
    /// 商品ID
    Id(String),
}

impl SmaregiKey {
    fn of(basis: CodeBasis, value: &str) -> Self {
        match basis {
            CodeBasis::ProductCode => Self::Code(value.to_owned()),
            CodeBasis::ProductId => Self::Id(value.to_owned()),
        }
    }

    /// The value without its kind.
    pub fn value(&self) -> &str {
        match self {
            Self::Code(value) | Self::Id(value) => value,
        }
    }

    /// Whether this is what the product is looked up by.
    pub fn fits(&self, product: &Product) -> bool {
        match self {
            Self::Code(code) => *code == product.code,
            Self::Id(id) => *id == product.id,
        }
    }
}

/// Next Engine's code of a Smaregi product; `None` when the product has no value of the rule's basis.
pub fn to_next_engine(rule: &CodeRule, product: &Product) -> Option<String> {
    next_engine_code(rule, &product.id, &product.code)
}

/// The same for a product of which only its 商品ID and 商品コード are known.
pub fn next_engine_code(rule: &CodeRule, id: &str, code: &str) -> Option<String> {
    let value = match rule.basis {
        CodeBasis::ProductCode => code,
        CodeBasis::ProductId => id,
    };
    if value.is_empty() {
        return None;
    }
    let exception = rule.pairs.iter().find(|pair| pair.smaregi == value);
    let code = exception.map_or_else(
        || format!("{}{value}", rule.prefix),
        |pair| pair.next_engine.clone(),
    );
    // Another product's exception may claim this very code.
    let claimed = rule
        .pairs
        .iter()
        .any(|pair| pair.next_engine == code && pair.smaregi != value);
    (!claimed && !code.is_empty()).then_some(code)
}

/// What Smaregi calls a Next Engine code; `None` when the rule leaves no product for it (no prefix, or a pair took it).
pub fn to_smaregi(rule: &CodeRule, next_engine_code: &str) -> Option<SmaregiKey> {
    if let Some(pair) = rule
        .pairs
        .iter()
        .find(|pair| pair.next_engine == next_engine_code)
    {
        return Some(SmaregiKey::of(rule.basis, &pair.smaregi));
    }
    let value = next_engine_code
        .strip_prefix(&rule.prefix)
        .filter(|value| !value.is_empty())?;
    let taken = rule.pairs.iter().any(|pair| pair.smaregi == value);
    (!taken).then(|| SmaregiKey::of(rule.basis, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rules::product::TaxClass, settings::CodePair};

    fn rule(basis: CodeBasis, prefix: &str) -> CodeRule {
        let pair = CodePair {
            next_engine: "x-1".to_owned(),
            smaregi: "A1".to_owned(),
        };
        CodeRule {
            basis,
            prefix: prefix.to_owned(),
            pairs: vec![pair],
        }
    }

    fn product(id: &str, code: &str) -> Product {
        Product {
            id: id.to_owned(),
            code: code.to_owned(),
            name: String::new(),
            tax: TaxClass::Standard,
            stock_managed: true,
            draws_on: Vec::new(),
            flaw: None,
        }
    }

    #[test]
    fn smaregi_products_get_their_next_engine_code() {
        for (basis, prefix, id, code, expected) in [
            (CodeBasis::ProductCode, "", "7", "B2", Some("B2")),
            (CodeBasis::ProductCode, "sr-", "7", "B2", Some("sr-B2")),
            (CodeBasis::ProductCode, "sr-", "7", "A1", Some("x-1")),
            (CodeBasis::ProductCode, "", "7", "x-1", None),
            (CodeBasis::ProductCode, "sr-", "7", "", None),
            (CodeBasis::ProductId, "", "7", "", Some("7")),
        ] {
            assert_eq!(
                to_next_engine(&rule(basis, prefix), &product(id, code)).as_deref(),
                expected,
                "{code}"
            );
        }
    }

    #[test]
    fn next_engine_codes_find_their_product() {
        for (prefix, code, expected) in [
            ("", "B2", Some("B2")),
            ("", "b2", Some("b2")),
            ("sr-", "sr-B2", Some("B2")),
            ("sr-", "B2", None),
            ("sr-", "sr-", None),
            ("", "x-1", Some("A1")),
            ("", "A1", None),
        ] {
            let found = to_smaregi(&rule(CodeBasis::ProductCode, prefix), code);
            assert_eq!(
                found,
                expected.map(|value| SmaregiKey::Code(value.to_owned())),
                "{code}"
            );
        }
        assert_eq!(
            to_smaregi(&rule(CodeBasis::ProductId, ""), "7"),
            Some(SmaregiKey::Id("7".to_owned()))
        );
    }

    #[test]
    fn both_ways_agree() {
        let rule = rule(CodeBasis::ProductCode, "p");
        for code in ["B2", "A1", "p", "x-1"] {
            let product = product("7", code);
            let there = to_next_engine(&rule, &product).unwrap();
            assert!(to_smaregi(&rule, &there).unwrap().fits(&product), "{code}");
        }
    }
}
