// 手動取込, refused orders, 試す, mending and taking in again.

import assert from "node:assert/strict";
import { until } from "../helper.mjs";
import { setPace } from "./connection.mjs";
import { offered } from "./settings.mjs";

const LONG = 120_000;
const NEW = 20;
const EVIL = '"><script>window.hit=1</script><img src=x onerror=window.hit=2>';
/** Number of a card of the progress panel. */
const card = (who, ja, en) => who.page.locator("#job .card").filter({ hasText: who.say(ja, en) }).locator("dd").innerText().then(Number);
const goesOn = (who) => who.page.locator("#job progress").isVisible();
const ends = (who) => who.page.locator("#job .message.good").waitFor({ timeout: LONG });

/** Once the link is on, the schedule imports both malls. */
export async function firstImport(who) {
  await who.step("the first import is done by itself: 最終取込日時, and how many were refused", async () => {
    await until("every store has its 最終取込日時", async () => {
      await who.open("orders");
      const rows = await who.page.locator("main tbody tr").allInnerTexts();
      return rows.every((row) => /\d{4}-\d\d-\d\d \d\d:\d\d JST\s+[1-9]/.test(row));
    }, LONG);
  });
}

/** Orders that nothing speaks against, shipped; one of them would like to run a script. */
async function placed(run, who, number) {
  const { operate } = run.shops[who.shop];
  const now = new Date().toISOString();
  for (let at = 0; at < number; at += 1) {
    const hostile = at === 0;
    const line = { code: "TEA-HOJ-100", name: hostile ? EVIL : "炭火ほうじ茶 100g", quantity: 1, unit_price: "756", tax_rate: 8 };
    const order = { mall: 1, number: hostile ? EVIL : `NEW-${at}`, ordered_at: now, lines: [line] };
    const { slip } = await operate("next-engine", "place", { order });
    await operate("next-engine", "ship", { slip });
    if (hostile) who.evil = slip;
  }
  const lines = [{ code: "OLD-CODE-999", name: "旧商品", quantity: 1, unit_price: "1000", tax_rate: 10 }];
  const { slip } = await operate("next-engine", "place", { order: { mall: 1, number: "OLD", ordered_at: now, lines } });
  await operate("next-engine", "ship", { slip });
}

/** 手動取込 with its progress live, a stop on the way, and on from there. */
export async function importByHand(run, who) {
  await setPace(who, 2); // slow, so that it can be watched
  const start = () => who.page.getByRole("button", { name: who.say("手動取込", "Import now") }).first().click();
  await who.step("手動取込: progress without loading the page again, and a stop", async () => {
    await placed(run, who, NEW);
    await who.open("orders");
    await start();
    await who.page.evaluate(() => (window.stayed = true));
    const seen = new Set();
    await until("the panel changes while the import goes on", async () => {
      if (await goesOn(who)) seen.add(await who.page.locator("#job").innerText());
      return seen.size > 1;
    });
    assert.ok(await who.page.evaluate(() => window.stayed), "the page was not loaded again");
    await who.press("停止", "Stop");
    await who.page.locator("#job .message.warn").waitFor({ timeout: LONG });
    await who.sees("停止しました。", "Stopped.");
    assert.ok((await card(who, "登録", "Registered")) < NEW, "there is something left");
  });
  await setPace(who, 20);
  await who.step("手動取込 goes on from there", async () => {
    await who.open("orders");
    await start();
    await ends(who);
    let seen = [];
    await until("all of the new orders are registered", async () => {
      await who.open("received?outcome=registered&shop=1");
      seen = (await who.page.locator("main tbody").innerText()).match(/NEW-\d+/g) ?? [];
      return seen.length >= NEW - 1;
    });
    assert.equal(new Set(seen).size, seen.length, "each of them once");
    await who.sees("つなぎ茶舗 モール店 → つなぎ茶舗 本店", "つなぎ茶舗 モール店 → つなぎ茶舗 本店");
  });
}

async function refused(who) {
  await who.open("received?outcome=refused");
  return who.page.locator('main input[name="slip"]').count();
}

/** The first order that was refused with a reason in which this stands. */
function because(who, text) {
  return who.page.locator(`xpath=//tr[following-sibling::tr[1][@class="why" and contains(., "${text}")]]`).first();
}

/** A refused order says what to mend; 試す shows what that would change, and saves nothing. */
export async function tryFees(who) {
  await who.step("a refused order says why, side by side", async () => {
    assert.ok((await refused(who)) > 0);
    await who.sees(/発送代|手数料/, /[Dd]elivery|[Cc]harge/);
    await who.page.locator("main tbody a").first().click();
    await who.page.getByRole("heading", { name: who.say("ネクストエンジンの受注", "Order at Next Engine") }).waitFor();
    await who.page.locator(".sides .message.bad").waitFor();
    assert.ok((await who.page.locator(".sides tbody tr").count()) > 0, "what was ordered stands on the left");
  });
  await who.step("試す: which orders come out differently, in yen, before anything is saved", async () => {
    await who.open("details");
    await fill(who);
    await who.press("保存せずに試す", "Try without saving");
    await who.page.locator("#tried").waitFor();
    const sums = await who.page.locator("#tried table").first().getByRole("row").nth(1).innerText();
    const [before, after] = sums.match(/\d[\d,]*/g).map(Number);
    assert.ok(after > before, sums);
    assert.ok((await who.page.locator("#tried table.rows tbody tr").count()) > 0);
    assert.equal(await who.field("手数料", "Charge").inputValue(), "line", "the form stays as typed");
    await who.open("details");
    assert.equal(await who.field("手数料", "Charge").inputValue(), "unset", "nothing was saved");
  });
}

async function fill(who) {
  for (const [ja, en, typed, code] of [
    ["手数料", "Charge", "EC-F", "EC-FEE"],
    ["発送代", "Delivery", "EC-S", "EC-SHIPPING"],
    ["他費用", "Other cost", "EC-O", "EC-OTHER"],
  ]) {
    await who.field(ja, en).selectOption("line");
    const field = who.field(`${ja}: 商品コード`, `${en}: product code`);
    await field.pressSequentially(typed);
    await until(`${code} is offered`, async () => (await offered(field)).some((choice) => choice.startsWith(`${code} `)));
    await field.fill(code);
  }
  await who.field("ポイント数", "Points").selectOption("subtotal-discount");
}

export async function mend(who) {
  await who.step("受注受信詳細設定 saved, one order taken in again", async () => {
    await who.open("details");
    await fill(who);
    await who.press("更新", "Save");
    await who.sees("保存しました。", "Saved.");
    const before = await refused(who);
    const row = because(who, who.say("発送代", "elivery"));
    who.mended = await row.locator("a").first().innerText();
    await row.getByRole("button").click();
    await ends(who);
    assert.equal(await card(who, "登録", "Registered"), 1);
    assert.ok((await refused(who)) <= before);
  });
  await who.step("all taken in again", async () => {
    await who.press("取り込めなかったものをすべて再取込", "Take all refused in again");
    await ends(who);
    assert.ok((await refused(who)) < 5, "only what no setting mends is left");
  });
}

/** A product that Smaregi does not have is registered there; its order comes in then. */
export async function mendProduct(run, who) {
  await who.step("an order with an unknown product comes in once Smaregi has it", async () => {
    await refused(who);
    const product = { id: 999, code: "OLD-CODE-999", name: "旧商品", price: 1000, stock_managed: false };
    await run.shops[who.shop].operate("smaregi", "set_product", { product });
    const row = because(who, "OLD-CODE-999");
    const slip = await row.locator("a").first().innerText();
    await row.getByRole("button").click();
    await ends(who);
    await who.open(`received?slip=${slip}`);
    await who.page.locator("tbody tr").first().locator(".badge.good").waitFor();
    await who.open(`received/order?slip=${slip}`);
    const formula = (await who.page.locator(".formula").last().innerText()).match(/[\d,]+/g).map((part) => Number(part.replaceAll(",", "")));
    const [subtotal, discount, tax, total] = formula;
    assert.equal(subtotal - discount + tax, total, "the formula holds");
  });
}
