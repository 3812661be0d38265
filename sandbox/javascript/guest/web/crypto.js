// Web Crypto. Key bytes stay in the instance; the host computes with them and keeps nothing.

import { inspect } from '../inspect.js';
import { coded } from '../node/errors.js';
import { cryptoKeyMaterial } from '../node/crypto/keys.js';
import { digestBytes } from '../node/crypto/hash.js';
import { getRandomValues, randomUUID } from '../node/crypto/random.js';
import {
  bufferSource, derivedLength, failure, hostHash, normalise, notSupported, usagesOf,
} from './crypto-algorithms.js';
import { exported, generated, imported } from './crypto-import.js';
import { decrypted, derived, encrypted, signature, verified, wrapped } from './crypto-operations.js';
import { decodeUtf8, encodeUtf8 } from './text.js';

const TOKEN = Symbol('token');

export class CryptoKey {
  #type; #extractable; #algorithm; #usages;
  constructor(token, held, algorithm, extractable, usages) {
    if (token !== TOKEN) throw coded(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    this.#type = held.kind;
    this.#extractable = extractable;
    this.#algorithm = algorithm;
    this.#usages = usages;
    cryptoKeyMaterial.set(this, held);
  }
  get type() { return this.#type; }
  get extractable() { return this.#extractable; }
  get algorithm() { return this.#algorithm; }
  get usages() { return [...this.#usages]; }
  [inspect.custom](depth, options) {
    const { type, extractable, algorithm, usages } = this;
    return `CryptoKey ${inspect({ type, extractable, algorithm, usages }, options)}`;
  }
  get [Symbol.toStringTag]() { return 'CryptoKey'; }
}

const made = (held, algorithm, extractable, usages) => new CryptoKey(TOKEN, held, algorithm, Boolean(extractable), usages);
const arrayBuffer = (bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);

function heldBy(key) {
  const held = cryptoKeyMaterial.get(key);
  if (held === undefined) throw new TypeError('key is not of type CryptoKey.');
  return held;
}

/** What the key holds, when it is of this algorithm and may be used so. */
function demand(algorithm, key, usage) {
  const held = heldBy(key);
  if (algorithm.name !== key.algorithm.name) throw failure('InvalidAccessError', 'Key algorithm mismatch');
  if (!key.usages.includes(usage)) throw failure('InvalidAccessError', `Unable to use this key to ${usage}`);
  return held;
}

export class SubtleCrypto {
  constructor(token) {
    if (token !== TOKEN) throw coded(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
  }
  async digest(algorithm, data) {
    return arrayBuffer(digestBytes(hostHash(algorithm), bufferSource(data, 'data')));
  }
  async generateKey(algorithm, extractable, usages) {
    const found = generated(normalise(algorithm), usagesOf(usages));
    if (found.held !== undefined) return made(found.held, found.algorithm, extractable, usagesOf(usages));
    return {
      publicKey: made(found.public, found.algorithm, true, found.usages.public),
      privateKey: made(found.private, found.algorithm, extractable, found.usages.private),
    };
  }
  async importKey(format, keyData, algorithm, extractable, usages) {
    const wanted = usagesOf(usages);
    const found = imported(format, keyData, normalise(algorithm), Boolean(extractable), wanted);
    return made(found.held, found.algorithm, extractable, wanted);
  }
  async exportKey(format, key) {
    const held = heldBy(key);
    if (!key.extractable) throw failure('InvalidAccessError', 'key is not extractable');
    return exported(format, key, held);
  }
  async sign(algorithm, key, data) {
    const how = normalise(algorithm);
    return arrayBuffer(signature(how, key, demand(how, key, 'sign'), bufferSource(data, 'data')));
  }
  async verify(algorithm, key, given, data) {
    const how = normalise(algorithm);
    return verified(how, key, demand(how, key, 'verify'), bufferSource(given, 'signature'), bufferSource(data, 'data'));
  }
  async encrypt(algorithm, key, data) {
    return sealed(algorithm, key, 'encrypt', bufferSource(data, 'data'));
  }
  async decrypt(algorithm, key, data) {
    return opened(algorithm, key, 'decrypt', bufferSource(data, 'data'));
  }
  async deriveBits(algorithm, key, length = null) {
    return bits(algorithm, key, 'deriveBits', length);
  }
  async deriveKey(algorithm, key, wanted, extractable, usages) {
    const type = normalise(wanted);
    const data = bits(algorithm, key, 'deriveKey', derivedLength(type));
    const list = usagesOf(usages);
    const found = imported('raw', data, { ...type, length: undefined }, Boolean(extractable), list);
    return made(found.held, found.algorithm, extractable, list);
  }
  async wrapKey(format, key, wrappingKey, algorithm) {
    if (!key.extractable) throw failure('InvalidAccessError', 'key is not extractable');
    const data = exported(format, key, heldBy(key));
    const bytes = format === 'jwk' ? encodeUtf8(JSON.stringify(data)) : new Uint8Array(data);
    return sealed(algorithm, wrappingKey, 'wrapKey', bytes);
  }
  async unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, algorithm, extractable, usages) {
    const bytes = new Uint8Array(opened(unwrapAlgorithm, unwrappingKey, 'unwrapKey', bufferSource(wrappedKey, 'wrappedKey')));
    let data = bytes;
    if (format === 'jwk') {
      try {
        data = JSON.parse(decodeUtf8(bytes));
      } catch {
        throw failure('DataError', 'Invalid wrapped JWK');
      }
    }
    return this.importKey(format, data, algorithm, extractable, usages);
  }
  get [Symbol.toStringTag]() { return 'SubtleCrypto'; }
}

function sealed(algorithm, key, usage, bytes) {
  const how = normalise(algorithm);
  const held = demand(how, key, usage);
  if (how.name === 'AES-KW' && usage === 'wrapKey') return arrayBuffer(wrapped(held, bytes, true));
  if (!/^(RSA-OAEP|AES-(CBC|CTR|GCM))$/.test(how.name)) throw notSupported();
  return arrayBuffer(encrypted(how, key, held, bytes));
}

function opened(algorithm, key, usage, bytes) {
  const how = normalise(algorithm);
  const held = demand(how, key, usage);
  if (how.name === 'AES-KW' && usage === 'unwrapKey') return arrayBuffer(wrapped(held, bytes, false));
  if (!/^(RSA-OAEP|AES-(CBC|CTR|GCM))$/.test(how.name)) throw notSupported();
  return arrayBuffer(decrypted(how, key, held, bytes));
}

function bits(algorithm, key, usage, length) {
  const how = normalise(algorithm);
  const held = demand(how, key, usage);
  const other = how.public === undefined ? undefined : heldBy(how.public);
  return arrayBuffer(derived(how, key, held, length, other));
}

export class Crypto {
  constructor(token) {
    if (token !== TOKEN) throw coded(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
  }
  get [Symbol.toStringTag]() { return 'Crypto'; }
}
export const subtle = new SubtleCrypto(TOKEN);
for (const [name, value] of Object.entries({ subtle, getRandomValues, randomUUID })) {
  Object.defineProperty(Crypto.prototype, name, { value, writable: true, enumerable: true, configurable: true });
}
export const webcrypto = new Crypto(TOKEN);
