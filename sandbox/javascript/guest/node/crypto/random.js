// Random bytes and numbers; all of them come from the host.

import { randomBytes as hostRandom } from '../../host.js';
import { bytesOf } from '../../web/text.js';
import { Buffer } from '../buffer/index.js';
import { coded, demandWhole, isBytes, later, wrongType } from './host.js';

/** Bytes that one host call gives. */
const QUOTA = 65536;

export function fill(view) {
  const bytes = bytesOf(view);
  for (let at = 0; at < bytes.length; at += QUOTA) {
    bytes.set(hostRandom(Math.min(QUOTA, bytes.length - at)), at);
  }
  return view;
}

export function randomBytes(size, callback) {
  demandWhole(size, 'size');
  if (callback === undefined) return fill(Buffer.alloc(size));
  return later(callback, () => fill(Buffer.alloc(size)));
}

export function randomFillSync(target, offset = 0, size = undefined) {
  if (!isBytes(target)) throw wrongType('buf', 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', target);
  const width = /** @type {any} */ (target).BYTES_PER_ELEMENT ?? 1;
  const bytes = bytesOf(target);
  demandWhole(offset * width, 'offset', 0, bytes.length);
  const end = size === undefined ? bytes.length : demandWhole((offset + size) * width, 'size + offset', 0, bytes.length);
  fill(bytes.subarray(offset * width, end));
  return target;
}

export function randomFill(target, ...rest) {
  const callback = rest.pop();
  later(callback, () => randomFillSync(target, ...rest));
}

export function randomInt(low, high, callback) {
  if (high === undefined || typeof high === 'function') [low, high, callback] = [0, low, high];
  if (!Number.isSafeInteger(low)) throw wrongType('min', 'a safe integer', low);
  if (!Number.isSafeInteger(high)) throw wrongType('max', 'a safe integer', high);
  const range = high - low;
  if (range <= 0 || range > 2 ** 48 - 1) {
    const must = range <= 0 ? `greater than the value of "min" (${low})` : `<= ${2 ** 48 - 1}`;
    throw coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "max" is out of range. It must be ${must}. Received ${high}`);
  }
  if (callback !== undefined) return later(callback, () => draw(low, range));
  return draw(low, range);
}

function draw(low, range) {
  const limit = 2 ** 48 - (2 ** 48 % range);
  let drawn;
  do {
    drawn = Buffer.from(hostRandom(6).buffer).readUIntBE(0, 6);
  } while (drawn >= limit);
  return low + (drawn % range);
}

export function randomUUID() {
  const bytes = hostRandom(16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toHex();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function getRandomValues(array) {
  if (!ArrayBuffer.isView(array) || array instanceof DataView || String(array[Symbol.toStringTag]).startsWith('Float')) {
    throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
  }
  if (array.byteLength > QUOTA) {
    throw new DOMException(
      `The requested length exceeds 65,536 bytes`, 'QuotaExceededError');
  }
  return fill(array);
}

export function timingSafeEqual(left, right) {
  if (!isBytes(left)) throw wrongType('buf1', 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', left);
  if (!isBytes(right)) throw wrongType('buf2', 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', right);
  const [one, other] = [bytesOf(left), bytesOf(right)];
  if (one.length !== other.length) {
    throw coded(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
  }
  let difference = 0;
  for (let index = 0; index < one.length; index += 1) difference |= one[index] ^ other[index];
  return difference === 0;
}
