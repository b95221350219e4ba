// The first account of an empty installation, and the merchants'.

import assert from "node:assert/strict";

export const PASSWORD = "leaves of green tea";

async function choosePassword(who, name) {
  await who.field("アカウント名", "Account name").fill(name);
  await who.field("パスワード", "Password").fill(PASSWORD);
  await who.field("パスワード(もう一度)", "Password again").fill(PASSWORD);
  await who.press("設定してサインイン", "Set it and sign in");
}

/** The operator opens the link that the command line printed. */
export async function operator(run, who) {
  await who.step("the operator's first account", async () => {
    const link = await run.invitation();
    await who.page.goto(link);
    await who.field("アカウント名", "Account name").fill("oya");
    await who.field("パスワード", "Password").fill("short");
    await who.field("パスワード(もう一度)", "Password again").fill("short");
    await who.press("設定してサインイン", "Set it and sign in");
    const wrong = who.field("パスワード", "Password");
    assert.equal(await wrong.getAttribute("aria-invalid"), "true", "what is wrong is marked");
    await who.sees("12文字以上", "at least 12");
    assert.equal(await who.field("アカウント名", "Account name").inputValue(), "oya", "what was typed stays");
    who.troubles.length = 0; // the browser tells the status 422 of the form that came back
    await choosePassword(who, "oya");
    for (const shop of Object.keys(run.shops)) await who.page.getByRole("link", { name: shop, exact: true }).waitFor();
    await who.page.goto(link);
    await who.sees("一度だけ", "works once");
    who.troubles.length = 0; // 403
  });
}

/** The operator makes an invitation for a shop, and its merchant takes it up. */
export async function merchant(run, operator, who) {
  await who.step(`the operator invites the merchant of ${who.shop}, who sees their shop`, async () => {
    await operator.page.goto(`${run.base}/console`);
    const row = operator.page.getByRole("row").filter({ hasText: who.shop });
    await row.getByRole("button", { name: operator.say("店舗の人を招待", "Invite its merchant") }).click();
    await who.page.goto(await operator.page.locator("code.link").innerText());
    await choosePassword(who, `${who.shop}@example.jp`);
    await who.page.getByRole("heading", { level: 1, name: who.say("概況", "Overview") }).waitFor();
    await who.sees("ネクストエンジンにログインしていません。", "Nobody is logged in to Next Engine.");
  });
}

/** Signs in with the name and the password. */
export async function signIn(run, who, account, place) {
  await who.open(place);
  await who.field("アカウント名", "Account name").fill(account);
  await who.field("パスワード", "Password").fill(PASSWORD);
  await who.press("サインイン", "Sign in");
  await who.page.waitForURL(who.at(place));
}
