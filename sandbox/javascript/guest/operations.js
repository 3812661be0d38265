// What the guest has asked the host to do and not yet heard back about.

import { MapCtor, PromiseCtor, hasOwn, jsonParse, mapDelete, mapGet, mapSet } from './primordials.js';
import { cancel, start } from './host.js';

const pending = new MapCtor();
// What the host does not even look at, because it is larger than anything it would send.
const TOO_LARGE = { name: 'TypeError', message: 'the request is larger than the sandbox sends', rule: 'too-large' };
// The host's answer to everything that is still to be started, once it has given it.
let spent;

/**
 * Start an operation on the host.
 * @returns {{promise: Promise<import('./boundary.js').Answer>, abandon: () => void}}
 */
export function operate(name, argumentsJson) {
  const handle = spent === undefined ? start(name, argumentsJson) : spent;
  if (handle === undefined) return answered({ error: TOO_LARGE });
  if (typeof handle === 'string') {
    spent = handle;
    return answered(refusal());
  }
  const promise = new PromiseCtor((resolve) => mapSet(pending, handle, resolve));
  return {
    promise,
    abandon() {
      if (mapDelete(pending, handle)) cancel(handle);
    },
  };
}

/** The answer to everything that is still to be started, undefined while the host starts more. */
export const refusal = () => (spent === undefined ? undefined : jsonParse(spent));

/** An operation that has ended before it began. */
function answered(answer) {
  return { promise: new PromiseCtor((resolve) => resolve(answer)), abandon() {} };
}

/** The host says that an operation has ended: `{"id", "ok"}` or `{"id", "error"}`. */
export function settle(answerJson) {
  const answer = jsonParse(answerJson);
  const resolve = mapGet(pending, answer.id);
  if (resolve === undefined || !hasOwn(answer, 'id')) return;
  mapDelete(pending, answer.id);
  resolve(answer);
}
