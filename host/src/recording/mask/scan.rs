//! Finding fields in text without reading the whole of it as what it claims to be: JSON and forms, cut ones too. Everything but what is
//! replaced stays to the letter.

/// JSON with the values of those fields replaced, whatever is in them. Other text stays as it is.
pub fn json(
    text: &str,
    is_named: &dyn Fn(&str) -> bool,
    mask: &mut dyn FnMut(&str) -> String,
) -> String {
    let mut scan = Scan {
        rest: text,
        out: String::with_capacity(text.len()),
        depth: 0,
        inside: None,
        named: false,
    };
    while let Some(letter) = scan.rest.chars().next() {
        let hides = scan.named || scan.inside.is_some();
        match letter {
            '"' => scan.literal(hides, is_named, mask),
            '{' | '[' => scan.open(letter),
            '}' | ']' => scan.close(letter),
            ',' => scan.pass(letter),
            '0'..='9' | '-' if hides => scan.number(),
            ':' | ' ' | '\n' | '\r' | '\t' => {
                let named = scan.named;
                scan.pass(letter);
                scan.named = named;
            }
            other => scan.pass(other),
        }
    }
    scan.out
}

struct Scan<'a> {
    rest: &'a str,
    out: String,
    depth: usize,
    /// Everything is replaced until this depth is reached again.
    inside: Option<usize>,
    /// The name before what comes next is one of those.
    named: bool,
}

impl Scan<'_> {
    fn pass(&mut self, letter: char) {
        self.out.push(letter);
        self.rest = self.rest.get(letter.len_utf8()..).unwrap_or_default();
        self.named = false;
    }

    fn open(&mut self, letter: char) {
        if self.named && self.inside.is_none() {
            self.inside = Some(self.depth);
        }
        self.pass(letter);
        self.depth += 1;
    }

    fn close(&mut self, letter: char) {
        self.pass(letter);
        self.depth = self.depth.saturating_sub(1);
        if self.inside == Some(self.depth) {
            self.inside = None;
        }
    }

    fn literal(
        &mut self,
        hides: bool,
        is_named: &dyn Fn(&str) -> bool,
        mask: &mut dyn FnMut(&str) -> String,
    ) {
        let (literal, rest) = self.rest.split_at(literal_end(self.rest));
        let said = serde_json::from_str::<String>(literal);
        let said = said.unwrap_or_else(|_| literal.trim_matches('"').to_owned());
        let is_name = rest.trim_start().starts_with(':');
        self.rest = rest;
        if hides && !is_name {
            let quoted = serde_json::Value::from(mask(&said)).to_string();
            let changed = quoted.trim_matches('"') != said;
            self.out.push_str(if changed { &quoted } else { literal });
        } else {
            self.out.push_str(literal);
        }
        self.named = is_name && is_named(&said);
    }

    fn number(&mut self) {
        let end = self
            .rest
            .find(|letter: char| !"0123456789+-.eE".contains(letter));
        let (_, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        self.out.push('0');
        self.named = false;
    }
}

/// Behind the closing quote, or at the end of a text that was cut.
fn literal_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A form with values replaced for which there is another.
pub fn form(text: &str, mask: &mut dyn FnMut(&str, &str) -> Option<String>) -> String {
    let fields = text.split('&').map(|field| {
        let read = form_urlencoded::parse(field.as_bytes()).next();
        let other = read.and_then(|(name, value)| Some((mask(&name, &value)?, value)));
        match (other, field.split_once('=')) {
            (Some((other, value)), Some((name, _))) if other != value => format!("{name}={other}"),
            _ => field.to_owned(),
        }
    });
    fields.collect::<Vec<_>>().join("&")
}

/// How a value may be spelled: plain, in JSON, in JSON of a writer that keeps to ASCII, in a form or an address.
pub fn spellings(value: &str) -> Vec<String> {
    let in_json = serde_json::Value::from(value).to_string();
    let in_json = in_json.trim_matches('"').to_owned();
    let ascii: String = in_json
        .chars()
        .map(|letter| match letter {
            '/' => "\\/".to_owned(),
            ' '..='~' => letter.to_string(),
            _ => {
                let mut units = [0; 2];
                let units = letter.encode_utf16(&mut units).iter();
                units.map(|unit| format!("\\u{unit:04x}")).collect()
            }
        })
        .collect();
    let form: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let address = form.replace('+', "%20");
    let mut all = vec![value.to_owned(), in_json, ascii, form, address];
    all.sort();
    all.dedup();
    all
}

/// Shorter values are replaced only where they are whole words.
const SURE: usize = 16;

/// The text with each occurrence replaced; `None` where there is none.
pub fn replaced(text: &str, value: &str, mask: &str) -> Option<String> {
    let is_word =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let mut out = String::new();
    let mut from = 0;
    for (at, found) in text.match_indices(value) {
        let (before, after) = (text.get(..at)?, text.get(at + found.len()..)?);
        let joined = |edge: Option<char>, next: Option<char>| is_word(edge) && is_word(next);
        let is_part = joined(value.chars().next(), before.chars().next_back())
            || joined(value.chars().next_back(), after.chars().next());
        if is_part && value.len() < SURE {
            continue;
        }
        out.push_str(text.get(from..at)?);
        out.push_str(mask);
        from = at + found.len();
    }
    out.push_str(text.get(from..)?);
    (from > 0).then_some(out)
}
