// AsyncLocalStorage and AsyncResource, as Node 24 has them: a map of stores goes along with everything that is
// done later (guest/continuations.js).

import { MapCtor, WeakMapCtor, mapDelete, mapGet, mapSet } from '../primordials.js';
import { begin, bind, current, enter, within } from '../continuations.js';
import { coded, demandFunction } from './errors.js';

const { has } = Map.prototype;

export class AsyncLocalStorage {
  #name; #fallback;
  constructor({ defaultValue = undefined, name = '' } = {}) {
    this.#fallback = defaultValue;
    this.#name = String(name);
    begin();
  }
  static bind(fn) {
    demandFunction(fn, 'fn');
    begin();
    return bind(fn);
  }
  static snapshot() {
    begin();
    const stores = current();
    return (fn, ...args) => within(stores, fn, undefined, args);
  }
  get name() { return this.#name; }
  #with(store) {
    return mapSet(new MapCtor(current()), this, store);
  }
  run(store, callback, ...args) {
    return within(this.#with(store), callback, undefined, args);
  }
  exit(callback, ...args) {
    return this.run(undefined, callback, ...args);
  }
  enterWith(store) {
    enter(this.#with(store));
  }
  getStore() {
    const stores = current();
    return has.call(stores, this) ? mapGet(stores, this) : this.#fallback;
  }
  disable() {
    mapDelete(current(), this);
  }
}

const resources = new WeakMapCtor();
let lastId = 1;

export class AsyncResource {
  constructor(type) {
    if (typeof type !== 'string') throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'The "type" argument must be of type string.');
    resources.set(this, { stores: current(), id: (lastId += 1) });
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
