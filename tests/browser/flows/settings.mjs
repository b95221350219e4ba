// 在庫送信設定, 受注受信設定 and its receiving stores.

import assert from "node:assert/strict";

const TRIGGERS = {
  ja: ["修正時に送信", "売上時に送信", "仕入時に送信", "出荷時に送信", "入庫時に送信", "出庫時に送信", "棚卸時に送信", "ロス時に送信"],
  en: ["Corrections", "Sales", "Purchases", "Shipments", "Receipts", "Issues", "Stocktakes", "Losses"],
};
const TARGETS = ["つなぎ茶舗 本店 (1)", "つなぎ茶舗 倉庫 (3)"];

export async function stock(who) {
  await who.step("在庫送信設定: eight triggers, the target stores by name", async () => {
    await who.open("stock");
    const boxes = [...TRIGGERS[who.language], ...TARGETS];
    for (const name of boxes) await who.page.getByLabel(name, { exact: true }).check();
    await who.press("更新", "Save");
    await who.sees("保存しました。", "Saved.");
    for (const name of boxes) assert.ok(await who.page.getByLabel(name, { exact: true }).isChecked(), name);
    assert.ok(!(await who.page.getByLabel("つなぎ茶舗 駅前店 (2)", { exact: true }).isChecked()));
  });
}

/** What a field offers to choose from. */
export async function offered(field) {
  return field.evaluate((input) => [...input.list.options].map((option) => `${option.value} ${option.textContent}`));
}

export async function receivingStore(run, who, mall, from) {
  await who.step(`受注受信設定: a receiving store for ${mall.name}, chosen from lists`, async () => {
    await who.open("orders");
    await who.page.getByRole("link", { name: who.say("受信店舗の追加", "Add a receiving store") }).click();
    const store = who.field("店舗(スマレジ)", "Store (Smaregi)");
    const shop = who.field("ネクストエンジン店舗", "Next Engine shop");
    assert.ok((await offered(store)).includes("1 つなぎ茶舗 本店 (1)"), `${await offered(store)}`);
    assert.ok((await offered(shop)).includes(`${mall.id} ${mall.name} (${mall.id})`), `${await offered(shop)}`);
    await store.fill("77");
    await shop.fill(mall.id);
    await who.field("取込開始日", "Import from").fill(from);
    await who.field("在庫移動元店舗(スマレジ)", "Stock from (Smaregi store)").fill("3");
    await store.fill("1");
    await who.press("更新", "Save");
    await who.sees("保存しました。", "Saved.");
    const row = who.page.getByRole("row").filter({ hasText: mall.name });
    await row.getByText(who.say("まだ", "not yet")).waitFor();
    assert.match(await row.innerText(), new RegExp(from));
  });
}
