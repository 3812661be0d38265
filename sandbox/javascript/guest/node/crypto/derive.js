// Keys from passwords and from other keys.

import { compute, coded, demandHash, demandWhole, fromBase64, input, later, toBase64, wrongType } from './host.js';
import { secretBytes } from './keys.js';

export function pbkdf2Sync(password, salt, iterations, length, digest) {
  return prepared('pbkdf2', {
    hash: demandHash(digest),
    password: toBase64(input(password, 'password')),
    salt: toBase64(input(salt, 'salt')),
    iterations: demandWhole(iterations, 'iterations', 1),
    length: demandWhole(length, 'keylen'),
  });
}

const prepared = (operation, request) => fromBase64(compute(operation, request).data);

export function pbkdf2(password, salt, iterations, length, digest, callback) {
  if (typeof digest === 'function') throw wrongType('digest', 'of type string', undefined);
  later(callback, () => pbkdf2Sync(password, salt, iterations, length, digest));
}

export function scryptSync(password, salt, length, options = {}) {
  const { N, r, p, cost, blockSize, parallelization, maxmem = 32 * 1024 * 1024 } = options;
  const request = {
    password: toBase64(input(password, 'password')),
    salt: toBase64(input(salt, 'salt')),
    length: demandWhole(length, 'keylen'),
    cost: cost ?? N ?? 16384,
    blockSize: blockSize ?? r ?? 8,
    parallelization: parallelization ?? p ?? 1,
  };
  if (128 * request.blockSize * (request.cost + request.parallelization) > maxmem + 128 * request.blockSize * 2) {
    throw coded(RangeError, 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', 'Invalid scrypt params: memory limit exceeded');
  }
  return prepared('scrypt', request);
}

export function scrypt(password, salt, length, options, callback) {
  if (typeof options === 'function') [options, callback] = [undefined, options];
  later(callback, () => scryptSync(password, salt, length, options));
}

/** An ArrayBuffer, as Node gives it. */
export function hkdfSync(digest, key, salt, info, length) {
  const made = prepared('hkdf', {
    hash: demandHash(digest),
    key: toBase64(secretBytes(key, 'ikm')),
    salt: toBase64(input(salt, 'salt')),
    info: toBase64(input(info, 'info')),
    length: demandWhole(length, 'length'),
  });
  return made.buffer.slice(made.byteOffset, made.byteOffset + made.length);
}

export function hkdf(digest, key, salt, info, length, callback) {
  later(callback, () => hkdfSync(digest, key, salt, info, length));
}
