//! Both services' whole lists of stock, page by page. What was read of them can be handed on to a later call, which goes on behind it.
//! Compares nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result, Side},
    next_engine::goods::{self, Goods},
    reason::{Reason, Text},
    smaregi::stock,
    sync::{next_engine_session::NextEngine, smaregi_session::Smaregi, tenant::Tenant},
    wire::Unread,
};

/// After a list that cannot be read.
const PAUSE: TimeDelta = TimeDelta::minutes(5);
const PAGE_ROWS: usize = 1_000;
/// Next Engine's largest page that every account takes (next-engine.md 5).
const GOODS_PER_PAGE: u32 = 1_000;

/// A page that was read: what of it is added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Page {
    /// 商品ID and 在庫数 in one store.
    Smaregi(Vec<std::result::Result<(String, Decimal), Unread>>),
    /// Without names.
    NextEngine(Vec<std::result::Result<Goods, Unread>>),
}

/// Pages of both lists.
#[derive(Debug, Default)]
pub struct Pages {
    /// Read by earlier calls, by name.
    pub earlier: BTreeMap<String, Page>,
    /// Read by this call, for a later one; absent where none goes on.
    pub new: Option<Vec<(String, Page)>>,
}

impl Pages {
    fn note(&mut self, name: String, page: impl FnOnce() -> Page) {
        if let Some(new) = self.new.as_mut() {
            new.push((name, page()));
        }
    }
}

/// Smaregi's stock.
#[derive(Default)]
pub struct Sums {
    /// Sum over the target stores, by 商品ID.
    pub by_product: BTreeMap<String, Decimal>,
    /// What of it may be a part.
    pub unread: UnreadStock,
}

/// Sums that may be parts.
#[derive(Default)]
pub struct UnreadStock {
    /// Products with a row that could not be read.
    products: BTreeMap<String, Reason>,
    /// A store's list had a row that does not even say whose it is: of any product but these, whose rows were read there.
    stores: Vec<(BTreeSet<String>, Reason)>,
}

impl UnreadStock {
    /// Why a product's sum may be a part.
    pub fn reason(&self, product_id: &str) -> Option<&Reason> {
        let anybodys = || {
            let mut stores = self.stores.iter();
            stores.find(|(read, _)| !read.contains(product_id))
        };
        let own = self.products.get(product_id);
        own.or_else(|| anybodys().map(|(_, reason)| reason))
    }
}

/// Reads the target stores.
pub async fn smaregi(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    pages: &mut Pages,
) -> Result<Sums> {
    let mut sums = Sums::default();
    for store_id in tenant.settings.stock.stores.iter().collect::<BTreeSet<_>>() {
        let (mut read, mut anybodys) = (BTreeSet::new(), None);
        for page in 1u32.. {
            let rows = stock_page(session, tenant, pages, (store_id, page)).await?;
            let full = rows.len() >= PAGE_ROWS;
            for row in rows {
                match row {
                    Ok((product_id, amount)) => {
                        read.insert(product_id.clone());
                        let sum = sums.by_product.entry(product_id).or_default();
                        *sum = sum.saturating_add(amount);
                    }
                    Err(Unread {
                        of: Some(id),
                        reason,
                    }) => {
                        sums.by_product.entry(id.clone()).or_default();
                        sums.unread.products.insert(id, *reason);
                    }
                    Err(Unread { of: None, reason }) => anybodys = Some(*reason),
                }
            }
            if !full {
                break;
            }
        }
        sums.unread
            .stores
            .extend(anybodys.map(|reason| (read, reason)));
    }
    Ok(sums)
}

async fn stock_page(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    pages: &mut Pages,
    (store_id, page): (&str, u32),
) -> Result<Vec<std::result::Result<(String, Decimal), Unread>>> {
    let name = format!("smaregi/{store_id}/{page}");
    if let Some(Page::Smaregi(rows)) = pages.earlier.remove(&name) {
        return Ok(rows);
    }
    let answer = session.send(&stock::list(store_id, None, page)).await?;
    let rows = stock::decode_all(&answer, store_id)
        .map_err(|reason| unreadable_list(tenant, Side::Smaregi, stock::PATH, &reason))?;
    let rows = rows.into_iter();
    let rows: Vec<_> = rows
        .map(|row| row.map(|row| (row.product_id, row.amount)))
        .collect();
    pages.note(name, || Page::Smaregi(rows.clone()));
    Ok(rows)
}

/// Next Engine's stock.
#[derive(Default)]
pub struct AllGoods {
    /// What could be read.
    pub all: Vec<Goods>,
    /// What could not.
    pub unread: Vec<Unread>,
}

/// Reads all goods.
pub async fn next_engine(
    session: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    pages: &mut Pages,
) -> Result<AllGoods> {
    let mut goods = AllGoods::default();
    let mut offset = 0usize;
    loop {
        let page = goods_page(session, tenant, pages, offset).await?;
        offset = offset.saturating_add(page.len());
        let full = page.len() >= GOODS_PER_PAGE as usize;
        for row in page {
            match row {
                Ok(row) => goods.all.push(row),
                Err(unread) => goods.unread.push(unread),
            }
        }
        if !full {
            return Ok(goods);
        }
    }
}

async fn goods_page(
    session: &mut NextEngine<'_>,
    tenant: &Tenant<'_>,
    pages: &mut Pages,
    offset: usize,
) -> Result<Vec<std::result::Result<Goods, Unread>>> {
    let name = format!("next-engine/{offset}");
    if let Some(Page::NextEngine(rows)) = pages.earlier.remove(&name) {
        return Ok(rows);
    }
    let answer = session.send(goods::page(offset, GOODS_PER_PAGE)).await?;
    let rows = goods::decode_all(&answer)
        .map_err(|reason| unreadable_list(tenant, Side::NextEngine, goods::PATH, &reason))?;
    pages.note(name, || {
        let mut rows = rows.clone();
        rows.iter_mut().flatten().for_each(|row| row.name.clear());
        Page::NextEngine(rows)
    });
    Ok(rows)
}

/// Nothing can be compared without a whole list: what it lacks would count as no stock.
fn unreadable_list(tenant: &Tenant<'_>, side: Side, endpoint: &str, reason: &Reason) -> Error {
    let (ja, en) = name_of(side);
    let (ja_why, en_why) = (&reason.message.ja, &reason.message.en);
    let message = Text::new(
        format!("{ja}の在庫の一覧({endpoint})を読み取れません。{ja_why}"),
        format!("{en}'s list of stock ({endpoint}) cannot be read. {en_why}"),
    );
    Error::Unavailable(side, message, tenant.now() + PAUSE)
}

/// What people call a side.
pub fn name_of(side: Side) -> (&'static str, &'static str) {
    match side {
        Side::Smaregi => ("スマレジ", "Smaregi"),
        Side::NextEngine => ("ネクストエンジン", "Next Engine"),
    }
}
