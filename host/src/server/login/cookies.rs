//! One cookie for each shop: it ties the way back to the browser that went. Knows nothing of what a ticket opens.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

/// Followed by the shop's name.
const NAME: &str = "tsunagi-login-";
/// Followed by the shop's name: the login was begun in the console, on the page that it holds.
const BACK: &str = "tsunagi-back-";
/// As long as a ticket lives (wit/connection.wit).
const SECONDS: u32 = 30 * 60;

/// Keeps a ticket.
pub fn set(tenant: &str, ticket: &str, public_url: &str) -> String {
    line(NAME, tenant, ticket, public_url)
}

/// Keeps the console's page to come back to; with none, what an earlier login kept is gone.
pub fn set_back(tenant: &str, page: &str, public_url: &str) -> String {
    line(BACK, tenant, page, public_url)
}

fn line(prefix: &str, tenant: &str, value: &str, public_url: &str) -> String {
    let secure = if public_url.starts_with("https://") {
        "; Secure"
    } else {
        ""
    };
    format!("{prefix}{tenant}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={SECONDS}{secure}")
}

/// The console's page to come back to.
pub fn back(headers: &HeaderMap, tenant: &str) -> Option<String> {
    let mut found = named(headers, BACK);
    found.find(|(shop, _)| shop == tenant).map(|(_, page)| page)
}

/// Shops and their tickets.
pub fn all(headers: &HeaderMap) -> Vec<(String, String)> {
    named(headers, NAME).collect()
}

/// Shops and what is kept for them.
fn named(headers: &HeaderMap, prefix: &'static str) -> impl Iterator<Item = (String, String)> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let ours = pairs.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value)));
    ours.filter(|(_, value)| !value.is_empty())
        .map(|(tenant, value)| (tenant.to_owned(), value.to_owned()))
}

/// Forgets a shop's ticket, and where to come back to.
pub fn forget(response: &mut Response, tenant: &str) {
    for prefix in [NAME, BACK] {
        let gone = format!("{prefix}{tenant}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
        if let Ok(gone) = HeaderValue::from_str(&gone) {
            response.headers_mut().append(header::SET_COOKIE, gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shop_has_its_own_and_others_are_left_alone() {
        let mut headers = HeaderMap::new();
        let line = "theme=dark; tsunagi-login-a=123; tsunagi-login-b=; tsunagi-login-c=456";
        headers.append(header::COOKIE, HeaderValue::from_static(line));
        let found = all(&headers);
        let expected = [("a", "123"), ("c", "456")];
        assert_eq!(
            found,
            expected.map(|(shop, ticket)| (shop.to_owned(), ticket.to_owned()))
        );
    }
}
