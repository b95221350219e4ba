//! ログイン (next-engine.md 1.1, 1.2): the address to send a browser to, and the exchange of what it comes back with.

use super::{
    Call,
    answer::{Answer, Tokens},
};
use crate::{
    reason::Reason,
    settings::{Credentials, Endpoints},
    wire::{self, Row, Value},
};

/// Next Engine's login page for our app.
pub fn sign_in_address(endpoints: &Endpoints, credentials: &Credentials) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", &credentials.next_engine_client_id);
    if !credentials.next_engine_redirect.is_empty() {
        query.append_pair("redirect_uri", &credentials.next_engine_redirect);
    }
    format!(
        "{}/users/sign_in/?{}",
        endpoints.next_engine_sign_in,
        query.finish()
    )
}

/// Exchanges what the redirect carried for tokens; the `state` lives five minutes and works once.
pub fn exchange(credentials: &Credentials, uid: &str, state: &str) -> Call {
    let form = [
        ("uid", uid),
        ("state", state),
        ("client_id", &credentials.next_engine_client_id),
        (
            "client_secret",
            credentials.next_engine_client_secret.reveal(),
        ),
    ];
    let form = form
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    Call {
        path: "/api_neauth",
        form,
        writes: false,
    }
}

/// Who logged in.
#[derive(Clone)]
pub struct Login {
    /// User; tokens belong to this one.
    pub uid: String,
    /// Company id (`company_ne_id`).
    pub company_id: String,
    /// Company name.
    pub company_name: String,
    /// The first pair.
    pub tokens: Tokens,
}

/// Reads the exchange's answer.
pub fn decode(answer: &Answer) -> Result<Login, Reason> {
    let row = Row::of(&answer.body, "answer")?;
    let Some(tokens) = answer.tokens.clone() else {
        return Err(wire::unreadable("access_token", &Value::Null));
    };
    Ok(Login {
        uid: row.text("uid")?,
        company_id: row.text("company_ne_id")?,
        company_name: row.maybe_text("company_name").unwrap_or_default(),
        tokens,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn the_address_names_app_and_redirect_and_no_secret() {
        let credentials = Credentials {
            next_engine_client_id: "abc".to_owned(),
            next_engine_client_secret: crate::settings::Secret::new("hidden".to_owned()),
            next_engine_redirect: "https://shop.example/login/callback".to_owned(),
            ..Credentials::default()
        };
        assert_eq!(
            sign_in_address(&Settings::default().endpoints, &credentials),
            "https://base.next-engine.org/users/sign_in/?client_id=abc&redirect_uri=https%3A%2F%2Fshop.example%2Flogin%2Fcallback"
        );
    }
}
