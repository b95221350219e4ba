// The whole of the merchant's page in a real browser, from an empty installation, in Japanese and in English at once.
//
//   run.mjs TSUNAGI CHROMIUM FOLDER [--pictures]

import { chromium } from "playwright-core";
import { install, person } from "./helper.mjs";
import * as accounts from "./flows/accounts.mjs";
import * as connection from "./flows/connection.mjs";
import * as orders from "./flows/orders.mjs";
import * as records from "./flows/records.mjs";
import * as settings from "./flows/settings.mjs";
import * as stock from "./flows/stock.mjs";

const MALLS = [
  { id: "1", name: "つなぎ茶舗 モール店" },
  { id: "2", name: "つなぎ茶舗 公式通販" },
];

const [tsunagi, executablePath, folder] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const run = { ...(await install(tsunagi, folder, ["ueno", "kobe"])), browser, folder, failed: [] };

const operator = await person(run, { name: "operator" });
const merchants = [await person(run, { name: "ueno (ja)", shop: "ueno" }), await person(run, { name: "kobe (en)", shop: "kobe", language: "en" })];

await accounts.operator(run, operator);
for (const who of merchants) {
  await accounts.merchant(run, operator, who);
  await connection.credentials(run, who);
  await connection.places(run, operator, who);
}
await Promise.all(
  merchants.map(async (who) => {
    await connection.connect(run, who);
    await settings.stock(who);
    for (const mall of MALLS) await settings.receivingStore(run, who, mall, "2020-01-01");
    await connection.switchOn(who);
    await orders.firstImport(who);
    await orders.importByHand(run, who);
    await orders.tryFees(who);
    await orders.mend(who);
    await orders.mendProduct(run, who);
    await stock.send(run, who);
    await stock.align(run, who);
    await records.changes(who);
    await records.story(who);
  }),
);
await browser.close();
await run.stop();
console.log(run.failed.length ? `${run.failed.length} failed` : "all held");
process.exit(run.failed.length ? 1 : 0);
