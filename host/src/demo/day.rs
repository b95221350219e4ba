//! The day's script: connect, import, trade at the till, lose and double webhooks, change and cancel orders, mend what was refused.
//! It also says what has to come of it; whether that came is the judge's to say.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::Context;
use serde_json::{Value, json};
use tsunagi_sandbox::{
    Smaregi,
    shop::{ShopData, demo::awkward},
    smaregi::Product,
    webhook::WebhookFault,
};

use super::{
    judge::{ODD_DIVISION, Script},
    stage::{SHOP, Stage},
    story::Story,
};
use crate::{cli::words::count, json::lay};

/// A missed notice is found within the hour, and an upload is over minutes later; this is more than it takes.
const LONG_ENOUGH: Duration = Duration::from_secs(2 * 3600);
const SHOPS: [&str; 2] = ["1", "2"];

/// The till's store and the warehouse: their stock together is Next Engine's.
const LINKED: [u32; 2] = [1, 3];

/// Plays it; says what has to have come of it.
pub async fn play(stage: &Stage, shop: &ShopData, story: &Story) -> anyhow::Result<Script> {
    let mut script = expected(stage, shop)?;
    connect(stage, story).await?;
    import(stage, story).await?;
    script.sent = trade(stage, story).await?;
    afternoon(stage, shop, story).await?;
    mend(stage, story).await?;
    story.chapter("夕方: 両方が落ち着くのを待つ", "Evening: both sides settle");
    stage
        .run_for(LONG_ENOUGH, |round| story.round(round))
        .await?;
    Ok(script)
}

/// What has to come of the orders, told before anything happened. Every shipped one becomes a transaction but those that cannot: one
/// product nobody has at the till, one total that does not add up. The unknown code is mended, one order is sent back, one changed.
fn expected(stage: &Stage, shop: &ShopData) -> anyhow::Result<Script> {
    let slip = |at: usize| slip(stage, shop, at);
    let refused = BTreeSet::from([slip(awkward::NOT_IN_SMAREGI)?, slip(awkward::WRONG_TOTAL)?]);
    let returned = slip(awkward::CANCEL_LATER)?;
    let shipped = stage.sandbox.next_engine(|next_engine| {
        let slips = next_engine.books().slips.values();
        slips
            .filter(|slip| slip.is_shipped() && slip.is_live())
            .count()
    });
    Ok(Script {
        linked: LINKED.to_vec(),
        imported: shipped - refused.len() - 1,
        refused,
        undone: BTreeSet::from([returned, slip(awkward::CHANGE_LATER)?]),
        sent: BTreeMap::new(),
    })
}

/// The slip of the order at a position of the shop's list; a slip that was split off later has the same number.
fn slip(stage: &Stage, shop: &ShopData, at: usize) -> anyhow::Result<u64> {
    let order = shop.orders.get(at).context("the shop has the order")?;
    let found = stage.sandbox.next_engine(|next_engine| {
        let mut slips = next_engine.books().slips.values();
        slips
            .find(|slip| (slip.shop_id, &slip.shop_cut_form_id) == (order.mall, &order.number))
            .map(|slip| slip.id)
    });
    found.context("the order has a slip")
}

async fn connect(stage: &Stage, story: &Story) -> anyhow::Result<()> {
    story.chapter(
        "朝: 設定して、ログインして、つなぐ",
        "Morning: settings, login, link on",
    );
    let store = |shop: &str, name: &str| {
        json!({
            "store-id": "1", "start-date": "2026-10-01", "shop-id": shop, "shop-name": name, "source-store-id": "3",
        })
    };
    let own = json!({
        "stock": {
            "triggers": {
                "correction": true, "sale": true, "purchase": true, "shipment": true, "receipt": true, "issue": true,
                "stocktake": true, "loss": true,
            },
            "stores": ["1", "3"],
        },
        "orders": {
            "receiving-stores": [store("1", "モール店"), store("2", "公式通販")],
            "charge": { "line": "EC-FEE" },
            "delivery": { "line": "EC-SHIPPING" },
            "other": { "line": "EC-OTHER" },
            "points": "subtotal-discount",
            "payments": [{ "method-id": "1", "kind": "cash" }],
        },
    });
    let settings = stage.settings(|settings| lay(settings, &own));
    stage
        .call("settings.put", json!({ "settings": settings }))
        .await?;
    stage.log_in().await.context("logging in to Next Engine")?;
    let check = stage.call("connection.check", json!({})).await?;
    story.checked(SHOP, &check);
    stage
        .call("connection.switch-on", json!({ "backlog": "leave" }))
        .await?;
    Ok(())
}

async fn import(stage: &Stage, story: &Story) -> anyhow::Result<()> {
    story.chapter("午前: 受注を取り込む", "Forenoon: orders come in");
    for shop in SHOPS {
        let mut sum = [0; 3];
        loop {
            let arguments =
                json!({ "shop-id": shop, "budget": { "requests": 60, "seconds": 600 } });
            let progress = stage.call("orders.import-shop", arguments).await?;
            for (sum, name) in sum.iter_mut().zip(["slips-read", "registered", "refused"]) {
                *sum += count(&progress, name);
            }
            story.importing(shop, sum);
            if progress.get("more").and_then(Value::as_bool) != Some(true) {
                break;
            }
        }
        story.imported(shop, sum);
    }
    Ok(())
}

/// Each of the eight causes, some told twice, some not at all. Says by how much each product has to move at Next Engine.
async fn trade(stage: &Stage, story: &Story) -> anyhow::Result<BTreeMap<String, i64>> {
    story.chapter(
        "昼: 店で在庫が動く(通知の一部は失われ、一部は二重に届く)",
        "Noon: stock moves (some notices lost, some doubled)",
    );
    stage
        .run_for(Duration::from_secs(600), |round| story.round(round))
        .await?;
    stage.sandbox.world(|world| {
        world.webhooks.add_fault(WebhookFault::Drop, 3);
        world.webhooks.add_fault(WebhookFault::Duplicate, 2);
        world.webhooks.add_fault(WebhookFault::Reorder, 1);
    });
    let moved = stage.sandbox.smaregi(moves)?;
    stage
        .run_for(LONG_ENOUGH, |round| story.round(round))
        .await?;
    Ok(moved)
}

/// A product for each cause. The store that takes no part, and a cause that no document names, move nothing at Next Engine.
fn moves(smaregi: &mut Smaregi) -> Result<BTreeMap<String, i64>, tsunagi_sandbox::Refused> {
    let counted = 12 - smaregi.books().stock_of(8, 1);

    let sale = smaregi.pos_sale(1, &[(1, 2), (2, 1)])?;
    smaregi.pos_sale(1, &[(1, 1), (30, 1)])?;
    smaregi.pos_sale_cancel(sale)?;
    smaregi.correct(3, 1, -1)?;
    smaregi.purchase(4, 3, 24)?;
    smaregi.ship_out(5, 3, 2)?;
    // From the warehouse to the shop that takes no part in the link: an issue without a receipt.
    smaregi.transfer(6, 3, 2, 3)?;
    smaregi.transfer(7, 2, 1, 2)?;
    smaregi.stocktake(8, 1, 12)?;
    smaregi.loss(9, 1, 1)?;
    smaregi.pos_sale(2, &[(10, 1)])?;
    smaregi.odd_row(11, 1, -1, ODD_DIVISION)?;
    let moved = [
        (1, -1),
        (30, -1),
        (3, -1),
        (4, 24),
        (5, -2),
        (6, -3),
        (7, 2),
        (8, counted),
        (9, -1),
    ];
    let products = &smaregi.books().products;
    let code = |id: u64| {
        products
            .get(&id)
            .map(|listed| listed.product.code.clone())
            .unwrap_or_default()
    };
    Ok(moved.map(|(id, by)| (code(id), by)).into())
}

/// Orders change after they were imported.
async fn afternoon(stage: &Stage, shop: &ShopData, story: &Story) -> anyhow::Result<()> {
    story.chapter(
        "午後: 取り込んだ受注が変わる",
        "Afternoon: imported orders change",
    );
    let returned = slip(stage, shop, awkward::CANCEL_LATER)?;
    let changed = slip(stage, shop, awkward::CHANGE_LATER)?;
    stage.sandbox.next_engine(|next_engine| {
        let lines: Vec<(u32, i64)> =
            next_engine
                .books()
                .slips
                .get(&returned)
                .map_or_else(Vec::new, |slip| {
                    slip.live_lines()
                        .map(|line| (line.no, line.quantity))
                        .collect()
                });
        for (line, quantity) in lines {
            next_engine.take_return(returned, line, quantity, 0)?;
        }
        next_engine.cancel(returned, 8)?;
        next_engine.unship(changed)?;
        next_engine.edit_line(changed, 1, Some(1), None)?;
        next_engine.ship(changed)
    })?;
    stage
        .run_for(Duration::from_secs(3600), |round| story.round(round))
        .await?;
    Ok(())
}

/// A product that was missing is made, and what was refused for it is tried again.
async fn mend(stage: &Stage, story: &Story) -> anyhow::Result<()> {
    story.chapter(
        "足りなかった商品を登録して、再取込する",
        "A missing product is registered, and the order retried",
    );
    stage.sandbox.smaregi(|smaregi| {
        let like = smaregi
            .books()
            .products
            .values()
            .next()
            .map(|listed| listed.product.clone());
        if let Some(like) = like {
            smaregi.set_product(Product {
                id: 999,
                code: "OLD-CODE-999".to_owned(),
                name: "旧商品".to_owned(),
                ..like
            });
        }
    });
    let progress = stage
        .call("orders.retry", json!({ "choice": { "all-refused": true } }))
        .await?;
    story.retried(&progress);
    Ok(())
}
