//! Looking Smaregi's products up in bulk and once: what a call's orders need, never what they do not. Decides nothing.

use std::{cell::Cell, collections::BTreeSet};

use futures_util::{StreamExt, stream};

use crate::{
    error::Result,
    rules::{codes::SmaregiKey, goods::Products, product::Product},
    smaregi::{
        Request,
        products::{self as wire, Draws},
    },
    sync::{
        call_error::CallError,
        products,
        smaregi_session::Smaregi,
        store::{self, Commit},
        tenant::Tenant,
    },
    wire::Value,
};

/// Rows a page (smaregi.md 1).
const ROWS: usize = 1_000;

/// Where the number of pages of the whole list is remembered, and what is taken for it before the first reading.
const PAGES_KEY: &str = "orders/product-pages";
const PAGES_GUESSED: usize = 3;
/// 在庫引当 is in use here: a row of it was seen. Without one nobody is asked what products draw on.
const DRAWS_KEY: &str = "orders/draws";
/// Smaregi refused to tell what products draw on.
const NO_DRAWS_KEY: &str = "orders/no-draws";

/// A row of 売上引当 was seen: from now on products are read with what they draw on, those known already anew. The rows of the very
/// sale that shows it first are taken for the till's.
pub fn draws_are_used(tenant: &Tenant<'_>) -> Result<()> {
    if store::read::<bool>(&tenant.ports, DRAWS_KEY)?.is_some() {
        return Ok(());
    }
    products::forget_all(&tenant.ports)?;
    Commit::new().put(DRAWS_KEY, &true)?.apply(&tenant.ports)
}

/// What one call knows of Smaregi's products, and never asks for twice; what an earlier call asked for is remembered.
#[derive(Debug, Default)]
pub struct Catalogue {
    products: Products,
    whole: Option<Vec<Product>>,
}

impl Catalogue {
    /// Everything known so far.
    pub fn products(&self) -> &Products {
        &self.products
    }

    /// Makes these known. What was found stays known and remembered when the budget or Smaregi ends it early.
    pub async fn fill(
        &mut self,
        session: &Smaregi<'_>,
        tenant: &Tenant<'_>,
        wanted: BTreeSet<SmaregiKey>,
    ) -> Result<()> {
        let missing: BTreeSet<SmaregiKey> = wanted
            .into_iter()
            .filter(|key| !self.products.contains_key(key))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let mut found = Products::new();
        let result = products::known(session, tenant, missing, &mut found, &mut self.whole).await;
        self.products.extend(found);
        result
    }
}

/// Looks up what is wanted and not there yet, by the cheaper of two ways: key by key, or the whole list, which is kept in `whole`.
/// What was found before an error stays in `products`.
pub async fn fill(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    products: &mut Products,
    wanted: BTreeSet<SmaregiKey>,
    whole: &mut Option<Vec<Product>>,
) -> Result<()> {
    let (possible, impossible): (Vec<_>, Vec<_>) = wanted
        .into_iter()
        .filter(|key| !products.contains_key(key))
        .partition(can_exist);
    products.extend(impossible.into_iter().map(|key| (key, Vec::new())));
    if possible.is_empty() {
        return Ok(());
    }
    let reader = Reader::open(session, tenant)?;
    if whole.is_none() {
        let pages = store::read::<usize>(&tenant.ports, PAGES_KEY)?
            .map_or(PAGES_GUESSED, |stored| stored.value);
        let affordable = usize::try_from(tenant.budget.left()).unwrap_or(usize::MAX) >= pages;
        if possible.len() <= pages || !affordable {
            return one_by_one(&reader, products, possible).await;
        }
        *whole = Some(whole_list(&reader, pages).await?);
    }
    let all = whole.as_deref().unwrap_or_default();
    for key in possible {
        let fitting = all.iter().filter(|product| key.fits(product));
        products.insert(key.clone(), fitting.cloned().collect());
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

/// Reads products with what they draw on, as long as Smaregi does not refuse to tell that.
struct Reader<'a> {
    session: &'a Smaregi<'a>,
    tenant: &'a Tenant<'a>,
    draws: Cell<Draws>,
}

impl<'a> Reader<'a> {
    fn open(session: &'a Smaregi<'a>, tenant: &'a Tenant<'a>) -> Result<Self> {
        let keys = [DRAWS_KEY.to_owned(), NO_DRAWS_KEY.to_owned()];
        let known = store::read_all::<bool>(&tenant.ports, &keys)?;
        let draws = match known.as_slice() {
            [Some(_), None] => Draws::Asked,
            _ => Draws::Left,
        };
        Ok(Self {
            session,
            tenant,
            draws: Cell::new(draws),
        })
    }

    async fn send(
        &self,
        request: impl Fn(Draws) -> Request,
    ) -> std::result::Result<Value, CallError> {
        let draws = self.draws.get();
        match self.session.send(&request(draws)).await {
            Err(CallError::Refused(refusal))
                if draws == Draws::Asked && refusal.code.starts_with("400") =>
            {
                self.draws.set(Draws::Left);
                Commit::new()
                    .put(NO_DRAWS_KEY, &true)?
                    .apply(&self.tenant.ports)?;
                self.session.send(&request(Draws::Left)).await
            }
            answer => answer,
        }
    }
}

async fn one_by_one(
    reader: &Reader<'_>,
    products: &mut Products,
    keys: Vec<SmaregiKey>,
) -> Result<()> {
    let mut asked = stream::iter(keys)
        .map(|key| ask(reader, key))
        .buffer_unordered(reader.session.parallel());
    let mut result = Ok(());
    // Those in flight are waited for after an error, too: they are paid for.
    while let Some(found) = asked.next().await {
        match found {
            Ok((key, found)) => {
                products.insert(key, found);
            }
            Err(error) => result = result.and(Err(error)),
        }
    }
    result
}

async fn ask(reader: &Reader<'_>, key: SmaregiKey) -> Result<(SmaregiKey, Vec<Product>)> {
    let found = match &key {
        SmaregiKey::Code(code) => {
            wire::decode(&reader.send(|draws| wire::by_code(code, draws)).await?)
        }
        SmaregiKey::Id(id) => match reader.send(|draws| wire::one(id, draws)).await {
            Ok(answer) => vec![wire::decode_one(&answer)],
            // No such product.
            Err(CallError::Refused(refusal)) if refusal.code.starts_with("404") => Vec::new(),
            Err(error) => return Err(error.into()),
        },
    };
    // A row without an id is no product that anything could be sold as.
    let found = found
        .into_iter()
        .flatten()
        .filter(|product| key.fits(product))
        .collect();
    Ok((key, found))
}

async fn whole_list(reader: &Reader<'_>, remembered: usize) -> Result<Vec<Product>> {
    let mut all = Vec::new();
    for page in 1_usize.. {
        let number = u32::try_from(page).unwrap_or(u32::MAX);
        let answer = match reader.send(|draws| wire::page(number, draws)).await {
            Ok(answer) => answer,
            Err(error) => {
                // It is this long at least: a budget too small for it must not begin it again.
                note_pages(reader.tenant, remembered, page.max(remembered))?;
                return Err(error.into());
            }
        };
        let rows = wire::decode(&answer);
        let last = rows.len() < ROWS;
        all.extend(rows.into_iter().flatten());
        if last {
            note_pages(reader.tenant, remembered, page)?;
            break;
        }
    }
    Ok(all)
}

fn note_pages(tenant: &Tenant<'_>, remembered: usize, pages: usize) -> Result<()> {
    if pages == remembered {
        return Ok(());
    }
    Commit::new().put(PAGES_KEY, &pages)?.apply(&tenant.ports)
}

#[cfg(test)]
mod tests {
    use crate::wire::sent as json;

    use super::*;
    use crate::sync::testing::{Script, at_once};

    fn row(code: &str) -> Value {
        json!({"productId": "8", "productCode": code, "taxDivision": "0", "stockControlDivision": "0"})
    }

    fn codes(codes: &[&str]) -> BTreeSet<SmaregiKey> {
        let key = |code: &&str| SmaregiKey::Code((*code).to_owned());
        codes.iter().map(key).collect()
    }

    /// What is found with so many requests, by number of products, and the addresses that were asked.
    fn look_up(
        script: &Script,
        wanted: BTreeSet<SmaregiKey>,
        budget: u32,
    ) -> (Vec<usize>, Result<()>, Vec<String>) {
        script.requests.borrow_mut().clear();
        let tenant = Tenant::open(script.ports(), budget, 600).unwrap();
        let session = at_once(Smaregi::open(&tenant)).unwrap();
        let mut products = Products::new();
        let result = at_once(fill(&session, &tenant, &mut products, wanted, &mut None));
        let found = products.values().map(Vec::len).collect();
        let requests = script.requests.borrow();
        let asked = requests.iter().map(|request| request.url.clone());
        (found, result, asked.collect())
    }

    fn shop() -> Script {
        let script = Script::new();
        script.switch_on(&["1"]);
        script
    }

    #[test]
    fn many_products_are_read_as_one_list_and_few_by_themselves() {
        let script = shop();
        let list = json!([row("a"), row("b"), row("c"), row("d")]);
        script.will(200, &list);
        let (found, result, asked) = look_up(&script, codes(&["a", "b", "c", "x"]), 100);
        assert_eq!((found, result), (vec![1, 1, 1, 0], Ok(())));
        assert_eq!(asked.len(), 1);
        // The list is one page long: cheaper than two products.
        script.will(200, &list);
        let (found, _, asked) = look_up(&script, codes(&["a", "b"]), 100);
        assert_eq!((found, asked.len()), (vec![1, 1], 1));
        script.will(200, &json!([row("a")]));
        let (found, _, asked) = look_up(&script, codes(&["a"]), 100);
        assert_eq!(found, [1]);
        assert!(asked[0].contains("product_code=a"));
    }

    #[test]
    fn a_budget_too_small_for_the_list_is_spent_on_single_products() {
        let script = shop();
        script.will(200, &json!([row("a")]));
        script.will(200, &json!([row("b")]));
        let (found, result, asked) = look_up(&script, codes(&["a", "b", "c", "d"]), 2);
        assert_eq!((found, asked.len()), (vec![1, 1], 2));
        assert!(result.is_err());
    }

    #[test]
    fn what_products_draw_on_is_asked_once_it_matters_and_unless_smaregi_refuses() {
        let script = shop();
        let refused = json!({"type": "about:blank", "title": "Bad Request"});
        let (wanted, draws) = (|| codes(&["a"]), "with_inventory_reservations=all");
        script.will(400, &refused);
        let (_, result, asked) = look_up(&script, wanted(), 100);
        assert!(result.is_err() && asked.len() == 1 && !asked[0].contains(draws));
        draws_are_used(&script.tenant()).unwrap();
        draws_are_used(&script.tenant()).unwrap();
        let forgotten = store::read::<u64>(&script.ports(), "product/generation").unwrap();
        assert_eq!(forgotten.map(|stored| stored.value), Some(1));
        script.will(403, &refused);
        let (_, result, asked) = look_up(&script, wanted(), 100);
        assert!(result.is_err() && asked.len() == 1 && asked[0].contains(draws));
        // Without a right the token is asked for anew.
        script.switch_on(&["1"]);
        script.will(400, &refused);
        script.will(200, &json!([row("a")]));
        let (found, _, asked) = look_up(&script, wanted(), 100);
        assert_eq!((found, asked.len()), (vec![1], 2));
        assert!(asked[0].contains(draws) && !asked[1].contains(draws));
        script.will(200, &json!([row("a")]));
        let (_, _, asked) = look_up(&script, wanted(), 100);
        assert!(asked.len() == 1 && !asked[0].contains(draws));
    }

    #[test]
    fn an_id_without_a_product_is_none_and_a_refusal_is_no_absence() {
        let script = shop();
        let id = || BTreeSet::from([SmaregiKey::Id("8".to_owned())]);
        let refused = json!({"type": "about:blank", "title": "Not Found"});
        script.will(404, &refused);
        assert_eq!(look_up(&script, id(), 100).0, [0]);
        script.will(403, &refused);
        let (found, result, _) = look_up(&script, id(), 100);
        assert!(found.is_empty() && result.is_err());
        script.switch_on(&["1"]);
        script.will(200, &row("a"));
        assert_eq!(look_up(&script, id(), 100).0, [1]);
    }

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
