//! Whom a bad row may concern: what is wrong meanwhile must be about it, and somebody must be told of it. Plays nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Rehearsal;
use crate::{hostile::Bend, shop, stage::Stage};

const SLIP: &str = "receive_order_row_receive_order_id";
/// What names a product.
const PRODUCTS: &[&str] = &[
    "productCode",
    "receive_order_row_goods_id",
    "productId",
    "goods_id",
    "stock_io_history_goods_id",
];

/// What stands or falls with a row.
#[derive(Default)]
struct Concerned {
    slips: BTreeSet<String>,
    codes: BTreeSet<String>,
}

impl Concerned {
    /// Of this row, as it truly is.
    fn by(row: &Value, stage: &Stage) -> Self {
        let mut concerned = Self::default();
        let text = |key: &str| Some(row.get(key)?.to_string().replace('"', ""));
        concerned.slips.extend(text(SLIP));
        let uuid = text("transactionUuid");
        let sale = uuid.as_deref().and_then(|uuid| uuid.split('-').nth(1));
        concerned.slips.extend(sale.map(str::to_owned));
        for named in PRODUCTS.iter().filter_map(|key| text(key)) {
            let id = named.parse().map_or("", shop::code_of);
            concerned.codes.extend([named, id.to_owned()]);
        }
        concerned.codes.remove("");
        // An order stands or falls with each of its products, and its goods with it.
        if row.get("productCode").is_some() {
            concerned.slips.extend(concerned.slips_of_products(stage));
        }
        concerned.codes.extend(concerned.products_of_slips(stage));
        concerned
    }

    fn slips_of_products(&self, stage: &Stage) -> Vec<String> {
        let state = stage.world.state();
        let slips = state.services.next_engine.books().slips.values();
        let sells = |code: &str| self.codes.contains(code);
        slips
            .filter(|slip| {
                let mut fees = shop::fees_of(slip);
                slip.live_lines().any(|line| sells(&line.code)) || fees.any(sells)
            })
            .map(|slip| slip.id.to_string())
            .collect()
    }

    fn products_of_slips(&self, stage: &Stage) -> Vec<String> {
        let state = stage.world.state();
        let slips = state.services.next_engine.books().slips.values();
        slips
            .filter(|slip| self.slips.contains(&slip.id.to_string()))
            .flat_map(|slip| slip.live_lines().map(|line| line.code.clone()))
            .collect()
    }

    /// Whether one of the judge's sentences is about it.
    fn is_meant(&self, complaint: &str) -> bool {
        let behind = |word: &str| {
            let (_, rest) = complaint.split_once(word)?;
            rest.split(|letter: char| !letter.is_alphanumeric()).next()
        };
        let sum = complaint.starts_with("the turnover is");
        match behind("order ") {
            Some(slip) => self.slips.contains(slip),
            None => sum || behind(" of ").is_some_and(|code| self.codes.contains(code)),
        }
    }
}

impl Rehearsal {
    /// What is wrong while a row is bad at every reading, and is not about that row; and whether it was told.
    pub(super) fn neighbours(&self, stage: &Stage, bend: &Bend, wrong: &[String]) -> Vec<String> {
        let name = {
            let state = stage.world.state();
            state.hostile.row().unwrap_or_default().to_owned()
        };
        let row = self.body(bend).and_then(|body| {
            let value = serde_json::from_slice::<Value>(body).ok()?;
            bend.path.row()?.of(&value).cloned()
        });
        let concerned = Concerned::by(&row.unwrap_or_default(), stage);
        let beside = wrong
            .iter()
            .filter(|complaint| !concerned.is_meant(complaint));
        let mut found: Vec<String> = beside
            .map(|complaint| format!("beside {name}: {complaint}"))
            .collect();
        if !wrong.is_empty() && !is_told(stage, bend, &name, &concerned) {
            found.push(format!("nothing tells of {} of {name}", bend.path.key()));
        }
        found
    }
}

/// Whether an error, or a reason that a person reads, names the field, the row or what it is about.
fn is_told(stage: &Stage, bend: &Bend, row: &str, concerned: &Concerned) -> bool {
    let state = stage.world.state();
    let key = bend.path.key();
    let named = |text: &str| {
        let mut names = concerned.slips.iter().chain(&concerned.codes);
        // A row that is none at all has no field to name.
        let field = if key.is_empty() {
            "cannot be read"
        } else {
            key
        };
        text.contains(field) || names.any(|name| text.contains(name.as_str()))
    };
    let ids: Vec<String> = row.split('/').map(|id| format!("\"{id}\"")).collect();
    state.hostile.told.iter().any(|text| named(text))
        || state.memory.entries().any(|entry| {
            let text = String::from_utf8_lossy(&entry.value);
            text.contains("\"message\"") && (named(&text) || ids.iter().any(|id| text.contains(id)))
        })
}
