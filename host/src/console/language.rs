//! Which of the two languages a reader gets: the one chosen by the switch, else the browser's, else Japanese.

use axum::http::{HeaderMap, header};

use super::sessions::cookie;
pub use crate::cli::words::Language;

const COOKIE: &str = "tsunagi-language";
const YEAR: u32 = 365 * 24 * 60 * 60;

/// The reader's.
pub fn of(headers: &HeaderMap) -> Language {
    let chosen = cookie(headers, COOKIE).and_then(|code| named(&code));
    let asked = || {
        let line = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        preferred(line)
    };
    chosen.or_else(asked).unwrap_or(Language::Ja)
}

/// `ja` or `en`, also as the beginning of `en-GB`.
pub fn named(code: &str) -> Option<Language> {
    let code = code.split('-').next().unwrap_or_default();
    match code.to_ascii_lowercase().as_str() {
        "ja" => Some(Language::Ja),
        "en" => Some(Language::En),
        _ => None,
    }
}

/// The header's value that keeps a choice.
pub fn keep(language: Language) -> String {
    let code = language.code();
    format!("{COOKIE}={code}; Path=/; SameSite=Lax; Max-Age={YEAR}")
}

/// The first of the highest weight.
fn preferred(line: &str) -> Option<Language> {
    let weighed = line.split(',').filter_map(|part| {
        let (code, weight) = part.split_once(';').unwrap_or((part, "q=1"));
        let weight = weight.trim().strip_prefix("q=")?.parse::<f32>().ok()?;
        (weight > 0.0).then_some(())?;
        Some((named(code.trim())?, weight))
    });
    let best = weighed.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_wish_is_read_by_its_weights() {
        for (line, expected) in [
            ("ja", Some(Language::Ja)),
            ("en-GB,en;q=0.9,ja;q=0.8", Some(Language::En)),
            ("fr, en;q=0.3, ja;q=0.7", Some(Language::Ja)),
            ("en;q=0, ja;q=0.1", Some(Language::Ja)),
            ("fr", None),
            ("", None),
        ] {
            assert_eq!(preferred(line), expected, "{line}");
        }
    }
}
