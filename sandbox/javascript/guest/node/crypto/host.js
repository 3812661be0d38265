// Talks to the host's cryptography (sandbox/hostcrypto), and what all parts of node:crypto share.

import { compute as hostCompute } from '../../host.js';
import { inspect } from '../../inspect.js';
import { jsonParse, jsonStringify } from '../../primordials.js';
import { timerGlobals } from '../../timers.js';
import { bytesOf } from '../../web/text.js';
import { coded, wrongType } from '../errors.js';
import { Buffer } from '../buffer/index.js';

export { coded, wrongType };

const CLASSES = { Error, TypeError, RangeError };

/** What the host computes; its errors are thrown here under Node's names. */
export function compute(operation, values) {
  const { ok, error } = jsonParse(hostCompute(operation, jsonStringify(values)));
  if (ok !== undefined) return ok;
  throw coded(CLASSES[error.name] ?? Error, error.code, error.message);
}

export const toBase64 = (bytes) => bytes.toBase64();
export const fromBase64 = (text) => Buffer.from(Uint8Array.fromBase64(text).buffer);

export const isBytes = (value) => ArrayBuffer.isView(value) || value instanceof ArrayBuffer;

/** A fresh copy of the bytes that an argument stands for. */
export function input(value, name = 'data', encoding = undefined) {
  if (typeof value === 'string') return Buffer.from(value, encoding === 'buffer' ? 'utf8' : encoding);
  if (isBytes(value)) return Buffer.from(bytesOf(value).slice().buffer);
  throw wrongType(name, 'of type string or an instance of Buffer, TypedArray, or DataView', value);
}

export function output(bytes, encoding) {
  return encoding === undefined || encoding === null || encoding === 'buffer' ? bytes : bytes.toString(encoding);
}

/** Run now, call back later. */
export function later(callback, work) {
  if (typeof callback !== 'function') throw wrongType('callback', 'of type function', callback);
  let outcome;
  try {
    outcome = [null, work()];
  } catch (error) {
    if (/^ERR_(INVALID_ARG|OUT_OF_RANGE|CRYPTO_INVALID_DIGEST)/.test(error.code ?? '')) throw error;
    outcome = [error];
  }
  timerGlobals.setImmediate(() => callback(...outcome));
}

const HASHES = [
  'blake2b512', 'blake2s256', 'md5', 'ripemd160', 'sha1', 'sha224', 'sha256', 'sha3-224', 'sha3-256', 'sha3-384',
  'sha3-512', 'sha384', 'sha512', 'sha512-224', 'sha512-256', 'shake128', 'shake256',
];
const SIGNING = ['md5', 'ripemd160', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha512-224', 'sha512-256'];

/** The usual name of a digest, undefined when there is none. */
export function hashName(name) {
  let plain = String(name).toLowerCase().replace(/^rsa-/, '').replace('/', '-');
  plain = plain.replace(/^sha2?-(?=\d)/, 'sha').replace(/^(rmd160|ripemd)$/, 'ripemd160');
  return HASHES.includes(plain) ? plain : undefined;
}

export function demandHash(name, argument = 'digest', said = `Invalid digest: ${name}`) {
  if (typeof name !== 'string') throw wrongType(argument, 'of type string', name);
  const found = hashName(name);
  if (found === undefined) throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', said);
  return found;
}

export const getHashes = () => [...SIGNING.map((name) => `RSA-${name.toUpperCase().replace(/^SHA512-/, 'SHA512/')}`), ...HASHES];
export const getCurves = () => ['prime256v1', 'secp256k1', 'secp384r1', 'secp521r1'];

export function demandWhole(value, name, low = 0, high = 2147483647) {
  if (typeof value !== 'number') throw wrongType(name, 'of type number', value);
  if (!Number.isInteger(value) || value < low || value > high) {
    const range = Number.isInteger(value) ? `>= ${low} && <= ${high}` : 'an integer';
    throw coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`);
  }
  return value;
}
