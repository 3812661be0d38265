// Which stores the running code has, and the handing on of them to what it leaves for later.
//
// While `flags[0]` is set, the engine calls `bind` with the handlers of every reaction (`then`, and `await`, which
// is one) and with `then` of every thenable, and keeps what it gives (sandbox/javascript/quickjs/engine_patch.py). Until the first
// AsyncLocalStorage is made none of this costs anything.

import { MapCtor, reflectApply } from './primordials.js';

/** Read by the engine. */
export const flags = new Uint8Array(8);

/** Stores of code that nothing was handed to. */
const ROOT = new MapCtor();
let frame = ROOT;

/** Begin to hand stores on. */
export function begin() {
  flags[0] = 1;
}

/** The stores of the running code: storage to value. Never changed but by `AsyncLocalStorage.disable`. */
export const current = () => frame;

/** Let the rest of the running code have these stores. */
export function enter(stores) {
  frame = stores;
}

/** What the host started is over: what it entered ends with it. */
export function leave() {
  frame = ROOT;
}

export function within(stores, callback, self, args) {
  const before = frame;
  frame = stores;
  try {
    return reflectApply(callback, self, args);
  } finally {
    frame = before;
  }
}

/** A function that calls `callback` with the stores of now. */
export function bind(callback) {
  if (typeof callback !== 'function') return callback;
  const stores = frame;
  return function (...args) {
    return within(stores, callback, this, args);
  };
}

/** The same for timers and the like, which the engine knows nothing of. */
export const bindAsync = (callback) => (flags[0] === 0 ? callback : bind(callback));
