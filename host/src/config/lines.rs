//! Where a key stands in the file. Knows no key's meaning.

use toml::de::{DeTable, DeValue};

/// The line, from 1, of the deepest part of `key` that the file holds (`tenants.myshop.settings.orders.payments[1].kind`); 0 when it
/// holds none.
pub fn line_of(text: &str, key: &str) -> usize {
    let Ok(root) = DeTable::parse(text) else {
        return 0;
    };
    let mut at = None;
    let mut table = Some(root.get_ref());
    for part in key.split('.') {
        let mut names = part.split(['[', ']']).filter(|name| !name.is_empty());
        let name = names.next().unwrap_or_default();
        let found = table.and_then(|table| table.iter().find(|(key, _)| key.get_ref() == name));
        let Some((key, value)) = found else { break };
        at = Some(key.span().start);
        let mut value = value;
        for index in names.filter_map(|index| index.parse::<usize>().ok()) {
            let Some(item) = value.get_ref().get(index) else {
                break;
            };
            at = Some(item.span().start);
            value = item;
        }
        table = match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        };
    }
    at.map_or(0, |at| line_at(text, at))
}

/// The line, from 1, of a place in the text.
pub fn line_at(text: &str, at: usize) -> usize {
    text.get(..at)
        .map_or(0, |before| before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"[server]
listen = "x"
[tenants.a]
allowed-hosts = [
  "one",
  "two",
]
[[tenants.a.settings.orders.payments]]
kind = "cash"
[[tenants.a.settings.orders.payments]]
kind = "shells"
"#;

    #[test]
    fn the_deepest_part_that_is_there_gives_the_line() {
        for (key, line) in [
            ("server.listen", 2),
            ("server.nothing", 1),
            ("tenants.a", 3),
            ("tenants.a.allowed-hosts[1]", 6),
            ("tenants.a.settings.orders.payments[1].kind", 11),
            ("tenants.b", 3),
            ("nothing", 0),
        ] {
            assert_eq!(line_of(TEXT, key), line, "{key}");
        }
    }
}
