// The events module: the package that browsers use, with what Node has gained since.

import Emitter from 'events';
import { inspect } from '../inspect.js';
import { coded, demandFunction, wrongType } from './errors.js';
import { AsyncResource } from './async.js';
import { process } from './process.js';
import { AbortSignal } from '../web/abort.js';
import { Event } from '../web/events.js';

const ERROR_MONITOR = Symbol('events.errorMonitor');
const REJECTION = Symbol.for('nodejs.rejection');
const captures = new WeakSet();
const { emit, on } = Emitter.prototype;

function unhandled(value) {
  const error = coded(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${typeof value === 'string' ? `'${value}'` : inspect(value)})`);
  error.context = value;
  return error;
}

function rejected(emitter, error, name, args) {
  if (typeof emitter[REJECTION] === 'function') return emitter[REJECTION](error, name, ...args);
  captures.delete(emitter); // an error in the listener of errors is not caught again
  try {
    return emitter.emit('error', error);
  } finally {
    captures.add(emitter);
  }
}

const methods = {
  emit(name, ...args) {
    if (name === 'error' && this._events?.[ERROR_MONITOR] !== undefined) Reflect.apply(emit, this, [ERROR_MONITOR, ...args]);
    if (name === 'error' && !(args[0] instanceof Error) && this.listenerCount('error') === 0) throw unhandled(args[0]);
    if (!captures.has(this) && !events.captureRejections) return Reflect.apply(emit, this, [name, ...args]);
    const listeners = this.rawListeners(name);
    if (listeners.length === 0) return Reflect.apply(emit, this, [name, ...args]);
    for (const listener of listeners) {
      const result = Reflect.apply(listener, this, args);
      if (typeof result?.then === 'function') result.then(undefined, (error) => process.nextTick(rejected, this, error, name, args));
    }
    return true;
  },
  listenerCount(name, listener) {
    const all = this.listeners(name);
    return listener === undefined ? all.length : all.filter((one) => one === listener).length;
  },
};
for (const name of Object.keys(methods)) Object.defineProperty(Emitter.prototype, name, { value: methods[name], writable: true, configurable: true });
for (const name of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener']) {
  const method = name === 'addListener' ? on : Emitter.prototype[name];
  const checked = { [name](type, listener) {
    demandFunction(listener, 'listener');
    return Reflect.apply(method, this, [type, listener]);
  } }[name];
  Object.defineProperty(Emitter.prototype, name, { value: checked, writable: true, configurable: true, enumerable: true });
}
const { init } = Emitter;
Emitter.init = function initWithOptions(options) {
  Reflect.apply(init, this, []);
  if (options?.captureRejections) captures.add(this);
};

/** `class A extends EventEmitter`, `EventEmitter.call(this)` and `new EventEmitter(options)`. */
const { EventEmitter } = /** @type {any} */ ({
  EventEmitter: function EventEmitter(options) {
    Emitter.init.call(this, options);
  },
});
Object.defineProperty(EventEmitter, 'name', { value: 'EventEmitter', configurable: true });
EventEmitter.prototype = Emitter.prototype;
Object.defineProperty(EventEmitter.prototype, 'constructor', { value: EventEmitter, writable: true, configurable: true });

function abortError(signal) {
  const error = Object.assign(new Error('The operation was aborted'), { code: 'ABORT_ERR' });
  Object.defineProperty(error, 'name', { value: 'AbortError', writable: true, configurable: true });
  return Object.defineProperty(error, 'cause', { value: signal.reason, writable: true, configurable: true });
}

function listen(target, name, listener, flags) {
  if (typeof target.on === 'function') target[flags?.once ? 'once' : 'on'](name, listener);
  else if (typeof target.addEventListener === 'function') target.addEventListener(name, listener, flags);
  else throw wrongType('emitter', 'an instance of EventEmitter', target);
}

function forget(target, name, listener) {
  if (typeof target.removeListener === 'function') target.removeListener(name, listener);
  else target.removeEventListener(name, listener);
}

async function once(target, name, { signal = undefined } = {}) {
  if (signal?.aborted) throw abortError(signal);
  return new Promise((resolve, reject) => {
    const clean = () => {
      forget(target, name, done);
      forget(target, 'error', fail);
      signal?.removeEventListener('abort', stop);
    };
    const end = (settle) => (value) => {
      clean();
      settle(value);
    };
    const done = (...args) => end(resolve)(args);
    const fail = end(reject);
    const stop = () => fail(abortError(signal));
    listen(target, name, done, { once: true });
    if (name !== 'error' && typeof target.on === 'function') target.once('error', fail);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

function onEvents(target, name, { signal = undefined, close = [] } = {}) {
  if (signal?.aborted) throw abortError(signal);
  const waiting = [];
  const readers = [];
  let problem;
  let finished = false;
  const push = (...args) => {
    if (readers.length) readers.shift().resolve({ value: args, done: false });
    else waiting.push(args);
  };
  const fail = (error) => {
    if (readers.length) readers.shift().reject(error);
    else problem = error;
    end();
  };
  const stop = () => fail(abortError(signal));
  const end = () => {
    finished = true;
    forget(target, name, push);
    forget(target, 'error', fail);
    for (const last of close) forget(target, last, end);
    signal?.removeEventListener('abort', stop);
    for (const reader of readers.splice(0)) reader.resolve({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  };
  listen(target, name, push);
  if (name !== 'error' && typeof target.on === 'function') target.on('error', fail);
  for (const last of close) listen(target, last, end);
  signal?.addEventListener('abort', stop, { once: true });
  return {
    next() {
      if (waiting.length) return Promise.resolve({ value: waiting.shift(), done: false });
      if (problem !== undefined) {
        const error = problem;
        problem = undefined;
        return Promise.reject(error);
      }
      if (finished) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve, reject) => { readers.push({ resolve, reject }); });
    },
    return: end,
    throw(error) {
      fail(error);
      return Promise.resolve({ value: undefined, done: true });
    },
    [Symbol.asyncIterator]() { return this; },
  };
}

function addAbortListener(signal, listener) {
  if (!(signal instanceof AbortSignal)) throw wrongType('signal', 'an instance of AbortSignal', signal);
  demandFunction(listener, 'listener');
  if (signal.aborted) queueMicrotask(() => listener(new Event('abort')));
  else signal.addEventListener('abort', listener, { once: true });
  return { [Symbol.dispose]() { signal.removeEventListener('abort', listener); } };
}

class EventEmitterAsyncResource extends EventEmitter {
  constructor(options = {}) {
    super(options);
    this.asyncResource = new AsyncResource(typeof options === 'string' ? options : options.name ?? new.target.name);
  }
  emit(...args) { return this.asyncResource.runInAsyncScope(super.emit, this, ...args); }
  get asyncId() { return this.asyncResource.asyncId(); }
  get triggerAsyncId() { return this.asyncResource.triggerAsyncId(); }
  emitDestroy() { this.asyncResource.emitDestroy(); }
}

export const events = Object.assign(EventEmitter, {
  EventEmitter, once, on: onEvents, addAbortListener, EventEmitterAsyncResource, errorMonitor: ERROR_MONITOR,
  captureRejectionSymbol: REJECTION, captureRejections: false, usingDomains: false, init: Emitter.init,
  getEventListeners: (target, name) => (typeof target.listeners === 'function' ? target.listeners(name) : []),
  getMaxListeners: (target) => (typeof target.getMaxListeners === 'function' ? target.getMaxListeners() : 0),
  setMaxListeners(count = 10, ...targets) {
    if (targets.length === 0) Emitter.defaultMaxListeners = count;
    for (const target of targets) target.setMaxListeners?.(count);
  },
  listenerCount: (target, name) => target.listenerCount(name),
});
Object.defineProperty(EventEmitter, 'defaultMaxListeners', {
  get: () => Emitter.defaultMaxListeners, set: (count) => { Emitter.defaultMaxListeners = count; }, enumerable: true, configurable: true,
});
