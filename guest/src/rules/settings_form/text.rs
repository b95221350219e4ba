//! What a text may be: whether one is, and the same as a regular expression (ECMA-262, as JSON Schema has them), both from the same
//! letters. Knows no field.

use url::Url;

/// Characters of one text.
pub const LONGEST: usize = 1_000;

/// [`Form::Id`]; how long one is at most: smaregi.md 2, 4a.
const ID: Letters = Letters {
    first: ('1', '9'),
    others: ('0', '9'),
    most: 9,
};
/// [`Form::Code`]: smaregi.md 5.
const CODE: Letters = Letters {
    first: (' ', '~'),
    others: (' ', '~'),
    most: 20,
};

/// Hosts that plain `http` may lead to: this very machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// What no base address holds: what begins a query or a fragment, ends a login, or is read as a slash. Nor does it hold a blank.
const NOT_IN_BASE: &str = r"?#@\";

/// What a text must be. None is longer than [`LONGEST`].
#[derive(Clone, Copy)]
pub enum Form {
    /// Anything, nothing included.
    Any,
    /// Not blank.
    Needed,
    /// A Smaregi store id, a Next Engine shop id or a terminal number.
    Id,
    /// Smaregi's 商品コード.
    Code,
    /// An address without trailing slash, query, fragment and login: `https`, or `http` to this machine. `true` where we call it,
    /// `false` where the browser does.
    Base(bool),
    /// An address of the web, or nothing.
    Redirect,
}

/// Letters in a row, at least one.
struct Letters {
    /// The first is from here to there.
    first: (char, char),
    /// Each other one.
    others: (char, char),
    /// How many at most.
    most: usize,
}

impl Form {
    /// Whether a text is of this form.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Needed => !text.chars().all(is_blank),
            Self::Id => ID.fit(text),
            Self::Code => CODE.fit(text),
            Self::Base(_) => is_base(text),
            Self::Redirect => text.is_empty() || is_web(text),
        }
    }

    /// What every text of this form matches; `None` where any does.
    pub fn pattern(self) -> Option<String> {
        match self {
            Self::Any => None,
            Self::Needed => Some(format!("[^{BLANK}]")),
            Self::Id => Some(format!("^{}$", ID.pattern())),
            Self::Code => Some(format!("^{}$", CODE.pattern())),
            Self::Base(_) => Some(base_pattern()),
            Self::Redirect => Some(format!("^(https?://[^{BLANK}]+)?$")),
        }
    }

    /// The same where nothing may stand instead.
    pub fn pattern_or_nothing(self) -> Option<String> {
        match self {
            Self::Id => Some(format!("^({})?$", ID.pattern())),
            _ => self.pattern(),
        }
    }
}

/// Blanks in a regular expression, those of every dialect: some leave out U+0085, others U+FEFF.
const BLANK: &str = r"\s\u0085\ufeff";

fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || letter == '\u{feff}'
}

impl Letters {
    fn fit(&self, text: &str) -> bool {
        let within = |(from, to): (char, char), letter| (from..=to).contains(&letter);
        let mut letters = text.chars();
        letters
            .next()
            .is_some_and(|first| within(self.first, first))
            && letters.all(|other| within(self.others, other))
            && text.len() <= self.most
    }

    fn pattern(&self) -> String {
        let (first, others) = (self.first, self.others);
        format!(
            "[{}-{}][{}-{}]{{0,{}}}",
            first.0,
            first.1,
            others.0,
            others.1,
            self.most.saturating_sub(1)
        )
    }
}

fn is_base(address: &str) -> bool {
    let at_home = |rest: &str| {
        let host = LOOPBACK.iter().find_map(|host| rest.strip_prefix(host));
        host.is_some_and(|rest| rest.is_empty() || is_rest(rest, ":/"))
    };
    let begins = match address.split_once("://") {
        Some(("https", rest)) => is_rest(rest, ""),
        Some(("http", rest)) => at_home(rest),
        _ => false,
    };
    begins && Url::parse(address).is_ok_and(|url| url.has_host())
}

/// Whether the rest of an address may stand there: it begins with one of these, if any are named, and ends in no slash.
fn is_rest(rest: &str, begins: &str) -> bool {
    let rest = if begins.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix(|first| begins.contains(first))
    };
    let plain = |letter| !is_blank(letter) && !NOT_IN_BASE.contains(letter);
    rest.is_some_and(|rest| !rest.is_empty() && !rest.ends_with('/') && rest.chars().all(plain))
}

fn base_pattern() -> String {
    let escaped = |text: &str| text.replace('\\', r"\\");
    let letters = format!("{BLANK}{}", escaped(NOT_IN_BASE));
    let rest = format!("[^{letters}]*[^{letters}/]");
    let hosts = LOOPBACK.map(|host| {
        let host = host.replace('.', r"\.");
        host.replace('[', r"\[").replace(']', r"\]")
    });
    format!(
        "^(https://{rest}|http://({})([:/]{rest})?)$",
        hosts.join("|")
    )
}

fn is_web(address: &str) -> bool {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme));
    let plain = |rest: &str| !rest.is_empty() && !rest.chars().any(is_blank);
    rest.is_some_and(plain) && Url::parse(address).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_this_machine() {
        for (address, good) in [
            ("https://api.smaregi.jp", true),
            ("https://api.smaregi.jp/base", true),
            ("http://127.0.0.1:8080", true),
            ("http://localhost", true),
            ("http://localhost:1/base", true),
            ("http://[::1]:1", true),
            ("https://api.smaregi.jp/", false),
            ("http://localhost/", false),
            ("http://localhost:", false),
            ("http://localhost.example", false),
            ("http://api.smaregi.jp", false),
            ("https://user@api.smaregi.jp", false),
            ("https://:word@api.smaregi.jp", false),
            ("https://api.smaregi.jp?a=1", false),
            ("https://api.smaregi.jp#a", false),
            ("https://api.smaregi.jp\\", false),
            ("https://api smaregi.jp", false),
            (" https://api.smaregi.jp", false),
            ("https:api.smaregi.jp", false),
            ("https://[", false),
            ("https://", false),
            ("https:///", false),
            ("ftp://api.smaregi.jp", false),
            ("", false),
        ] {
            assert_eq!(Form::Base(true).fits(address), good, "{address}");
        }
    }

    #[test]
    fn a_redirect_is_an_address_of_the_web_or_nothing() {
        for (address, good) in [
            ("", true),
            ("https://shop.example/login/?a=1#b", true),
            ("http://127.0.0.1:1/login", true),
            ("login", false),
            ("https://", false),
            ("https://shop.example/ login", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(Form::Redirect.fits(address), good, "{address}");
        }
    }

    #[test]
    fn blank_is_what_nobody_sees() {
        for (text, good) in [
            ("a", true),
            (" a ", true),
            ("", false),
            (" \u{3000}", false),
        ] {
            assert_eq!(Form::Needed.fits(text), good, "{text:?}");
        }
        assert!(!Form::Needed.fits("\u{feff}\u{85}"));
    }
}
