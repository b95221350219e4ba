// 連携設定: addresses, ids and secrets, the login at Next Engine in the same window, 接続確認, on.

import assert from "node:assert/strict";

/** The operator says where the services are; a merchant is not asked. */
export async function places(run, operator, who) {
  await operator.step(`where the services of ${who.shop} are`, async () => {
    operator.shop = who.shop;
    await operator.open("connection");
    await operator.page.getByText(operator.say("接続先のアドレス(通常は変更しません)", "Addresses of the services (usually left alone)")).click();
    for (const [name, address] of Object.entries(run.shops[who.shop].endpoints)) await operator.page.locator(`[id="endpoints.${name}"]`).fill(address);
    await operator.press("更新", "Save");
    await operator.sees("保存しました。", "Saved.");
    await who.open("connection");
    assert.equal(await who.page.locator('[id^="endpoints."]').count(), 0, "a merchant does not see the addresses");
  });
}

/** What both services know the shop by. */
export async function credentials(run, who) {
  const { page } = who;
  const { credentials } = run.shops[who.shop];
  await who.step("what is wrong stands beside its field, and nothing typed is lost", async () => {
    await who.open("connection");
    for (const [name, value] of Object.entries(credentials)) {
      const typed = name === "next-engine-redirect" ? `${run.base}/login/callback` : value;
      await page.locator(`[id="credentials.${name}"]`).fill(typed);
    }
    await page.getByText(who.say("間隔と呼び出しの上限", "Pace and limits")).click();
    await who.field("受注の取込間隔(分)", "Minutes between imports").fill("0");
    await who.press("更新", "Save");
    await who.sees("保存していません。", "Nothing was saved.");
    const wrong = who.field("受注の取込間隔(分)", "Minutes between imports");
    assert.equal(await wrong.getAttribute("aria-invalid"), "true");
    const told = page.locator(`[id="${(await wrong.getAttribute("aria-describedby")).split(" ").pop()}"]`);
    assert.match(await told.innerText(), /1440/, "the field says what is right");
    assert.equal(await page.locator('[id="credentials.smaregi-client-id"]').inputValue(), credentials["smaregi-client-id"]);
    await wrong.fill("1440"); // so that no import begins by itself under this run
    await who.field("間隔を待たずに送る商品数", "Products from which a sending is not put off").fill("1");
    await who.field("在庫の送信間隔(分)", "Minutes between sendings").fill("1");
    await who.press("更新", "Save");
    await who.sees("保存しました。", "Saved.");
  });
}

/** Writes a second to Smaregi. */
export async function setPace(who, writes) {
  await who.step(`the pace is ${writes} writes a second`, async () => {
    await who.open("connection");
    await who.page.getByText(who.say("間隔と呼び出しの上限", "Pace and limits")).click();
    await who.field("スマレジへの毎秒の書き込み数", "Writes a second to Smaregi").fill(`${writes}`);
    await who.press("更新", "Save");
    await who.sees("保存しました。", "Saved.");
  });
}

/** The login and the check. */
export async function connect(run, who) {
  const { page } = who;
  const { login, operate } = run.shops[who.shop];
  await who.step("login at Next Engine in the same window, and back", async () => {
    await who.open("connection");
    await who.press("ネクストエンジンにログイン", "Log in to Next Engine");
    await page.getByLabel("ログインID").fill(login.id);
    await page.getByLabel("パスワード").fill("not it");
    await page.getByRole("button", { name: "ログイン" }).click();
    await page.getByText("ログインIDまたはパスワードが違います。").waitFor();
    await page.getByLabel("ログインID").fill(login.id);
    await page.getByLabel("パスワード").fill(login.password);
    await page.getByRole("button", { name: "ログイン" }).click();
    await who.sees("ネクストエンジンにログインしました。", "Logged in to Next Engine.");
    assert.ok(page.url().startsWith(who.at("connection")), page.url());
  });
  await who.step("接続確認 tells what is missing, then both expiries", async () => {
    const scopes = "pos.products:read pos.stores:read pos.stock:read pos.stock:write pos.stock-changes:read pos.transactions:read pos.transactions:write";
    await operate("smaregi", "set_scopes", { scopes: scopes.split(" ").filter((scope) => scope !== "pos.stock:write") });
    await who.press("接続確認", "Check now");
    await page.locator("#check").getByText("pos.stock:write").waitFor();
    await operate("smaregi", "set_scopes", { scopes: scopes.split(" ") });
    await operate("smaregi", "revoke_tokens");
    await who.press("接続確認", "Check now");
    await page.locator("#check").getByText("pos.stock:write").waitFor({ state: "detached" });
    assert.equal(await page.locator("#check .badge.good").count(), 2, "both services are connected");
    const [access, refresh] = await page.locator("#check dd").allInnerTexts();
    assert.match(access, /\d{4}-\d\d-\d\d \d\d:\d\d JST/);
    assert.match(refresh, who.language === "ja" ? /あと[23]日/ : /[23] d .*left/);
  });
}

/** 連携オン. */
export async function switchOn(who) {
  await who.step("連携オン", async () => {
    await who.open("connection");
    await who.press("連携オンにする", "Switch on");
    await who.sees("連携をオンにしました。", "The link is on.");
    await who.page.locator("#switch .badge.good").waitFor();
  });
}
