// What packages want to find on the global object while they load, and nobody else ever.
// Import it before them; `removeScaffolding` takes it away again.

import { promiseResult, promiseState } from './host.js';
import { jsonParse } from './primordials.js';
import { proxyTarget } from './proxies.js';

const PENDING = 0;
const REJECTED = 2;

globalThis.Atomics = {};
globalThis.process = { env: {} };
globalThis.details = {
  /** Node's getPromiseDetails; the symbols stand for its states. */
  promise: (pending, rejected) => (promise) => {
    const state = promiseState(promise);
    if (state === PENDING) return [pending, undefined];
    return [state === REJECTED ? rejected : undefined, promiseResult(promise)];
  },
  /** Node's getProxyDetails: the target, or [target, handler] when both are wanted. */
  proxy: (value, both = true) => {
    const target = proxyTarget(value);
    return target === undefined || !both ? target : [target, {}];
  },
  /** A function that gives the value of a JSON text, parsed when it is first called. */
  lazyJson: (text) => {
    let value;
    return () => (value ??= jsonParse(text));
  },
  /** Whether a host name is ASCII with nothing in it for IDNA to do but make small letters. */
  isPlainHost: (name) => /^[a-z0-9.-]+$/i.test(name) && !/(^|\.)xn--/i.test(name),
};

export function removeScaffolding() {
  delete globalThis.Atomics;
  delete globalThis.process;
  delete globalThis.details;
}
