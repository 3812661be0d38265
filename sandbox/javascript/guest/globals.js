// What tenant code finds on the global object, beyond the engine's own.

import { console } from './console.js';
import { WatchedProxy } from './proxies.js';
import { monotonic, timerGlobals } from './timers.js';
import { defineHidden } from './primordials.js';
import { AbortController, AbortSignal } from './web/abort.js';
import { Blob, File, FormData } from './web/blob.js';
import { Request, Response } from './web/body.js';
import { structuredClone } from './web/clone.js';
import { CustomEvent, Event, EventTarget } from './web/events.js';
import { fetch } from './web/fetch.js';
import { Headers } from './web/headers.js';
import { TextDecoder, TextEncoder } from './web/text.js';
import { URL, URLSearchParams } from './web/url.js';
import { Buffer } from './node/buffer.js';
import { Crypto, CryptoKey, SubtleCrypto, webcrypto } from './node/crypto.js';
import { process } from './node/process.js';
import * as streams from 'web-streams-polyfill';

const STREAMS = [
  'ReadableStream', 'WritableStream', 'TransformStream', 'ByteLengthQueuingStrategy', 'CountQueuingStrategy',
];

const performance = {
  now: monotonic,
  timeOrigin: 0,
  mark() {},
  measure() {},
  toJSON: () => ({ timeOrigin: performance.timeOrigin }),
};

/** Nothing shared, nothing that measures finer than the host's clock, nothing that compiles machine code. */
const REMOVED = ['SharedArrayBuffer', 'Atomics', 'InternalError', 'WebAssembly'];

/** The bundler renames classes that mention themselves. */
const isClass = (value) => typeof value === 'function' && Object.hasOwn(value, 'prototype');

export function installGlobals(global) {
  for (const name of REMOVED) delete global[name];
  const members = {
    console, ...timerGlobals, Proxy: WatchedProxy, global, performance, AbortController, AbortSignal, Blob, File,
    FormData, Request, Response, Headers, structuredClone, CustomEvent, Event, EventTarget, fetch, TextDecoder,
    TextEncoder, URL, URLSearchParams, Buffer, process, crypto: webcrypto, Crypto, CryptoKey, SubtleCrypto,
  };
  for (const name of STREAMS) members[name] = streams[name];
  for (const name of Object.keys(members)) {
    const value = members[name];
    if (isClass(value) && value.name !== name) Object.defineProperty(value, 'name', { value: name, configurable: true });
    defineHidden(global, name, value);
  }
  Object.defineProperty(performance, Symbol.toStringTag, { value: 'Performance', configurable: true });
}
