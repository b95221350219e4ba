//! スマレジの商品 to choose from: the catalogue read whole, kept in pages of the size Smaregi gives, and looked through in memory.

use crate::{
    error::{Result, Side},
    rules::{
        codes,
        product_search::{self, Listed},
    },
    smaregi::products as wire,
    sync::{
        report,
        smaregi_session::Smaregi,
        store::{self, Commit},
        tenant::Tenant,
    },
    time::Moment,
};

use super::{Kept, is_fresh, kept, of_smaregi, read};

/// Its choices are how many rows each page holds.
const HEAD_KEY: &str = "directory/products";
/// Pages of 1 000 that are read and kept: a few megabytes.
const MOST_PAGES: u32 = 20;
const PAGE: usize = 1_000;
/// How many are shown.
const SHOWN: usize = 20;
/// Nobody types more; the rest is left off.
const LONGEST_TEXT: usize = 100;

/// A product to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductChoice {
    /// Smaregi's.
    pub product: Listed,
    /// 商品コード at Next Engine, by the stored rule.
    pub next_engine_code: Option<String>,
}

/// What matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The likeliest first.
    pub choices: Vec<ProductChoice>,
    /// How many match in all.
    pub matching: u32,
    /// Whether the whole catalogue was looked through.
    pub complete: bool,
    /// Rows that could not be read.
    pub left_out: u32,
    /// When the catalogue was read.
    pub read_at: Moment,
}

/// Looks products up by what was typed so far.
pub async fn products(tenant: &Tenant<'_>, text: &str) -> Result<Found> {
    let text: String = text.chars().take(LONGEST_TEXT).collect();
    let (head, mut all) = catalogue(tenant).await?;
    let complete = head.choices.last().is_none_or(|rows| *rows < PAGE);
    if !complete {
        all.extend(by_code(tenant, text.trim(), &all).await?);
    }
    let found = product_search::search(&text, all.iter());
    let choice = |product: &Listed| ProductChoice {
        next_engine_code: codes::next_engine_code(
            &tenant.settings.stock.codes,
            &product.id,
            &product.code,
        ),
        product: product.clone(),
    };
    Ok(Found {
        matching: report::count(found.len()),
        choices: found.into_iter().take(SHOWN).map(choice).collect(),
        complete,
        left_out: head.left_out,
        read_at: head.read_at,
    })
}

/// A code beyond the catalogue's kept part, where it may be one.
async fn by_code(tenant: &Tenant<'_>, text: &str, known: &[Listed]) -> Result<Option<Listed>> {
    let possible =
        (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !possible || known.iter().any(|product| product.code == text) {
        return Ok(None);
    }
    let session = Smaregi::open(tenant).await?;
    let answer = session.send(&wire::listing_of(text)).await?;
    let found = wire::decode_listing(&answer).into_iter().flatten();
    Ok(found.into_iter().find(|product| product.code == text))
}

async fn catalogue(tenant: &Tenant<'_>) -> Result<(Kept<usize>, Vec<Listed>)> {
    let of = of_smaregi(tenant);
    let older = kept::<usize>(tenant, HEAD_KEY, &of)?;
    if let Some(head) = older.filter(|head| is_fresh(tenant, head)) {
        let pages = stored_pages(tenant, head.choices.len())?;
        return Ok((head, pages));
    }
    let mut pages: Vec<Kept<Listed>> = Vec::new();
    let session = Smaregi::open(tenant).await?;
    for number in 1..=MOST_PAGES {
        let answer = session.send(&wire::listing(number)).await?;
        let rows = wire::decode_listing(&answer);
        let last = rows.len() < PAGE;
        pages.push(read(tenant, Side::Smaregi, of.clone(), rows)?);
        if last {
            break;
        }
    }
    remember(tenant, of, pages)
}

fn page_key(number: usize) -> String {
    format!("{HEAD_KEY}/{number:03}")
}

/// All pages in one commit, so that no search meets half of two catalogues but while it is being replaced.
fn remember(
    tenant: &Tenant<'_>,
    of: String,
    pages: Vec<Kept<Listed>>,
) -> Result<(Kept<usize>, Vec<Listed>)> {
    let rows = |page: &Kept<Listed>| page.choices.len().saturating_add(page.left_out as usize);
    let head = Kept {
        choices: pages.iter().map(rows).collect(),
        left_out: pages.iter().map(|page| page.left_out).sum(),
        read_at: tenant.now(),
        of,
    };
    let mut commit = Commit::new().put(HEAD_KEY, &head)?;
    for (number, page) in pages.iter().enumerate() {
        commit = commit.put(&page_key(number), &page.choices)?;
    }
    for number in pages.len()..MOST_PAGES as usize {
        commit = commit.delete(&page_key(number));
    }
    commit.apply(&tenant.ports)?;
    Ok((
        head,
        pages.into_iter().flat_map(|page| page.choices).collect(),
    ))
}

fn stored_pages(tenant: &Tenant<'_>, pages: usize) -> Result<Vec<Listed>> {
    let keys: Vec<String> = (0..pages).map(page_key).collect();
    let stored = store::read_all::<Vec<Listed>>(&tenant.ports, &keys)?;
    let pages = stored.into_iter().flatten();
    Ok(pages.flat_map(|page| page.value).collect())
}
