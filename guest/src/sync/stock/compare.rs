//! 在庫照合: both sides' stock, product by product, with every unit of difference explained. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use rust_decimal::Decimal;

use crate::{
    error::{Error, Result, Side},
    next_engine::goods::{self, Goods},
    reason::{Reason, Text},
    rules::{
        codes::{self, SmaregiKey},
        product::Product,
    },
    smaregi::stock,
    sync::{
        next_engine_session::NextEngine,
        orders, products,
        report::{self, Comparison, ComparisonLine, Explanation},
        smaregi_session::Smaregi,
        stock::{
            batch, reasons,
            records::{ChangeRecord, TRIED_PREFIX, Tried, Unsent, change_key, unsent_key},
            unsettled::{Unsettled, undecided},
        },
        store,
        tenant::Tenant,
    },
    wire::Unread,
};

/// After a list that cannot be read.
const PAUSE: TimeDelta = TimeDelta::minutes(5);
const PAGE_ROWS: usize = 1_000;
/// Next Engine's largest page that every account takes (next-engine.md 5).
const GOODS_PER_PAGE: u32 = 1_000;

/// A comparison, and what an alignment has to know beyond it.
pub struct Compared {
    /// What people see.
    pub comparison: Comparison,
    /// Smaregi's 商品ID by Next Engine's code, where exactly one product has it.
    pub products: BTreeMap<String, String>,
    /// Differences that only an alignment can end: an upload whose outcome is not known. By code; explained in the comparison.
    pub unclear: BTreeMap<String, Decimal>,
    /// Products whose stock could not be read whole, by code: nothing is known of their difference. Explained in the comparison.
    pub unread: BTreeMap<String, Reason>,
    /// Products that move just now, as far as it was known when they were compared.
    pub unsettled: Unsettled,
}

/// Compares all products. See `wit/stock.wit`.
pub async fn compare(tenant: &Tenant<'_>) -> Result<Comparison> {
    Ok(whole(tenant).await?.comparison)
}

/// Compares all products.
pub async fn whole(tenant: &Tenant<'_>) -> Result<Compared> {
    let session = Smaregi::open(tenant).await?;
    let sums = smaregi_sums(&session, tenant).await?;
    let ids: Vec<String> = sums.by_product.keys().cloned().collect();
    let known = products::resolve_ids(&session, tenant, &ids, false).await?;
    let mut next_engine = NextEngine::open(tenant).await?;
    let goods = all_goods(&mut next_engine, tenant).await;
    next_engine.close()?;
    let mut sheet = Sheet::default();
    let rule = &tenant.settings.stock.codes;
    for (id, quantity) in &sums.by_product {
        if let Some(Some(product)) = known.get(id)
            && product.stock_managed
        {
            sheet.smaregi(rule, product, *quantity);
        }
    }
    let goods = goods?;
    for goods in goods.all {
        sheet.next_engine(goods);
    }
    let mut known: Vec<Product> = known.into_values().flatten().collect();
    if !tenant.settings.stock.stores.is_empty() {
        for product in without_row(&session, tenant, &sheet).await? {
            sheet.smaregi(rule, &product, Decimal::ZERO);
            known.push(product);
        }
    }
    sheet.note_unread(&sums.unread, &goods.unread);
    let unsettled = Unsettled::read(tenant)?;
    explain(tenant, &mut sheet, &known)?;
    let unclear = sheet.attribute(&unsettled, unclear_products(tenant)?);
    Ok(Compared {
        products: sheet.lone_products(),
        unread: sheet.unread(),
        comparison: sheet.finish(tenant),
        unclear,
        unsettled,
    })
}

/// Smaregi's stock.
#[derive(Default)]
struct Sums {
    /// Sum over the target stores, by 商品ID.
    by_product: BTreeMap<String, Decimal>,
    unread: UnreadStock,
}

/// Sums that may be parts.
#[derive(Default)]
struct UnreadStock {
    /// Products with a row that could not be read.
    products: BTreeMap<String, Reason>,
    /// A store's list had a row that does not even say whose it is: of any product but these, whose rows were read there.
    stores: Vec<(BTreeSet<String>, Reason)>,
}

impl UnreadStock {
    fn reason(&self, product_id: &str) -> Option<&Reason> {
        let anybodys = || {
            let mut stores = self.stores.iter();
            stores.find(|(read, _)| !read.contains(product_id))
        };
        let own = self.products.get(product_id);
        own.or_else(|| anybodys().map(|(_, reason)| reason))
    }
}

async fn smaregi_sums(session: &Smaregi<'_>, tenant: &Tenant<'_>) -> Result<Sums> {
    let mut sums = Sums::default();
    for store_id in tenant.settings.stock.stores.iter().collect::<BTreeSet<_>>() {
        let (mut read, mut anybodys) = (BTreeSet::new(), None);
        for page in 1u32.. {
            let answer = session.send(&stock::list(store_id, None, page)).await?;
            let rows = stock::decode_all(&answer, store_id)
                .map_err(|reason| unreadable_list(tenant, Side::Smaregi, stock::PATH, &reason))?;
            let full = rows.len() >= PAGE_ROWS;
            for row in rows {
                match row {
                    Ok(row) => {
                        read.insert(row.product_id.clone());
                        let sum = sums.by_product.entry(row.product_id).or_default();
                        *sum = sum.saturating_add(row.amount);
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

/// Next Engine's stock.
#[derive(Default)]
struct AllGoods {
    all: Vec<Goods>,
    unread: Vec<Unread>,
}

async fn all_goods(next_engine: &mut NextEngine<'_>, tenant: &Tenant<'_>) -> Result<AllGoods> {
    let mut goods = AllGoods::default();
    let mut offset = 0usize;
    loop {
        let answer = next_engine
            .send(goods::page(offset, GOODS_PER_PAGE))
            .await?;
        let page = goods::decode_all(&answer)
            .map_err(|reason| unreadable_list(tenant, Side::NextEngine, goods::PATH, &reason))?;
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

/// Smaregi's products that Next Engine has stock of and Smaregi has no row of: a product whose stock never moved (smaregi.md 4a).
async fn without_row(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
    sheet: &Sheet,
) -> Result<Vec<Product>> {
    let rule = &tenant.settings.stock.codes;
    let (mut ids, mut smaregi_codes) = (Vec::new(), Vec::new());
    for (code, row) in &sheet.rows {
        let stocked = row
            .goods
            .as_ref()
            .is_some_and(|goods| !goods.stock.is_zero());
        if row.smaregi.is_some() || !stocked {
            continue;
        }
        match codes::to_smaregi(rule, code) {
            Some(SmaregiKey::Id(id)) => ids.push(id),
            Some(SmaregiKey::Code(code)) => smaregi_codes.push(code),
            None => {}
        }
    }
    let by_id = products::resolve_ids(session, tenant, &ids, false).await?;
    let by_code = products::resolve_codes(session, tenant, &smaregi_codes, false).await?;
    let lone = by_code
        .into_values()
        .filter_map(|found| match found.as_slice() {
            [product] => Some(product.clone()),
            _ => None,
        });
    let fits = |product: &Product| {
        let code = codes::to_next_engine(rule, product);
        let row = code.and_then(|code| sheet.rows.get(&code));
        product.stock_managed && row.is_some_and(|row| row.smaregi.is_none())
    };
    let found = by_id.into_values().flatten().chain(lone);
    Ok(found.filter(fits).collect())
}

/// Products with an upload whose outcome is not known.
fn unclear_products(tenant: &Tenant<'_>) -> Result<Vec<Tried>> {
    let tried = store::list_all::<Tried>(&tenant.ports, TRIED_PREFIX)?;
    let apart = tried.into_iter().map(|tried| tried.value);
    Ok(apart.filter(|tried| tried.apart).collect())
}

#[derive(Default)]
struct Row {
    name: String,
    smaregi: Option<Decimal>,
    goods: Option<Goods>,
    /// Why one side's stock is not known.
    unread: Option<Reason>,
    explanations: Vec<Explanation>,
}

#[derive(Default)]
struct Sheet {
    rows: BTreeMap<String, Row>,
    codes: BTreeMap<String, String>,
}

impl Sheet {
    fn smaregi(&mut self, rule: &crate::settings::CodeRule, product: &Product, quantity: Decimal) {
        let code =
            codes::to_next_engine(rule, product).unwrap_or_else(|| format!("[{}]", product.id));
        self.codes.insert(product.id.clone(), code.clone());
        let row = self.rows.entry(code).or_default();
        row.name.clone_from(&product.name);
        row.smaregi = Some(row.smaregi.unwrap_or_default().saturating_add(quantity));
    }

    fn next_engine(&mut self, goods: Goods) {
        let row = self.rows.entry(goods.code.clone()).or_default();
        if row.name.is_empty() {
            row.name.clone_from(&goods.name);
        }
        row.goods = Some(goods);
    }

    /// Takes out what may be a part of a product's stock. Goods without a readable code are none of those read.
    fn note_unread(&mut self, smaregi: &UnreadStock, next_engine: &[Unread]) {
        for (product, code) in &self.codes {
            if let Some(reason) = smaregi.reason(product)
                && let Some(row) = self.rows.get_mut(code)
            {
                row.smaregi = None;
                row.unread = Some(reason.clone());
            }
        }
        for Unread { of, reason } in next_engine {
            let of_it = |code: &String, row: &Row| match of {
                Some(of) => of == code,
                None => row.goods.is_none(),
            };
            for (_, row) in self.rows.iter_mut().filter(|(code, row)| of_it(code, row)) {
                row.goods = None;
                row.unread = Some(reason.as_ref().clone());
            }
        }
    }

    fn unread(&self) -> BTreeMap<String, Reason> {
        let rows = self.rows.iter();
        rows.filter_map(|(code, row)| Some((code.clone(), row.unread.clone()?)))
            .collect()
    }

    fn explain(&mut self, code: &str, reason: Reason, quantity: i64) {
        if quantity != 0
            && let Some(row) = self.rows.get_mut(code)
        {
            row.explanations.push(Explanation {
                reason,
                quantity: Decimal::from(quantity),
            });
        }
    }

    /// Smaregi's product of each code that exactly one product has.
    fn lone_products(&self) -> BTreeMap<String, String> {
        let mut owners: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
        for (product, code) in &self.codes {
            owners.entry(code).or_default().push(product);
        }
        let lone = owners
            .into_iter()
            .filter_map(|(code, owners)| match owners.as_slice() {
                [owner] => Some((code.clone(), (*owner).clone())),
                _ => None,
            });
        lone.collect()
    }

    /// What is left of a product that moves just now is put down to that, and never counts as unexplained; so is what is left where
    /// the outcome of an upload is not known, which is returned.
    fn attribute(
        &mut self,
        unsettled: &Unsettled,
        unclear: Vec<Tried>,
    ) -> BTreeMap<String, Decimal> {
        let products = self.lone_products();
        let mut open = BTreeMap::new();
        for (code, row) in &mut self.rows {
            let rest = row.rest();
            let product = products.get(code).map(String::as_str);
            let tried = unclear
                .iter()
                .find(|tried| Some(tried.sent.product_id.as_str()) == product);
            let reason = match (unsettled.reason(code, product), tried) {
                (Some(reason), _) => reason.clone(),
                (None, Some(_)) => reasons::unclear(code),
                (None, None) => continue,
            };
            if tried.is_some() {
                open.insert(code.clone(), rest);
            }
            if !rest.is_zero() {
                let quantity = rest;
                row.explanations.push(Explanation { reason, quantity });
            }
        }
        open
    }

    fn finish(self, tenant: &Tenant<'_>) -> Comparison {
        let mut lines: Vec<ComparisonLine> = self
            .rows
            .into_iter()
            .map(|(code, row)| row.line(code))
            .collect();
        lines.sort_by(|a, b| {
            (a.unexplained.is_zero(), &a.code).cmp(&(b.unexplained.is_zero(), &b.code))
        });
        let unexplained = lines
            .iter()
            .filter(|line| !line.unexplained.is_zero())
            .count();
        let unexplained_products = report::count(unexplained);
        Comparison {
            lines,
            unexplained_products,
            compared_at: tenant.now(),
        }
    }
}

impl Row {
    fn line(mut self, code: String) -> ComparisonLine {
        let stock = self.goods.as_ref().map(|goods| goods.stock);
        let difference = self
            .smaregi
            .unwrap_or_default()
            .saturating_sub(stock.unwrap_or_default());
        if self.smaregi.is_none() || stock.is_none() {
            let only = match stock {
                Some(_) => Side::NextEngine,
                None => Side::Smaregi,
            };
            // Nothing to compare with, whatever else is known of it; and nothing that an alignment could mend.
            self.explanations = vec![Explanation {
                reason: self.unread.take().unwrap_or_else(|| one_side_only(only)),
                quantity: difference,
            }];
        }
        let broken = self.rest().fract();
        if !broken.is_zero() {
            self.explanations.push(Explanation {
                reason: fraction(),
                quantity: broken,
            });
        }
        let unexplained = difference.saturating_sub(explained(&self.explanations));
        ComparisonLine {
            code,
            name: self.name,
            smaregi: self.smaregi,
            next_engine: stock,
            next_engine_free: self.goods.as_ref().map(|goods| goods.free),
            next_engine_allocated: self.goods.as_ref().map(|goods| goods.allocated),
            difference,
            unexplained,
            explanations: self.explanations,
        }
    }

    /// Smaregi minus Next Engine, less what is explained so far; zero when there is nothing to compare with.
    fn rest(&self) -> Decimal {
        let (Some(smaregi), Some(goods)) = (self.smaregi, &self.goods) else {
            return Decimal::ZERO;
        };
        let difference = smaregi.saturating_sub(goods.stock);
        difference.saturating_sub(explained(&self.explanations))
    }
}

fn explained(parts: &[Explanation]) -> Decimal {
    let quantities = parts.iter().map(|part| part.quantity);
    quantities.fold(Decimal::ZERO, Decimal::saturating_add)
}

fn explain(tenant: &Tenant<'_>, sheet: &mut Sheet, products: &[Product]) -> Result<()> {
    let codes = sheet.codes.clone();
    let code = |product_id: &str| codes.get(product_id).map_or("", String::as_str);
    for candidate in batch::candidates(tenant)? {
        let out = &candidate.out.value;
        let reason = candidate.held.map_or_else(waiting, |held| Reason {
            code: "held".to_owned(),
            ..held.value.reason
        });
        sheet.explain(code(&out.product_id), reason, out.quantity);
    }
    for (_, product_id, id) in
        store::list_all::<(String, String, String)>(&tenant.ports, "stock/waiting/")?
            .into_iter()
            .map(|row| row.value)
    {
        if let Some(change) = store::read::<ChangeRecord>(&tenant.ports, &change_key(&id))? {
            sheet.explain(
                code(&product_id),
                undecided(),
                crate::money::whole(change.value.amount).unwrap_or_default(),
            );
        }
    }
    explain_unsent(tenant, sheet, products, &codes)?;
    for (code, pieces, slip) in orders::refused_shipped(tenant)? {
        sheet.explain(&code, order_refused(&slip), pieces);
    }
    for (code, pieces, slip) in orders::booked_unshipped(tenant)? {
        sheet.explain(&code, order_not_shipped(&slip), pieces.saturating_neg());
    }
    Ok(())
}

fn explain_unsent(
    tenant: &Tenant<'_>,
    sheet: &mut Sheet,
    products: &[Product],
    codes: &BTreeMap<String, String>,
) -> Result<()> {
    let keys: Vec<String> = products
        .iter()
        .map(|product| unsent_key(&product.id))
        .collect();
    let unsent = store::read_all::<Unsent>(&tenant.ports, &keys)?;
    for (product, unsent) in products.iter().zip(unsent) {
        let Some(code) = codes.get(&product.id) else {
            continue;
        };
        for (cause, quantity) in unsent.map(|unsent| unsent.value).unwrap_or_default() {
            sheet.explain(code, not_sent(&cause), quantity);
        }
    }
    Ok(())
}

fn waiting() -> Reason {
    Reason::new(
        "waiting",
        "次の送信を待っています。",
        "Waits for the next upload.",
    )
}

fn name_of(side: Side) -> (&'static str, &'static str) {
    match side {
        Side::Smaregi => ("スマレジ", "Smaregi"),
        Side::NextEngine => ("ネクストエンジン", "Next Engine"),
    }
}

fn one_side_only(side: Side) -> Reason {
    let (ja, en) = name_of(side);
    Reason::new(
        "one-side-only",
        format!("{ja}だけに在庫がある商品です。"),
        format!("Only {en} keeps stock of this product."),
    )
}

fn fraction() -> Reason {
    Reason::new(
        "fractional-quantity",
        "ネクストエンジンの在庫は整数だけです。端数は送信できません。",
        "Next Engine takes whole quantities only. The fraction cannot be sent.",
    )
}

fn not_sent(cause: &str) -> Reason {
    Reason::new(
        "not-sent",
        "設定により送信しない変動です。",
        "Movements that the settings keep from being sent.",
    )
    .value(cause)
}

fn order_refused(slip: &str) -> Reason {
    Reason::new(
        "order-refused",
        "ネクストエンジンでは出荷済みですが、スマレジに取り込めていない受注です。",
        "Next Engine shipped this order; Smaregi has not booked it.",
    )
    .field("receive_order_id")
    .value(slip)
}

fn order_not_shipped(slip: &str) -> Reason {
    Reason::new(
        "order-not-shipped",
        "スマレジに登録済みですが、ネクストエンジンではまだ出荷していない受注です。",
        "Booked in Smaregi already; Next Engine has not shipped it.",
    )
    .field("receive_order_id")
    .value(slip)
}
