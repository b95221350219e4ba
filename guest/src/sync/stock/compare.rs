//! 在庫照合: both sides' stock, product by product, with every unit of difference explained. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::{
    error::Result,
    next_engine::goods::{self, Goods},
    reason::Reason,
    rules::{codes, product::Product},
    smaregi::stock,
    sync::{
        next_engine_session::NextEngine,
        orders, products,
        report::{Comparison, ComparisonLine, Explanation},
        smaregi_session::Smaregi,
        stock::{
            batch, deliver,
            records::{BatchRow, ChangeRecord, RowResult, Unsent, change_key, unsent_key},
        },
        store,
        tenant::Tenant,
    },
};

const PAGE_ROWS: usize = 1_000;
/// Next Engine's largest page that every account takes (next-engine.md 5).
const GOODS_PER_PAGE: u32 = 1_000;

/// Compares all products. See `wit/stock.wit`.
pub async fn compare(tenant: &Tenant<'_>) -> Result<Comparison> {
    let session = Smaregi::open(tenant).await?;
    let sums = smaregi_sums(&session, tenant).await?;
    let ids: Vec<String> = sums.keys().cloned().collect();
    let known = products::resolve_ids(&session, tenant, &ids, false).await?;
    let mut next_engine = NextEngine::open(tenant).await?;
    let goods = all_goods(&mut next_engine).await;
    next_engine.close()?;
    let mut sheet = Sheet::default();
    for (id, quantity) in &sums {
        if let Some(Some(product)) = known.get(id)
            && product.stock_managed
        {
            sheet.smaregi(&tenant.settings.stock.codes, product, *quantity);
        }
    }
    for goods in goods? {
        sheet.next_engine(goods);
    }
    explain(
        tenant,
        &mut sheet,
        &known.into_values().flatten().collect::<Vec<_>>(),
    )?;
    Ok(sheet.finish(tenant))
}

/// Sum over the target stores, by 商品ID.
async fn smaregi_sums(
    session: &Smaregi<'_>,
    tenant: &Tenant<'_>,
) -> Result<BTreeMap<String, Decimal>> {
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for store_id in tenant.settings.stock.stores.iter().collect::<BTreeSet<_>>() {
        for page in 1u32.. {
            let rows = stock::decode(&session.send(&stock::list(store_id, None, page)).await?);
            let full = rows.len() >= PAGE_ROWS;
            for row in rows.into_iter().flatten() {
                let sum = sums.entry(row.product_id).or_default();
                *sum = sum.saturating_add(row.amount);
            }
            if !full {
                break;
            }
        }
    }
    Ok(sums)
}

async fn all_goods(next_engine: &mut NextEngine<'_>) -> Result<Vec<Goods>> {
    let mut all: Vec<Goods> = Vec::new();
    loop {
        let after = all.last().map(|goods| goods.code.clone());
        let answer = next_engine
            .send(goods::page(after.as_deref(), GOODS_PER_PAGE))
            .await?;
        let page: Vec<Goods> = goods::decode(&answer).into_iter().flatten().collect();
        let full = page.len() >= GOODS_PER_PAGE as usize;
        all.extend(page);
        if !full {
            return Ok(all);
        }
    }
}

#[derive(Default)]
struct Row {
    name: String,
    smaregi: Option<Decimal>,
    goods: Option<Goods>,
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
        let unexplained_products = u32::try_from(unexplained).unwrap_or(u32::MAX);
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
            // Nothing to compare with, whatever else is known of it; and nothing that an alignment could mend.
            self.explanations = vec![Explanation {
                reason: one_side_only(stock.is_some()),
                quantity: difference,
            }];
        }
        let explained = self
            .explanations
            .iter()
            .fold(Decimal::ZERO, |sum, part| sum.saturating_add(part.quantity));
        ComparisonLine {
            code,
            name: self.name,
            smaregi: self.smaregi,
            next_engine: stock,
            next_engine_free: self.goods.as_ref().map(|goods| goods.free),
            next_engine_allocated: self.goods.as_ref().map(|goods| goods.allocated),
            difference,
            unexplained: difference.saturating_sub(explained),
            explanations: self.explanations,
        }
    }

    /// Whether this much still explains something, for what may or may not have happened there already.
    fn lacks(&self, quantity: i64) -> bool {
        let stock = self
            .goods
            .as_ref()
            .map(|goods| goods.stock)
            .unwrap_or_default();
        let explained = self
            .explanations
            .iter()
            .fold(Decimal::ZERO, |sum, part| sum.saturating_add(part.quantity));
        let rest = self
            .smaregi
            .unwrap_or_default()
            .saturating_sub(stock)
            .saturating_sub(explained);
        rest.saturating_sub(Decimal::from(quantity)).abs() < rest.abs()
    }
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
    let open: Vec<BatchRow> = deliver::open_batch(tenant)?
        .map(|open| open.value.rows)
        .unwrap_or_default();
    for row in open.iter().filter(|row| row.result == RowResult::Pending) {
        if sheet
            .rows
            .get(&row.code)
            .is_some_and(|sheet| sheet.lacks(row.quantity))
        {
            sheet.explain(&row.code, in_flight(), row.quantity);
        }
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

fn undecided() -> Reason {
    Reason::new(
        "own-move-open",
        "この連携自身の登録かどうかを確かめています。",
        "It is being found out whether this was our own registration.",
    )
}

fn one_side_only(next_engine: bool) -> Reason {
    let (ja, en) = if next_engine {
        ("ネクストエンジン", "Next Engine")
    } else {
        ("スマレジ", "Smaregi")
    };
    Reason::new(
        "one-side-only",
        format!("{ja}だけに在庫がある商品です。"),
        format!("Only {en} keeps stock of this product."),
    )
}

fn in_flight() -> Reason {
    Reason::new(
        "in-flight",
        "ネクストエンジンが処理中です。",
        "Next Engine is working on it.",
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
