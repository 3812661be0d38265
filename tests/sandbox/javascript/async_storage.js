// What AsyncLocalStorage holds at every kind of continuation; run in Node and in an Action by test_async_storage.py.
const { AsyncLocalStorage, AsyncResource } = require('async_hooks');
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const out = [];
const als = new AsyncLocalStorage(), other = new AsyncLocalStorage();
const say = (...a) => out.push(a.map((x) => x === undefined ? 'undefined' : JSON.stringify(x)).join(' '));
exports.program = async () => {
  // overlapping runs
  await Promise.all([1, 2, 3].map((i) => als.run(i, async () => {
    say('a', i, als.getStore()); await sleep(10 - i * 2); say('b', i, als.getStore());
    await null; say('c', i, als.getStore());
    await inner(i); say('d', i, als.getStore());
    for await (const x of gen(i)) say('e', i, x, als.getStore());
    try { await Promise.reject(new Error('x')); } catch { say('f', i, als.getStore()); }
    await Promise.resolve().then(() => say('g', i, als.getStore())).finally(() => say('h', i, als.getStore()));
    await { then(ok) { say('thenable', i, als.getStore()); ok(); } };
    await new Promise((r) => setImmediate(() => { say('imm', i, als.getStore()); r(); }));
    await new Promise((r) => process.nextTick(() => { say('tick', i, als.getStore()); r(); }));
    await new Promise((r) => queueMicrotask(() => { say('micro', i, als.getStore()); r(); }));
  })));
  async function inner(i) { await sleep(1); say('inner', i, als.getStore()); await als.run('n' + i, async () => { await sleep(1);
    say('nested', i, als.getStore()); }); say('after nested', als.getStore()); }
  async function* gen(i) { for (let n = 0; n < 2; n++) { await null; say('gen', i, als.getStore()); yield n; } }
  say('outside', als.getStore());
  // captured at then, not at resolve
  let resolve; const p = new Promise((r) => { resolve = r; });
  als.run('then', () => p.then((v) => say('p.then', v, als.getStore())));
  als.run('resolve', () => resolve(7)); await p; await sleep(1);
  // two storages
  await als.run('x', () => other.run('y', async () => { await sleep(1); say(als.getStore(), other.getStore()); }));
  // enterWith
  await (async () => { als.enterWith('entered'); await sleep(1); say('entered', als.getStore()); })();
  say('after entered', als.getStore());
  await als.run('outer', async () => { als.enterWith('changed'); await null; say('changed', als.getStore());
    als.exit(() => say('exit', als.getStore())); await als.exit(async () => { await null; say('exit async', als.getStore()); });
    say('after exit', als.getStore()); });
  // callbacks
  const bound = als.run('bound', () => AsyncLocalStorage.bind(() => als.getStore())); say('bind', bound());
  const snap = als.run('snap', () => AsyncLocalStorage.snapshot());
    say('snapshot', snap(() => als.getStore()), als.run('z', () => snap(() => als.getStore())));
  const res = als.run('res', () => new AsyncResource('T')); say('resource', res.runInAsyncScope(() => als.getStore()));
  const { EventEmitter } = require('events'); const em = new EventEmitter();
    als.run('listen', () => em.on('e', () => say('emit', als.getStore()))); als.run('emitter', () => em.emit('e'));
  // throws and returns
  try { als.run('t', () => { throw new Error('out'); }); } catch (e) { say('thrown', e.message, als.getStore()); }
  say('returns', als.run('r', (a, b) => a + b, 1, 2));
  // timers
  await als.run('timer', () => new Promise((done) => { let n = 0; const id = setInterval(() => { say('interval', als.getStore());
    if (++n === 2) { clearInterval(id); done(); } }, 1); }));
  await als.run('any', async () => { await Promise.race([sleep(5), sleep(1)]); say('race', als.getStore());
    await Promise.allSettled([sleep(1), Promise.reject(1)]); say('settled', als.getStore()); await Promise.any([sleep(1)]);
    say('any', als.getStore()); });
  als.run('d', () => { als.disable(); say('disabled', als.getStore()); }); 
  say('default', new AsyncLocalStorage({ defaultValue: 5 }).getStore());
  als.run(undefined, () => say('undefined run', als.getStore()));
  await als.run('gen2', async () => { const g = (function* () { yield als.getStore(); yield als.getStore(); })(); const a = g.next().value;
    const b = als.run('other', () => g.next().value); say('sync generator', a, b); });
  await als.run('util', async () => { await require('util').promisify((cb) => setTimeout(cb, 1))(); say('promisify', als.getStore());
    const { setTimeout: st } = require('timers/promises'); await st(1); say('timers/promises', als.getStore()); });
  await als.run('events.once', async () => { const e2 = new EventEmitter(); setTimeout(() => e2.emit('x', 1), 1);
    await require('events').once(e2, 'x'); say('once', als.getStore()); });
  const late = als.run('late', () => { const f = async () => { await sleep(2); return als.getStore(); }; return f(); });
    say('late', await late, als.getStore());
  class Thenable extends Promise {} await als.run('sub', async () => { await Thenable.resolve(1); say('subclass', als.getStore());
    await Thenable.resolve(1).then(() => say('subclass then', als.getStore())); });
  const { Readable } = require('stream'); await als.run('stream', async () => {
    for await (const c of Readable.from(['a', 'b'])) say('stream', c, als.getStore()); });
  await als.run('abort', async () => { const ac = new AbortController();
    ac.signal.addEventListener('abort', () => say('abort', als.getStore())); als.run('aborter', () => ac.abort()); });
  return out.toSorted();
};
