// Without JavaScript: everything can be read and saved.

import assert from "node:assert/strict";
import { signIn } from "./accounts.mjs";

export async function plain(run, who) {
  await who.step("without script: sign-in, a setting saved and set back", async () => {
    await signIn(run, who, `${who.shop}@example.jp`, "stock");
    const loss = who.field("ロス時に送信", "Losses");
    for (const expected of [false, true]) {
      await loss.setChecked(expected);
      await who.press("更新", "Save");
      await who.sees("保存しました。", "Saved.");
      assert.equal(await loss.isChecked(), expected);
    }
  });
  await who.step("without script: what is wrong stands beside its field", async () => {
    await who.open("orders/store");
    await who.field("ネクストエンジン店舗名", "Next Engine shop name").fill("三号店");
    await who.press("更新", "Save");
    const store = who.field("店舗(スマレジ)", "Store (Smaregi)");
    assert.equal(await store.getAttribute("aria-invalid"), "true");
    assert.equal(await who.field("ネクストエンジン店舗名", "Next Engine shop name").inputValue(), "三号店");
  });
  await who.step("without script: an import, and how it stands", async () => {
    await who.open("orders");
    await who.page.getByRole("button", { name: who.say("手動取込", "Import now") }).first().click();
    const done = who.page.locator("#job .message.good");
    for (let tries = 0; tries < 30 && !(await done.isVisible()); tries += 1) {
      await who.page.getByRole("link", { name: who.say("最新の状態を表示", "Show how it stands now") }).click({ timeout: 1000 }).catch(() => who.open("orders"));
    }
    assert.ok(await done.isVisible(), "it came to its end");
  });
  await who.step("without script: pictures, language, sign-out", async () => {
    await who.open("overview");
    await who.page.getByRole("link", { name: who.say("図を表示", "Show the pictures") }).click();
    assert.ok((await who.page.locator("main svg").count()) > 0);
    await who.page.getByRole("link", { name: who.say("English", "日本語") }).click();
    await who.page.getByRole("button", { name: who.say("Sign out", "サインアウト") }).click();
    await who.open("overview");
    assert.match(who.page.url(), /sign-in/);
  });
}
