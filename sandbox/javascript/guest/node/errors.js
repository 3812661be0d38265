// Errors as Node words them.

import { inspect } from '../inspect.js';
import { markCoded } from '../stacks.js';

/** Codes of errors that Node makes in C++, which show no code. */
const SILENT = new Set([
  'ERR_INVALID_URL', 'ERR_ENCODING_INVALID_ENCODED_DATA', 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'ERR_BUFFER_TOO_LARGE',
  'ERR_CRYPTO_INVALID_DIGEST', 'ERR_CRYPTO_UNKNOWN_CIPHER', 'ERR_CRYPTO_INVALID_IV', 'ERR_CRYPTO_INVALID_KEYLEN',
  'ERR_CRYPTO_INVALID_AUTH_TAG', 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', 'ERR_CRYPTO_UNKNOWN_DH_GROUP',
]);

export const showsCode = (code) => /^ERR_(?!OSSL)/.test(code) && !SILENT.has(code);

export function coded(Class, code, message) {
  const error = new Class(message);
  if (showsCode(code)) return markCoded(error, code);
  if (code !== undefined) Object.defineProperty(error, 'code', { value: code, writable: true, enumerable: true, configurable: true });
  return error;
}

/** What an argument was, in words. */
export function received(value) {
  if (value === undefined || value === null) return `Received ${value}`;
  if (typeof value === 'function') return `Received function ${value.name}`;
  if (typeof value === 'object') return `Received an instance of ${value.constructor?.name ?? 'Object'}`;
  return `Received type ${typeof value} (${inspect(value).slice(0, 28)})`;
}

export function wrongType(name, expected, value) {
  return coded(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" argument must be ${expected}. ${received(value)}`);
}


export function outOfRange(name, range, value) {
  return coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`);
}

export function wrongValue(name, reason, value, kind = 'argument') {
  return coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${kind} '${name}' ${reason}. Received ${inspect(value)}`);
}

export function demandFunction(value, name) {
  if (typeof value !== 'function') throw wrongType(name, 'of type function', value);
}

export function demandText(value, name) {
  if (typeof value !== 'string') throw wrongType(name, 'of type string', value);
}
