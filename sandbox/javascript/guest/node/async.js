// AsyncLocalStorage and AsyncResource. What runs in timers, ticks, microtasks and `then` keeps the store of the
// code that asked for it. The engine does not tell when an `await` goes on: then the store is that of the one run
// that has not settled yet, and where runs overlap `getStore` fails instead of guessing.

import { WeakMapCtor, promiseThen, reflectApply } from '../primordials.js';
import { setAsyncBinder } from '../timers.js';
import { coded, demandFunction } from './errors.js';

/** Stores of the code that runs now: storage to value; undefined when the engine alone knows. */
let frame;
/** Whether the code that runs now was reached from code whose stores are known. */
const ROOT = new Map();

/** Runs whose promise has not settled. */
const live = new Set();
const NEXT_JOB = Promise.resolve();

function within(stores, fn, self, args) {
  const before = frame;
  frame = stores;
  try {
    return reflectApply(fn, self, args);
  } finally {
    frame = before;
  }
}

/** Stands for a store that cannot be told. */
const UNCLEAR = Symbol('unclear');

/** The stores that code started now will have. */
function current() {
  if (frame !== undefined) return frame;
  const deepest = new Map();
  for (const run of live) {
    if (!run.apart) continue;
    const other = deepest.get(run.storage);
    if (other === undefined || other.ancestors.has(run) || run.ancestors.has(other)) {
      if (other === undefined || run.ancestors.has(other)) deepest.set(run.storage, run);
    } else {
      deepest.set(run.storage, { store: UNCLEAR, ancestors: new Set(live) });
    }
  }
  return deepest.size === 0 ? ROOT : new Map([...deepest].map(([storage, run]) => [storage, run.store]));
}

/** `fn` bound to the stores of now. */
function bound(fn) {
  const stores = used ? current() : ROOT;
  if (stores === ROOT) return fn;
  return (...args) => within(stores, fn, undefined, args);
}

let used = false;

/** From the first storage on, `then` and timers hand stores on. Before, nothing costs anything. */
function begin() {
  if (used) return;
  used = true;
  setAsyncBinder(bound);
  const { then } = Promise.prototype;
  const patched = {
    then(done, failed) {
      const stores = current();
      const keep = (fn) => (typeof fn !== 'function' || stores === ROOT
        ? fn : (value) => within(stores, fn, undefined, [value]));
      return reflectApply(then, this, [keep(done), keep(failed)]);
    },
  };
  Object.defineProperty(Promise.prototype, 'then', { value: patched.then, writable: true, configurable: true });
  const microtask = globalThis.queueMicrotask;
  globalThis.queueMicrotask = { queueMicrotask: (fn) => microtask(typeof fn === 'function' ? bound(fn) : fn) }.queueMicrotask;
}

export const bindAsync = (fn) => bound(fn);

function unclear() {
  return coded(Error, 'ERR_ASYNC_STORAGE_UNCLEAR',
    'AsyncLocalStorage cannot tell apart runs that overlap after an await in an Action; await one run before the next, or pass the value on');
}

export class AsyncLocalStorage {
  #name; #fallback; #entered; #isEntered = false;
  constructor({ defaultValue, name = '' } = {}) {
    this.#fallback = defaultValue;
    this.#name = String(name);
    begin();
  }
  static bind(fn) {
    demandFunction(fn, 'fn');
    begin();
    return bound(fn);
  }
  static snapshot() {
    begin();
    const stores = current();
    return (fn, ...args) => within(stores, fn, undefined, args);
  }
  get name() { return this.#name; }
  run(store, callback, ...args) {
    const stores = new Map(current()).set(this, store);
    const run = { storage: this, store, apart: false, ancestors: this.#ancestors() };
    promiseThen(NEXT_JOB, () => { run.apart = true; }); // until then, code beside it is still the code that started it
    live.add(run);
    let result;
    try {
      result = within(stores, callback, undefined, args);
    } finally {
      if (!isPromise(result)) live.delete(run);
    }
    if (isPromise(result)) watch(result, run);
    return result;
  }
  /** The runs of this storage that the running code is in. */
  #ancestors() {
    const stores = current();
    const inner = [...live].findLast((run) => run.storage === this && stores.has(this) && run.store === stores.get(this));
    return new Set(inner === undefined ? [] : [inner, ...inner.ancestors]);
  }
  exit(callback, ...args) {
    return this.run(undefined, callback, ...args);
  }
  enterWith(store) {
    [this.#entered, this.#isEntered] = [store, true];
    if (frame !== undefined && frame !== ROOT) frame = new Map(frame).set(this, store);
  }
  getStore() {
    const stores = current();
    if (stores.get(this) === UNCLEAR) throw unclear();
    if (stores.has(this)) return stores.get(this);
    return this.#isEntered ? this.#entered : this.#fallback;
  }
  disable() {
    [this.#entered, this.#isEntered] = [undefined, false];
  }
}

const isPromise = (value) => typeof value === 'object' && value !== null && typeof value.then === 'function';

function watch(promise, run) {
  const end = () => { live.delete(run); };
  promiseThen(Promise.resolve(promise), end, end);
}

const resources = new WeakMapCtor();
let lastId = 1;

export class AsyncResource {
  constructor(type) {
    if (typeof type !== 'string') throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'The "type" argument must be of type string.');
    resources.set(this, { stores: used ? current() : ROOT, id: (lastId += 1) });
  }
  static bind(fn, type, self) {
    return new AsyncResource(type ?? (fn.name || 'bound-anonymous-fn')).bind(fn, self);
  }
  bind(fn, self) {
    demandFunction(fn, 'fn');
    const resource = this;
    return function boundFunction(...args) {
      return resource.runInAsyncScope(fn, self === undefined ? this : self, ...args);
    };
  }
  runInAsyncScope(fn, self, ...args) {
    return within(resources.get(this).stores, fn, self, args);
  }
  emitDestroy() { return this; }
  asyncId() { return resources.get(this).id; }
  triggerAsyncId() { return 1; }
}

export function asyncHooks() {
  const noHook = { enable: () => noHook, disable: () => noHook };
  return {
    AsyncLocalStorage, AsyncResource, createHook: () => noHook, executionAsyncId: () => 1, triggerAsyncId: () => 0,
    executionAsyncResource: () => ({}), asyncWrapProviders: Object.freeze({ __proto__: null }),
  };
}
