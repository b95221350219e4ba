// With the keyboard alone: sign-in, a receiving store edited, its orders imported, and out again. Nothing here clicks.

import assert from "node:assert/strict";
import { PASSWORD } from "./accounts.mjs";

/** Tab until something has the focus; wherever it stops on the way it is seen where the focus is. */
async function reach(who, what) {
  const { page } = who;
  for (let stops = 0; stops < 120; stops += 1) {
    if (await what.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => {
      const element = document.activeElement;
      const { width, height } = element.getBoundingClientRect();
      const ring = getComputedStyle(element).outlineStyle !== "none";
      return element === document.body || (width > 0 && height > 0 && ring) ? "" : element.outerHTML.slice(0, 200);
    });
    assert.equal(seen, "", "what has the focus is seen");
  }
  throw new Error("the Tab key does not lead there");
}

async function type(who, field, text) {
  await reach(who, field);
  await who.page.keyboard.press("Control+A");
  await who.page.keyboard.type(text);
}

export async function keyboard(run, who) {
  const { page } = who;
  const named = (role, ja, en) => page.getByRole(role, { name: who.say(ja, en), exact: true }).first();
  await who.step("with the keyboard alone: sign-in", async () => {
    await who.open("overview");
    await type(who, who.field("アカウント名", "Account name"), `${who.shop}@example.jp`);
    await type(who, who.field("パスワード", "Password"), PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL(who.at("overview"));
    await page.keyboard.press("Tab");
    assert.match(await page.evaluate(() => document.activeElement.textContent), /本文へ|Skip to content/, "the first stop leads past the navigation");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  });
  await who.step("with the keyboard alone: a receiving store is edited and its orders are imported", async () => {
    await page.reload();
    await reach(who, named("link", "受注受信設定", "Order settings"));
    await page.keyboard.press("Enter");
    await page.waitForURL(who.at("orders"));
    await reach(who, named("link", "編集", "Edit"));
    await page.keyboard.press("Enter");
    await page.waitForURL(/orders\/store/);
    await type(who, who.field("ネクストエンジン店舗名", "Next Engine shop name"), "モール一号店");
    await page.keyboard.press("Enter");
    await who.sees("保存しました。", "Saved.");
    await page.getByRole("row").filter({ hasText: "モール一号店" }).waitFor();
    await reach(who, named("button", "手動取込", "Import now"));
    await page.keyboard.press("Space");
    await page.locator("#job .message.good").waitFor();
  });
  await who.step("with the keyboard alone: a history is filtered, and out", async () => {
    await reach(who, named("link", "受信履歴", "Received"));
    await page.keyboard.press("Enter");
    await page.waitForURL(who.at("received"));
    await reach(who, who.field("結果", "Result"));
    await page.keyboard.press("ArrowDown");
    await reach(who, named("button", "絞り込む", "Filter"));
    await page.keyboard.press("Enter");
    await page.waitForURL(/outcome=registered/);
    await reach(who, named("button", "サインアウト", "Sign out"));
    await page.keyboard.press("Enter");
    await page.waitForURL(/sign-in/);
  });
}
