// Every import of the component over a recording (replay.mjs): what it asks, a player compares; what it gets is what it got.
import { isDeepStrictEqual } from 'node:util';

const utf8 = new TextEncoder();
const bytes = (content) => (typeof content === 'string' ? utf8.encode(content) : Uint8Array.from(Buffer.from(content.hex, 'hex')));
const content = (given) => {
  const text = Buffer.from(given).toString('utf8');
  return Buffer.from(text, 'utf8').equals(Buffer.from(given)) ? text : { hex: Buffer.from(given).toString('hex') };
};

export function world(player) {
  class Pollable {
    constructor(isReady = () => true) { this.ready = isReady; }
    block() { poll([this]); }
  }
  const poll = (list) => {
    const ready = () => list.flatMap((one, index) => (one.ready() ? [index] : []));
    while (ready().length === 0) player.happens();
    return Uint32Array.from(ready());
  };
  class IoError { toDebugString() { return 'cut'; } }
  class OutputStream {
    parts = [];
    checkWrite() { return 1n << 20n; }
    write(part) { this.parts.push(Buffer.from(part)); }
    flush() {}
    blockingFlush() {}
    blockingWriteAndFlush(part) { this.write(part); }
    subscribe() { return new Pollable(); }
  }
  class InputStream {
    constructor(left = new Uint8Array(), cut) { Object.assign(this, { left, cut }); }
    read(most) {
      if (this.left.length === 0) throw this.cut ? { tag: 'last-operation-failed', val: new IoError() } : { tag: 'closed' };
      const part = this.left.slice(0, Number(most));
      this.left = this.left.slice(part.length);
      return part;
    }
    blockingRead(most) { return this.read(most); }
    subscribe() { return new Pollable(); }
  }
  class Fields {
    all = [];
    append(name, value) { this.all.push([name, value]); }
    get(name) { return this.all.filter(([other]) => other === name).map(([, value]) => value); }
  }
  class OutgoingBody {
    stream = new OutputStream();
    write() { return this.stream; }
    static finish(body) { body.sent?.(Buffer.concat(body.stream.parts)); }
  }
  class OutgoingRequest {
    whole = new OutgoingBody();
    setMethod(method) { this.method = method.val ?? method.tag.toUpperCase(); }
    setScheme(scheme) { this.scheme = scheme.val ?? scheme.tag.toLowerCase(); }
    setAuthority(authority) { this.authority = authority; }
    setPathWithQuery(path) { this.path = path; }
    body() { return this.whole; }
  }
  class RequestOptions { setConnectTimeout() {} setFirstByteTimeout() {} setBetweenBytesTimeout() {} }
  class IncomingBody { stream() { return this.all; } }
  class IncomingResponse {
    constructor(answer) { this.answer = answer; }
    status() { return this.answer.status; }
    headers() { return Object.assign(new Fields(), { all: Object.entries(this.answer.headers).map(([name, value]) => [name, utf8.encode(value)]) }); }
    consume() { return Object.assign(new IncomingBody(), { all: new InputStream(bytes(this.answer.body), this.answer.cut) }); }
  }
  class FutureIncomingResponse {
    subscribe() { return new Pollable(() => this.given !== undefined); }
    get() {
      if (!this.given) return undefined;
      const [kind, step] = this.given;
      // What a failure says beside its name is not recorded.
      const details = ['DNS-error', 'TLS-alert-received'].includes(step.error) ? {} : undefined;
      const failure = () => ({ tag: 'err', val: { tag: step.error, val: details } });
      return { tag: 'ok', val: kind === 'answer' ? { tag: 'ok', val: new IncomingResponse(step) } : failure() };
    }
  }
  const handle = (request) => {
    const number = player.requests.size + 1;
    const url = `${request.scheme}://${request.authority}${request.path}`;
    const step = player.asked('request', { number, method: request.method, url });
    const future = new FutureIncomingResponse();
    player.requests.set(number, future);
    request.whole.sent = (body) => {
      if (isDeepStrictEqual(content(body), step.body)) return;
      const told = new Error(`the recording has request ${number} with ${JSON.stringify(step.body)}; the component sent ${body}`);
      throw Object.assign(told, { isDeparture: true });
    };
    return future;
  };
  const outcome = (given, shown) => {
    if ('ok' in given) return shown(given.ok);
    const [[tag, val]] = Object.entries(given);
    throw { tag, val };
  };
  const entry = (row) => (row === null ? undefined : { key: row.key, revision: BigInt(row.revision), value: bytes(row.value) });
  const storage = {
    get: (keys) => outcome(player.asked('get', { keys }).found, (found) => found.map(entry)),
    scan: ({ start, end }, direction, limit) =>
      outcome(player.asked('scan', { start, end, backward: direction === 'backward', limit }).found, (found) => found.map(entry)),
    commit: (checks, writes) => {
      checks = checks.map(({ key, revision }) => ({ key, revision: revision === undefined ? null : Number(revision) }));
      writes = writes.map(({ key, value }) => ({ key, value: value === undefined ? null : content(value) }));
      return outcome(player.asked('commit', { checks, writes }).done, () => undefined);
    },
  };
  const wait = (nanoseconds) => {
    if (nanoseconds === 0n) return new Pollable();
    const wait = { nanoseconds: Number(nanoseconds), over: false };
    player.waits.push(wait);
    return new Pollable(() => wait.over);
  };
  const now = () => {
    const { at } = player.clock('now', player.wall);
    return { seconds: BigInt(Date.parse(`${at.slice(0, 19)}Z`) / 1000), nanoseconds: Number((/\.(\d+)/.exec(at)?.[1] ?? '').padEnd(9, '0')) };
  };
  const none = () => undefined;
  return {
    'tsunagi:connector/storage': storage,
    'wasi:cli/environment': { getEnvironment: () => [] },
    'wasi:cli/exit': { exit: none },
    'wasi:cli/stdin': { getStdin: () => new InputStream() },
    'wasi:cli/stdout': { getStdout: () => new OutputStream() },
    'wasi:cli/stderr': { getStderr: () => new OutputStream() },
    'wasi:cli/terminal-input': { TerminalInput: class {} },
    'wasi:cli/terminal-output': { TerminalOutput: class {} },
    'wasi:cli/terminal-stdin': { getTerminalStdin: none },
    'wasi:cli/terminal-stdout': { getTerminalStdout: none },
    'wasi:cli/terminal-stderr': { getTerminalStderr: none },
    'wasi:clocks/monotonic-clock': { now: () => BigInt(player.clock('monotonic', player.monotonic).nanoseconds), subscribeDuration: wait },
    'wasi:clocks/wall-clock': { now },
    'wasi:http/outgoing-handler': { handle },
    'wasi:http/types': { Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody, OutgoingRequest, RequestOptions },
    'wasi:io/error': { Error: IoError },
    'wasi:io/poll': { Pollable, poll },
    'wasi:io/streams': { InputStream, OutputStream },
    'wasi:random/insecure-seed': { insecureSeed: () => [0n, 0n] },
    'wasi:random/random': { getRandomU64: () => BigInt(`0x${player.asked('random', {})}`) },
  };
}
