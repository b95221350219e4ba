//! How shops look in the operator's list: those that need a person first, each with its state. Judges nothing itself: what needs a
//! person is what the component said.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::overview::{last_import, on_or_off};
use crate::{
    console::{
        access::Visit,
        glance::State,
        layout::form_code,
        show::{self, flag, text},
    },
    notices::{ends_soon, needs_person, refused},
    shops::Origin,
};

/// A shop of the list; its state where it is known.
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Who says that there is this shop.
    pub origin: Origin,
    /// `None` while it was not read yet.
    pub state: Option<State>,
}

impl State {
    fn is_on(&self) -> bool {
        flag(&self.status, "/switched-on")
    }

    fn login_ends(&self) -> &str {
        text(&self.status, "/tokens/refresh-expires-at")
    }

    /// A login that is missing or ends soon stops a shop that is switched on.
    fn lacks_login(&self, now: DateTime<Utc>) -> bool {
        let ends = self.login_ends();
        let demand = self.status.get("login-needed");
        let demanded = demand.is_some_and(|text| !text.is_null());
        demanded || (self.is_on() && (ends.is_empty() || ends_soon(ends, now)))
    }

    fn needs_person(&self, now: DateTime<Utc>) -> bool {
        self.failed || needs_person(&self.status, &self.stores, now)
    }
}

impl Listed {
    /// Whether somebody has to look at it.
    pub fn needs_person(&self, now: DateTime<Utc>) -> bool {
        let state = self.state.as_ref();
        state.is_some_and(|state| state.needs_person(now))
    }

    /// The least comes first.
    pub fn rank(&self, now: DateTime<Utc>) -> u8 {
        match &self.state {
            Some(state) if state.needs_person(now) => 0,
            None => 1,
            Some(state) if state.is_on() => 2,
            Some(_) => 3,
        }
    }
}

/// The table.
pub fn table(visit: &Visit, shops: &[Listed], now: DateTime<Utc>) -> Markup {
    let names = names(visit);
    html! {
        div.scroll tabindex="0" {
            table.rows {
                thead { tr {
                    @for (index, name) in names.iter().enumerate() { th.number[index == 3] scope="col" { (name) } }
                    th scope="col" { span.hidden { (visit.say("操作", "Actions")) } }
                } }
                tbody { @for shop in shops { (row(visit, shop, now)) } }
            }
        }
    }
}

fn names(visit: &Visit) -> [&str; 5] {
    [
        visit.say("店舗", "Shop"),
        visit.say("連携", "Link"),
        visit.say("ログインの期限", "Login lives until"),
        visit.say("取り込めず", "Refused"),
        visit.say("最終取込", "Last import"),
    ]
}

fn row(visit: &Visit, shop: &Listed, now: DateTime<Utc>) -> Markup {
    let name = &shop.name;
    let [heading, ..] = names(visit);
    html! {
        tr {
            td data-name=(heading) {
                a href={ "/console/t/" (name) "/overview" } { (name) }
                @if shop.origin == Origin::File { br; span.faint { (visit.say("設定ファイル", "configuration")) } }
            }
            @match &shop.state {
                Some(state) if state.failed => td colspan="4" {
                    span.badge.bad { (visit.say("読み取れません", "cannot be read")) } " "
                    (visit.say("開くと理由が出ます。", "Open it to see why."))
                },
                Some(state) => (cells(visit, name, state, now)),
                None => td colspan="4" { span.faint { (visit.say("状態を読み取っています。再読み込みすると出ます。", "Its state is being read; load the page again.")) } },
            }
            td { (actions(visit, name, shop.origin)) }
        }
    }
}

fn cells(visit: &Visit, name: &str, state: &State, now: DateTime<Utc>) -> Markup {
    let [_, link, login, refusals, import] = names(visit);
    let number = refused(&state.stores);
    let last = last_import(&state.stores);
    html! {
        td data-name=(link) { (on_or_off(visit.language, state.is_on())) }
        td data-name=(login) { (ends(visit, state, now)) }
        td.number data-name=(refusals) {
            @if number > 0 {
                a href={ "/console/t/" (name) "/received?outcome=refused" } { (show::number(&number.to_string())) }
            } @else { "0" }
        }
        td data-name=(import) {
            @match last { Some(moment) => (show::moment(moment)), None => (visit.say("まだ", "not yet")) }
        }
    }
}

fn ends(visit: &Visit, state: &State, now: DateTime<Utc>) -> Markup {
    let ends = state.login_ends();
    let left = show::left(visit.language, ends, now);
    let class = if state.lacks_login(now) {
        "bad"
    } else {
        "plain"
    };
    let none = visit.say("ログインなし", "not logged in");
    let ended = visit.say("要ログイン", "login needed");
    html! {
        @if ends.is_empty() { span.badge.(class) { (none) } } @else {
            (show::moment(ends)) " " span.badge.(class) { (left.as_deref().unwrap_or(ended)) }
        }
    }
}

fn actions(visit: &Visit, name: &str, origin: Origin) -> Markup {
    html! {
        div.row {
            form method="post" action="/console/invite" {
                (form_code(visit))
                button.quiet name="shop" value=(name) { (visit.say("店舗の人を招待", "Invite its merchant")) }
            }
            form method="post" action={ "/console/t/" (name) "/export" } {
                (form_code(visit))
                button.quiet { (visit.say("データを書き出す", "Export its data")) }
            }
            @if origin == Origin::Added {
                a href={ "/console/shops/remove?shop=" (name) } aria-label=(format!("{} {name}", visit.say("削除", "Remove"))) { (visit.say("削除…", "Remove…")) }
            }
        }
    }
}
