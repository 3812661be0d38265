// Node modules that are costly to make, or rarely wanted: each is made when it is first required.

import { provideLater } from '../modules.js';
import * as streams from 'web-streams-polyfill';
import { makeHttp } from './http.js';
import { makeZlib } from './zlib.js';
import { process } from './process.js';
import { util } from './util.js';

const stream = () => require('readable-stream/lib/stream.js');

const os = () => ({
  EOL: '\n', devNull: '/dev/null', constants: { signals: {}, errno: {}, priority: {} },
  arch: () => process.arch, platform: () => process.platform, type: () => 'Linux', release: () => '5.10.0',
  version: () => '', machine: () => 'x86_64', endianness: () => 'LE', hostname: () => 'localhost', homedir: () => '/',
  tmpdir: () => '/tmp', cpus: () => [], availableParallelism: () => 1, totalmem: () => 0, freemem: () => 0,
  loadavg: () => [0, 0, 0], uptime: () => 0, networkInterfaces: () => ({}), getPriority: () => 0, setPriority() {},
  userInfo: () => ({ uid: -1, gid: -1, username: 'action', homedir: '/', shell: null }),
});

function asyncHooks() {
  const noHook = { enable: () => noHook, disable: () => noHook };
  /** The store lasts until what `run` started has settled; one execution is one request. */
  class AsyncLocalStorage {
    #store;
    static bind(fn) { return fn; }
    static snapshot() { return (fn, ...args) => fn(...args); }
    run(store, callback, ...args) {
      const before = this.#store;
      this.#store = store;
      let result;
      try {
        result = callback(...args);
      } catch (error) {
        this.#store = before;
        throw error;
      }
      const restore = () => { this.#store = before; };
      if (typeof result?.then === 'function') result.then(restore, restore);
      else restore();
      return result;
    }
    exit(callback, ...args) { return this.run(undefined, callback, ...args); }
    enterWith(store) { this.#store = store; }
    getStore() { return this.#store; }
    disable() { this.#store = undefined; }
  }
  class AsyncResource {
    constructor(type) { this.type = type; }
    static bind(fn) { return fn; }
    bind(fn) { return fn; }
    runInAsyncScope(fn, self, ...args) { return Reflect.apply(fn, self, args); }
    emitDestroy() { return this; }
    asyncId() { return 1; }
    triggerAsyncId() { return 0; }
  }
  return {
    AsyncLocalStorage, AsyncResource, createHook: () => noHook, executionAsyncId: () => 1, triggerAsyncId: () => 0,
    executionAsyncResource: () => ({}),
  };
}

function diagnosticsChannel() {
  const quiet = { hasSubscribers: false, publish() {}, subscribe() {}, unsubscribe: () => false };
  const channel = (name) => ({ ...quiet, name, runStores: (_, fn, self, ...args) => Reflect.apply(fn, self, args) });
  const run = (fn, _, self, ...args) => Reflect.apply(fn, self, args);
  const tracingChannel = () => ({
    hasSubscribers: false, subscribe() {}, unsubscribe() {}, traceSync: run, tracePromise: run,
    traceCallback: (fn, _, __, self, ...args) => Reflect.apply(fn, self, args),
  });
  return { channel, tracingChannel, hasSubscribers: () => false, subscribe() {}, unsubscribe: () => false };
}

const consumers = () => {
  const bytes = async (source) => {
    const parts = [];
    for await (const part of source) parts.push(Buffer.from(part));
    return Buffer.concat(parts);
  };
  const text = async (source) => (await bytes(source)).toString();
  return {
    buffer: bytes, text, json: async (source) => JSON.parse(await text(source)),
    arrayBuffer: async (source) => new Uint8Array(await bytes(source)).buffer, blob: async (source) => new Blob([await bytes(source)]),
  };
};

export function provideLaterModules() {
  provideLater('stream', stream);
  provideLater('stream/promises', () => stream().promises);
  provideLater('stream/web', () => ({ ...streams }));
  provideLater('stream/consumers', consumers);
  provideLater('string_decoder', () => require('string_decoder/'));
  provideLater('http', (get) => makeHttp('http:', get('stream')));
  provideLater('https', (get) => makeHttp('https:', get('stream')));
  provideLater('zlib', (get) => makeZlib(get('stream'), require('pako')));
  provideLater('punycode', () => require('punycode/'));
  provideLater('os', os);
  provideLater('async_hooks', asyncHooks);
  provideLater('diagnostics_channel', diagnosticsChannel);
  provideLater('tty', () => ({ isatty: () => false, ReadStream: class ReadStream {}, WriteStream: class WriteStream {} }));
  provideLater('perf_hooks', () => ({
    performance: globalThis.performance, constants: {},
    PerformanceObserver: class PerformanceObserver { observe() {} disconnect() {} },
  }));
  provideLater('constants', () => ({}));
  provideLater('sys', () => util);
}
