//! ネクストエンジン's API: calls described, answers read. Performs no I/O, keeps no token, holds no rule.

pub mod answer;
pub mod auth;
pub mod choices;
pub mod company;
pub mod goods;
pub mod movements;
pub mod orders;
pub mod queue;
pub mod upload;

/// One call, always a form posted (next-engine.md 0). Tokens are added by the session. Never printed: a login's form holds the
/// client secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// Path, which is also its name for counting.
    pub path: &'static str,
    /// Form fields without tokens.
    pub form: Vec<(String, String)>,
    /// Whether it changes something there, so that a lost answer leaves the outcome open.
    pub writes: bool,
}

impl Call {
    /// A search; `fields` is mandatory, and the limit is always given, because its default is not documented (next-engine.md 5).
    fn search(path: &'static str, fields: &[&str], limit: u32) -> Self {
        let form = vec![
            ("fields".to_owned(), fields.join(",")),
            ("limit".to_owned(), limit.to_string()),
        ];
        Self {
            path,
            form,
            writes: false,
        }
    }

    /// Whether a success is answered with a list.
    pub fn searches(&self) -> bool {
        self.path.ends_with("/search")
    }

    /// A condition such as `goods_id-in`; all conditions are joined by AND.
    fn with(mut self, condition: &str, value: impl Into<String>) -> Self {
        self.form.push((condition.to_owned(), value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_searches_are_answered_with_lists() {
        assert!(queue::one("7").searches());
        assert!(!upload::stock(&[], "mark").searches());
    }
}
