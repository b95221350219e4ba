// What every flow uses: the program and the doubles of both services, people with a browser each, steps that tell what was on the page
// when one fails. Knows nothing of what a page must show.

import axe from "axe-core";
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";

/** Milliseconds that something on a page may take. */
export const PATIENCE = 30_000;
const RULES = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] };

/** Whether a condition becomes true in time; otherwise the error says what was waited for. */
export async function until(what, holds, patience = PATIENCE) {
  for (const end = Date.now() + patience; ; await new Promise((done) => setTimeout(done, 200))) {
    if (await holds()) return;
    if (Date.now() > end) throw new Error(`in ${patience / 1000} s it did not come to this: ${what}`);
  }
}

function free() {
  return new Promise((done) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** Starts the program in a folder; gives the JSON object that it prints first, and the process. */
function begin(tsunagi, folder, name, words) {
  const errors = fs.openSync(path.join(folder, `${name}.txt`), "w");
  const process = spawn(tsunagi, ["--json", ...words], { cwd: folder, stdio: ["ignore", "pipe", errors] });
  return new Promise((done, failed) => {
    let text = "";
    process.stdout.on("data", (part) => {
      text += part;
      if (text.endsWith("\n}\n")) done({ told: JSON.parse(text), process });
    });
    process.on("exit", (code) => failed(new Error(`${name} ended with ${code}: ${fs.readFileSync(path.join(folder, `${name}.txt`))}`)));
  });
}

/** An installation with nothing set, and for each shop a sandbox of its own. `operate` is what people do at the services. */
export async function install(tsunagi, folder, names) {
  const base = `http://127.0.0.1:${await free()}`;
  const tenants = names.map((name) => `[tenants.${name}]\nwebhook-secret = "secret-of-${name}"\n`).join("");
  const listen = base.slice("http://".length);
  fs.writeFileSync(path.join(folder, "tsunagi.toml"), `[server]\nlisten = "${listen}"\npublic-url = "${base}"\n[store]\npath = "t.sqlite"\n${tenants}`);
  const running = [];
  const shops = {};
  for (const name of names) {
    const { told, process } = await begin(tsunagi, folder, `sandbox-${name}`, ["sandbox"]);
    running.push(process);
    const door = async (service, part, order, method = "POST") => {
      const answer = await fetch(told.operator[service] + part, { method, body: order && JSON.stringify(order) });
      if (!answer.ok) throw new Error(`${part}: ${await answer.text()}`);
      return answer.json();
    };
    shops[name] = { ...told, door, operate: (service, action, more) => door(service, "actions", { action, ...more }) };
    await shops[name].operate("next-engine", "set_redirect_uri", { address: `${base}/login/callback` });
    const header = ["x-tsunagi-secret", `secret-of-${name}`];
    await shops[name].operate("smaregi", "set_hook", { url: `${base}/t/${name}/webhook/smaregi`, header });
    await shops[name].operate("smaregi", "set_pace", { limits: "none" }); // our own pace is the settings'
    // The upload's queue answers at once: its quarter of a minute is tried elsewhere.
    await door("next-engine", "switches", { queue_delay: "none" }, "PUT");
  }
  running.push((await begin(tsunagi, folder, "serve", ["serve"])).process);
  const invitation = async () => (await begin(tsunagi, folder, "operator", ["operator"])).told.address;
  const stop = () =>
    Promise.all(running.map((process) => new Promise((done) => process.removeAllListeners("exit").on("exit", done) && process.kill("SIGINT"))));
  return { base, shops, invitation, stop };
}

/** Somebody with a browser. `open` is a page of their shop, `step` something that they do and see. */
export async function person(run, { name, shop, language = "ja", storageState, javaScriptEnabled }) {
  const locale = language === "ja" ? "ja-JP" : "en-GB";
  const context = await run.browser.newContext({ locale, viewport: { width: 1280, height: 900 }, storageState, javaScriptEnabled });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const troubles = [];
  page.on("console", (said) => {
    const { url } = said.location();
    const theirs = url && !url.startsWith(run.base); // what Next Engine's own page lacks
    const ended = said.text() === "[object Event]" && url.includes("/htmx"); // a stream of events ended, and the browser comes back
    if (!theirs && !ended && ["error", "warning"].includes(said.type())) troubles.push(`${said.text()} ${said.location().url}`);
  });
  page.on("pageerror", (error) => troubles.push(error.message));
  const who = { name, shop, language, context, page, troubles, say: (ja, en) => (language === "ja" ? ja : en) };
  who.at = (place) => `${run.base}/console/t/${who.shop}/${place}`;
  who.open = (place) => page.goto(who.at(place));
  who.press = (ja, en) => page.getByRole("button", { name: who.say(ja, en), exact: true }).click();
  who.field = (ja, en) => page.getByLabel(who.say(ja, en), { exact: true });
  who.sees = (ja, en, within = "main") => page.locator(within).getByText(who.say(ja, en)).first().waitFor();
  who.step = (told, act) => step(run, who, told, act);
  return who;
}

/** The same person in another window. */
export async function again(run, who, name) {
  return Object.assign(await person(run, { ...who, name, storageState: await who.context.storageState() }), { evil: who.evil });
}

async function step(run, who, told, act) {
  if (run.failed.length) return; // what follows needs it
  const begun = Date.now();
  try {
    await act();
    if (who.troubles.length) throw new Error(`the browser complains: ${who.troubles.join("; ")}`);
    console.log(`ok    ${who.name}: ${told} (${Date.now() - begun} ms)`);
  } catch (error) {
    run.failed.push(told);
    const file = path.join(run.folder, `failed-${run.failed.length}.png`);
    const shown = await who.page.locator("body").innerText({ timeout: 2000 }).catch(() => "nothing");
    await who.page.screenshot({ path: file, fullPage: true }).catch(() => {});
    console.log(`FAIL  ${who.name}: ${told}\n${error.stack}\n-- ${who.page.url()} shows (${file}):\n${shown}\n--`);
  }
}

/** What axe-core finds on the page as it stands, and whether it is wider than its window. */
export async function violations(who) {
  const { page } = who;
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const found = await page.evaluate((rules) => window.axe.run({ runOnly: rules, resultTypes: ["violations"] }), RULES);
  const told = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join("; ")}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) told.push(`the page is ${wide} px wider than its window of ${page.viewportSize().width}`);
  return told;
}
