//! One cookie for each shop: it ties the way back to the browser that went. Knows nothing of what a ticket opens.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

/// Followed by the shop's name.
const NAME: &str = "tsunagi-login-";
/// As long as a ticket lives (wit/connection.wit).
const SECONDS: u32 = 30 * 60;

/// Keeps a ticket.
pub fn set(tenant: &str, ticket: &str, public_url: &str) -> String {
    let secure = if public_url.starts_with("https://") {
        "; Secure"
    } else {
        ""
    };
    format!("{NAME}{tenant}={ticket}; Path=/; HttpOnly; SameSite=Lax; Max-Age={SECONDS}{secure}")
}

/// Shops and their tickets.
pub fn all(headers: &HeaderMap) -> Vec<(String, String)> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let ours = pairs.filter_map(|(name, value)| Some((name.strip_prefix(NAME)?, value)));
    ours.filter(|(_, ticket)| !ticket.is_empty())
        .map(|(tenant, ticket)| (tenant.to_owned(), ticket.to_owned()))
        .collect()
}

/// Forgets a shop's ticket.
pub fn forget(response: &mut Response, tenant: &str) {
    let gone = format!("{NAME}{tenant}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    if let Ok(gone) = HeaderValue::from_str(&gone) {
        response.headers_mut().append(header::SET_COOKIE, gone);
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
