// setTimeout and friends. The host asks `nextDelay` how long to wait and then lets one timer fire.

import { bindAsync } from './continuations.js';
import { markCoded } from './stacks.js';
import {
  MapCtor, TypeErrorCtor, mapDelete, mapForEach, mapGet, mapSet, reflectApply, toNumber,
} from './primordials.js';

const MAX_DELAY = 0x7fffffff;
const now = uncurriedNow(performance);
const timers = new MapCtor();
let lastId = 0;
let sequence = 0;
let ended = false;

function uncurriedNow(clock) {
  const read = clock.now;
  return () => reflectApply(read, clock, []);
}

/** Milliseconds since the execution began, whole. */
export const monotonic = now;

class Timeout {
  #timer;
  constructor(timer) {
    this.#timer = timer;
  }
  static idOf(value) {
    return typeof value === 'object' && value !== null && #timer in value ? value.#timer.id : toNumber(value);
  }
  ref() {
    this.#timer.referenced = true;
    return this;
  }
  unref() {
    this.#timer.referenced = false;
    return this;
  }
  hasRef() {
    return this.#timer.referenced;
  }
  [Symbol.dispose]() {
    this.close();
  }
  refresh() {
    const timer = this.#timer;
    if (mapGet(timers, timer.id) === timer) schedule(timer);
    return this;
  }
  close() {
    mapDelete(timers, this.#timer.id);
    return this;
  }
  [Symbol.toPrimitive]() {
    return this.#timer.id;
  }
}
const idOf = Timeout.idOf;
delete Timeout.idOf;

class Immediate {
  #timer;
  constructor(timer) {
    this.#timer = timer;
  }
  static idOf(value) {
    return typeof value === 'object' && value !== null && #timer in value ? value.#timer.id : undefined;
  }
  ref() {
    this.#timer.referenced = true;
    return this;
  }
  unref() {
    this.#timer.referenced = false;
    return this;
  }
  hasRef() {
    return this.#timer.referenced;
  }
  [Symbol.dispose]() {
    mapDelete(timers, this.#timer.id);
  }
}
const immediateId = Immediate.idOf;
delete Immediate.idOf;
for (const [Class, name] of [[Timeout, 'Timeout'], [Immediate, 'Immediate']]) {
  Object.defineProperty(Class, 'name', { value: name, configurable: true });
}

/** Node's error for a callback that is none; `words` tells what was given. */
let received = (_value) => '';
export function setReceived(words) {
  received = words;
}
export function noFunction(value) {
  const words = `The "callback" argument must be of type function. ${received(value)}`;
  return markCoded(new TypeErrorCtor(words), 'ERR_INVALID_ARG_TYPE');
}

function schedule(timer) {
  timer.due = timer.immediate || (ended && timer.zero) ? 0 : now() + timer.delay;
  timer.sequence = sequence += 1;
}

function add(callback, delay, args, repeat, immediate) {
  if (typeof callback !== 'function') throw noFunction(callback);
  callback = bindAsync(callback);
  delay = toNumber(delay);
  const timer = {
    __proto__: null, id: (lastId += 1), callback, args, repeat, immediate, sequence: 0, due: 0, referenced: true,
    delay: delay >= 1 && delay <= MAX_DELAY ? delay - (delay % 1) : 1, zero: false, limit: false,
  };
  timer.zero = immediate || (timer.delay === 1 && !repeat);
  schedule(timer);
  if (!ended || timer.zero) mapSet(timers, timer.id, timer);
  return timer;
}

/** The handler has ended: from now on only timers of zero go on, which say no more than "later", and the limits of
 * requests under way. */
export function over() {
  ended = true;
  mapForEach(timers, (timer) => {
    if (timer.zero) schedule(timer);
    else if (!timer.limit) mapDelete(timers, timer.id);
  });
}

export const timerGlobals = {
  setTimeout(callback, delay, ...args) {
    return new Timeout(add(callback, delay, args, false, false));
  },
  setInterval(callback, delay, ...args) {
    return new Timeout(add(callback, delay, args, true, false));
  },
  setImmediate(callback, ...args) {
    return new Immediate(add(callback, 0, args, false, true));
  },
  clearTimeout: clear,
  clearInterval: clear,
  clearImmediate: clear,
};

function clear(handle) {
  if (handle === undefined || handle === null) return;
  mapDelete(timers, immediateId(handle) ?? idOf(handle));
}

/** The limit of a request, which holds to the request's end; gives a function that cancels it. */
export function limit(delay, callback) {
  const timer = add(callback, delay, [], false, false);
  timer.limit = true;
  timer.zero = false;
  mapSet(timers, timer.id, timer);
  return () => mapDelete(timers, timer.id);
}

function earliest() {
  let first;
  mapForEach(timers, (timer) => {
    if (first === undefined || timer.due < first.due || (timer.due === first.due && timer.sequence < first.sequence)) {
      first = timer;
    }
  });
  return first;
}

/** Milliseconds until the next timer is due, -1 when there is none. */
export function nextDelay() {
  const first = earliest();
  if (first === undefined) return -1;
  if (first.due === 0) return 0;
  const wait = first.due - now();
  return wait > 0 ? wait : 0;
}

/** Run the next due timer, if any; promise jobs run before the one after it, as in Node. */
export function fireNext() {
  const timer = earliest();
  if (timer === undefined || (timer.due !== 0 && timer.due > now())) return;
  if (timer.repeat) schedule(timer);
  else mapDelete(timers, timer.id);
  reflectApply(timer.callback, undefined, timer.args);
}
