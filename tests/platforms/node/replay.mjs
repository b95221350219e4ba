// Recorded calls again, in Node: the component as `tsunagi component --out` writes it, and nothing of the outside.
//
//   node replay.mjs tsunagi.wasm ../../recordings/*.json
//
// What a recording is, `host/src/recording.rs` says. Each request, read, commit and wait of the component is compared with it, and its
// result; the first that differs ends that call, and the program with 1. Clock readings may be more or fewer.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { called, load, toJs } from './embed.mjs';
import { world } from './recorded.mjs';

// A webhook's body is bytes.
const delivery = (webhook) => ({ ...toJs(webhook), body: new TextEncoder().encode(webhook.body) });

// The place in a recording: what comes next, and whether the component asks for it.
class Player {
  at = 0;
  requests = new Map();
  waits = [];
  wall = { at: '1970-01-01T00:00:00Z', left: 0 };
  monotonic = { nanoseconds: 0, left: 0 };
  constructor(steps) {
    this.steps = steps.map((step) => Object.entries(step)[0]);
  }
  isClock = (at) => ['now', 'monotonic'].includes(this.steps[at]?.[0]);
  next() {
    while (this.isClock(this.at)) this.at += 1;
    this.wall.left = this.monotonic.left = 0;
    return this.steps[this.at] ?? ['end', null];
  }
  clock(kind, last) {
    if (last.left === 0) {
      let found = this.at;
      while (this.isClock(found) && this.steps[found][0] !== kind) found += 1;
      if (this.isClock(found)) {
        Object.assign(last, this.steps[found][1], { left: this.steps[found][1].times });
        this.at = found + 1;
      } else last.left = 1;
    }
    last.left -= 1;
    return last;
  }
  departs(asked) {
    const recorded = JSON.stringify(this.next()).slice(0, 400);
    const told = new Error(`at step ${this.at + 1} the recording has ${recorded}; the component asked for ${asked.slice(0, 400)}`);
    return Object.assign(told, { isDeparture: this.at < this.steps.length });
  }
  // Where the recording has the same there, its step.
  asked(kind, asked) {
    const [is, step] = this.next();
    const same = is === kind && Object.entries(asked).every(([name, value]) => isDeepStrictEqual(step[name], value));
    if (!same) throw this.departs(JSON.stringify([kind, asked]));
    this.at += 1;
    return step;
  }
  // The component can do nothing else: what comes next happens.
  happens() {
    const [kind, step] = this.next();
    const waited = kind === 'waited' && this.waits[step.number - 1];
    if (waited && waited.nanoseconds === step.nanoseconds) waited.over = true;
    else if (['answer', 'failed'].includes(kind) && this.requests.has(step.number)) this.requests.get(step.number).given = [kind, step];
    else throw this.departs('a wait for something else');
    this.at += 1;
  }
}

const [component, ...files] = process.argv.slice(2);
const fresh = await load(component);
for (const file of files) {
  const { function: name, arguments: given, parameters, steps, ended } = JSON.parse(readFileSync(file, 'utf8'));
  const player = new Player(steps);
  const value = (parameter) => (parameter === 'webhook' ? delivery(given.webhook) : toJs(given[parameter], parameter));
  try {
    const { answer, error } = called(await fresh(world(player)), name, parameters.map(value));
    const end = error === undefined ? { ok: answer } : { error };
    if (player.next()[0] !== 'end') throw player.departs(`nothing more, and ended with ${JSON.stringify(end)}`);
    if (!isDeepStrictEqual(end, ended)) throw player.departs(`the end with ${JSON.stringify(end)}, and not ${JSON.stringify(ended)}`);
    console.log(`as recorded: ${file}`);
  } catch (error) {
    // How a failure of the component is worded is the runtime's; and what was ended may have been about to do more.
    if (ended.fault !== undefined && !error.isDeparture) {
      console.log(`as recorded: ${file}`);
      continue;
    }
    console.error(`OTHERWISE: ${file}: ${error.message}`);
    process.exitCode = 1;
  }
}
