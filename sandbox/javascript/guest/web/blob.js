// Blob, File and FormData.

import { ReadableStream } from 'web-streams-polyfill';
import { inspect } from '../inspect.js';
import { coded } from '../node/errors.js';
import { bytesOf, concat, decodeUtf8, encodeUtf8 } from './text.js';

export class Blob {
  #bytes;
  #type;
  constructor(parts = [], options = undefined) {
    if (typeof parts !== 'object' || parts === null || typeof parts[Symbol.iterator] !== 'function') {
      throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'Value cannot be converted to sequence.');
    }
    const { endings = 'transparent' } = options ?? {};
    this.#bytes = concat([...parts].map((part) => partBytes(endings === 'native' && typeof part === 'string' ? part.replace(/\r\n?|\n/g, '\n') : part)));
    const type = String(options?.type ?? '');
    this.#type = /[^\x20-\x7e]/.test(type) ? '' : type.toLowerCase();
  }
  static bytes(blob) { return blob.#bytes; }
  get size() { return this.#bytes.length; }
  get type() { return this.#type; }
  slice(start = 0, end = undefined, type = '') {
    const part = this.#bytes.slice(start, end);
    return new Blob([part], { type });
  }
  async text() { return decodeUtf8(this.#bytes); }
  async arrayBuffer() { return this.#bytes.slice().buffer; }
  async bytes() { return this.#bytes.slice(); }
  stream() { return streamOf(this.#bytes); }
  [inspect.custom](depth, options) {
    return `${this[Symbol.toStringTag]} ${inspect({ size: this.size, type: this.type }, options)}`;
  }
  get [Symbol.toStringTag]() { return 'Blob'; }
}
/** The bytes of a blob, without a promise. */
export const blobBytes = Blob.bytes;
delete Blob.bytes;

export const streamOf = (bytes) => new ReadableStream({
  type: 'bytes',
  start(controller) {
    if (bytes.length) controller.enqueue(bytes.slice());
    controller.close();
  },
});

function partBytes(part) {
  if (part instanceof Blob) return blobBytes(part);
  if (part instanceof ArrayBuffer || ArrayBuffer.isView(part)) return bytesOf(part).slice();
  return encodeUtf8(String(part));
}

export class File extends Blob {
  #name;
  #lastModified;
  constructor(parts, name, options = undefined) {
    if (arguments.length < 2) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "fileBits" and "fileName" arguments must be specified');
    super(parts, options);
    this.#name = String(name);
    this.#lastModified = Number(options?.lastModified ?? Date.now());
  }
  get name() { return this.#name; }
  get lastModified() { return this.#lastModified; }
  get webkitRelativePath() { return ''; }
  get [Symbol.toStringTag]() { return 'File'; }
}

function entryValue(value, filename) {
  if (!(value instanceof Blob)) return String(value);
  if (value instanceof File && filename === undefined) return value;
  return new File([value], filename === undefined ? 'blob' : String(filename), { type: value.type });
}

function demandEntry(method, count, value) {
  if (count < 2) throw new TypeError(`FormData.${method}: 2 arguments required, but only ${count} present.`);
  if (count > 2 && !(value instanceof Blob)) {
    throw new TypeError(`Failed to execute '${method}' on 'FormData': parameter 2 is not of type 'Blob'`);
  }
}

export class FormData {
  #entries = [];
  constructor(form = undefined) {
    if (form !== undefined) throw new TypeError("FormData constructor: Argument 1 could not be converted to: undefined.");
  }
  append(name, value, filename = undefined) {
    demandEntry('append', arguments.length, value);
    this.#entries.push([String(name), entryValue(value, filename)]);
  }
  set(name, value, filename = undefined) {
    demandEntry('set', arguments.length, value);
    name = String(name);
    const at = this.#entries.findIndex((entry) => entry[0] === name);
    this.delete(name);
    this.#entries.splice(at < 0 ? this.#entries.length : at, 0, [name, entryValue(value, filename)]);
  }
  delete(name) {
    this.#entries = this.#entries.filter((entry) => entry[0] !== String(name));
  }
  get(name) {
    return this.#entries.find((entry) => entry[0] === String(name))?.[1] ?? null;
  }
  getAll(name) {
    return this.#entries.filter((entry) => entry[0] === String(name)).map((entry) => entry[1]);
  }
  has(name) {
    return this.#entries.some((entry) => entry[0] === String(name));
  }
  *entries() { for (const [name, value] of this.#entries) yield [name, value]; }
  *keys() { for (const [name] of this.#entries) yield name; }
  *values() { for (const [, value] of this.#entries) yield value; }
  forEach(callback, self = undefined) {
    for (const [name, value] of this.#entries) Reflect.apply(callback, self, [value, name, this]);
  }
  [inspect.custom](depth, options) {
    return `FormData ${inspect(Object.fromEntries(this.#entries), options)}`;
  }
  get [Symbol.toStringTag]() { return 'FormData'; }
}
Object.defineProperty(FormData.prototype, Symbol.iterator, {
  value: FormData.prototype.entries, writable: true, configurable: true,
});

const quoted = (text) => text.replace(/\r?\n|\r/g, '%0D%0A').replace(/"/g, '%22');

/** The multipart body of a form. */
export function encodeForm(form, boundary) {
  const parts = [];
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"`;
    if (typeof value === 'string') {
      parts.push(encodeUtf8(`${head}\r\n\r\n${value.replace(/\r?\n|\r/g, '\r\n')}\r\n`));
    } else {
      const type = value.type || 'application/octet-stream';
      parts.push(
        encodeUtf8(`${head}; filename="${quoted(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`), blobBytes(value),
        encodeUtf8('\r\n'),
      );
    }
  }
  parts.push(encodeUtf8(`--${boundary}--\r\n`));
  return concat(parts);
}
