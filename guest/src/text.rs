//! Making text fit a service's limits: the one documented rule. Never refuses; a name is not worth a sale.

/// Brings `text` into at most `limit` characters that Smaregi stores: control characters become a blank, characters outside the
/// Basic Multilingual Plane (emoji, rare kanji) become 〓 (geta, the printer's mark for a missing letter), blanks are joined and
/// trimmed, and what is too long ends in `…`.
pub fn fit(text: &str, limit: usize) -> String {
    let plain: String = text.chars().map(storable).collect();
    let joined = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if joined.chars().count() <= limit {
        return joined;
    }
    let mut short: String = joined.chars().take(limit.saturating_sub(1)).collect();
    short.push('…');
    short.chars().take(limit).collect()
}

fn storable(letter: char) -> char {
    match letter {
        letter if letter.is_control() => ' ',
        letter if u32::from(letter) > 0xFFFF => '〓',
        letter => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_by_the_rule() {
        for (text, limit, expected) in [
            ("梅干し　1kg\r\n", 10, "梅干し 1kg"),
            ("お茶🍵", 10, "お茶〓"),
            ("\u{ffff}\u{10000}", 10, "\u{ffff}〓"),
            ("a\u{0}\u{7f}b", 10, "a b"),
            ("あいうえお", 5, "あいうえお"),
            ("あいうえおか", 5, "あいうえ…"),
            ("", 5, ""),
        ] {
            assert_eq!(fit(text, limit), expected);
        }
    }
}
