// Who may not come in, and what may not run.

import assert from "node:assert/strict";
import { compare } from "./stock.mjs";

const PLACES = ["overview", "connection", "stock", "sent", "sent.csv", "orders", "orders/store?shop=1", "details", "received", "received.csv", "compare", "align", "story?key=10001", "changes"];

/** A merchant's cookie at another's shop, the operator's pages, and everything without a cookie. */
export async function doors(run, who, other) {
  await who.step(`nothing of ${other} is shown to the merchant of ${who.shop}`, async () => {
    const { request } = who.context;
    const addresses = [...PLACES.map((place) => `${run.base}/console/t/${other}/${place}`), `${run.base}/console/changes`];
    for (const address of addresses) {
      const answer = await request.get(address, { maxRedirects: 0 });
      assert.equal(answer.status(), 404, address);
      assert.doesNotMatch(await answer.text(), /つなぎ|TEA-|NEW-/, address);
    }
    await who.open("stock");
    const code = await who.page.locator('main input[name="form-code"]').first().inputValue();
    for (const place of ["stock", "connection/forget", "sent/resend", "received/retry", "orders/import", "compare/run", "align/confirm", "export"]) {
      const answer = await request.post(`${run.base}/console/t/${other}/${place}`, { form: { "form-code": code, sure: "true" }, maxRedirects: 0 });
      assert.equal(answer.status(), 404, place);
    }
  });
  await who.step("without a cookie there is only the sign-in", async () => {
    for (const place of PLACES) {
      const answer = await fetch(who.at(place), { redirect: "manual" });
      assert.equal(answer.status, 303, place);
      assert.match(answer.headers.get("location"), /^\/console\/sign-in/);
    }
  });
}

const EVIL = '"><script>window.hit=1</script><img src=x onerror=window.hit=2>';

/** A script in an order's number and lines, in a product's name and in a shop's name stays text. */
export async function scripts(run, who) {
  const { operate } = run.shops[who.shop];
  await who.step("script tags stay text", async () => {
    await operate("smaregi", "set_product", { product: { id: 950, code: "EVIL-1", name: EVIL, price: 500, stock_managed: true } });
    await operate("smaregi", "purchase", { product: 950, store: 1, quantity: 4 });
    await who.open("orders/store?shop=2");
    await who.field("ネクストエンジン店舗名", "Next Engine shop name").fill(EVIL);
    await who.press("更新", "Save");
    await compare(who);
    for (const place of [`received?slip=${who.evil}`, `received/order?slip=${who.evil}`, "orders", "overview", "compare?all=true&product=EVIL-1", "changes"]) {
      await who.open(place);
      await who.page.locator("main").getByText("<script>window.hit=1</script>").filter({ visible: true }).first().waitFor();
      assert.equal(await who.page.evaluate(() => window.hit), undefined, place);
      assert.equal(await who.page.locator("main img, main script").count(), 0, place);
    }
  });
}
