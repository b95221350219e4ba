//! The day's script: connect, import, trade at the till, lose and double webhooks, change and cancel orders, mend what was refused.
//! What comes of it is the component's doing; nothing here checks it.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tsunagi_sandbox::{Smaregi, shop::demo::awkward, smaregi::Product, webhook::WebhookFault};

use super::{
    stage::{SHOP, Stage},
    story::Story,
};
use crate::json::lay;

/// A shop's day is over when nothing is under way; this is more than it takes.
const LONG_ENOUGH: Duration = Duration::from_secs(3 * 3600);
const SHOPS: [&str; 2] = ["1", "2"];

/// Plays it.
pub async fn play(stage: &Stage, story: &Story) -> anyhow::Result<()> {
    connect(stage, story).await?;
    import(stage, story).await?;
    trade(stage, story).await?;
    afternoon(stage, story).await?;
    mend(stage, story).await?;
    story.chapter("夕方: 両方が落ち着くのを待つ", "Evening: both sides settle");
    stage
        .run_for(LONG_ENOUGH, |round| story.round(round))
        .await?;
    Ok(())
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
        loop {
            let arguments =
                json!({ "shop-id": shop, "budget": { "requests": 60, "seconds": 600 } });
            let progress = stage.call("orders.import-shop", arguments).await?;
            story.imported(shop, &progress);
            if progress.get("more").and_then(Value::as_bool) != Some(true) {
                break;
            }
        }
    }
    Ok(())
}

/// Each of the eight causes, some told twice, some not at all.
async fn trade(stage: &Stage, story: &Story) -> anyhow::Result<()> {
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
    stage.sandbox.smaregi(moves)?;
    stage
        .run_for(LONG_ENOUGH, |round| story.round(round))
        .await?;
    Ok(())
}

fn moves(smaregi: &mut Smaregi) -> Result<(), tsunagi_sandbox::Refused> {
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
    smaregi.odd_row(11, 1, -1, "99")
}

/// Orders change after they were imported.
async fn afternoon(stage: &Stage, story: &Story) -> anyhow::Result<()> {
    story.chapter(
        "午後: 取り込んだ受注が変わる",
        "Afternoon: imported orders change",
    );
    let first = stage
        .sandbox
        .next_engine(|next_engine| next_engine.books().slips.keys().next().copied());
    let first = first.context("the shop has orders")?;
    stage.sandbox.next_engine(|next_engine| {
        // Slips are numbered in the order they were placed.
        let returned = first + awkward::CANCEL_LATER as u64;
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
        let changed = first + awkward::CHANGE_LATER as u64;
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
