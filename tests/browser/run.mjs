// The whole of the merchant's page in a real browser, from an empty installation, in Japanese and in English at once.
//
//   run.mjs TSUNAGI CHROMIUM FOLDER [--pictures]

import { chromium } from "playwright-core";
import { again, install, person } from "./helper.mjs";
import * as accounts from "./flows/accounts.mjs";
import * as connection from "./flows/connection.mjs";
import { doors, scripts } from "./flows/doors.mjs";
import { keyboard } from "./flows/keyboard.mjs";
import * as pages from "./flows/pages.mjs";
import { plain } from "./flows/plain.mjs";
import * as orders from "./flows/orders.mjs";
import * as records from "./flows/records.mjs";
import * as settings from "./flows/settings.mjs";
import * as stock from "./flows/stock.mjs";

const MALLS = [
  { id: "1", name: "つなぎ茶舗 モール店" },
  { id: "2", name: "つなぎ茶舗 公式通販" },
];

const [tsunagi, executablePath, folder, pictures] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const run = { ...(await install(tsunagi, folder, ["ueno", "kobe"])), browser, folder, pictures: pictures === "--pictures", failed: [] };

const operator = await person(run, { name: "operator" });
const ueno = await person(run, { name: "ueno (ja)", shop: "ueno" });
const kobe = await person(run, { name: "kobe (en)", shop: "kobe", language: "en" });
// The services' books hold a month; the older part of it is never imported, so the first stock is not equal.
const since = new Date(Date.now() - 10 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);

/** From the login to the last refused order. */
async function orderSide(who) {
  await connection.connect(run, who);
  await settings.stock(who);
  for (const mall of MALLS) await settings.receivingStore(run, who, mall, since);
  await connection.switchOn(who);
  await orders.firstImport(who);
  await orders.importByHand(run, who);
  await orders.tryFees(who);
  await orders.mend(who);
  await orders.mendProduct(run, who);
}

async function stockSide(who) {
  await stock.send(run, who);
  await stock.differences(run, who);
  await pages.shown(run, who, "compare", "compare");
  await stock.align(who);
  await records.changes(who);
  await records.story(who);
}

/** Stock waits most of the time, so the rest is looked at meanwhile. */
async function whole(who, meanwhile) {
  await orderSide(who);
  const window = await again(run, who, `${who.name}, second window`);
  await Promise.all([stockSide(who), meanwhile().then(() => pages.look(run, window, pages.quiet(window)))]);
  await pages.look(run, who, pages.MOVING);
  for (const [name, place] of Object.entries(pages.readme(who))) await pages.shown(run, who, name, place);
  await scripts(run, who);
}

await accounts.operator(run, operator);
for (const who of [ueno, kobe]) {
  await accounts.merchant(run, operator, who);
  await connection.credentials(run, who);
  await connection.places(run, operator, who);
}
await Promise.all([
  whole(ueno, async () => plain(run, await person(run, { name: "ueno without script", shop: "ueno", javaScriptEnabled: false }))),
  whole(kobe, async () => {
    await keyboard(run, await person(run, { name: "kobe by keyboard", shop: "kobe", language: "en" }));
    await doors(run, await again(run, kobe, "kobe (en), second window"), "ueno");
  }),
]);
const visitor = await person(run, { name: "a visitor", language: "en" });
await Promise.all([pages.look(run, operator, pages.OPERATORS), pages.look(run, visitor, pages.OUTSIDE)]);
await browser.close();
await run.stop();
console.log(run.failed.length ? `${run.failed.length} failed` : "all held");
process.exit(run.failed.length ? 1 : 0);
