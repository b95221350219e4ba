// Every page as it stands at the end: axe-core in both themes and at both widths, and its pictures.

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
    received: "received", order: `received/order?slip=${who.evil}`, nothing: "received?slip=1",
  };
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
