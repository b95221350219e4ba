//! 再送信: lets held products go again. Sends nothing itself; an attempt that left no movement is looked up once more before its product
//! travels (`marks`).

use crate::{
    error::{Error, Result},
    sync::{
        report::{self, ResendChoice},
        stock::{
            batch,
            records::{
                Batch, ChangeRecord, Held, RowResult, SENT_PREFIX, SentIndex, TRIED_PREFIX, Tried,
                batch_key, change_key, held_key,
            },
        },
        store::{self, Commit, Stored},
        tenant::Tenant,
    },
};

const HOLDS_PER_COMMIT: usize = 900;

/// Releases held products. See `wit/stock.wit`.
pub fn resend(tenant: &Tenant<'_>, choice: &ResendChoice) -> Result<u32> {
    let held = match choice {
        ResendChoice::AllFailed => certainly_not_applied(tenant)?,
        ResendChoice::Entry(id) => match product_of(tenant, id)? {
            Some(product) => store::read::<Held>(&tenant.ports, &held_key(&product))?
                .into_iter()
                .collect(),
            None => Vec::new(),
        },
    };
    for chunk in held.chunks(HOLDS_PER_COMMIT) {
        let commit = chunk.iter().fold(Commit::new(), |commit, held| {
            commit.check(&held.key, Some(held)).delete(&held.key)
        });
        commit.apply(&tenant.ports)?;
    }
    Ok(report::count(held.len()))
}

/// Every hold but those of an upload that may have been applied: each of them takes a person's word of its own.
fn certainly_not_applied(tenant: &Tenant<'_>) -> Result<Vec<Stored<Held>>> {
    let unclear: Vec<String> = store::list_all::<Tried>(&tenant.ports, TRIED_PREFIX)?
        .into_iter()
        .filter(|tried| tried.value.apart)
        .map(|tried| held_key(&tried.value.sent.product_id))
        .collect();
    let mut held = store::list_all::<Held>(&tenant.ports, "stock/held/")?;
    held.retain(|held| !unclear.contains(&held.key));
    Ok(held)
}

/// The product that a history entry's id can release; none for what was applied or never to be sent. The ids are made in
/// `history_sent`: `w-<product>`, `b<batch>-<row>`, `c<change>`, `x<rest of the index key>`.
fn product_of(tenant: &Tenant<'_>, id: &str) -> Result<Option<String>> {
    let missing = || Error::NotFound("history-entry", id.to_owned());
    let (kind, rest) = id.split_at_checked(1).ok_or_else(missing)?;
    match kind {
        "w" => {
            let product = rest.strip_prefix('-').ok_or_else(missing)?;
            Ok(Some(product.to_owned()))
        }
        "b" => {
            let (number, row) = rest.split_once('-').ok_or_else(missing)?;
            let number = number.parse().map_err(|_| missing())?;
            let row = row.parse().map_err(|_| missing())?;
            of_row(tenant, number, row)?.ok_or_else(missing)
        }
        "c" => {
            let change = store::read::<ChangeRecord>(&tenant.ports, &change_key(rest))?;
            change.map(|_| None).ok_or_else(missing)
        }
        "x" => {
            let key = format!("{SENT_PREFIX}{rest}");
            let entry = store::read::<SentIndex>(&tenant.ports, &key)?;
            entry.map(|_| None).ok_or_else(missing)
        }
        _ => Err(missing()),
    }
}

/// An applied row releases nothing of its own: whatever its product holds now came later. Neither does a batch that was dissolved before
/// it was sent. The outer `None`: there never was such a row.
fn of_row(tenant: &Tenant<'_>, number: u64, row: usize) -> Result<Option<Option<String>>> {
    let Some(batch) = store::read::<Batch>(&tenant.ports, &batch_key(number))? else {
        let next = batch::book(tenant)?.1.next;
        return Ok((1..next).contains(&number).then_some(None));
    };
    Ok(batch.value.rows.get(row).map(|row| {
        let asks = match &row.result {
            RowResult::Returned(_) => true,
            RowResult::Applied { doubt, .. } => doubt.is_some(),
            RowResult::Pending | RowResult::Zero => false,
        };
        asks.then(|| row.product_id.clone())
    }))
}
