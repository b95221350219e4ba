//! 取込プレビュー: the mapping of the import for one slip or one page of a shop, writing nothing here or there.

use std::collections::BTreeSet;

use crate::{
    error::{Error, Result},
    reason::Reason,
    rules::{goods::Products, mapping, moment, order::Order},
    sync::{
        lookup,
        next_engine_session::NextEngine,
        orders::{
            reading::{self, Reading},
            records::{SlipRecord, slip_key},
            scan,
        },
        report::{Preview, PreviewChoice},
        smaregi_session::Smaregi,
        store::{self, Stored},
        tenant::Tenant,
    },
};

/// Previews a slip as Next Engine has it now, or what the shop's next import would meet.
pub async fn preview(tenant: &Tenant<'_>, choice: &PreviewChoice) -> Result<Vec<Preview>> {
    let readings = match choice {
        PreviewChoice::Slip(slip) => vec![one(tenant, slip).await?],
        PreviewChoice::Shop(shop_id) => shop(tenant, shop_id).await?,
    };
    let products = lookups(tenant, &readings).await?;
    let keys: Vec<String> = readings
        .iter()
        .map(|reading| slip_key(&reading.slip))
        .collect();
    let known = store::read_all::<SlipRecord>(&tenant.ports, &keys)?;
    let each = readings.into_iter().zip(known);
    Ok(each
        .map(|(reading, known)| previewed(tenant, &products, reading, known))
        .collect())
}

async fn one(tenant: &Tenant<'_>, slip: &str) -> Result<Reading> {
    let mut session = NextEngine::open(tenant).await?;
    let slips = BTreeSet::from([slip.to_owned()]);
    let found = reading::whole(&mut session, tenant, &slips).await;
    let closed = session.close();
    let found = found?.into_iter().find(|reading| reading.slip == slip);
    closed?;
    found.ok_or_else(|| Error::NotFound("order", slip.to_owned()))
}

async fn shop(tenant: &Tenant<'_>, shop_id: &str) -> Result<Vec<Reading>> {
    let Some(begin) = scan::begin_of(tenant, shop_id)? else {
        return Err(Error::NotFound("receiving-store", shop_id.to_owned()));
    };
    let mut session = NextEngine::open(tenant).await?;
    let shops = [shop_id.to_owned()];
    let readings = match reading::page(&mut session, tenant, &shops, begin.from, None).await {
        Ok(page) => scan::complete(&mut session, tenant, page.readings).await,
        Err(error) => Err(error),
    };
    let closed = session.close();
    let readings = readings?;
    closed.map(|()| readings)
}

async fn lookups(tenant: &Tenant<'_>, readings: &[Reading]) -> Result<Products> {
    let settings = &tenant.settings;
    let taken = |order: &&Order| moment::taken(order, &settings.orders).is_ok();
    let orders = readings
        .iter()
        .filter_map(|reading| reading.order.as_ref().ok())
        .filter(taken);
    let wanted: BTreeSet<_> = orders
        .flat_map(|order| mapping::needed(order, &settings.orders, &settings.stock.codes))
        .collect();
    let mut products = Products::new();
    if !wanted.is_empty() {
        let session = Smaregi::open(tenant).await?;
        lookup::fill(&session, tenant, &mut products, wanted, &mut None).await?;
    }
    Ok(products)
}

fn previewed(
    tenant: &Tenant<'_>,
    products: &Products,
    reading: Reading,
    known: Option<Stored<SlipRecord>>,
) -> Preview {
    let registered = known.and_then(|stored| stored.value.registered);
    let mut preview = Preview {
        slip: reading.slip,
        order_number: String::new(),
        shop_id: reading.shop_id,
        order_total: rust_decimal::Decimal::ZERO,
        order: None,
        sale: None,
        refusal: None,
        skipped: None,
        transaction_id: registered.map(|registered| registered.transaction_id),
    };
    match reading.order {
        Ok(order) => fill(tenant, products, order, &mut preview),
        Err(reason) => preview.refusal = Some(reason),
    }
    preview
}

fn fill(tenant: &Tenant<'_>, products: &Products, order: Order, preview: &mut Preview) {
    let settings = &tenant.settings.orders;
    let mapped = moment::taken(&order, settings).map(|store| {
        mapping::map(
            &order,
            store,
            settings,
            &tenant.settings.stock.codes,
            products,
        )
    });
    preview.order_total = order.total;
    preview.order_number.clone_from(&order.order_number);
    preview.order = Some(order);
    match mapped {
        Ok(Ok(sale)) => preview.sale = Some(sale),
        Ok(Err(reason)) => preview.refusal = Some(reason),
        Err(not_taken) => preview.skipped = Some::<Reason>(not_taken.into_reason()),
    }
}
