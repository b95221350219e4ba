// What moves at the till reaches Next Engine; what was refused there is sent again; 在庫照合 and 在庫合わせ.

import assert from "node:assert/strict";
import { until } from "../helper.mjs";

const LONG = 120_000;

/** Looks at 送信履歴 of a product until its newest entry looks so. */
async function becomes(who, code, badge, told) {
  await until(`${code}: ${told}`, async () => {
    await who.open(`sent?product=${code}`);
    const first = who.page.locator("main tbody tr").first();
    return (await first.count()) > 0 && (await first.locator(`.badge.${badge}`).count()) > 0;
  }, LONG);
  return who.page.locator("main tbody tr").first().innerText();
}

export async function send(run, who) {
  const { operate } = run.shops[who.shop];
  await who.step("a sale at the till is applied at Next Engine, before and after shown", async () => {
    await operate("smaregi", "pos_sale", { store: 1, lines: [[1, 2]] });
    const row = await becomes(who, "TEA-SEN-100", "good", who.say("反映済み", "applied"));
    assert.match(row, /−2/);
    const [before, after] = row.match(/([\d,]+) → ([\d,]+)/).slice(1).map(Number);
    assert.equal(after, before - 2);
  });
  await who.step("what Next Engine refuses waits with its reason, and goes again once it is mended", async () => {
    await operate("next-engine", "set_stock", { code: "TEA-GEN-200", stock: 1, reason: "数え直し" });
    await operate("smaregi", "pos_sale", { store: 1, lines: [[7, 3]] });
    await becomes(who, "TEA-GEN-200", "warn", who.say("送信待ち", "waiting"));
    await who.page.locator("tr.why").first().waitFor();
    await operate("next-engine", "set_stock", { code: "TEA-GEN-200", stock: 60, reason: "数え直し" });
    await who.page.getByRole("button", { name: who.say("再送信", "Send again"), exact: true }).first().click();
    await who.sees("再送信の対象にしました。", "Released:");
    const row = await becomes(who, "TEA-GEN-200", "good", who.say("反映済み", "applied"));
    assert.match(row, /60 → 57/);
  });
}

export async function compare(who) {
  await who.open("compare");
  await who.press("照合する", "Compare");
  await who.page.locator("#job .message.good").waitFor({ timeout: LONG });
  // The result comes by itself.
  await who.page.getByRole("button", { name: who.say("絞り込む", "Filter") }).waitFor();
}

export async function differences(run, who) {
  await who.step("在庫照合 finds what nothing explains, unexplained first", async () => {
    await run.shops[who.shop].operate("next-engine", "set_stock", { code: "TEA-KUK-100", stock: 3, reason: "数え直し" });
    await compare(who);
    await who.page.locator("main svg").waitFor();
    const first = await who.page.locator("main tbody tr").first().innerText();
    assert.match(first, /[+−]\d/, first);
    await who.page.getByRole("row").filter({ hasText: "TEA-KUK-100" }).waitFor();
  });
}

export async function align(who) {
  await who.step("aligning shows first what it would send; a mass change asks twice, and after it there is no difference", async () => {
    await who.open("compare");
    await who.page.getByRole("row").filter({ hasText: "TEA-KUK-100" }).getByRole("checkbox").check();
    await who.press("選択した商品を合わせる(確認へ)", "Align the chosen (preview first)");
    await sends(who).waitFor({ timeout: LONG }); // comes by itself
    assert.match(await who.page.getByRole("row").filter({ hasText: "TEA-KUK-100" }).innerText(), /[+−]\d+/);
    assert.equal(await who.page.locator("main tbody tr").count(), 1);
    await who.open("compare");
    await who.press("説明のつかない差をすべて合わせる(確認へ)", "Align all unexplained (preview first)");
    const sure = who.field("大量の変更であることを確認しました", "I know that this is a mass change");
    await sure.waitFor({ timeout: LONG });
    assert.ok((await who.page.locator("main tbody tr").count()) > 1);
    await sends(who).click();
    await who.page.waitForLoadState();
    await sure.waitFor({ timeout: LONG }); // without the second word nothing is sent
    await sure.check();
    await sends(who).click();
    await who.sees("送信待ちに入れました。", "Queued:");
    await until("what was sent is applied", async () => {
      await who.open("sent?outcome=applied&trigger=alignment");
      return (await who.page.locator("main tbody .badge.good").count()) > 10;
    }, LONG);
    await compare(who);
    assert.equal(await who.page.getByRole("row").filter({ hasText: "TEA-" }).getByRole("checkbox").count(), 0);
  });
}

const sends = (who) => who.page.getByRole("button", { name: who.say("この内容で送る", "Send this") });
