//! What was typed, as a value of the contract. Only what has no such value is a problem here; all else is the component's to judge.

use serde_json::{Value, json};

use super::{Field, Kind};
use crate::console::{language::Language, sent::Sent};

/// The value; or what to show again, and what is wrong with it.
pub fn value(field: &Field, sent: &Sent, language: Language) -> Result<Value, (Value, String)> {
    let text = sent.text(&field.path);
    match field.kind {
        Kind::Text | Kind::Date | Kind::Choice(_) => Ok(json!(text)),
        Kind::Optional => Ok(if text.is_empty() {
            Value::Null
        } else {
            json!(text)
        }),
        // A password may begin or end with a space.
        Kind::Secret(_) => Ok(match sent.raw(&field.path) {
            "" => Value::Null,
            secret => json!(secret),
        }),
        Kind::Flag => Ok(json!(text == "true")),
        Kind::Number => number(text, language),
        Kind::List => Ok(json!(list(sent.all(&field.path)))),
        Kind::Pairs => pairs(sent.raw(&field.path), language),
        Kind::Fee => Ok(match text {
            "line" => json!({ "line": sent.text(&format!("{}.line", field.path)) }),
            _ => json!("unset"),
        }),
    }
}

/// A keyboard for Japanese types wide digits and commas, too.
fn number(text: &str, language: Language) -> Result<Value, (Value, String)> {
    let plain: String = text
        .chars()
        .filter(|letter| ![',', '，'].contains(letter))
        .map(|letter| match letter {
            '０'..='９' => {
                let digit = u32::from(letter) - u32::from('０');
                char::from_digit(digit, 10).unwrap_or(letter)
            }
            other => other,
        })
        .collect();
    plain
        .parse::<u32>()
        .map(|number| json!(number))
        .map_err(|_| {
            let problem = language.of(
                "0以上の整数を入力してください。",
                "Type a whole number, zero or more.",
            );
            (json!(text), problem.to_owned())
        })
}

/// Several inputs of one name, or one with separators.
fn list(values: &[String]) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    let separators = [',', '、', '，', ' ', '\u{3000}', '\n', '\r', '\t'];
    for value in values.iter().flat_map(|value| value.split(separators)) {
        if !value.is_empty() && !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// Each line: Next Engine's code, a comma or tab, Smaregi's.
fn pairs(text: &str, language: Language) -> Result<Value, (Value, String)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut pairs = Vec::new();
    for line in lines {
        let Some((left, right)) = line.split_once([',', '\t']) else {
            let problem = language.of(
                "各行は「ネクストエンジンの商品コード,スマレジの値」の形で入力してください:",
                "Each line has to be: Next Engine's code, comma, Smaregi's value. This one is not:",
            );
            return Err((json!(text), format!("{problem} {line}")));
        };
        pairs.push(json!({ "next-engine": left.trim(), "smaregi": right.trim() }));
    }
    Ok(Value::Array(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::form::field;

    fn typed(kind: Kind, body: &str) -> Result<Value, Value> {
        let field = field("a.b", kind, ("", ""), ("", ""));
        value(&field, &Sent::parse(body.as_bytes()), Language::En).map_err(|(value, _)| value)
    }

    #[test]
    fn what_was_typed_becomes_the_contracts_value_or_is_shown_again() {
        for (kind, body, expected) in [
            (Kind::Text, "a.b=+x+", Ok(json!("x"))),
            (Kind::Optional, "a.b=", Ok(Value::Null)),
            (Kind::Secret(""), "a.b=", Ok(Value::Null)),
            (Kind::Secret(""), "a.b=x+", Ok(json!("x "))),
            (Kind::Flag, "", Ok(json!(false))),
            (Kind::Flag, "a.b=true", Ok(json!(true))),
            (Kind::Number, "a.b=1,200", Ok(json!(1200))),
            (Kind::Number, "a.b=%EF%BC%91%EF%BC%92", Ok(json!(12))),
            (Kind::Number, "a.b=many", Err(json!("many"))),
            (Kind::Number, "a.b=-1", Err(json!("-1"))),
            (
                Kind::List,
                "a.b=1%E3%80%812,1&a.b=3",
                Ok(json!(["1", "2", "3"])),
            ),
            (Kind::List, "", Ok(json!([]))),
            (Kind::Fee, "a.b=unset&a.b.line=9", Ok(json!("unset"))),
            (Kind::Fee, "a.b=line&a.b.line=9", Ok(json!({ "line": "9" }))),
            (
                Kind::Pairs,
                "a.b=N1,S1%0D%0A%0D%0AN2%09S2",
                Ok(json!([
                    { "next-engine": "N1", "smaregi": "S1" }, { "next-engine": "N2", "smaregi": "S2" }
                ])),
            ),
            (Kind::Pairs, "a.b=N1", Err(json!("N1"))),
        ] {
            assert_eq!(typed(kind, body), expected, "{body}");
        }
    }
}
