// Every page as it stands at the end: axe-core in both themes and at both widths, and its pictures.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { violations } from "../helper.mjs";

const WIDTHS = [1280, 390];
const THEMES = ["light", "dark"];

/** Places of a shop, and what is done there before it is looked at: those that stay as they are while stock moves. */
export function quiet(who) {
  const tried = () => who.press("保存せずに試す", "Try without saving");
  return {
    connection: "connection", stock: "stock", orders: "orders", store: "orders/store?shop=1", details: "details",
    "new-store": ["orders/store", () => who.press("更新", "Save")],
    tried: ["details", async () => (await who.field("手数料", "Charge").selectOption("unset"), tried())],
    notices: "notices", received: "received", order: `received/order?slip=${who.evil}`, nothing: "received?slip=1",
  };
}

/** What the READMEs show, beside 在庫照合 with its differences. */
export function readme(who) {
  return { overview: MOVING.overview, tried: quiet(who).tried, order: `received/order?slip=${who.mended}` };
}

/** The others. */
export const MOVING = { overview: "overview", days: "overview/days", sent: "sent", compare: "compare", align: "align", story: "story?key=TEA-SEN-100", changes: "changes" };

/** The operator's, and those for people who are not signed in. */
export const OPERATORS = { shops: "/console", "all-changes": "/console/changes" };
export const OUTSIDE = { "sign-in": "/console/sign-in", "ended-link": "/console/invitation?code=none" };

/** Looks at each page; finds nothing, or says on which page what is wrong. */
export async function look(run, who, places) {
  for (const [name, place] of Object.entries(places)) {
    await who.step(`${name}: no violation of WCAG 2.1 AA, no wider than its window`, async () => {
      const [address, act] = [place].flat();
      await (address.startsWith("/") ? who.page.goto(run.base + address) : who.open(address));
      await act?.();
      await who.page.waitForLoadState("networkidle");
      const found = [];
      for (const width of WIDTHS) {
        await who.page.setViewportSize({ width, height: 900 });
        for (const theme of THEMES) {
          await who.page.emulateMedia({ colorScheme: theme });
          found.push(...(await violations(who)).map((told) => `${width} px, ${theme}: ${told}`));
          await picture(run, who, `${name}-${width}-${theme}`);
        }
      }
      await who.page.setViewportSize({ width: WIDTHS[0], height: 900 });
      if (await who.page.evaluate(() => "hit" in window)) found.push("a script of an order ran");
      if (found.length) throw new Error(found.join("\n"));
    });
  }
}

async function picture(run, who, name) {
  const folder = path.join(run.folder, "pictures", who.language);
  fs.mkdirSync(folder, { recursive: true });
  await who.page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}

/** What a page is made of: its headings, columns, labels and buttons, each once, without numbers. Rows, times and fonts may differ. */
async function parts(page) {
  const texts = await page.locator("main").locator("h1, h2, h3, th, dt, label, legend, button, summary, .hint").allInnerTexts();
  const told = texts.map((text) => text.replaceAll(/\s+/g, " ").replaceAll(/[\d,.:]+/g, "#").trim());
  return `${[...new Set(told)].join("\n")}\n`;
}

const SHOWN = new URL("../pictures/", import.meta.url);

/** A picture of the READMEs: made anew when that is asked for; else the page must be made of the same parts as when it was. */
export async function shown(run, who, name, place) {
  await who.step(`${name}: the README's picture of it is true`, async () => {
    await who.page.setViewportSize({ width: 1000, height: 720 });
    await who.page.emulateMedia({ colorScheme: "light" });
    const [address, act] = [place].flat();
    await who.open(address);
    await act?.();
    await who.page.waitForLoadState("networkidle");
    const [image, list] = ["png", "txt"].map((ending) => new URL(`${who.language}-${name}.${ending}`, SHOWN));
    const now = await parts(who.page);
    if (run.pictures) {
      fs.mkdirSync(SHOWN, { recursive: true });
      await who.page.screenshot({ path: image.pathname });
      fs.writeFileSync(list, now);
    }
    assert.equal(now, fs.readFileSync(list, "utf8"), "tests/browser/run --pictures makes it anew");
    assert.ok(fs.statSync(image).size < 150_000, "it is small enough for a README");
  });
}
