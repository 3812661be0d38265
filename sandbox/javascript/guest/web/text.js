// TextEncoder and TextDecoder. The work is the host's: a loop over bytes is slow in an interpreter.

import { decodeText, encodeText } from '../host.js';
import { markCoded } from '../stacks.js';
import { stringSlice, toText, toWellFormed } from '../primordials.js';

const ASCII_SHORTCUT = 48;
/** Bytes that one host call takes (sandbox/javascript/hostcalls.py). */
const CHUNK = 4 * 1024 * 1024;

/** The UTF-8 bytes of a string; lone surrogates become U+FFFD. */
export function encodeUtf8(text) {
  if (text.length <= ASCII_SHORTCUT) {
    const bytes = new Uint8Array(text.length);
    let index = 0;
    for (; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) break;
      bytes[index] = code;
    }
    if (index === text.length) return bytes;
  }
  text = toWellFormed(text);
  if (text.length <= CHUNK / 4) return encodeText(text);
  const parts = [];
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + CHUNK / 4, text.length);
    if ((text.charCodeAt(end - 1) & 0xfc00) === 0xd800 && end < text.length) end -= 1;
    parts.push(encodeText(stringSlice(text, at, end)));
    at = end;
  }
  return concat(parts);
}

export function concat(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The bytes of any buffer source. */
export function bytesOf(source) {
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  return new Uint8Array(source);
}

export class TextEncoder {
  get encoding() {
    return 'utf-8';
  }
  encode(input = '') {
    return encodeUtf8(toText(input));
  }
  encodeInto(source, destination) {
    let read = 0;
    let written = 0;
    for (const character of toText(source)) {
      const bytes = encodeUtf8(character);
      if (written + bytes.length > destination.length) break;
      destination.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

const LABELS = {
  'utf-8': ['utf-8', 'utf8', 'unicode-1-1-utf-8', 'unicode11utf8', 'unicode20utf8', 'x-unicode20utf8'],
  'utf-16le': ['utf-16le', 'utf-16', 'ucs-2', 'unicode', 'csunicode', 'iso-10646-ucs-2', 'unicodefeff'],
  'utf-16be': ['utf-16be', 'unicodefffe'],
  'windows-1252': [
    'windows-1252', 'latin1', 'l1', 'ascii', 'us-ascii', 'iso-8859-1', 'iso8859-1', 'iso88591', 'iso_8859-1',
    'cp1252', 'cp819', 'ibm819', 'x-cp1252', 'ansi_x3.4-1968', 'csisolatin1', 'iso-ir-100', 'iso_8859-1:1987',
  ],
};
const ENCODINGS = new Map(Object.entries(LABELS).flatMap(([name, labels]) => labels.map((label) => [label, name])));

/** How many bytes at the end belong to a character that is not complete. */
function incompleteTail(bytes, encoding) {
  const { length } = bytes;
  if (encoding === 'windows-1252') return 0;
  if (encoding !== 'utf-8') {
    if (length % 2) return 1 + incompleteTail(bytes.subarray(0, length - 1), encoding);
    if (length === 0) return 0;
    const high = encoding === 'utf-16le' ? bytes[length - 1] : bytes[length - 2];
    return (high & 0xfc) === 0xd8 ? 2 : 0;
  }
  for (let back = 1; back <= Math.min(3, length); back += 1) {
    const byte = bytes[length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

function noBytes() {
  const words = 'The "list" argument must be an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView.';
  return markCoded(new TypeError(words), 'ERR_INVALID_ARG_TYPE');
}

const malformed = (encoding) => {
  const error = new TypeError(`The encoded data was not valid for encoding ${encoding}`);
  error.code = 'ERR_ENCODING_INVALID_ENCODED_DATA';
  return error;
};

function decodeWhole(encoding, bytes, fatal) {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    let end = Math.min(at + CHUNK, bytes.length);
    if (end < bytes.length) end -= incompleteTail(bytes.subarray(at, end), encoding);
    const part = decodeText(encoding, bytes.subarray(at, end), fatal);
    if (part === undefined) throw malformed(encoding);
    text += part;
    at = end;
  }
  return text;
}

/** UTF-8 to text; malformed parts become U+FFFD. */
export const decodeUtf8 = (bytes) => decodeWhole('utf-8', bytes, false);

export class TextDecoder {
  #encoding;
  #fatal;
  #ignoreBOM;
  #rest = new Uint8Array(0);
  #begun = false;

  constructor(label = 'utf-8', options = undefined) {
    const encoding = ENCODINGS.get(toText(label).trim().toLowerCase());
    if (encoding === undefined) {
      throw markCoded(new RangeError(`The "${label}" encoding is not supported`), 'ERR_ENCODING_NOT_SUPPORTED');
    }
    this.#encoding = encoding;
    this.#fatal = Boolean(options?.fatal);
    this.#ignoreBOM = Boolean(options?.ignoreBOM);
  }
  get encoding() {
    return this.#encoding;
  }
  get fatal() {
    return this.#fatal;
  }
  get ignoreBOM() {
    return this.#ignoreBOM;
  }
  decode(input = undefined, options = undefined) {
    if (input !== undefined && !ArrayBuffer.isView(input) && !(input instanceof ArrayBuffer)) throw noBytes();
    let bytes = input === undefined ? new Uint8Array(0) : bytesOf(input);
    if (this.#rest.length) bytes = concat([this.#rest, bytes]);
    const tail = options?.stream ? incompleteTail(bytes, this.#encoding) : 0;
    this.#rest = bytes.slice(bytes.length - tail);
    let text = decodeWhole(this.#encoding, bytes.subarray(0, bytes.length - tail), this.#fatal);
    if (!this.#begun && !this.#ignoreBOM && this.#encoding !== 'windows-1252' && text.startsWith('\ufeff')) {
      text = text.slice(1);
    }
    this.#begun = Boolean(options?.stream) && (this.#begun || text !== '');
    return text;
  }
}

// The packages imported after this look for them.
globalThis.TextEncoder = TextEncoder;
globalThis.TextDecoder = TextDecoder;
