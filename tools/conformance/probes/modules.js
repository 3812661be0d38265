// Built-in modules, member by member.
const { promisify, inspect } = require('util');

exports.util = {
  promisify: async () => { const f = promisify((a, cb) => cb(a < 0 ? new Error('neg') : null, a + 1)); return [await f(1), await f(-1).catch((e) => e.message), promisify.custom]; },
  'promisify no function': () => promisify(1),
  callbackify: () => new Promise((done) => require('util').callbackify(async (a) => a * 2)(4, (e, v) => done([e, v]))),
  'callbackify rejected with nothing': () => new Promise((done) => require('util').callbackify(async () => { throw null; })((e) => done([e.code, e.message]))),
  inspect: () => inspect({ a: [1, { b: new Map([['k', new Set([1])]]) }], f() {}, s: Symbol('x'), d: new Date(0), n: null, e: /x/, [Symbol('k')]: 1 }, { depth: 4 }),
  'inspect options': () => [inspect({ b: 1, a: 2 }, { sorted: true, compact: false }), inspect('x'.repeat(20), { maxStringLength: 5 }), inspect(new Proxy({ a: 1 }, {}), { showProxy: true })],
  'inspect.custom': () => inspect({ [inspect.custom]: (d, o, i) => `C${d}${typeof o.stylize}${typeof i}` }),
  'inspect.defaultOptions': () => inspect.defaultOptions,
  format: () => require('util').format('%s %d %i %f %j %o %O %% %c', 'a', '1.5', 2.7, '3.1', { a: 1 }, [1], { b: 2 }, 'css', 'more'),
  formatWithOptions: () => require('util').formatWithOptions({ colors: true }, '%o', 1),
  inherits: () => { function A() {} function B() {} require('util').inherits(A, B); return [new A() instanceof B, A.super_ === B]; },
  deprecate: () => require('util').deprecate((a) => a, 'old')(3),
  isDeepStrictEqual: () => [require('util').isDeepStrictEqual({ a: [1, NaN] }, { a: [1, NaN] }), require('util').isDeepStrictEqual([1], ['1']), require('util').isDeepStrictEqual(new Set([1]), new Set([2]))],
  types: () => { const t = require('util').types; return [t.isDate(new Date()), t.isPromise(Promise.resolve()), t.isRegExp(/x/), t.isNativeError(new TypeError()), t.isUint8Array(Buffer.alloc(1)), t.isProxy(new Proxy({}, {})), t.isAsyncFunction(async () => {}), t.isGeneratorFunction(function* g() {}), t.isBoxedPrimitive(Object(1)), t.isMap(new Map())]; },
  styleText: () => [require('util').styleText('red', 'x', { validateStream: false }), require('util').styleText(['bold', 'underline'], 'y', { validateStream: false })],
  'styleText unknown': () => require('util').styleText('nope', 'x'),
  parseArgs: () => require('util').parseArgs({ args: ['-f', '--bar', 'b', 'pos', '--no-color'], options: { foo: { type: 'boolean', short: 'f' }, bar: { type: 'string' }, color: { type: 'boolean' } }, allowPositionals: true, allowNegative: true }),
  'parseArgs unknown': () => require('util').parseArgs({ args: ['--nope'], options: {} }),
  stripVTControlCharacters: () => require('util').stripVTControlCharacters('\u001b[31mx\u001b[0m'),
  toUSVString: () => require('util').toUSVString('a\ud800'),
  'TextEncoder, TextDecoder': () => [require('util').TextEncoder === TextEncoder, require('util').TextDecoder === TextDecoder],
  debuglog: () => { const d = require('util').debuglog('x'); d('quiet'); return [typeof d, d.enabled]; },
  getSystemErrorName: () => [require('util').getSystemErrorName(-2), require('util').getSystemErrorMap().get(-111)],
  aborted: async () => { const c = new AbortController(); const p = require('util').aborted(c.signal, {}); c.abort(); return (await p).type; },
  MIMEType: () => { const m = new (require('util').MIMEType)('text/html; charset=utf-8'); return [m.essence, m.type, m.params.get('charset'), String(m)]; },
  parseEnv: () => require('util').parseEnv('A=1\n# c\nB="x y"\nexport C=\'z\''),
  isArray: () => require('util').isArray([]),
  getCallSites: () => Array.isArray(require('util').getCallSites()),
};

exports.events = (() => {
  const events = require('events');
  const E = events.EventEmitter;
  return {
    'on, once, off, emit': () => { const e = new E(); const got = []; const f = (a) => got.push(a); e.on('x', f); e.once('x', (a) => got.push(`once${a}`)); const r = [e.emit('x', 1), e.emit('x', 2), e.emit('y')]; e.off('x', f); return [got, r, e.listenerCount('x'), e.eventNames()]; },
    'error without listener': () => new E().emit('error', new Error('boom')),
    'error that is none': () => new E().emit('error', 'text'),
    'events.once': async () => { const e = new E(); setTimeout(() => e.emit('a', 1, 2), 1); return events.once(e, 'a'); },
    'events.once error': async () => { const e = new E(); setTimeout(() => e.emit('error', new Error('bad')), 1); return events.once(e, 'a').catch((x) => x.message); },
    'events.once aborted': async () => events.once(new E(), 'a', { signal: AbortSignal.abort() }),
    'events.once of EventTarget': async () => { const t = new EventTarget(); setTimeout(() => t.dispatchEvent(new Event('a')), 1); return (await events.once(t, 'a'))[0].type; },
    'events.on': async () => { const e = new E(); setTimeout(() => { e.emit('a', 1); e.emit('a', 2); }, 1); const got = []; for await (const v of events.on(e, 'a')) { got.push(v); if (got.length === 2) break; } return got; },
    'prepend, rawListeners, setMaxListeners': () => { const e = new E().setMaxListeners(2); const got = []; e.on('a', () => got.push(1)); e.prependListener('a', () => got.push(0)); e.prependOnceListener('a', () => got.push(-1)); e.emit('a'); return [got, e.getMaxListeners(), e.rawListeners('a').length]; },
    captureRejections: () => new Promise((done) => { const e = new E({ captureRejections: true }); e.on('error', (x) => done(x.message)); e.on('a', async () => { throw new Error('rejected'); }); e.emit('a'); }),
    errorMonitor: () => { const e = new E(); const got = []; e.on(events.errorMonitor, (x) => got.push(`m ${x.message}`)); e.on('error', (x) => got.push(x.message)); e.emit('error', new Error('q')); return got; },
    getEventListeners: () => { const t = new E(); const f = () => {}; t.on('a', f); return [events.getEventListeners(t, 'a')[0] === f, events.getMaxListeners(t)]; },
    addAbortListener: () => { const c = new AbortController(); let n = 0; events.addAbortListener(c.signal, () => n++); c.abort(); return n; },
    'newListener, removeListener': () => { const e = new E(); const got = []; e.on('newListener', (n) => got.push(`+${String(n)}`)); e.on('removeListener', (n) => got.push(`-${String(n)}`)); const f = () => {}; e.on('x', f); e.removeListener('x', f); return got; },
    'wrong listener': () => new E().on('a', 1),
    'class extends EventEmitter': () => { class A extends events {} return new A().on('x', () => {}).emit('x'); },
    'inspect(EventEmitter)': () => new E(),
  };
})();

exports.assert = (() => {
  const assert = require('assert');
  const fails = (f) => { try { f(); return 'passed'; } catch (e) { return [e.name, e.code, e.operator, e.generatedMessage, e.message.split('\n')[0]]; } };
  return {
    'assert, ok': () => [fails(() => assert(0)), fails(() => assert.ok(true)), fails(() => assert(false, 'msg'))],
    'equal, strictEqual': () => [fails(() => assert.equal(1, '1')), fails(() => assert.equal(1, 2)), fails(() => assert.strictEqual(1, 2)), fails(() => assert.strictEqual(NaN, NaN))],
    'deepEqual, deepStrictEqual': () => [fails(() => assert.deepEqual({ a: 1 }, { a: '1' })), fails(() => assert.deepStrictEqual({ a: 1 }, { a: '1' })), fails(() => assert.deepStrictEqual(new Map([[1, 2]]), new Map([[1, 2]])))],
    'notEqual and the rest': () => [fails(() => assert.notStrictEqual(1, 1)), fails(() => assert.notDeepStrictEqual([1], [1])), fails(() => assert.notEqual(1, 2))],
    throws: () => [fails(() => assert.throws(() => { throw new TypeError('x'); }, TypeError)), fails(() => assert.throws(() => {})), fails(() => assert.throws(() => { throw new Error('abc'); }, /b/)), fails(() => assert.throws(() => { throw new Error('abc'); }, { message: 'abc' }))],
    rejects: async () => [await assert.rejects(Promise.reject(new Error('x')), /x/), await assert.rejects(async () => {}).catch((e) => e.code)],
    match: () => [fails(() => assert.match('abc', /x/)), fails(() => assert.doesNotMatch('abc', /x/))],
    'fail, ifError': () => [fails(() => assert.fail('no')), fails(() => assert.ifError(null)), fails(() => assert.ifError(new Error('e')))],
    strict: () => [fails(() => assert.strict.equal(1, '1')), fails(() => require('assert/strict')(0))],
    AssertionError: () => { const e = new assert.AssertionError({ actual: 1, expected: 2, operator: 'strictEqual' }); return [e.name, e.code, e.actual, e.expected]; },
    partialDeepStrictEqual: () => [fails(() => assert.partialDeepStrictEqual({ a: 1, b: 2 }, { a: 1 })), fails(() => assert.partialDeepStrictEqual({ a: 1 }, { a: 2 }))[1]],
  };
})();

exports.path = (() => {
  const p = require('path');
  return {
    members: () => [p.join('a', '..', 'b', './c'), p.resolve('/a', 'b', '../c'), p.normalize('/a//b/../c/.'), p.basename('/a/b.txt', '.txt'), p.dirname('/a/b'), p.extname('x.tar.gz'), p.relative('/a/b/c', '/a/d'), p.isAbsolute('a'), p.parse('/h/f.txt'), p.format({ dir: '/d', base: 'b' }), p.sep, p.delimiter],
    'wrong argument': () => p.join(1),
    posix: () => p.posix === p,
    win32: () => p.win32.join('a', 'b'),
    'parse edge cases': () => [p.parse('.bashrc'), p.parse('a/'), p.extname('.x'), p.basename(''), p.dirname('')],
    toNamespacedPath: () => p.toNamespacedPath('/x'),
  };
})();

exports.querystring = (() => {
  const q = require('querystring');
  return {
    parse: () => [q.parse('a=1&b=2&a=3&c&%20=x'), q.parse('a:1;b:2', ';', ':'), q.parse('a=1&b=2', null, null, { maxKeys: 1 })],
    stringify: () => [q.stringify({ a: [1, 2], b: 'x y', c: true, d: null, e: {} }), q.stringify({ a: 1, b: 2 }, ';', ':')],
    'escape, unescape': () => [q.escape('a b&ü'), q.unescape('a%20b%zz')],
  };
})();

exports.url = (() => {
  const u = require('url');
  return {
    parse: () => { const r = u.parse('http://u:p@host.com:80/p/a?x=1&y=2#h', true); return [r.href, r.auth, r.host, r.port, r.pathname, { ...r.query }, r.hash, r.path]; },
    'parse plain': () => u.parse('/a?b'),
    format: () => [u.format({ protocol: 'https', host: 'a.b', pathname: '/c', query: { d: 'e' } }), u.format(new URL('http://a.b/c#d'), { fragment: false })],
    resolve: () => [u.resolve('http://a.b/c/d', '../e'), u.resolve('/one/two', 'three')],
    'fileURLToPath, pathToFileURL': () => [u.fileURLToPath('file:///a%20b'), u.pathToFileURL('/x y').href],
    'fileURLToPath of http': () => u.fileURLToPath('http://a.b'),
    domainTo: () => [u.domainToASCII('español.com'), u.domainToUnicode('xn--espaol-zwa.com'), u.domainToASCII('xn--iñvalid.com')],
    urlToHttpOptions: () => { const o = u.urlToHttpOptions(new URL('https://a:b@c.d/e?f')); return [o.protocol, o.hostname, o.path, o.auth]; },
    'URL, URLSearchParams': () => [u.URL === URL, u.URLSearchParams === URLSearchParams],
  };
})();

exports.string_decoder = {
  write: () => { const d = new (require('string_decoder').StringDecoder)('utf8'); return [d.write(Buffer.from([0xe2, 0x82])), d.write(Buffer.from([0xac])), d.end()]; },
  base64: () => { const d = new (require('string_decoder').StringDecoder)('base64'); return [d.write(Buffer.from('a')), d.end(Buffer.from('b'))]; },
  unknown: () => new (require('string_decoder').StringDecoder)('nope'),
};

exports.punycode = { members: () => { const p = require('punycode'); return [p.toASCII('mañana.com'), p.toUnicode('xn--maana-pta.com'), p.encode('ü'), p.decode('tda'), p.ucs2.decode('a')]; } };

exports.os = {
  members: () => { const o = require('os'); return [o.EOL, o.platform(), o.type(), typeof o.hostname(), Array.isArray(o.cpus()), typeof o.totalmem(), o.endianness(), typeof o.constants.signals.SIGINT, o.devNull, o.tmpdir()]; },
};

exports.async_hooks = (() => {
  const { AsyncLocalStorage, AsyncResource } = require('async_hooks');
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  return {
    run: () => { const s = new AsyncLocalStorage(); return [s.run(1, () => s.getStore()), s.getStore()]; },
    'run over await': async () => { const s = new AsyncLocalStorage(); return s.run({ id: 7 }, async () => { await sleep(2); return s.getStore(); }); },
    'run at once': async () => { const s = new AsyncLocalStorage(); return Promise.all([1, 2, 3].map((n) => s.run(n, async () => { await sleep(n * 3); return s.getStore(); }))); },
    'run in timers': () => { const s = new AsyncLocalStorage(); return new Promise((done) => { s.run('t', () => { setTimeout(() => done(s.getStore()), 2); }); }); },
    'run in then': () => { const s = new AsyncLocalStorage(); return s.run('p', () => Promise.resolve().then(() => s.getStore())); },
    'run in nextTick and microtasks': () => { const s = new AsyncLocalStorage(); return new Promise((done) => { s.run('t', () => { process.nextTick(() => queueMicrotask(() => setImmediate(() => done(s.getStore())))); }); }); },
    exit: () => { const s = new AsyncLocalStorage(); return s.run(1, () => s.exit(() => s.getStore())); },
    enterWith: async () => { const s = new AsyncLocalStorage(); s.enterWith(5); await null; const v = s.getStore(); s.disable(); return v; },
    'bind, snapshot': () => { const s = new AsyncLocalStorage(); const f = s.run(3, () => AsyncLocalStorage.bind(() => s.getStore())); const g = s.run(4, () => AsyncLocalStorage.snapshot()); return [f(), g(() => s.getStore())]; },
    AsyncResource: () => { const s = new AsyncLocalStorage(); const r = s.run(9, () => new AsyncResource('X')); return r.runInAsyncScope((a) => [a, s.getStore()], null, 'arg'); },
    'nested': async () => { const s = new AsyncLocalStorage(); return s.run(1, async () => { const inner = await s.run(2, async () => { await null; return s.getStore(); }); return [inner, s.getStore()]; }); },
  };
})();

exports.diagnostics_channel = {
  'publish, subscribe': () => { const d = require('diagnostics_channel'); const c = d.channel('a'); const got = []; const f = (m, n) => got.push([m, n]); c.subscribe(f); c.publish(1); c.unsubscribe(f); c.publish(2); return [got, c.hasSubscribers, c.name, d.channel('a') === c]; },
};

exports.module = {
  createRequire: () => require('module').createRequire('/x.js')('path') === require('path'),
  'builtinModules, isBuiltin': () => { const m = require('module'); return [m.builtinModules.includes('fs'), m.isBuiltin('node:path'), m.isBuiltin('nope')]; },
};

exports.require = {
  'node: prefix': () => require('node:util') === require('util'),
  'not there': () => { try { require('no-such-package'); } catch (e) { return [e.code, e.message.split('\n')[0]]; } },
  'no text': () => require(5),
};
