//! 接続確認: one real call to each service. What a service refuses is the report's content, not this call's failure.

use crate::{
    error::{Error, Result, Side},
    next_engine::company::{self, Company as Answered},
    reason::Reason,
    smaregi::stores,
    sync::{
        call_error::CallError,
        next_engine_login::{self, COMPANY_KEY, Company},
        next_engine_session::NextEngine,
        report::{CheckReport, SideCheck},
        rest,
        smaregi_session::Smaregi,
        store::{self, Commit},
        tenant::Tenant,
    },
};

/// Checks both. See `wit/connection.wit`.
pub async fn check(tenant: &Tenant<'_>) -> Result<CheckReport> {
    // A person looks: what rests after refusals is tried again.
    rest::end_all(Commit::new()).apply(&tenant.ports)?;
    let next_engine = side(next_engine(tenant).await)?;
    let (smaregi, missing_scopes) = match smaregi(tenant).await {
        Ok(missing) => (side(Ok(()))?, missing),
        Err(error) => (side(Err(error))?, Vec::new()),
    };
    let tokens = next_engine_login::stored(&tenant.ports)?.map(|stored| stored.value.times());
    Ok(CheckReport {
        next_engine,
        tokens,
        smaregi,
        missing_scopes,
        checked_at: tenant.now(),
    })
}

/// Storage that fails, a busy lease and a spent budget say nothing about the service.
fn side(result: Result<()>) -> Result<SideCheck> {
    match result {
        Ok(()) => Ok(SideCheck {
            ok: true,
            reason: None,
        }),
        Err(error @ (Error::Storage(..) | Error::BudgetSpent | Error::Contended(..))) => Err(error),
        Err(error) => Ok(SideCheck {
            ok: false,
            reason: Some(error.reason()),
        }),
    }
}

async fn next_engine(tenant: &Tenant<'_>) -> Result<()> {
    let mut session = NextEngine::open(tenant).await?;
    let answer = session.send(company::info()).await;
    session.close()?;
    let answered = company::decode(&answer?);
    let answered =
        answered.map_err(|reason| Error::Refused(Side::NextEngine, reason.code, reason.message))?;
    same_company(tenant, &answered)
}

fn same_company(tenant: &Tenant<'_>, answered: &Answered) -> Result<()> {
    let known = store::read::<Company>(&tenant.ports, COMPANY_KEY)?;
    let other = known
        .zip(answered.id.as_ref())
        .is_some_and(|(known, id)| known.value.id != *id);
    if other {
        let reason = Reason::new(
            "another-company",
            "ログイン中の企業が、この連携の企業と違います。ログインし直してください。",
            "The login belongs to another company than this link. Log in again.",
        );
        return Err(Error::Refused(
            Side::NextEngine,
            reason.code,
            reason.message,
        ));
    }
    Ok(())
}

/// A new token, so that scopes ticked a moment ago are seen, and one call with it.
async fn smaregi(tenant: &Tenant<'_>) -> Result<Vec<String>> {
    let session = Smaregi::open_anew(tenant).await?;
    let missing = session.missing_scopes();
    match session.send(&stores::list()).await {
        // The scope of this very call may be the missing one; then naming it says more than the refusal.
        Err(CallError::Refused(refusal))
            if refusal.code.starts_with("403") && !missing.is_empty() =>
        {
            Ok(missing)
        }
        Err(error) => Err(error.into()),
        Ok(_) => Ok(missing),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::testing::{Script, at_once};

    #[test]
    fn a_login_of_another_company_is_none_of_this_link_s() {
        for (known, answered, ok) in [
            (Some("7"), json!("7"), true),
            (Some("7"), json!("8"), false),
            (Some("7"), json!(null), true),
            (None, json!("8"), true),
        ] {
            let script = Script::new();
            script.switch_on(&[]);
            if let Some(id) = known {
                let company = Company {
                    id: id.to_owned(),
                    name: "c".to_owned(),
                };
                let commit = Commit::new().put(COMPANY_KEY, &company).unwrap();
                commit.apply(&script.ports()).unwrap();
            }
            let row = json!({"company_ne_id": answered, "company_name": "c"});
            script.will(200, &json!({"result": "success", "data": [row]}));
            script.will(503, &json!({}));
            let report = at_once(check(&script.tenant())).unwrap();
            assert_eq!(report.next_engine.ok, ok, "{known:?} {answered}");
        }
        let script = Script::new();
        script.switch_on(&[]);
        script.will(200, &json!({"result": "success", "data": [{}]}));
        script.will(503, &json!({}));
        let report = at_once(check(&script.tenant())).unwrap();
        assert!(!report.next_engine.ok && !report.smaregi.ok);
    }

    #[test]
    fn only_a_missing_scope_explains_a_refusal() {
        for (status, ok) in [(403, true), (500, false), (404, false), (200, true)] {
            let script = Script::new();
            script.will(
                200,
                &json!({"access_token": "t", "expires_in": 3600, "token_type": "Bearer", "scope": "pos.stock:read"}),
            );
            script.will(status, &json!([]));
            // Nobody is logged in to Next Engine, so nothing is asked there.
            let report = at_once(check(&script.tenant())).unwrap();
            assert_eq!(report.smaregi.ok, ok, "{status}");
            assert_eq!(report.missing_scopes.is_empty(), !ok, "{status}");
        }
    }
}
