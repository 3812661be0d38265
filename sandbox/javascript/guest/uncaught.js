// What nobody caught: an error that ends the execution, and a rejection that is told in the log.

import { warn } from './console.js';
import { describe, isStackError } from './errors.js';
import { STATUS_THROWN, complete } from './host.js';
import { inspectSafely } from './inspect.js';
import { reflectApply } from './primordials.js';

/** Report what was thrown: it ends the execution, as an uncaught exception ends a Node process. Does not return
 * while the handler runs; after its end nobody listens. */
export function fail(error) {
  return complete(STATUS_THROWN, describe(error));
}

/** A callback that the engine calls by itself, and whose errors would reach nobody. */
export const guarded = (callback) => function guard(...args) {
  try {
    reflectApply(callback, undefined, args);
  } catch (error) {
    fail(error);
  }
};

/** Tell of a promise that was rejected with `reason` and that nobody handled, as `node --unhandled-rejections=warn`.
 * Where the stack ends inside an `await`, the engine cannot note who handles what: that is told by the RangeError. */
export function tell(reason) {
  if (isStackError(reason)) return;
  warn(`(node:1) UnhandledPromiseRejectionWarning: ${typeof reason === 'string' ? reason : inspectSafely(reason)}`);
}
