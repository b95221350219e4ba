//! What a person or a program needs to use a running sandbox, as one JSON object: addresses, credentials, the operator's door.
//! It must be the only such description, so that every program that starts a sandbox prints the same.

use serde_json::{Value, json};

use super::Sandbox;

/// Where operators ask, under either service's address.
const DOOR: &str = "/_sandbox/";

impl Sandbox {
    /// Addresses, credentials, the login and the operator's doors. The credentials open nothing but this sandbox.
    pub fn describe(&self) -> Value {
        let (app, user) = self.next_engine(|next_engine| {
            let user = next_engine.users().first().cloned();
            (next_engine.app().clone(), user)
        });
        let smaregi = self.smaregi(|smaregi| smaregi.app().clone());
        json!({
            "endpoints": {
                "next-engine-sign-in": self.ne_sign_in(), "next-engine-api": self.ne_api(),
                "smaregi-id": self.smaregi_id(), "smaregi-api": self.smaregi_api(),
            },
            "credentials": {
                "next-engine-client-id": app.client_id, "next-engine-client-secret": app.client_secret,
                "next-engine-redirect": app.redirect_uri, "smaregi-contract-id": smaregi.contract_id,
                "smaregi-client-id": smaregi.client_id, "smaregi-client-secret": smaregi.client_secret,
            },
            "login": {
                "id": user.as_ref().map(|user| &user.login), "password": user.as_ref().map(|user| &user.password),
                "uid": user.as_ref().map(|user| &user.uid),
            },
            "operator": {
                "next-engine": format!("{}{DOOR}", self.ne_api()), "smaregi": format!("{}{DOOR}", self.smaregi_api()),
            },
        })
    }
}
