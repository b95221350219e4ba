// 変更の記録 and the story of an order.

import assert from "node:assert/strict";

export async function changes(who) {
  await who.step("変更の記録: who changed what, in the words of the forms, without secrets", async () => {
    await who.open("changes");
    const told = await who.page.locator("main").innerText();
    const expected = who.say(
      ["設定の変更", "接続確認", "手動取込", "再取込", "連携オン", "再送信", "在庫照合", "在庫合わせ", "手数料: 未設定 → 取引明細 EC-FEE"],
      ["changed settings", "checked the connection", "imported by hand", "took orders in again", "switched the link on", "sent stock again", "compared stock", "aligned stock", "Charge: not set → line EC-FEE"],
    );
    for (const words of expected) assert.ok(told.includes(words), `${words} is not there`);
    assert.ok(told.includes(`${who.shop}@example.jp`));
    assert.ok(!/sandbox-secret|client-secret/.test(told), "no secret is shown");
  });
}

export async function story(who) {
  await who.step("the story of a product and of an order", async () => {
    for (const key of ["TEA-SEN-100", `${who.evil}`]) {
      await who.open("story");
      await who.page.getByRole("searchbox").fill(key);
      await who.press("調べる", "Search");
      await who.page.locator(".story li").first().waitFor();
      assert.ok((await who.page.locator(".story li").count()) > 1, key);
    }
  });
}
