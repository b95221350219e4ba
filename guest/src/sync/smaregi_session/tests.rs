//! Tokens, limits and answers by script.

use serde_json::json;

use super::*;
use crate::{
    settings::Credentials,
    smaregi::{
        products::{self, Draws},
        stock, stores,
    },
    sync::testing::{Script, at_once},
};

fn token(access: &str) -> serde_json::Value {
    json!({"access_token": access, "expires_in": 3600, "token_type": "Bearer", "scope": "pos.stores:read"})
}

fn bearer(script: &Script, index: usize) -> String {
    let requests = script.requests.borrow();
    let header = requests[index]
        .headers
        .iter()
        .find(|(name, _)| *name == "authorization");
    header.unwrap().1.clone()
}

#[test]
fn a_token_is_kept_until_shortly_before_its_end() {
    let script = Script::new();
    script.will(200, &token("t1"));
    at_once(Smaregi::open(&script.tenant())).unwrap();
    at_once(Smaregi::open(&script.tenant())).unwrap();
    assert_eq!(script.requests.borrow().len(), 1);
    script
        .now
        .set(script.now.get() + TimeDelta::seconds(3_600 - 119));
    script.will(200, &token("t2"));
    at_once(Smaregi::open(&script.tenant())).unwrap();
    assert_eq!(script.requests.borrow().len(), 2);
}

#[test]
fn a_token_that_is_just_as_old_as_it_may_be_is_not_used() {
    for (seconds, asked) in [(0, 1), (1, 0)] {
        let script = Script::new();
        script.switch_on(&["1"]);
        let ends = script.now.get() + MARGIN + chrono::TimeDelta::seconds(seconds);
        let cached = json!({"access": "old", "expires_at": ends, "scopes": []});
        let commit = Commit::new().put(TOKEN_KEY, &cached).unwrap();
        commit.apply(&script.ports()).unwrap();
        script.will(200, &token("new"));
        at_once(Smaregi::open(&script.tenant())).unwrap();
        assert_eq!(script.requests.borrow().len(), asked, "{seconds}");
    }
}

#[test]
fn a_scope_that_was_ticked_meanwhile_is_seen_by_the_next_call() {
    let script = Script::new();
    script.will(200, &token("t1"));
    script.will(
        403,
        &json!({"title": "Insufficient Scope", "type": "about:blank"}),
    );
    let tenant = script.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    let error = at_once(session.send(&stores::list())).unwrap_err();
    assert!(matches!(error, CallError::Refused(refusal) if refusal.code == "403 about:blank"));
    script.will(200, &token("t2"));
    script.will(200, &json!([]));
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    at_once(session.send(&stores::list())).unwrap();
    assert_eq!(bearer(&script, 3), "Bearer t2");
}

#[test]
fn a_refused_token_is_asked_for_again_once() {
    let script = Script::new();
    let refused = json!({"title": "Unauthorized", "type": "about:blank"});
    script.will(200, &token("t1"));
    script.will(401, &refused);
    script.will(200, &token("t2"));
    script.will(200, &json!([]));
    let tenant = script.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    at_once(session.send(&stores::list())).unwrap();
    assert_eq!(
        (bearer(&script, 1).as_str(), bearer(&script, 3).as_str()),
        ("Bearer t1", "Bearer t2")
    );
    script.will(401, &refused);
    script.will(200, &token("t3"));
    script.will(401, &refused);
    let error = at_once(session.send(&stores::list())).unwrap_err();
    assert!(matches!(error, CallError::Refused(refusal) if refusal.code == "401 about:blank"));
}

#[test]
fn patience_is_kept_for_seconds_and_handed_on_for_minutes() {
    let script = Script::new();
    script.will(200, &token("t1"));
    let tenant = script.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    let limited = |seconds| {
        let response = HttpResponse {
            status: 429,
            retry_after: Some(seconds),
            body: Vec::new(),
        };
        script.answers.borrow_mut().push_back(Ok(response));
    };
    limited(2);
    script.will(200, &json!([]));
    let before = script.now.get();
    at_once(session.send(&stores::list())).unwrap();
    assert_eq!((script.now.get() - before).num_seconds(), 2);
    limited(300);
    let error = at_once(session.send(&stores::list())).unwrap_err();
    let until = script.now.get() + TimeDelta::seconds(300);
    assert!(matches!(error, CallError::NotDone(Error::Unavailable(_, _, at)) if at == until));
}

#[test]
fn a_limit_without_a_time_grows_and_holds_for_every_request() {
    let script = Script::new();
    script.will(200, &token("t1"));
    let tenant = script.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    let before = script.now.get();
    for _ in 0..3 {
        script.will(429, &json!({}));
    }
    script.will(200, &json!([]));
    at_once(session.send(&stores::list())).unwrap();
    assert_eq!((script.now.get() - before).num_seconds(), 1 + 2 + 4);
    script.answers.borrow_mut().push_back(Ok(HttpResponse {
        status: 429,
        retry_after: Some(300),
        body: Vec::new(),
    }));
    for _ in 0..2 {
        // The second is not even sent.
        assert!(at_once(session.send(&stores::list())).is_err());
    }
    assert_eq!(script.requests.borrow().len(), 6);
}

#[test]
fn several_refused_at_once_share_one_new_token() {
    let script = Script::new();
    script.will(200, &token("t1"));
    let tenant = script.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    let used = session.token.borrow().access.clone();
    script.will(200, &token("t2"));
    let both = futures_util::future::join(session.renew(&used), session.renew(&used));
    assert_eq!(at_once(both), (Ok(()), Ok(())));
    assert_eq!(script.requests.borrow().len(), 2);
    assert_eq!(session.token.borrow().access.reveal(), "t2");
}

#[test]
fn an_answer_of_another_form_is_no_empty_list() {
    for (request, answer, done) in [
        (stores::list(), json!([]), true),
        (stores::list(), json!({}), false),
        (stores::list(), json!(null), false),
        (products::one("8", Draws::Left), json!([]), false),
        (products::one("8", Draws::Left), json!({}), true),
        (stock::add("1", "1", 1, "m"), json!([]), true),
    ] {
        let script = Script::new();
        script.will(200, &token("t1"));
        script.will(200, &answer);
        let tenant = script.tenant();
        let session = at_once(Smaregi::open(&tenant)).unwrap();
        let sent = at_once(session.send(&request));
        assert_eq!(sent.is_ok(), done, "{request:?}");
        let retried = matches!(
            sent,
            Ok(_) | Err(CallError::NotDone(Error::Unavailable(..)))
        );
        assert!(retried, "{request:?}");
    }
}

#[test]
fn only_a_write_without_an_answer_is_unknown() {
    for (request, unknown) in [
        (stores::list(), false),
        (stock::add("1", "1", 1, "m"), true),
    ] {
        let script = Script::new();
        script.will(200, &token("t1"));
        script
            .answers
            .borrow_mut()
            .push_back(Err(HttpFailure::OutcomeUnknown));
        let tenant = script.tenant();
        let session = at_once(Smaregi::open(&tenant)).unwrap();
        let error = at_once(session.send(&request)).unwrap_err();
        assert_eq!(matches!(error, CallError::Unknown(_)), unknown);
    }
}

fn limited(script: &Script, seconds: u64) {
    let response = HttpResponse {
        status: 429,
        retry_after: Some(seconds),
        body: Vec::new(),
    };
    script.answers.borrow_mut().push_back(Ok(response));
}

#[test]
fn a_limit_is_waited_out_for_five_seconds_and_three_times() {
    let script = Script::new();
    script.will(200, &token("t1"));
    let tenant = script.tenant();
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    let begin = script.now.get();
    limited(&script, 5);
    script.will(200, &json!([]));
    at_once(session.send(&stores::list())).unwrap();
    assert_eq!((script.now.get() - begin).num_seconds(), 5);
    script.requests.borrow_mut().clear();
    for _ in 0..10 {
        limited(&script, 1);
    }
    let error = at_once(session.send(&stores::list())).unwrap_err();
    assert!(matches!(error, CallError::NotDone(Error::Unavailable(..))));
    assert_eq!(script.requests.borrow().len(), 4);
    let script = Script::new();
    limited(&script, 120);
    let error = at_once(Smaregi::open(&script.tenant())).err();
    let until = script.now.get() + TimeDelta::seconds(120);
    assert!(matches!(error, Some(Error::Unavailable(_, _, at)) if at == until));
}

#[test]
fn writes_keep_their_pace() {
    let script = Script::new();
    script.will(200, &token("t1"));
    let mut tenant = script.tenant();
    tenant.settings.pace.smaregi_writes_per_second = 1;
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    let begin = script.now.get();
    for _ in 0..4 {
        script.will(200, &json!({}));
        at_once(session.send(&stock::add("1", "1", 1, "m"))).unwrap();
    }
    assert!(script.now.get() - begin >= TimeDelta::seconds(2));
}

#[test]
fn what_cannot_be_answered_now_is_asked_for_in_a_minute() {
    for (status, answer) in [(503, json!({})), (408, json!({})), (200, json!({}))] {
        let script = Script::new();
        script.will(200, &token("t1"));
        script.will(status, &answer);
        let tenant = script.tenant();
        let session = at_once(Smaregi::open(&tenant)).unwrap();
        let error = at_once(session.send(&stores::list())).unwrap_err();
        let until = script.now.get() + PAUSE;
        assert!(
            matches!(error, CallError::NotDone(Error::Unavailable(_, _, at)) if at == until),
            "{status}"
        );
    }
}

#[test]
fn nothing_is_asked_for_without_contract_and_secret() {
    let without = |change: fn(&mut Credentials)| {
        let script = Script::new();
        let mut tenant = script.tenant();
        change(&mut tenant.settings.credentials);
        let error = at_once(Smaregi::open(&tenant)).err();
        assert!(matches!(error, Some(Error::NotConnected(Side::Smaregi, _))));
        assert!(script.requests.borrow().is_empty());
    };
    without(|credentials| credentials.smaregi_contract_id.clear());
    without(|credentials| credentials.smaregi_client_secret = Secret::default());
}

#[test]
fn a_session_knows_its_scopes_and_how_many_may_be_in_flight() {
    let script = Script::new();
    script.will(200, &token("t1"));
    let mut tenant = script.tenant();
    for (set, parallel) in [(8, 8), (1, 1), (0, 1)] {
        tenant.settings.pace.smaregi_parallel = set;
        let session = at_once(Smaregi::open(&tenant)).unwrap();
        assert_eq!(session.parallel(), parallel);
    }
    let session = at_once(Smaregi::open(&tenant)).unwrap();
    let missing = session.missing_scopes();
    assert_eq!(missing.len(), crate::smaregi::SCOPES.len() - 1);
    assert!(!missing.contains(&"pos.stores:read".to_owned()));
}
