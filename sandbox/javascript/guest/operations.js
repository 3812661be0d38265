// What the guest has asked the host to do and not yet heard back about.

import { MapCtor, PromiseCtor, hasOwn, jsonParse, mapDelete, mapGet, mapSet } from './primordials.js';
import { cancel, start } from './host.js';

const pending = new MapCtor();

/**
 * Start an operation on the host.
 * @returns {{promise: Promise<object>, abandon: () => void}} the promise gives {ok} or {error}
 */
export function operate(name, argumentsJson) {
  const handle = start(name, argumentsJson);
  if (handle === undefined) return refused();
  const promise = new PromiseCtor((resolve) => mapSet(pending, handle, resolve));
  return {
    promise,
    abandon() {
      if (mapDelete(pending, handle)) cancel(handle);
    },
  };
}

/** What the host does not even look at, because it is larger than anything it would send. */
function refused() {
  const error = { name: 'TypeError', message: 'the request is larger than the sandbox sends', rule: 'too-large' };
  return { promise: new PromiseCtor((resolve) => resolve({ error })), abandon() {} };
}

/** The host says that an operation has ended: `{"id", "ok"}` or `{"id", "error"}`. */
export function settle(answerJson) {
  const answer = jsonParse(answerJson);
  const resolve = mapGet(pending, answer.id);
  if (resolve === undefined || !hasOwn(answer, 'id')) return;
  mapDelete(pending, answer.id);
  resolve(answer);
}
