// What packages want to find on the global object while they load, and nobody else ever.
// Import it before them; `removeScaffolding` takes it away again.

import { promiseResult, promiseState } from './host.js';
import { types } from './node/util/types.js';
import { append, descriptorOf, isError, jsonParse, ownKeys } from './primordials.js';
import { proxyHandler, proxyTarget } from './proxies.js';

const PENDING = 0;
const REJECTED = 2;

const ALL_PROPERTIES = 0;
const INDEX = /^(?:0|[1-9]\d{0,9})$/;
const isIndex = (key) => typeof key === 'string' && INDEX.test(key) && Number(key) < 2 ** 32 - 1;

/** Node's getOwnNonIndexProperties. Indices come first among the keys, so one looks from the end. */
function nonIndex(value, filter) {
  const keys = ownKeys(value);
  let first = keys.length;
  while (first > 0 && !isIndex(keys[first - 1])) first -= 1;
  const found = [];
  for (let at = first; at < keys.length; at += 1) {
    if (filter === ALL_PROPERTIES || descriptorOf(value, keys[at])?.enumerable) append(found, keys[at]);
  }
  return found;
}

/** The engine takes it for an error, whose name and message cannot be read. */
const domExceptionPrototype = DOMException.prototype;

function legible(value) {
  try {
    return [value.name, value.message, value.stack].length > 0;
  } catch {
    return false;
  }
}

/** What can be told without going through the iterator. */
const { isMapIterator, isSetIterator, ...brands } = types;

const details = {
  /** Node's getPromiseDetails; the symbols stand for its states. */
  promise: (pending, rejected) => (promise) => {
    const state = promiseState(promise);
    if (state === PENDING) return [pending, undefined];
    return [state === REJECTED ? rejected : undefined, promiseResult(promise)];
  },
  /** Node's getProxyDetails: the target, or [target, handler] when both are wanted. */
  proxy: (value, both = true) => {
    const target = proxyTarget(value);
    return target === undefined || !both ? target : [target, proxyHandler(value)];
  },
  nonIndex,
  /** Whether to show a value as an error: not what only inherits from one and cannot be read, as prototypes. */
  isError: (value) =>
    value !== domExceptionPrototype && (isError(value) || (value instanceof Error && legible(value))),
  types: brands,
  /** A function that gives the value of a JSON text, parsed when it is first called. */
  lazyJson: (text) => {
    let value;
    return () => (value ??= jsonParse(text));
  },
  /** Whether a host name is ASCII with nothing in it for IDNA to do but make small letters. */
  isPlainHost: (name) => /^[a-z0-9.-]+$/i.test(name) && !/(^|\.)xn--/i.test(name),
};

Object.assign(globalThis, { Atomics: {}, process: { env: {} }, details });

export function removeScaffolding() {
  for (const name of ['Atomics', 'process', 'details']) delete globalThis[name];
}
