//! Whether the people a registration names exist (smaregi.md 2 part A). It must not look at money.

use crate::smaregi::answer::Problem;
use crate::smaregi::body::{Body, bad, missing};
use crate::smaregi::books::Books;

/// Customer groups are not played, so none exists.
const GROUPS: [&str; 5] = [
    "customerGroupId",
    "customerGroupId2",
    "customerGroupId3",
    "customerGroupId4",
    "customerGroupId5",
];

/// Refuses a customer, a group or a person of the staff that does not exist, and a customer code without or against its id.
pub fn check(books: &Books, body: &Body) -> Result<(), Problem> {
    let id = |name: &str| -> Result<Option<u64>, Problem> {
        let number = body.int(name, i64::MAX)?;
        Ok(number.and_then(|number| u64::try_from(number).ok()))
    };
    let customer = id("customerId")?;
    let own_code = customer.map(|id| books.customers.get(&id));
    if own_code == Some(None) {
        return Err(bad("customerId"));
    }
    match (body.text("customerCode", usize::MAX)?, own_code.flatten()) {
        (Some(_), None) => return Err(missing("customerId")),
        (Some(code), Some(own)) if code != *own => return Err(bad("customerCode")),
        _ => {}
    }
    if id("staffId")?.is_some_and(|id| !books.staff.contains(&id)) {
        return Err(bad("staffId"));
    }
    match GROUPS.iter().find(|name| body.value(name).is_some()) {
        Some(name) => Err(bad(name)),
        None => Ok(()),
    }
}
