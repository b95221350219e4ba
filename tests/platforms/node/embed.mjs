// The connector in Node: the component as `tsunagi component --out` writes it, jco for the code, node:sqlite for the storage.
//
//   node embed.mjs tsunagi.wasm shop.sqlite sandbox.json scenario.json
//
// Plays the scenario against a sandbox (`tsunagi sandbox --json > sandbox.json`) and prints each call with its answer, one JSON
// object a line. A platform keeps `openShop`, `storage` and the spelling, and leaves the play aside.
//
// A call blocks its thread while it waits: preview2-shim makes the requests on a thread of its own, several at a time, to any host.
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { transpile, writeFiles } from '@bytecodealliance/jco-transpile';
import { WASIShim } from '@bytecodealliance/preview2-shim/instantiation';

// One shop's storage (wit/storage.wit): one file a shop, so that no instance sees another's keys. SQLite compares text byte by
// byte in UTF-8, as the contract wants it, and AUTOINCREMENT never gives out a revision twice, not even after a delete.
function storage(path) {
  process.umask(0o077); // the file holds tokens
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS entry (revision INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL)`);
  const statement = (sql) => {
    const made = db.prepare(sql);
    made.setReadBigInts(true); // a revision is a u64
    return made;
  };
  const one = statement('SELECT key, revision, value FROM entry WHERE key = ?');
  const range = (order) =>
    statement(`SELECT key, revision, value FROM entry WHERE key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`);
  const scans = { forward: range('ASC'), backward: range('DESC') };
  const put = statement('INSERT OR REPLACE INTO entry (key, value) VALUES (?, ?)');
  const remove = statement('DELETE FROM entry WHERE key = ?');
  // What is thrown to the component is its `storage-error`. Only SQLite's own trouble becomes `unavailable`.
  const told = (work) => {
    try {
      return work();
    } catch (error) {
      throw error.tag ? error : { tag: 'unavailable', val: String(error.message) };
    }
  };
  const commit = (checks, writes) => {
    db.exec('BEGIN IMMEDIATE'); // what is checked must not change before it is written, by another process either
    try {
      for (const { key, revision } of checks) {
        if (one.get(key)?.revision !== revision) throw { tag: 'conflict', val: key };
      }
      for (const { key, value } of writes) value === undefined ? remove.run(key) : put.run(key, value);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
  return {
    get: (keys) => told(() => keys.map((key) => one.get(key))),
    scan: ({ start, end }, direction, limit) => told(() => scans[direction].all(start, end, limit)),
    commit: (checks, writes) => told(() => commit(checks, writes)),
  };
}

// The component's code, made once: what it gives makes instances.
export async function load(component) {
  const folder = mkdtempSync(join(tmpdir(), 'tsunagi-'));
  const { files } = await transpile(component, {
    name: 'tsunagi', outDir: folder, instantiation: 'async', emitTypescriptDeclarations: false, noComponentErrorWrapping: true,
  });
  await writeFiles(files);
  const { instantiate } = await import(pathToFileURL(join(folder, 'tsunagi.js')));
  const modules = {};
  for (const [path, code] of Object.entries(files)) if (path.endsWith('.wasm')) modules[basename(path)] = await WebAssembly.compile(code);
  rmSync(folder, { recursive: true });
  return (imports) => instantiate((name) => modules[name], imports);
}

// A shop's functions, by `interface.function`: every call gets a fresh instance. No arguments and no environment for the component.
async function openShop(component, database) {
  const fresh = await load(component);
  const wasi = new WASIShim({ sandbox: { args: [], env: {}, preopens: {} } }).getImportObject();
  const imports = { ...wasi, 'tsunagi:connector/storage': storage(database) };
  return async (name, given) => called(await fresh(imports), name, Object.entries(given).map(([name, value]) => toJs(value, name)));
}
export function called(instance, name, values) {
  const [face, func] = name.split('.');
  try {
    return { call: name, answer: toJson(instance[face][toCamel(func)](...values)) };
  } catch (error) {
    if (error instanceof Error) throw error; // a trap, not the contract's `error`
    return { call: name, error: toJson(error) };
  }
}

// The contract's own spelling as JSON, as our host's API has it, to and from what jco makes of it. jco's values don't tell a
// variant from an enum, so the arguments that are variants are named here.
const VARIANTS = ['charge', 'delivery', 'other', 'choice'];
const toCamel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
const toKebab = (name) => name.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase());
export function toJs(value, name) {
  if (VARIANTS.includes(name)) {
    if (typeof value === 'string') return { tag: value };
    const [[tag, val]] = Object.entries(value);
    return { tag, val };
  }
  if (Array.isArray(value)) return value.map((item) => toJs(item));
  if (value === null) return undefined;
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, value]) => [toCamel(name), toJs(value, name)]));
}
function toJson(value) {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object') return value;
  if ('tag' in value) return value.val === undefined ? value.tag : { [value.tag]: toJson(value.val) };
  return Object.fromEntries(Object.entries(value).map(([name, value]) => [toKebab(name), toJson(value)]));
}

// Where the merchant's browser is sent after logging in on Next Engine's page: the redirect with `uid` and `state`.
async function browse(address, { id: login, password }) {
  const page = await fetch(address, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ login, password }) });
  return new URL(page.headers.get('location')).searchParams;
}

async function play(component, database, sandboxFile, scenarioFile) {
  const sandbox = JSON.parse(readFileSync(sandboxFile, 'utf8'));
  const scenario = readFileSync(scenarioFile, 'utf8').replace(/"\$([a-z-]+)\.([a-z-]+)"/g, (_, part, name) => JSON.stringify(sandbox[part][name]));
  const shop = await openShop(component, database);
  const ask = async (name, given) => {
    const done = await shop(name, given);
    return console.log(JSON.stringify(done)) ?? done.answer;
  };
  for (const step of JSON.parse(scenario).steps) {
    if (step.login) {
      const { address, ticket } = await ask('connection.begin-login', {});
      const back = await browse(address, sandbox.login);
      await ask('connection.finish-login', { ticket, uid: back.get('uid'), state: back.get('state') });
    } else if (step.call) {
      while ((await ask(step.call, step.arguments))?.more && step['while-more']);
    } else if (step.operator) {
      const done = await fetch(sandbox.operator[step.operator] + (step.door ?? 'actions'), { method: 'POST', body: JSON.stringify(step.does) });
      if (!done.ok) throw new Error(await done.text());
    } else {
      await new Promise((resolve) => setTimeout(resolve, step['wait-seconds'] * 1000));
    }
  }
}

if (import.meta.filename === realpathSync(process.argv[1])) await play(...process.argv.slice(2));
