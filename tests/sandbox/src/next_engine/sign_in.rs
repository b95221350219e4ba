//! Next Engine's sign-in page: a form, a session, and the way back to the app (next-engine.md 1.1).
//! It must not give tokens: the app fetches them with the state.

use http::header::SET_COOKIE;
use http::{HeaderValue, Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::NextEngine;
use crate::wire::{self, Form, Request, Response};

const COOKIE: &str = "ne_session";

impl NextEngine {
    /// `GET` shows the form or goes straight back with a session; `POST` logs in.
    pub(super) fn sign_in(&mut self, request: &Request) -> Response {
        let asked = wire::query(request);
        if asked.text("client_id") != Some(self.access.app.client_id.as_str()) {
            return page("アプリが見つかりません。", StatusCode::BAD_REQUEST);
        }
        if asked
            .text("redirect_uri")
            .is_some_and(|address| address != self.access.app.redirect_uri)
        {
            return page(
                "リダイレクト先が登録と一致しません。",
                StatusCode::BAD_REQUEST,
            );
        }
        if request.method() == Method::POST {
            return self.log_in(&Form::parse(request.body()), request);
        }
        match session(request).and_then(|session| self.access.session_user(session)) {
            Some(uid) => wire::redirect(&self.launch(&uid)),
            None => form("", request),
        }
    }

    fn log_in(&mut self, sent: &Form, request: &Request) -> Response {
        let (login, password) = (
            sent.text("login").unwrap_or_default(),
            sent.text("password").unwrap_or_default(),
        );
        let Some(session) = self.access.log_in(login, password) else {
            return form("ログインIDまたはパスワードが違います。", request);
        };
        let uid = self.access.session_user(&session).unwrap_or_default();
        let mut response = wire::redirect(&self.launch(&uid));
        if let Ok(cookie) =
            HeaderValue::from_str(&format!("{COOKIE}={session}; Path=/users/; HttpOnly"))
        {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
        response
    }

    /// The address a browser is sent to when this user starts the app, from the sign-in page or from Next Engine's menu:
    /// the registered redirect address with `uid`, `state` and `client_id`.
    pub fn launch(&mut self, uid: &str) -> String {
        let now = self.now();
        let state = self.access.issue_state(uid, now);
        let app = &self.access.app;
        let joint = if app.redirect_uri.contains('?') {
            '&'
        } else {
            '?'
        };
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let (uid, state, client_id) = (encode(uid), encode(&state), encode(&app.client_id));
        format!(
            "{}{joint}uid={uid}&state={state}&client_id={client_id}",
            app.redirect_uri
        )
    }
}

fn session(request: &Request) -> Option<&str> {
    let cookies = wire::header(request, "cookie")?.split(';');
    cookies
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, word)| word)
}

/// The login form; it posts back to the address it was asked for, so the query travels along.
fn form(complaint: &str, request: &Request) -> Response {
    let action = request
        .uri()
        .path_and_query()
        .map_or("/users/sign_in/", |address| address.as_str());
    let action = action
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;");
    let content = format!(
        "<h1>ログイン(サンドボックス)</h1><p role=\"alert\">{complaint}</p>\
         <form method=\"post\" action=\"{action}\">\
         <label>ログインID <input name=\"login\" autocomplete=\"username\"></label>\
         <label>パスワード <input name=\"password\" type=\"password\" autocomplete=\"current-password\"></label>\
         <button>ログイン</button></form>"
    );
    page(&content, StatusCode::OK)
}

fn page(content: &str, status: StatusCode) -> Response {
    let head = "<!doctype html><html lang=\"ja\"><meta charset=\"utf-8\"><title>ネクストエンジン(サンドボックス)</title>";
    wire::html(status, format!("{head}<body>{content}</body></html>"))
}
