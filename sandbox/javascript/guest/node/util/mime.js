// util.MIMEType: a type, and its parameters.

import { coded } from '../errors.js';

const TOKEN = /^[-!#$%&'*+.^`|~\w]+$/;
const invalid = (what, text) => coded(TypeError, 'ERR_INVALID_MIME_SYNTAX', `The MIME syntax for a ${what} in ${JSON.stringify(text)} is invalid`);

export class MIMEParams {
  #all = new Map();
  get(name) { return this.#all.has(name) ? this.#all.get(name) : null; }
  has(name) { return this.#all.has(name); }
  delete(name) { this.#all.delete(name); }
  set(name, value) {
    [name, value] = [String(name), String(value)];
    if (!TOKEN.test(name)) throw invalid('parameter name', name);
    this.#all.set(name, value);
  }
  * entries() { yield* this.#all.entries(); }
  * keys() { yield* this.#all.keys(); }
  * values() { yield* this.#all.values(); }
  [Symbol.iterator]() { return this.entries(); }
  toString() {
    return [...this.#all].map(([name, value]) => `${name}=${TOKEN.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`).join(';');
  }
  toJSON() { return this.toString(); }
}

export class MIMEType {
  #type; #subtype; #params = new MIMEParams();
  constructor(input) {
    const text = String(input);
    const [, type, subtype, rest] = /^\s*([^/;]*)(?:\/([^;]*))?(.*)$/s.exec(text);
    if (!TOKEN.test(type)) throw invalid('type', text);
    if (subtype === undefined || !TOKEN.test(subtype.trimEnd())) throw invalid('subtype', text);
    [this.#type, this.#subtype] = [type.toLowerCase(), subtype.trimEnd().toLowerCase()];
    for (const [, name, quoted, plain] of rest.matchAll(/;\s*([^;=]+)=(?:"((?:[^"\\]|\\.)*)"[^;]*|([^;]*))/g)) {
      const value = quoted === undefined ? plain.trimEnd() : quoted.replace(/\\(.)/g, '$1');
      const key = name.toLowerCase();
      if (TOKEN.test(key) && value !== '' && !this.#params.has(key)) this.#params.set(key, value);
    }
  }
  get type() { return this.#type; }
  set type(value) {
    if (!TOKEN.test(value)) throw invalid('type', String(value));
    this.#type = value.toLowerCase();
  }
  get subtype() { return this.#subtype; }
  set subtype(value) {
    if (!TOKEN.test(value)) throw invalid('subtype', String(value));
    this.#subtype = value.toLowerCase();
  }
  get essence() { return `${this.#type}/${this.#subtype}`; }
  get params() { return this.#params; }
  toString() {
    const params = this.#params.toString();
    return params === '' ? this.essence : `${this.essence};${params}`;
  }
  toJSON() { return this.toString(); }
}
