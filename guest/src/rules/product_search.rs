//! Finding a product while its code or name is being typed. Pure; what it finds binds nobody.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A product as it is shown to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Smaregi's 商品ID.
    pub id: String,
    /// 商品コード; may be empty.
    pub code: String,
    /// 商品名
    pub name: String,
    /// 商品単価
    pub price: Option<Decimal>,
}

/// How well a product fits; the least is shown first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Whole,
    Begins,
    Code,
    Name,
}

/// Everything that matches, the likeliest first, then by code and id.
pub fn search<'a>(text: &str, products: impl Iterator<Item = &'a Listed>) -> Vec<&'a Listed> {
    let typed = folded(text);
    let words: Vec<&str> = typed.split_whitespace().collect();
    let whole = words.join(" ");
    let mut found: Vec<(Fit, &Listed)> = products
        .filter_map(|product| Some((fit(&whole, &words, product)?, product)))
        .collect();
    found.sort_by_key(|(fit, product)| (*fit, &product.code, &product.id));
    found.into_iter().map(|(_, product)| product).collect()
}

fn fit(whole: &str, words: &[&str], product: &Listed) -> Option<Fit> {
    let (code, name) = (folded(&product.code), folded(&product.name));
    let told =
        |word: &&str| code.contains(*word) || name.contains(*word) || product.id.contains(*word);
    match whole {
        _ if !words.iter().all(told) => None,
        _ if code == whole || product.id == whole => Some(Fit::Whole),
        _ if code.starts_with(whole) => Some(Fit::Begins),
        _ if code.contains(whole) => Some(Fit::Code),
        _ => Some(Fit::Name),
    }
}

/// Without letter case, and with the wide forms of ASCII as narrow ones: Japanese keyboards type either.
fn folded(text: &str) -> String {
    let narrow = |letter: char| match u32::from(letter) {
        wide @ 0xFF01..=0xFF5E => char::from_u32(wide.saturating_sub(0xFEE0)).unwrap_or(letter),
        _ => letter,
    };
    text.chars()
        .map(narrow)
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(id: &str, code: &str, name: &str) -> Listed {
        Listed {
            id: id.to_owned(),
            code: code.to_owned(),
            name: name.to_owned(),
            price: None,
        }
    }

    #[test]
    fn the_likeliest_comes_first() {
        let all = [
            product("80", "a-ume", "梅"),
            product("81", "UME-2", "梅干し 大"),
            product("82", "ume", "梅干し"),
            product("83", "A-tea", "Ume Tea"),
            product("84", "", "梅酒"),
            product("85", "ume-1", "梅干し 小"),
        ];
        let found = |text: &str| {
            let found = search(text, all.iter()).into_iter();
            found.map(|product| product.id.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(found("ume"), ["82", "81", "85", "80", "83"]);
        assert_eq!(found("ＵＭＥ－１"), ["85"], "wide letters");
        assert_eq!(found(" 干し　大 "), ["81"], "every word");
        assert_eq!(found("84"), ["84"], "the id");
        assert_eq!(found("梅"), ["84", "81", "80", "82", "85"]);
        assert_eq!(found("").len(), 6);
        assert!(found("ume 茶").is_empty());
    }
}
