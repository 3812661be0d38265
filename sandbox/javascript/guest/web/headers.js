// Headers, as the Fetch standard has them.

import { inspect } from '../inspect.js';

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

function checkedName(name, method) {
  if (!NAME.test(String(name))) throw new TypeError(`Headers.${method}: "${name}" is an invalid header name.`);
  return String(name).toLowerCase();
}

function checkedValue(value, method) {
  value = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (!VALUE.test(value)) throw new TypeError(`Headers.${method}: "${value}" is an invalid header value.`);
  return value;
}

export class Headers {
  /** Lower-case name to its values. */
  #list = new Map();
  /** Lower-case name as it was first written, for showing. */
  #spelled = new Map();

  constructor(init = undefined) {
    if (init === undefined || init === null) {
      if (init === null) throw new TypeError('Headers constructor: Argument 1 ("init") could not be converted');
      return;
    }
    if (typeof init !== 'object') throw new TypeError('Headers constructor: Argument 1 ("init") could not be converted');
    if (typeof init[Symbol.iterator] === 'function') {
      for (const pair of init) {
        const [name, value, ...more] = [...pair];
        if (value === undefined || more.length) throw new TypeError('Headers constructor: expected name/value pair to be length 2');
        this.append(name, value);
      }
    } else {
      for (const name of Reflect.ownKeys(init)) {
        if (Object.prototype.propertyIsEnumerable.call(init, name)) this.append(name, init[name]);
      }
    }
  }
  append(name, value) {
    const spelled = String(name);
    name = checkedName(name, 'append');
    const values = this.#list.get(name);
    if (values) {
      values.push(checkedValue(value, 'append'));
    } else {
      this.#list.set(name, [checkedValue(value, 'append')]);
      this.#spelled.set(name, spelled);
    }
  }
  set(name, value) {
    const key = checkedName(name, 'set');
    this.#list.set(key, [checkedValue(value, 'set')]);
    this.#spelled.set(key, String(name));
  }
  delete(name) {
    this.#list.delete(checkedName(name, 'delete'));
  }
  get(name) {
    return this.#list.get(checkedName(name, 'get'))?.join(', ') ?? null;
  }
  has(name) {
    return this.#list.has(checkedName(name, 'has'));
  }
  getSetCookie() {
    return [...(this.#list.get('set-cookie') ?? [])];
  }
  *entries() {
    for (const name of [...this.#list.keys()].sort()) {
      if (name === 'set-cookie') for (const value of this.getSetCookie()) yield [name, value];
      else yield [name, this.get(name)];
    }
  }
  *keys() {
    for (const [name] of this.entries()) yield name;
  }
  *values() {
    for (const [, value] of this.entries()) yield value;
  }
  forEach(callback, self = undefined) {
    for (const [name, value] of this.entries()) Reflect.apply(callback, self, [value, name, this]);
  }
  [inspect.custom](depth, options) {
    const shown = {};
    for (const [name, values] of this.#list) shown[this.#spelled.get(name)] = values.join(', ');
    return `Headers ${inspect(shown, options)}`;
  }
  get [Symbol.toStringTag]() { return 'Headers'; }
}
Object.defineProperty(Headers.prototype, Symbol.iterator, {
  value: Headers.prototype.entries, writable: true, configurable: true,
});
