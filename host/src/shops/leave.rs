//! The end of a removed shop, once nothing of it is under way: its data is kept aside or deleted, its accounts and notices are gone. Each step
//! may be repeated; the last one makes the name free.

use std::sync::Arc;

use super::book::{self, Fate, Unfit};
use crate::{
    console, notices,
    records::{Records, gone},
    storage::{Direction, Store, StoreError},
    tenant,
};

const MOST: u32 = 100_000;

/// Does all of it.
///
/// # Errors
/// When the store cannot be used; whoever finds the shop leaving does it again.
pub async fn finish(store: &Arc<dyn Store>, name: &str, data: Fate) -> Result<(), StoreError> {
    let records = Records::new(store.clone());
    let place = book::kept_place(name);
    match data {
        // What an earlier shop of this name left is replaced; a second pass finds nothing to move and replaces nothing.
        Fate::Kept => store.move_to(name, Some(&place)).await?,
        Fate::Deleted => store.move_to(name, None).await?,
    }
    // Whoever could see this shop must not see another one that gets its name.
    console::forget_accounts(&records, name).await?;
    tenant::close_links(store.as_ref(), name).await?;
    let mut writes = vec![
        gone(console::compared_key(name)),
        gone(console::checked_key(name)),
        gone(notices::guard_key(name)),
        gone(notices::settings_key(name)),
    ];
    let begin = notices::standing_of(name);
    let standing = records
        .raw(begin.clone(), format!("{begin}~"), MOST)
        .await?;
    writes.extend(standing.into_iter().map(|row| gone(row.key)));
    records.commit(Vec::new(), writes).await?;
    book::forget(&records, name, data).await
}

/// Lets a new shop go on with what was kept of an earlier one of its name.
///
/// # Errors
/// When the store cannot be used.
pub async fn bring_back(
    store: &Arc<dyn Store>,
    name: &str,
) -> Result<Result<(), Unfit>, StoreError> {
    let records = Records::new(store.clone());
    if !book::kept(&records).await?.iter().any(|kept| kept == name) {
        return Ok(Err(Unfit::NothingKept));
    }
    let (start, end) = (String::new(), "\u{10ffff}".to_owned());
    let present = store.scan(name, start, end, Direction::Forward, 1).await?;
    if !present.is_empty() || book::find(&records, name).await?.is_some() {
        return Ok(Err(Unfit::Taken));
    }
    store.move_to(&book::kept_place(name), Some(name)).await?;
    book::forget_kept(&records, name).await?;
    Ok(Ok(()))
}
