// What tenant code finds on the global object, beyond the engine's own.

import { bindAsync } from './continuations.js';
import { console } from './console.js';
import { WatchedProxy } from './proxies.js';
import { noFunction, setReceived, timerGlobals } from './timers.js';
import { guarded } from './uncaught.js';
import { defineHidden, isError } from './primordials.js';
import { adoptStack, isDomException } from './stacks.js';
import { AbortController, AbortSignal } from './web/abort.js';
import { Blob, File, FormData } from './web/blob.js';
import { Request, Response } from './web/body.js';
import { structuredClone } from './web/clone.js';
import { CustomEvent, Event, EventTarget } from './web/events.js';
import { fetch } from './web/fetch.js';
import { Headers } from './web/headers.js';
import { TextDecoder, TextEncoder } from './web/text.js';
import { URL, URLSearchParams } from './web/url.js';
import { Buffer } from './node/buffer/index.js';
import { Crypto, CryptoKey, SubtleCrypto, webcrypto } from './node/crypto/index.js';
import { process } from './node/process.js';
import { received } from './node/errors.js';
import * as timing from './node/performance.js';
import * as absent from './web/absent.js';
import * as messages from './web/messages.js';
import * as moreStreams from './web/more-streams.js';
import * as streams from 'web-streams-polyfill';

const STREAMS = [
  'ReadableStream', 'WritableStream', 'TransformStream', 'ByteLengthQueuingStrategy', 'CountQueuingStrategy',
  'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader', 'ReadableStreamBYOBRequest', 'ReadableByteStreamController',
  'ReadableStreamDefaultController', 'WritableStreamDefaultController', 'WritableStreamDefaultWriter',
  'TransformStreamDefaultController',
];

class Navigator {
  get hardwareConcurrency() { return 1; }
  get language() { return 'en-US'; }
  get languages() { return ['en-US']; }
  get platform() { return 'linux'; }
  get userAgent() { return `Node.js/${process.versions.node.split('.')[0]}`; }
}

const { PerformanceObserver, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, performance } = timing;

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
    Navigator, navigator: new Navigator(), Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver,
    ...absent, ...messages, ...moreStreams,
  };
  for (const name of STREAMS) members[name] = streams[name];
  for (const name of Object.keys(members)) {
    const value = members[name];
    if (isClass(value) && value.name !== name) Object.defineProperty(value, 'name', { value: name, configurable: true });
    defineHidden(global, name, value);
  }
  refineNative(global);
  setReceived(received);
}

/** What the engine brings itself, with Node's checks and words. */
function refineNative(global) {
  const { queueMicrotask, atob, btoa, DOMException } = global;
  const methods = {
    queueMicrotask(callback) {
      if (typeof callback !== 'function') throw noFunction(callback);
      queueMicrotask(guarded(bindAsync(callback)));
    },
    atob(data) { return plainly(atob, data); },
    btoa(data) { return plainly(btoa, data); },
  };
  const plainly = (method, data) => {
    try {
      return method(data);
    } catch (error) {
      throw error instanceof DOMException ? new global.DOMException('Invalid character', 'InvalidCharacterError') : error;
    }
  };
  for (const name of Object.keys(methods)) defineHidden(global, name, methods[name]);
  defineHidden(global, 'DOMException', new Proxy(DOMException, {
    construct(target, [message, options], newTarget) {
      const given = typeof options === 'object' && options !== null ? options : { name: options };
      const made = Reflect.construct(target, [message ?? '', ...(given.name === undefined ? [] : [String(given.name)])], newTarget);
      adoptStack(made);
      if ('cause' in given) Object.defineProperty(made, 'cause', { value: given.cause, writable: true, configurable: true });
      return made;
    },
  }));
  defineHidden(Error, 'isError', (value) => isError(value) || isDomException(value));
  Object.defineProperty(DOMException.prototype, 'constructor', { value: global.DOMException, writable: true, configurable: true });
}
