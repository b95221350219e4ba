//! Payments that are neither cash nor credit (smaregi.md 2, 9e). It must not add them up.

use crate::smaregi::answer::Problem;
use crate::smaregi::body::{Body, bad, missing};
use crate::smaregi::books::OtherDeposit;
use crate::switches::DepositOthers;

use super::fields::MOST;

/// At most three (smaregi.md 2, from the cancel body).
const MOST_OTHERS: usize = 3;

/// Reads `depositOthers`. Its names in a registration are assumed; what else an element carries is not looked at, and a payment
/// method need not exist (assumed).
pub fn read(body: &Body, switch: DepositOthers) -> Result<Vec<OtherDeposit>, Problem> {
    let Some(others) = body.value("depositOthers") else {
        return Ok(Vec::new());
    };
    if switch == DepositOthers::Refused {
        return Err(Problem::unsupported("depositOthers"));
    }
    let others = others.as_array().ok_or_else(|| bad("depositOthers"))?;
    if others.len() > MOST_OTHERS {
        return Err(bad("depositOthers"));
    }
    let one = |value| other(&Body::of(value, "depositOthers")?);
    others.iter().map(one).collect()
}

fn other(body: &Body) -> Result<OtherDeposit, Problem> {
    let no = body.one_of("no", &["1", "2", "3"])?;
    let method = body.need_int("paymentMethodId", MOST)?;
    Ok(OtherDeposit {
        no: no
            .and_then(|no| no.parse().ok())
            .ok_or_else(|| missing("no"))?,
        method: u64::try_from(method).map_err(|_| bad("paymentMethodId"))?,
        amount: body.need_int("depositOthers", MOST)?,
    })
}
