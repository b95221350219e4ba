//! 在庫照合: both sides' stock, product by product, with every unit of difference explained. Writes nothing.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::{
    error::{Result, Side},
    next_engine::goods::Goods,
    reason::Reason,
    rules::{
        codes::{self, SmaregiKey},
        product::Product,
    },
    sync::{
        next_engine_session::NextEngine,
        orders, products,
        report::{self, Comparison, ComparisonLine, Explanation},
        smaregi_session::Smaregi,
        stock::{
            batch,
            lists::{self, Pages, UnreadStock, name_of},
            reasons,
            records::{ChangeRecord, TRIED_PREFIX, Tried, Unsent, change_key, unsent_key},
            unsettled::{Unsettled, undecided},
        },
        store,
        tenant::Tenant,
    },
    wire::Unread,
};

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

/// The same, where an earlier call left off.
pub async fn go_on(tenant: &Tenant<'_>, pages: &mut Pages) -> Result<Comparison> {
    Ok(read(tenant, pages).await?.comparison)
}

/// Compares all products.
pub async fn whole(tenant: &Tenant<'_>) -> Result<Compared> {
    read(tenant, &mut Pages::default()).await
}

async fn read(tenant: &Tenant<'_>, pages: &mut Pages) -> Result<Compared> {
    let session = Smaregi::open(tenant).await?;
    let sums = lists::smaregi(&session, tenant, pages).await?;
    let ids: Vec<String> = sums.by_product.keys().cloned().collect();
    let known = products::resolve_ids(&session, tenant, &ids, false).await?;
    let mut next_engine = NextEngine::open(tenant).await?;
    let goods = lists::next_engine(&mut next_engine, tenant, pages).await;
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
