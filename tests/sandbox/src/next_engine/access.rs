//! Who may call: sign-in states, token pairs per user, their lives and their renewal (next-engine.md 1).
//! It must not know any endpoint but `/api_neauth`, and what holds secrets has no `Debug`.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::answer::{Failure, ResultWord, date_text};
use super::books::Moment;
use crate::service::Refused;
use crate::switches::{BadRefresh, DeadPair, Switches};
use crate::wire::Form;

const STATE_LIFE: TimeDelta = TimeDelta::minutes(5);
const ACCESS_LIFE: TimeDelta = TimeDelta::days(1);
const REFRESH_LIFE: TimeDelta = TimeDelta::days(3);
/// Longest redirect address (next-engine.md 7).
const REDIRECT_MAX: usize = 200;

/// The app as registered with Next Engine.
#[derive(Clone, PartialEq, Eq)]
pub struct App {
    /// クライアントID.
    pub client_id: String,
    /// クライアントシークレット.
    pub client_secret: String,
    /// The registered redirect address.
    pub redirect_uri: String,
}

/// A person who can log in.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// User id; tokens belong to it.
    pub uid: String,
    /// Login name on the sign-in page.
    pub login: String,
    /// Password on the sign-in page.
    pub password: String,
    /// Name.
    pub name: String,
}

/// A token pair in force.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    /// アクセストークン.
    pub access: String,
    /// Its end.
    pub access_end: Moment,
    /// リフレッシュトークン.
    pub refresh: String,
    /// Its end.
    pub refresh_end: Moment,
}

impl Pair {
    /// The four fields that nearly every answer carries.
    pub fn write(&self, answer: &mut Map<String, Value>) {
        answer.insert("access_token".into(), json!(self.access));
        answer.insert(
            "access_token_end_date".into(),
            json!(date_text(self.access_end)),
        );
        answer.insert("refresh_token".into(), json!(self.refresh));
        answer.insert(
            "refresh_token_end_date".into(),
            json!(date_text(self.refresh_end)),
        );
    }
}

/// States, sessions and pairs.
#[derive(Clone)]
pub struct Access {
    /// The registered app.
    pub app: App,
    /// People who can log in.
    pub users: Vec<User>,
    pairs: BTreeMap<String, Pair>,
    /// Every access token ever given, with its user: an old one is answered otherwise than a stranger's would be counted.
    owners: BTreeMap<String, String>,
    states: BTreeMap<String, (String, Moment)>,
    sessions: BTreeMap<String, String>,
    serial: u64,
}

impl Default for Access {
    fn default() -> Self {
        let app = App {
            client_id: String::from("sandbox-client"),
            client_secret: String::from("sandbox-client-secret"),
            redirect_uri: String::from("http://127.0.0.1:8080/next-engine/callback"),
        };
        let user = User {
            uid: String::from("sandbox-uid-1"),
            login: String::from("tanaka"),
            password: String::from("sandbox-password"),
            name: String::from("田中 花子"),
        };
        Self {
            app,
            users: vec![user],
            pairs: BTreeMap::new(),
            owners: BTreeMap::new(),
            states: BTreeMap::new(),
            sessions: BTreeMap::new(),
            serial: 0,
        }
    }
}

impl Access {
    /// Registers a redirect address: https, or http on loopback (the real service wants https), at most 200 characters.
    ///
    /// # Errors
    /// When the address is none of these.
    pub fn set_redirect_uri(&mut self, address: &str) -> Result<(), Refused> {
        let loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        let allowed = address.starts_with("https://")
            || loopback.iter().any(|start| address.starts_with(start));
        if !allowed || address.len() > REDIRECT_MAX {
            return Err(Refused::new(
                "redirect address: https (or http on loopback), at most 200 characters",
            ));
        }
        self.app.redirect_uri = address.to_owned();
        Ok(())
    }

    /// A fresh word; deterministic, so that a simulation repeats itself.
    fn fresh(&mut self, kind: &str) -> String {
        self.serial += 1;
        format!(
            "ne-{kind}-{:016x}",
            self.serial.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        )
    }

    /// Logs a user in and answers the browser's session word.
    pub fn log_in(&mut self, login: &str, password: &str) -> Option<String> {
        let user = self
            .users
            .iter()
            .find(|user| user.login == login && user.password == password)?;
        let uid = user.uid.clone();
        let session = self.fresh("session");
        self.sessions.insert(session.clone(), uid);
        Some(session)
    }

    /// The user behind a browser's session.
    pub fn session_user(&self, session: &str) -> Option<String> {
        self.sessions.get(session).cloned()
    }

    /// A state for this user, good once and for five minutes.
    pub fn issue_state(&mut self, uid: &str, now: Moment) -> String {
        let state = self.fresh("state");
        self.states.insert(state.clone(), (uid.to_owned(), now));
        state
    }

    /// `POST /api_neauth`: a state for a token pair. Codes other than 001001 and 001003 are assumed.
    ///
    /// # Errors
    /// The failure to answer with.
    pub fn exchange(&mut self, form: &Form, now: Moment) -> Result<(User, Pair), Failure> {
        let uid = form
            .filled("uid")
            .ok_or(Failure::new("001001", "uidが指定されていません。"))?;
        let state = form
            .filled("state")
            .ok_or(Failure::new("001002", "stateが指定されていません。"))?;
        self.check_app(form)?;
        let (owner, issued) = self
            .states
            .remove(state)
            .ok_or(Failure::new("001004", "stateが正しくありません。"))?;
        if owner != uid || now - issued >= STATE_LIFE {
            return Err(Failure::new(
                "001004",
                "stateが正しくないか、有効期限が切れています。",
            ));
        }
        let user = self.users.iter().find(|user| user.uid == uid).cloned();
        let user = user.ok_or(Failure::new("001004", "利用者が見つかりません。"))?;
        Ok((user, self.issue_pair(uid, now)))
    }

    /// Whether a form carries the app's id and secret.
    ///
    /// # Errors
    /// 001003.
    pub fn check_app(&self, form: &Form) -> Result<(), Failure> {
        let sent = (form.text("client_id"), form.text("client_secret"));
        let own = (self.app.client_id.as_str(), self.app.client_secret.as_str());
        if sent == (Some(own.0), Some(own.1)) {
            return Ok(());
        }
        Err(Failure::new(
            "001003",
            "クライアントIDまたはクライアントシークレットが正しくありません。",
        ))
    }

    /// A new pair for this user; the one before it is dead.
    pub fn issue_pair(&mut self, uid: &str, now: Moment) -> Pair {
        let pair = Pair {
            access: self.fresh("access"),
            access_end: now + ACCESS_LIFE,
            refresh: self.fresh("refresh"),
            refresh_end: now + REFRESH_LIFE,
        };
        self.owners.insert(pair.access.clone(), uid.to_owned());
        self.pairs.insert(uid.to_owned(), pair.clone());
        pair
    }

    /// The pair in force of a user.
    pub fn pair(&self, uid: &str) -> Option<&Pair> {
        self.pairs.get(uid)
    }

    /// Who an access token was given to, dead or alive.
    pub fn owner(&self, access_token: &str) -> Option<&String> {
        self.owners.get(access_token)
    }

    /// Checks a call's tokens, renewing the pair inside the call where the rules say so; answers the user.
    ///
    /// # Errors
    /// 002001, 002002, 002003, 002004 (next-engine.md 1.3, 1.6).
    pub fn check(
        &mut self,
        form: &Form,
        now: Moment,
        switches: &Switches,
    ) -> Result<String, Failure> {
        let token = form.filled("access_token");
        let token = token.ok_or(Failure::new("002001", "access_tokenが指定されていません。"))?;
        let dead = || Failure::new("002002", "アクセストークンが正しくありません。");
        let uid = self.owners.get(token).cloned().ok_or_else(dead)?;
        let pair = self
            .pairs
            .get(&uid)
            .filter(|pair| pair.access == token)
            .ok_or_else(dead)?;
        if now < pair.access_end {
            return Ok(uid);
        }
        let expired = Failure::new("002004", "アクセストークンの有効期限が切れています。");
        match form.filled("refresh_token") {
            None => return Err(expired.with_result(ResultWord::Redirect)),
            Some(refresh) if refresh != pair.refresh => {
                return Err(bad_refresh(switches.bad_refresh));
            }
            Some(_) if now >= pair.refresh_end => {
                return Err(match switches.dead_pair {
                    DeadPair::Error => expired,
                    DeadPair::Redirect => expired.with_result(ResultWord::Redirect),
                });
            }
            Some(_) => {}
        }
        self.issue_pair(&uid, now);
        Ok(uid)
    }
}

fn bad_refresh(switch: BadRefresh) -> Failure {
    let failure = |code| Failure::new(code, "リフレッシュトークンが正しくありません。");
    match switch {
        BadRefresh::Code002003 => failure("002003"),
        BadRefresh::Code002004 => failure("002004"),
        BadRefresh::Redirect => failure("002004").with_result(ResultWord::Redirect),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::SandboxClock;

    fn form(pair: &Pair, refresh: bool) -> Form {
        let refresh = if refresh {
            format!("&refresh_token={}", pair.refresh)
        } else {
            String::new()
        };
        Form::parse(format!("access_token={}{refresh}", pair.access).as_bytes())
    }

    fn code(checked: Result<String, Failure>) -> &'static str {
        checked
            .err()
            .map_or("ok", |failure| failure.code.to_owned().leak())
    }

    #[test]
    fn lives_and_renewal_follow_the_table() {
        // hours since issue, refresh token sent, expected code, renewed
        let table = [
            (0, true, "ok", false),
            (23, false, "ok", false),
            (24, false, "002004", false),
            (24, true, "ok", true),
            (71, true, "ok", true),
            (72, true, "002004", false),
        ];
        for (hours, refresh, expected, renewed) in table {
            let clock = SandboxClock::held_at(chrono::DateTime::UNIX_EPOCH.fixed_offset());
            let mut access = Access::default();
            let pair = access.issue_pair("u", clock.now());
            clock.advance(Duration::from_secs(hours * 3600));
            let checked = access.check(&form(&pair, refresh), clock.now(), &Switches::default());
            assert_eq!(code(checked), expected, "{hours} h");
            assert_eq!(access.pair("u") != Some(&pair), renewed, "{hours} h");
            if renewed {
                let again = access.check(&form(&pair, true), clock.now(), &Switches::default());
                assert_eq!(code(again), "002002");
                let end = access.pair("u").unwrap().refresh_end;
                assert_eq!(end - clock.now(), REFRESH_LIFE, "counted from the renewal");
            }
        }
    }

    #[test]
    fn a_state_is_good_once_and_for_five_minutes() {
        let now = chrono::DateTime::UNIX_EPOCH.fixed_offset();
        let mut access = Access::default();
        let uid = access.users[0].uid.clone();
        let ask = |state: &str, secret: &str| {
            Form::parse(
                format!("uid={uid}&state={state}&client_id=sandbox-client&client_secret={secret}")
                    .as_bytes(),
            )
        };
        let secret = "sandbox-client-secret";
        let state = access.issue_state(&uid, now);
        assert_eq!(
            access
                .exchange(&ask(&state, "wrong"), now)
                .err()
                .unwrap()
                .code,
            "001003"
        );
        assert!(access.exchange(&ask(&state, secret), now).is_ok());
        assert_eq!(
            access
                .exchange(&ask(&state, secret), now)
                .err()
                .unwrap()
                .code,
            "001004"
        );
        let late = access.issue_state(&uid, now);
        assert!(
            access
                .exchange(&ask(&late, secret), now + STATE_LIFE)
                .is_err()
        );
    }
}
