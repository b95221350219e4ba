//! The same work by the component and by its own code compiled for this machine, in turn, both given the same answers from a list; what
//! the world takes to give them is taken off on both sides.
//!
//! `rules.preview` reads a page of 999 orders of one line (Next Engine's rows as JSON), their products, maps each order to a sale, and
//! hands both over as the contract has them: decoding, mapping, encoding, with four requests and a few records around. `rules.import` also
//! keeps the books of 1 000 orders of one to three lines: it plans, records and sends each, at some commits and one request of `wasi:http`
//! an order, so most of the component's share is the way through the host.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tsunagi::json as shape;
use tsunagi_guest::sync::{orders, report::PreviewChoice};
use tsunagi_simulation::memory::Memory;
use wasmtime::component::Val;

use crate::{
    Plan,
    field::number,
    figures::{Figures, in_turn},
    replay::{Native, Wasm, World},
    shop,
    table::{Goal, Row},
};

pub fn measure(plan: &Plan) -> Result<Vec<Row>> {
    // One page: of a thousand rows the last order could go on behind it.
    let orders = plan.size(999, 200);
    let [wasm, native, ratio] = preview(plan, orders)?;
    let what = format!("rules on {orders} orders (decode, map, encode): component ÷ native");
    let rules = Row::of("rules.preview", what, "", &ratio)
        .goal(Goal::AtMost(1.5))
        .note(beside(&wasm, &native));
    let orders = plan.size(1_000, 200);
    let [wasm, native, ratio] = import(plan, orders)?;
    let what = format!("import of {orders} orders, answers at once: component ÷ native");
    let import = Row::of("rules.import", what, "", &ratio).note(beside(&wasm, &native));
    Ok(vec![rules, import])
}

fn beside(wasm: &Figures, native: &Figures) -> String {
    let ms = |figures: &Figures| format!("{:.1} ms", figures.median() * 1e3);
    format!("{} ÷ {}", ms(wasm), ms(native))
}

/// A shop that is connected and switched on, its world, and what is stored then.
fn connected(plan: &Plan, orders: u64, most_lines: u64) -> Result<(World, Wasm, Memory)> {
    let world = World::new(orders, most_lines)?;
    let wasm = Wasm::new(&plan.runtime, &world)?;
    // So quick that no wait for a place at Smaregi looks like a time-out.
    let settings = shop::settings(&world.described(), 200);
    wasm.call("settings.put", &json!({ "settings": settings }))?;
    let begun = shape::from_val(&wasm.call("connection.begin-login", &json!({}))?);
    let (uid, state) = world.signed_in()?;
    let back = json!({ "ticket": begun.get("ticket"), "uid": uid, "state": state });
    wasm.call("connection.finish-login", &back)?;
    wasm.call("connection.switch-on", &json!({ "backlog": "leave" }))?;
    let memory = world.state().memory.clone();
    Ok((world, wasm, memory))
}

fn preview(plan: &Plan, orders: u64) -> Result<[Figures; 3]> {
    let (world, wasm, memory) = connected(plan, orders, 1)?;
    let given = json!({ "choice": { "shop": shop::MALL.to_string() } });
    let choice = PreviewChoice::Shop(shop::MALL.to_string());
    let first = wasm.call("orders.preview", &given)?;
    ensure!(
        sales(&first) as u64 == orders,
        "{} of {orders} orders",
        sales(&first)
    );
    world.replays();
    let native = Native::new(&world);
    in_turn(
        plan.size(20, 5),
        || {
            let (took, done) = world.run(&memory, || wasm.call("orders.preview", &given))?;
            ensure!(sales(&done) as u64 == orders, "an order is missing");
            Ok(took)
        },
        || {
            let call = || native.call(async |tenant| orders::preview(tenant, &choice).await);
            let (took, done) = world.run(&memory, call)?;
            let sales = done.iter().filter(|preview| preview.sale.is_some()).count();
            ensure!(sales as u64 == orders, "an order is missing");
            Ok(took)
        },
    )
}

/// How many orders would become sales.
fn sales(previews: &Val) -> usize {
    let Value::Array(previews) = shape::from_val(previews) else {
        return 0;
    };
    let sale = |preview: &&Value| preview.get("sale").is_some_and(Value::is_object);
    previews.iter().filter(sale).count()
}

fn import(plan: &Plan, orders: u64) -> Result<[Figures; 3]> {
    let (world, wasm, memory) = connected(plan, orders, 3)?;
    let budget = json!({ "requests": u32::MAX, "seconds": 86_400 });
    let given = json!({ "shop-id": shop::MALL.to_string(), "budget": budget });
    wasm.call("orders.import-shop", &given)?;
    world.replays();
    let native = Native::new(&world);
    in_turn(
        plan.size(10, 3),
        || {
            let (took, done) = world.run(&memory, || wasm.call("orders.import-shop", &given))?;
            ensure!(
                number(&shape::from_val(&done), "registered") == orders,
                "an order is missing"
            );
            Ok(took)
        },
        || {
            let shop = shop::MALL.to_string();
            let call = || native.call(async |tenant| orders::import_shop(tenant, &shop).await);
            let (took, done) = world.run(&memory, call)?;
            ensure!(u64::from(done.registered) == orders, "an order is missing");
            Ok(took)
        },
    )
}
