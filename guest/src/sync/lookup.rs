//! Looking Smaregi's products up in bulk and once: what a call's orders need, never what they do not. Decides nothing.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use crate::{
    error::Result,
    rules::{codes::SmaregiKey, goods::Products, product::Product},
    smaregi::products,
    sync::{
        call_error::CallError,
        smaregi_session::Smaregi,
        store::{self, Commit},
        tenant::Tenant,
    },
};

/// Rows a page (smaregi.md 1).
const ROWS: usize = 1_000;

/// Where the number of pages of the whole list is remembered, and what is taken for it before the first reading.
const PAGES_KEY: &str = "orders/product-pages";
const PAGES_GUESSED: usize = 3;

/// Looks up what is wanted and not there yet, by the cheaper of two ways: key by key, or the whole list.
pub async fn fill(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    products: &mut Products,
    wanted: BTreeSet<SmaregiKey>,
) -> Result<()> {
    let (possible, impossible): (Vec<_>, Vec<_>) = wanted
        .into_iter()
        .filter(|key| !products.contains_key(key))
        .partition(can_exist);
    products.extend(impossible.into_iter().map(|key| (key, Vec::new())));
    let pages = store::read::<usize>(&tenant.ports, PAGES_KEY)?
        .map_or(PAGES_GUESSED, |stored| stored.value);
    // A whole list that the budget does not reach to the end of would bring nothing.
    let affordable = tenant.budget.left() as usize >= pages;
    if possible.len() <= pages || !affordable {
        return one_by_one(session, products, possible).await;
    }
    let all = whole_list(session, tenant, pages).await?;
    for key in possible {
        let fitting = all
            .iter()
            .filter(|product| key.fits(product))
            .cloned()
            .collect();
        products.insert(key, fitting);
    }
    Ok(())
}

/// What Smaregi's own limits rule out (smaregi.md 5) is not asked for.
fn can_exist(key: &SmaregiKey) -> bool {
    match key {
        SmaregiKey::Code(code) => {
            (1..=20).contains(&code.len()) && code.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        }
        SmaregiKey::Id(id) => {
            (1..=15).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
        }
    }
}

async fn one_by_one(
    session: &Smaregi<'_>,
    products: &mut Products,
    keys: Vec<SmaregiKey>,
) -> Result<()> {
    let mut asked = stream::iter(keys)
        .map(|key| ask(session, key))
        .buffer_unordered(session.parallel());
    while let Some(found) = asked.next().await {
        let (key, found) = found?;
        products.insert(key, found);
    }
    Ok(())
}

async fn ask(session: &Smaregi<'_>, key: SmaregiKey) -> Result<(SmaregiKey, Vec<Product>)> {
    let found = match &key {
        SmaregiKey::Code(code) => products::decode(&session.send(&products::by_code(code)).await?),
        SmaregiKey::Id(id) => match session.send(&products::one(id)).await {
            Ok(answer) => vec![products::decode_one(&answer)],
            // No such product.
            Err(CallError::Refused(refusal)) if refusal.code.starts_with("404") => Vec::new(),
            Err(error) => return Err(error.into()),
        },
    };
    // A product that cannot be read is not known; its order is refused and says so.
    let found = found
        .into_iter()
        .flatten()
        .filter(|product| key.fits(product))
        .collect();
    Ok((key, found))
}

async fn whole_list(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    remembered: usize,
) -> Result<Vec<Product>> {
    let mut all = Vec::new();
    for page in 1_u32.. {
        let rows = products::decode(&session.send(&products::page(page)).await?);
        let last = rows.len() < ROWS;
        all.extend(rows.into_iter().flatten());
        if last {
            break;
        }
    }
    let pages = (all.len() / ROWS).saturating_add(1);
    if pages != remembered {
        Commit::new().put(PAGES_KEY, &pages)?.apply(&tenant.ports)?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_keys_are_not_asked_for() {
        for (key, expected) in [
            (SmaregiKey::Code("ume-1".to_owned()), true),
            (SmaregiKey::Code("梅-1".to_owned()), false),
            (SmaregiKey::Code("x".repeat(21)), false),
            (SmaregiKey::Id("8000001".to_owned()), true),
            (SmaregiKey::Id("ume".to_owned()), false),
            (SmaregiKey::Id(String::new()), false),
        ] {
            assert_eq!(can_exist(&key), expected, "{key:?}");
        }
    }
}
