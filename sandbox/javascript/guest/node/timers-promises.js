// timers/promises.

import { monotonic, timerGlobals } from '../timers.js';
import { coded, wrongType } from './errors.js';

function aborted(signal) {
  const error = coded(Error, 'ABORT_ERR', 'The operation was aborted');
  Object.defineProperty(error, 'name', { value: 'AbortError', writable: true, configurable: true });
  return Object.defineProperty(error, 'cause', { value: signal.reason, writable: true, configurable: true });
}

function demandOptions(options) {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null) throw wrongType('options', 'of type object', options);
  if (options.signal !== undefined && typeof options.signal?.aborted !== 'boolean') {
    throw wrongType('options.signal', 'an instance of AbortSignal', options.signal);
  }
  return options;
}

/** A promise that `start(done)` fulfils, unless the signal comes first; `start` gives what `stop` cancels. */
async function wait(options, start, stop) {
  const { signal } = demandOptions(options);
  if (signal?.aborted) throw aborted(signal);
  return new Promise((resolve, reject) => {
    const give = () => {
      stop(handle);
      reject(aborted(signal));
    };
    const handle = start((value) => {
      signal?.removeEventListener('abort', give);
      resolve(value);
    });
    signal?.addEventListener('abort', give, { once: true });
  });
}

export const timersPromises = {
  setTimeout: (delay, value, options) =>
    wait(options, (done) => timerGlobals.setTimeout(done, delay, value), timerGlobals.clearTimeout),
  setImmediate: (value, options) =>
    wait(options, (done) => timerGlobals.setImmediate(done, value), timerGlobals.clearImmediate),
  async* setInterval(delay, value, options) {
    const { signal } = demandOptions(options);
    let due = monotonic();
    for (;;) {
      due += Math.max(1, delay ?? 1);
      await timersPromises.setTimeout(Math.max(1, due - monotonic()), undefined, { signal });
      yield value;
    }
  },
};
timersPromises.scheduler = {
  wait: (delay, options) => timersPromises.setTimeout(delay, undefined, options),
  yield: () => timersPromises.setImmediate(),
};
