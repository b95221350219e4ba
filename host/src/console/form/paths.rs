//! Places in settings by the contract's paths, `orders.receiving-stores[1].store-id`, and what differs between two settings. Never
//! tells a secret.

use serde_json::Value;

use super::super::audit::Change;

/// The same as a JSON pointer.
fn pointer(path: &str) -> String {
    let path = path.replace(']', "").replace(['.', '['], "/");
    format!("/{path}")
}

/// The value at a path.
pub fn get<'a>(settings: &'a Value, path: &str) -> &'a Value {
    settings.pointer(&pointer(path)).unwrap_or(&Value::Null)
}

/// Puts a value at a path whose surroundings exist.
pub fn set(settings: &mut Value, path: &str, value: Value) {
    let pointer = pointer(path);
    let Some((around, name)) = pointer.rsplit_once('/') else {
        return;
    };
    match settings.pointer_mut(around) {
        Some(Value::Object(fields)) => {
            fields.insert(name.to_owned(), value);
        }
        Some(Value::Array(items)) => {
            let place = name
                .parse()
                .ok()
                .and_then(|index: usize| items.get_mut(index));
            if let Some(place) = place {
                *place = value;
            }
        }
        _ => {}
    }
}

/// What differs, field by field. Of a secret only that it was set.
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    differing(String::new(), before, after, &mut found);
    found
}

fn differing(path: String, before: &Value, after: &Value, found: &mut Vec<Change>) {
    let name = path.rsplit('.').next().unwrap_or_default();
    if name.starts_with("has-") || before == after {
        return;
    }
    if let (Value::Object(old), Value::Object(new)) = (before, after) {
        let names = old
            .keys()
            .chain(new.keys().filter(|name| !old.contains_key(*name)));
        for name in names {
            let dot = if path.is_empty() { "" } else { "." };
            let (old, new) = (old.get(name), new.get(name));
            let absent = &Value::Null;
            differing(
                format!("{path}{dot}{name}"),
                old.unwrap_or(absent),
                new.unwrap_or(absent),
                found,
            );
        }
        return;
    }
    if let (Value::Array(old), Value::Array(new)) = (before, after)
        && old.iter().chain(new).any(Value::is_object)
    {
        let absent = &Value::Null;
        for index in 0..old.len().max(new.len()) {
            let (old, new) = (old.get(index), new.get(index));
            let path = format!("{path}[{index}]");
            differing(path, old.unwrap_or(absent), new.unwrap_or(absent), found);
        }
        return;
    }
    let is_secret = name.ends_with("secret");
    let shown = |value: &Value| match value {
        Value::Null => String::new(),
        _ if is_secret => "***".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    found.push(Change {
        before: shown(before),
        after: shown(after),
        field: path,
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_of_the_contract_lead_into_the_settings() {
        let mut settings = json!({ "orders": { "receiving-stores": [{ "store-id": "1" }] } });
        let path = "orders.receiving-stores[0].store-id";
        assert_eq!(get(&settings, path), &json!("1"));
        set(&mut settings, path, json!("2"));
        assert_eq!(get(&settings, path), &json!("2"));
        assert_eq!(
            get(&settings, "orders.receiving-stores[1].store-id"),
            &Value::Null
        );
    }

    #[test]
    fn changes_name_each_field_and_no_secret() {
        let before = json!({ "credentials": { "client-secret": null, "has-secret": false }, "pace": { "minutes": 5 }, "rows": [{ "id": "1", "on": true }], "stores": ["1"] });
        let after = json!({ "credentials": { "client-secret": "s3", "has-secret": true }, "pace": { "minutes": 6 }, "rows": [{ "id": "2", "on": true }, { "id": "3" }], "stores": ["1", "2"] });
        let told: Vec<_> = changes(&before, &after)
            .into_iter()
            .map(|change| (change.field, change.before, change.after))
            .collect();
        let expected = [
            ("credentials.client-secret", "", "***"),
            ("pace.minutes", "5", "6"),
            ("rows[0].id", "1", "2"),
            ("rows[1]", "", "{\"id\":\"3\"}"),
            ("stores", "[\"1\"]", "[\"1\",\"2\"]"),
        ];
        assert_eq!(
            told,
            expected.map(|(field, old, new)| (field.to_owned(), old.to_owned(), new.to_owned()))
        );
    }
}
