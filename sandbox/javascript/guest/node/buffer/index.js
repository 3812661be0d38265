// Buffer is the `buffer` package, plus what Node has gained since: base64url, and host speed for text.

import '../../web/text.js';
import { inspect } from '../../inspect.js';
import { Buffer, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength } from 'buffer';
import { Blob, File } from '../../web/blob.js';
import { bytesOf, decodeUtf8, encodeUtf8 } from '../../web/text.js';
import { guardNumbers } from './numbers.js';
import { coded, outOfRange, received, wrongType } from '../errors.js';

const { from, byteLength, isEncoding, alloc, allocUnsafe } = Buffer;
const { toString, write, fill } = Buffer.prototype;
const SHORT = 64;

const normal = (encoding) => String(encoding).toLowerCase();
const isUtf8 = (encoding) =>
  encoding === undefined || encoding === null || normal(encoding) === 'utf8' || normal(encoding) === 'utf-8';
const isUrl = (encoding) => typeof encoding === 'string' && normal(encoding) === 'base64url';
const plain = (encoding) => (isUrl(encoding) ? 'base64' : encoding);

const unknown = (encoding) => coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
const demandEncoding = (encoding) => {
  if (typeof encoding === 'string' && encoding !== '' && !Buffer.isEncoding(encoding)) throw unknown(encoding);
};
/** Node reads hexadecimal text up to the first pair that is none. */
const hexOf = (text) => /^(?:[\da-f]{2})*/i.exec(text)[0];
function demandSize(size) {
  if (typeof size !== 'number') throw wrongType('size', 'of type number', size);
  if (!(size >= 0 && size <= Number.MAX_SAFE_INTEGER)) throw outOfRange('size', '>= 0 && <= 9007199254740991', size);
}

const view = (bytes) => from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

Object.assign(Buffer, {
  from(value, encoding, length) {
    if (typeof value === 'string') {
      demandEncoding(encoding);
      if (value.length > SHORT && isUtf8(encoding)) return view(encodeUtf8(value));
      if (typeof encoding === 'string' && normal(encoding) === 'hex') value = hexOf(value);
      return Reflect.apply(from, Buffer, [value, plain(encoding)]);
    }
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) throw noSource(value);
    return Reflect.apply(from, Buffer, [value, encoding, length]);
  },
  alloc(size, fill, encoding) {
    demandSize(size);
    return Reflect.apply(alloc, Buffer, [size, fill, plain(encoding)]);
  },
  allocUnsafe(size) {
    demandSize(size);
    return Reflect.apply(allocUnsafe, Buffer, [size]);
  },
  copyBytesFrom(source, offset = 0, length = undefined) {
    if (!ArrayBuffer.isView(source) || source instanceof DataView) throw wrongType('view', 'an instance of TypedArray', source);
    const typed = /** @type {Uint8Array} */ (source);
    return Buffer.from(bytesOf(typed.subarray(offset, length === undefined ? undefined : offset + length)));
  },
  of: (...items) => Buffer.from(items),
  byteLength(value, encoding) {
    if (typeof value === 'string' && value.length > SHORT && isUtf8(encoding)) return encodeUtf8(value).length;
    return Reflect.apply(byteLength, Buffer, [value, plain(encoding)]);
  },
  isEncoding(encoding) {
    return isUrl(encoding) || Reflect.apply(isEncoding, Buffer, [encoding]);
  },
});

function noSource(value) {
  return coded(TypeError, 'ERR_INVALID_ARG_TYPE',
    `The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. ${received(value)}`);
}

const methods = {
  toString(encoding, start, end) {
    demandEncoding(encoding);
    if (isUrl(encoding)) {
      return Reflect.apply(toString, this, ['base64', start, end])
        .replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
    }
    if (this.length > SHORT && isUtf8(encoding)) {
      return decodeUtf8(this.subarray(start === undefined ? 0 : start, end === undefined ? this.length : end));
    }
    return Reflect.apply(toString, this, arguments.length ? [encoding, start, end] : []);
  },
  write(text, offset, length, encoding) {
    return Reflect.apply(write, this, [...arguments].map(plain));
  },
  fill(value, offset, end, encoding) {
    return Reflect.apply(fill, this, typeof value === 'string' ? [value, ...[...arguments].slice(1).map(plain)] : arguments);
  },
};
for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(Buffer.prototype, name, { value, writable: true, configurable: true });
}

guardNumbers(Buffer.prototype);
Buffer.poolSize = 65536;
for (const encoding of ['ascii', 'base64', 'base64url', 'latin1', 'hex', 'ucs2', 'utf8']) {
  const slice = { [`${encoding}Slice`](start, end) { return Reflect.apply(methods.toString, this, [encoding, start, end]); } }[`${encoding}Slice`];
  Object.defineProperty(Buffer.prototype, `${encoding}Slice`, { value: slice, writable: true, configurable: true });
}
Object.defineProperty(Buffer.prototype, inspect.custom, {
  value: function show(depth, options) {
    const shown = Math.min(INSPECT_MAX_BYTES, this.length);
    const bytes = [...Uint8Array.prototype.subarray.call(this, 0, shown)].map((byte) => byte.toString(16).padStart(2, '0'));
    const more = this.length - shown;
    if (more > 0) bytes.push(`... ${more} more byte${more > 1 ? 's' : ''}`);
    const own = Object.keys(this).filter((key) => !/^\d+$/.test(key));
    if (own.length) bytes.push(...own.map((key) => `${key}: ${inspect(this[key], options)}`));
    return `<${this.constructor.name} ${bytes.join(' ')}>`;
  },
  writable: true, configurable: true,
});

const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: 0x3fffffff };

/** What a small encoding cannot hold becomes a question mark. */
const narrowed = (text, encoding) => (/^(latin1|binary|ascii)$/i.test(encoding) ? text.replace(/[^\x00-\xff]/gu, '?') : text);

export { Buffer };
export const buffer = {
  Buffer, SlowBuffer, Blob, File, INSPECT_MAX_BYTES, kMaxLength, kStringMaxLength: constants.MAX_STRING_LENGTH, constants,
  atob: (data) => globalThis.atob(data), btoa: (data) => globalThis.btoa(data),
  transcode: (source, fromEncoding, toEncoding) => Buffer.from(narrowed(Buffer.from(bytesOf(source)).toString(fromEncoding), toEncoding), toEncoding),
  resolveObjectURL: () => undefined,
  isUtf8: (bytes) => !decodeUtf8(bytes).includes('\ufffd'),
  isAscii: (bytes) => bytes.every((byte) => byte < 0x80),
};
