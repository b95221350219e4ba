//! What people see. Each page is a file; this one says under which address it lies.

mod align;
mod change_words;
mod changes;
mod checklist;
mod compare;
mod connection;
mod connection_view;
mod days;
mod details;
mod filter;
mod invitation;
mod notices;
mod order;
mod orders;
mod overview;
mod received;
mod sent;
mod sent_table;
mod shop_changes;
mod shop_states;
mod shops;
mod sign_in;
mod stock;
mod store;
mod story;
mod trial;
mod verdict;

use axum::{
    extract::{Path, Query},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, get, post},
};
use serde::Deserialize;

use super::{Console, access::AtShop, assets, language};
pub use checklist::compared_key;
pub use connection::checked_key;
pub use overview::last_import;

/// Addresses and what answers there.
type Routes = Vec<(&'static str, MethodRouter<Console>)>;

/// All of them.
pub fn routes() -> Routes {
    let mut routes = vec![
        ("/console", get(shops::show)),
        ("/console/invite", post(shops::invite)),
        ("/console/shops/add", post(shop_changes::add)),
        (
            "/console/shops/remove",
            get(shop_changes::ask).post(shop_changes::remove),
        ),
        ("/console/changes", get(changes::all)),
        ("/console/assets/{name}", get(assets::serve)),
        ("/console/language/{language}", get(switch_language)),
        (
            "/console/sign-in",
            get(sign_in::show).post(sign_in::sign_in),
        ),
        ("/console/sign-out", post(sign_in::sign_out)),
        (
            "/console/invitation",
            get(invitation::show).post(invitation::take_up),
        ),
    ];
    routes.extend(of_shops());
    routes.extend(of_settings());
    routes.extend(of_histories());
    routes
}

/// Of each shop: every one of these takes [`AtShop`].
fn of_shops() -> Routes {
    vec![
        ("/console/t/{tenant}", get(first)),
        ("/console/t/{tenant}/overview", get(overview::show)),
        ("/console/t/{tenant}/changes", get(changes::show)),
        ("/console/t/{tenant}/export", post(shops::export)),
        ("/console/t/{tenant}/overview/days", get(days::show)),
        ("/console/t/{tenant}/connection", get(connection::show)),
        (
            "/console/t/{tenant}/connection/settings",
            post(connection::save),
        ),
        (
            "/console/t/{tenant}/connection/switch",
            post(connection::switch),
        ),
        (
            "/console/t/{tenant}/connection/login",
            post(connection::log_in),
        ),
        (
            "/console/t/{tenant}/connection/check",
            post(connection::check),
        ),
        (
            "/console/t/{tenant}/connection/forget",
            post(connection::forget),
        ),
    ]
}

/// Those where something is set.
fn of_settings() -> Routes {
    vec![
        (
            "/console/t/{tenant}/stock",
            get(stock::show).post(stock::save),
        ),
        ("/console/t/{tenant}/orders", get(orders::show)),
        (
            "/console/t/{tenant}/orders/store",
            get(store::show).post(store::save),
        ),
        (
            "/console/t/{tenant}/orders/store/remove",
            post(store::remove),
        ),
        ("/console/t/{tenant}/orders/import", post(orders::import)),
        ("/console/t/{tenant}/orders/stop", post(orders::stop)),
        ("/console/t/{tenant}/orders/events", get(orders::events)),
        (
            "/console/t/{tenant}/notices",
            get(notices::show).post(notices::save),
        ),
        ("/console/t/{tenant}/notices/test", post(notices::test)),
        (
            "/console/t/{tenant}/details",
            get(details::show).post(details::save),
        ),
        (
            "/console/t/{tenant}/details/products",
            get(details::products),
        ),
    ]
}

/// Those where something is looked up and mended.
fn of_histories() -> Routes {
    vec![
        ("/console/t/{tenant}/story", get(story::show)),
        ("/console/t/{tenant}/sent", get(sent::show)),
        ("/console/t/{tenant}/sent.csv", get(sent::export)),
        ("/console/t/{tenant}/sent/resend", post(sent::resend)),
        ("/console/t/{tenant}/received", get(received::show)),
        ("/console/t/{tenant}/received.csv", get(received::export)),
        ("/console/t/{tenant}/received/order", get(order::show)),
        ("/console/t/{tenant}/received/retry", post(received::retry)),
        ("/console/t/{tenant}/received/stop", post(received::stop)),
        ("/console/t/{tenant}/received/events", get(received::events)),
        ("/console/t/{tenant}/compare", get(compare::show)),
        ("/console/t/{tenant}/compare/run", post(compare::run)),
        ("/console/t/{tenant}/compare/events", get(compare::events)),
        ("/console/t/{tenant}/align", get(align::show)),
        ("/console/t/{tenant}/align/preview", post(align::preview)),
        ("/console/t/{tenant}/align/confirm", post(align::confirm)),
        ("/console/t/{tenant}/align/events", get(align::events)),
    ]
}

async fn first(at: AtShop) -> Redirect {
    Redirect::to(&at.address("overview"))
}

/// What the address of a page says beside its place.
#[derive(Deserialize)]
pub struct Asked {
    /// What was done just now, as a word.
    #[serde(default)]
    pub done: String,
    /// Where to go afterwards.
    #[serde(default)]
    pub back: String,
}

/// An address within the console, so that no link of ours leads elsewhere.
fn within(back: &str) -> &str {
    let rest = back.strip_prefix("/console");
    let is_ours = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let is_plain = back.bytes().all(|byte| byte.is_ascii_graphic());
    if is_ours && is_plain {
        back
    } else {
        "/console"
    }
}

async fn switch_language(Path(code): Path<String>, Query(asked): Query<Asked>) -> Response {
    let Some(language) = language::named(&code) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let cookie = [(header::SET_COOKIE, language::keep(language))];
    (cookie, Redirect::to(within(&asked.back))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_back_never_leads_out_of_the_console() {
        for (back, expected) in [
            ("/console/t/a/overview?x=1", "/console/t/a/overview?x=1"),
            ("/console", "/console"),
            ("//elsewhere.example/console", "/console"),
            ("https://elsewhere.example/", "/console"),
            ("/consoles", "/console"),
            ("/console/\r\nset-cookie: x", "/console"),
            ("", "/console"),
        ] {
            assert_eq!(within(back), expected, "{back}");
        }
    }
}
