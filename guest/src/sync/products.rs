//! スマレジの商品, remembered for a while: by 商品ID and by 商品コード. A product webhook makes everything remembered stale at once,
//! because a changed code concerns other products, too. Decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    ports::Ports,
    rules::{codes::SmaregiKey, goods::Products, product::Product},
    sync::{
        lookup,
        smaregi_session::Smaregi,
        store::{self, Commit},
        tenant::Tenant,
    },
    time::Moment,
};

/// Counts product webhooks.
const GENERATION_KEY: &str = "product/generation";
/// Webhooks get lost, so nothing is believed for longer.
const BELIEVED: TimeDelta = TimeDelta::hours(1);
/// That there is no such product is believed only as long as work that is cut by its budget takes to go on.
const ABSENCE_BELIEVED: TimeDelta = TimeDelta::minutes(5);
const ROWS_PER_COMMIT: usize = 500;
const TRIES: u32 = 10;

#[derive(Serialize, Deserialize)]
struct Remembered {
    products: Vec<Product>,
    generation: u64,
    at: Moment,
}

/// The products with these ids; `None` for one that does not exist. `fresh` believes nothing remembered.
pub async fn resolve_ids(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    ids: &[String],
    fresh: bool,
) -> Result<BTreeMap<String, Option<Product>>> {
    let keys = ids.iter().cloned().map(SmaregiKey::Id).collect();
    let found = resolve(session, tenant, keys, fresh).await?;
    Ok(found
        .into_iter()
        .map(|(key, products)| (key.value().to_owned(), readable(products).next()))
        .collect())
}

/// The products with these codes: none, one, or several that share it.
pub async fn resolve_codes(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    codes: &[String],
    fresh: bool,
) -> Result<BTreeMap<String, Vec<Product>>> {
    let keys = codes
        .iter()
        .filter(|code| !code.is_empty())
        .cloned()
        .map(SmaregiKey::Code)
        .collect();
    let found = resolve(session, tenant, keys, fresh).await?;
    Ok(found
        .into_iter()
        .map(|(key, products)| (key.value().to_owned(), readable(products).collect()))
        .collect())
}

/// A product whose fields cannot be read is as good as none for stock.
fn readable(products: Vec<Product>) -> impl Iterator<Item = Product> {
    let readable = |product: &Product| product.flaw.is_none();
    products.into_iter().filter(readable)
}

/// Makes everything remembered stale, if any product is named.
pub fn forget(ports: &Ports<'_>, products: &[String]) -> Result<()> {
    if products.is_empty() {
        return Ok(());
    }
    forget_all(ports)
}

/// Makes everything remembered stale.
pub fn forget_all(ports: &Ports<'_>) -> Result<()> {
    for _ in 0..TRIES {
        let seen = store::read::<u64>(ports, GENERATION_KEY)?;
        let next = seen.as_ref().map_or(1, |seen| seen.value.saturating_add(1));
        if Commit::new()
            .check(GENERATION_KEY, seen.as_ref())
            .put(GENERATION_KEY, &next)?
            .try_apply(ports)?
        {
            break;
        }
        // Whoever was quicker made it stale as well; but perhaps before our change, so once more.
    }
    Ok(())
}

async fn resolve(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    keys: BTreeSet<SmaregiKey>,
    fresh: bool,
) -> Result<Products> {
    let generation = generation(tenant)?;
    let mut known = Products::new();
    if !fresh {
        known = remembered(tenant, &keys, generation)?;
    }
    look_up(session, tenant, keys, &mut known, &mut None, generation).await?;
    Ok(known)
}

/// Makes these keys known in `known`, from what is remembered and from Smaregi, whose whole list is kept in `whole`. What was found
/// before an error is there, and remembered.
pub async fn known(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    keys: BTreeSet<SmaregiKey>,
    known: &mut Products,
    whole: &mut Option<Vec<Product>>,
) -> Result<()> {
    let generation = generation(tenant)?;
    known.extend(remembered(tenant, &keys, generation)?);
    look_up(session, tenant, keys, known, whole, generation).await
}

fn generation(tenant: &Tenant<'_>) -> Result<u64> {
    Ok(store::read::<u64>(&tenant.ports, GENERATION_KEY)?.map_or(0, |seen| seen.value))
}

async fn look_up(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    keys: BTreeSet<SmaregiKey>,
    known: &mut Products,
    whole: &mut Option<Vec<Product>>,
    generation: u64,
) -> Result<()> {
    let missing: BTreeSet<SmaregiKey> = keys
        .into_iter()
        .filter(|key| !known.contains_key(key))
        .collect();
    let mut found = Products::new();
    let result = lookup::fill(session, tenant, &mut found, missing, whole).await;
    remember(tenant, &found, generation)?;
    known.extend(found);
    result
}

fn remembered(
    tenant: &Tenant<'_>,
    keys: &BTreeSet<SmaregiKey>,
    generation: u64,
) -> Result<Products> {
    let names: Vec<String> = keys.iter().map(name).collect();
    let stored = store::read_all::<Remembered>(&tenant.ports, &names)?;
    let now = tenant.now();
    let good = |entry: &Remembered| {
        let believed = if entry.products.is_empty() {
            ABSENCE_BELIEVED
        } else {
            BELIEVED
        };
        entry.generation == generation && now - entry.at < believed
    };
    let pairs = keys
        .iter()
        .zip(stored)
        .filter_map(|(key, entry)| Some((key.clone(), entry?.value)));
    Ok(pairs
        .filter(|(_, entry)| good(entry))
        .map(|(key, entry)| (key, entry.products))
        .collect())
}

/// The ids of the products that were ever known by this key, however long ago, without asking anybody: for telling what happened.
pub fn ever_known(tenant: &Tenant<'_>, key: &SmaregiKey) -> Result<Vec<String>> {
    let stored = store::read::<Remembered>(&tenant.ports, &name(key))?;
    let products = stored.into_iter().flat_map(|entry| entry.value.products);
    let named = products.filter(|product| key.fits(product));
    Ok(named.map(|product| product.id).collect())
}

fn remember(tenant: &Tenant<'_>, found: &Products, generation: u64) -> Result<()> {
    let at = tenant.now();
    let found: Vec<(&SmaregiKey, &Vec<Product>)> = found.iter().collect();
    for chunk in found.chunks(ROWS_PER_COMMIT) {
        let mut commit = Commit::new();
        for (key, products) in chunk {
            let entry = Remembered {
                products: (*products).clone(),
                generation,
                at,
            };
            commit = commit.put(&name(key), &entry)?;
        }
        commit.apply(&tenant.ports)?;
    }
    Ok(())
}

/// Keys hold at most 250 bytes; what no product can be called is not asked for anyway.
fn name(key: &SmaregiKey) -> String {
    let value: String = key.value().chars().take(40).collect();
    match key {
        SmaregiKey::Id(_) => format!("product/id/{value}"),
        SmaregiKey::Code(_) => format!("product/code/{value}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::testing::{Script, at_once};

    /// Looks product 8 up; whether it is there, and how many calls that took.
    fn look(script: &Script, fresh: bool) -> (bool, usize) {
        script.requests.borrow_mut().clear();
        let tenant = script.tenant();
        let session = at_once(Smaregi::open(&tenant)).unwrap();
        let found = at_once(resolve_ids(&session, &tenant, &["8".to_owned()], fresh)).unwrap();
        (found["8"].is_some(), script.requests.borrow().len())
    }

    fn will(script: &Script, there: bool) {
        let row = json!({"productId": "8", "productCode": "a", "taxDivision": "0", "stockControlDivision": "0"});
        script.will(if there { 200 } else { 404 }, &row);
    }

    fn pass(script: &Script, seconds: i64) {
        script
            .now
            .set(script.now.get() + TimeDelta::seconds(seconds));
    }

    #[test]
    fn a_product_is_believed_for_an_hour_and_its_absence_for_five_minutes() {
        for (there, seconds) in [(true, 3_600), (false, 300)] {
            let script = Script::new();
            script.switch_on(&[]);
            will(&script, there);
            assert_eq!(look(&script, false), (there, 1));
            pass(&script, seconds - 1);
            assert_eq!(look(&script, false), (there, 0));
            pass(&script, 1);
            will(&script, there);
            assert_eq!(look(&script, false), (there, 1));
        }
    }

    #[test]
    fn a_webhook_that_names_a_product_makes_all_stale_and_whoever_wants_asks_anew() {
        let script = Script::new();
        script.switch_on(&[]);
        will(&script, true);
        look(&script, false);
        forget(&script.ports(), &[]).unwrap();
        assert_eq!(look(&script, false), (true, 0));
        will(&script, false);
        assert_eq!(look(&script, true), (false, 1));
        will(&script, true);
        forget(&script.ports(), &["9".to_owned()]).unwrap();
        assert_eq!(look(&script, false), (true, 1));
    }
}
