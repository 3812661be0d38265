// Buffer is the `buffer` package, plus what Node has gained since: base64url, and host speed for text.

import '../web/text.js';
import { Buffer, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength } from 'buffer';
import { Blob, File } from '../web/blob.js';
import { decodeUtf8, encodeUtf8 } from '../web/text.js';

const { from, byteLength, isEncoding } = Buffer;
const { toString, write, fill } = Buffer.prototype;
const SHORT = 64;

const normal = (encoding) => String(encoding).toLowerCase();
const isUtf8 = (encoding) =>
  encoding === undefined || encoding === null || normal(encoding) === 'utf8' || normal(encoding) === 'utf-8';
const isUrl = (encoding) => typeof encoding === 'string' && normal(encoding) === 'base64url';
const plain = (encoding) => (isUrl(encoding) ? 'base64' : encoding);

const view = (bytes) => from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

Object.assign(Buffer, {
  from(value, encoding, length) {
    if (typeof value === 'string') {
      if (value.length > SHORT && isUtf8(encoding)) return view(encodeUtf8(value));
      return Reflect.apply(from, Buffer, [value, plain(encoding)]);
    }
    return Reflect.apply(from, Buffer, [value, encoding, length]);
  },
  byteLength(value, encoding) {
    if (typeof value === 'string' && value.length > SHORT && isUtf8(encoding)) return encodeUtf8(value).length;
    return Reflect.apply(byteLength, Buffer, [value, plain(encoding)]);
  },
  isEncoding(encoding) {
    return isUrl(encoding) || Reflect.apply(isEncoding, Buffer, [encoding]);
  },
});

const methods = {
  toString(encoding, start, end) {
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

const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: 0x3fffffff };

export { Buffer };
export const buffer = {
  Buffer, SlowBuffer, Blob, File, INSPECT_MAX_BYTES, kMaxLength, kStringMaxLength: constants.MAX_STRING_LENGTH, constants,
  atob: globalThis.atob, btoa: globalThis.btoa,
  isUtf8: (bytes) => !decodeUtf8(bytes).includes('\ufffd'),
  isAscii: (bytes) => bytes.every((byte) => byte < 0x80),
};
