// The crypto module and Web Crypto: random bytes and digests come from the host.

import { digest as hostDigest, randomBytes as hostRandom } from '../host.js';
import { bytesOf, concat } from '../web/text.js';
import { Buffer } from './buffer.js';

/** Bytes that one host call takes (sandbox/javascript/hostcalls.py). */
const CHUNK = 8 * 1024 * 1024;
const QUOTA = 65536;
const ALGORITHMS = [
  'md5', 'ripemd160', 'sha1', 'sha224', 'sha256', 'sha3-256', 'sha3-384', 'sha3-512', 'sha384', 'sha512', 'sha512-256',
];
const ALIASES = { 'rsa-sha1': 'sha1', 'rsa-sha256': 'sha256', 'rsa-sha512': 'sha512', 'sha-1': 'sha1', 'sha-256': 'sha256', 'sha-384': 'sha384', 'sha-512': 'sha512', rmd160: 'ripemd160' };

function coded(Class, code, message) {
  return Object.assign(new Class(message), { code });
}

function known(algorithm, missing) {
  let name = String(algorithm).toLowerCase();
  name = ALIASES[name] ?? name;
  if (!ALGORITHMS.includes(name)) throw missing();
  return name;
}

function input(data, encoding) {
  if (typeof data === 'string') return Buffer.from(data, encoding === 'buffer' ? 'utf8' : encoding);
  if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) return bytesOf(data).slice();
  throw coded(TypeError, 'ERR_INVALID_ARG_TYPE',
    'The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView.');
}

function compute(name, bytes, key) {
  if (bytes.length > CHUNK) throw coded(RangeError, 'ERR_OUT_OF_RANGE', 'An Action can digest at most 8 MiB at a time');
  return hostDigest(name, bytes, key);
}

class Hash {
  #name; #parts = []; #key; #done = false;
  constructor(name, key) {
    this.#name = name;
    this.#key = key;
  }
  update(data, encoding) {
    if (this.#done) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    this.#parts.push(input(data, encoding));
    return this;
  }
  digest(encoding) {
    if (this.#done) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    this.#done = true;
    const bytes = Buffer.from(compute(this.#name, concat(this.#parts), this.#key).buffer);
    return encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding);
  }
  copy() {
    if (this.#done) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    const copy = new this.constructor(this.#name, this.#key);
    copy.#parts = [...this.#parts];
    return copy;
  }
}
class Hmac extends Hash {}

function createHash(algorithm) {
  return new Hash(known(algorithm, () => coded(Error, 'ERR_OSSL_EVP_UNSUPPORTED', 'Digest method not supported')));
}

function createHmac(algorithm, key) {
  const name = known(algorithm, () => coded(Error, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${algorithm}`));
  return new Hmac(name, input(key));
}

function fill(view) {
  const bytes = bytesOf(view);
  for (let at = 0; at < bytes.length; at += QUOTA) {
    bytes.set(hostRandom(Math.min(QUOTA, bytes.length - at)), at);
  }
  return view;
}

function randomBytes(size, callback) {
  if (!Number.isInteger(size) || size < 0 || size > 0x7fffffff) {
    throw coded(RangeError, 'ERR_OUT_OF_RANGE',
      `The value of "size" is out of range. It must be >= 0 && <= 2147483647. Received ${String(size)}`);
  }
  const bytes = fill(Buffer.alloc(size));
  if (callback === undefined) return bytes;
  queueMicrotask(() => callback(null, bytes));
  return undefined;
}

function randomInt(low, high, callback) {
  if (high === undefined || typeof high === 'function') [low, high, callback] = [0, low, high];
  const range = high - low;
  if (!(Number.isSafeInteger(low) && Number.isSafeInteger(high) && range > 0 && range <= 2 ** 48 - 1)) {
    throw coded(RangeError, 'ERR_OUT_OF_RANGE', 'The value of "max" is out of range.');
  }
  const limit = 2 ** 48 - (2 ** 48 % range);
  let drawn;
  do {
    drawn = Buffer.from(hostRandom(6).buffer).readUIntBE(0, 6);
  } while (drawn >= limit);
  const value = low + (drawn % range);
  if (callback === undefined) return value;
  queueMicrotask(() => callback(null, value));
  return undefined;
}

export function randomUUID() {
  const bytes = hostRandom(16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toHex();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function timingSafeEqual(left, right) {
  const [one, other] = [bytesOf(left), bytesOf(right)];
  if (one.length !== other.length) {
    throw coded(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
  }
  let difference = 0;
  for (let index = 0; index < one.length; index += 1) difference |= one[index] ^ other[index];
  return difference === 0;
}

export function getRandomValues(array) {
  if (!ArrayBuffer.isView(array) || /^Float|^DataView/.test(array.constructor.name)) {
    throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
  }
  if (array.byteLength > QUOTA) {
    throw new DOMException(
      `The requested length exceeds 65,536 bytes`, 'QuotaExceededError');
  }
  return fill(array);
}

// --- Web Crypto: digests and HMAC ---

const notSupported = () => new DOMException('Unrecognized algorithm name', 'NotSupportedError');
const algorithmName = (algorithm) => String(typeof algorithm === 'object' ? algorithm.name : algorithm);
const TOKEN = Symbol('token');

export class CryptoKey {
  #secret;
  constructor(token, secret, members) {
    if (token !== TOKEN) throw new TypeError('Illegal constructor');
    this.#secret = secret;
    Object.assign(this, members);
    Object.freeze(this);
  }
  static secret(key) {
    return key.#secret;
  }
  get [Symbol.toStringTag]() { return 'CryptoKey'; }
}
const secretOf = CryptoKey.secret;
delete CryptoKey.secret;

function copied(data) {
  return bytesOf(data).slice();
}

function hashOf(algorithm) {
  return known(algorithmName(algorithm), notSupported);
}

function hmacKey(bytes, algorithm, extractable, usages) {
  const hash = { name: algorithmName(algorithm.hash).toUpperCase() };
  hashOf(hash);
  return new CryptoKey(TOKEN, bytes, {
    type: 'secret', extractable: Boolean(extractable), usages: [...usages],
    algorithm: { name: 'HMAC', hash, length: bytes.length * 8 },
  });
}

function demandUsage(key, usage) {
  if (!key.usages.includes(usage)) throw new DOMException(`Unable to use this key to ${usage}`, 'InvalidAccessError');
}

function demandHmac(algorithm) {
  if (algorithmName(algorithm).toUpperCase() !== 'HMAC') throw notSupported();
}

export class SubtleCrypto {
  async digest(algorithm, data) {
    return compute(hashOf(algorithm), copied(data)).buffer;
  }
  async importKey(format, data, algorithm, extractable, usages) {
    demandHmac(algorithm);
    if (format === 'raw') return hmacKey(copied(data), algorithm, extractable, usages);
    if (format === 'jwk') return hmacKey(Buffer.from(data.k, 'base64url'), algorithm, extractable, usages);
    throw notSupported();
  }
  async generateKey(algorithm, extractable, usages) {
    demandHmac(algorithm);
    const length = algorithm.length ?? (/384|512/.test(algorithmName(algorithm.hash)) ? 1024 : 512);
    return hmacKey(fill(new Uint8Array(length >> 3)), algorithm, extractable, usages);
  }
  async exportKey(format, key) {
    if (!key.extractable) throw new DOMException('key is not extractable', 'InvalidAccessError');
    const bytes = secretOf(key);
    if (format === 'raw') return bytes.slice().buffer;
    if (format !== 'jwk') throw notSupported();
    const alg = `HS${key.algorithm.hash.name.replace('SHA-', '')}`;
    return { key_ops: [...key.usages], ext: true, kty: 'oct', k: Buffer.from(bytes).toString('base64url'), alg };
  }
  async sign(algorithm, key, data) {
    demandHmac(algorithm);
    demandUsage(key, 'sign');
    return compute(hashOf(key.algorithm.hash), copied(data), secretOf(key)).buffer;
  }
  async verify(algorithm, key, signature, data) {
    demandHmac(algorithm);
    demandUsage(key, 'verify');
    const expected = compute(hashOf(key.algorithm.hash), copied(data), secretOf(key));
    const given = bytesOf(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
  get [Symbol.toStringTag]() { return 'SubtleCrypto'; }
}

export class Crypto {
  get [Symbol.toStringTag]() { return 'Crypto'; }
}
const subtle = new SubtleCrypto();
for (const [name, value] of Object.entries({ subtle, getRandomValues, randomUUID })) {
  Object.defineProperty(Crypto.prototype, name, { value, writable: true, enumerable: true, configurable: true });
}
export const webcrypto = new Crypto();

const notYet = (name) => () => {
  throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
    `crypto.${name} is not available in an Action yet; createHash, createHmac, randomBytes and crypto.subtle (digest, HMAC) are`);
};

export const crypto = {
  createHash, createHmac, randomBytes, randomInt, randomUUID, timingSafeEqual, getRandomValues, webcrypto, subtle,
  Hash, Hmac,
  randomFillSync: fill,
  getHashes: () => [...ALGORITHMS],
  hash: (algorithm, data, encoding = 'hex') => createHash(algorithm).update(data).digest(encoding),
};
for (const name of [
  'createSign', 'createVerify', 'sign', 'verify', 'createCipheriv', 'createDecipheriv', 'createPrivateKey',
  'createPublicKey', 'createSecretKey', 'generateKeyPair', 'generateKeyPairSync', 'pbkdf2', 'pbkdf2Sync', 'scrypt',
  'scryptSync', 'hkdf', 'hkdfSync', 'publicEncrypt', 'privateDecrypt', 'createDiffieHellman', 'createECDH',
]) crypto[name] = notYet(name);
