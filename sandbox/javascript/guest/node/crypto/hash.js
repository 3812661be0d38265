// createHash, createHmac and hash(): one host call each, made when the digest is asked for.

import { digest as hostDigest } from '../../host.js';
import { builtinNamed } from '../../modules.js';
import { concat } from '../../web/text.js';
import { Buffer } from '../buffer/index.js';
import { coded, compute, demandHash, demandWhole, fromBase64, hashName, input, output, toBase64, wrongType } from './host.js';
import { secretBytes } from './keys.js';

/** Bytes that one host call takes (sandbox/javascript/hostcalls.py). */
const MOST = 8 * 1024 * 1024;

/** The digest of bytes, or their HMAC when there is a key. */
export function digestBytes(name, bytes, key) {
  if (bytes.length > MOST) throw coded(RangeError, 'ERR_OUT_OF_RANGE', 'An Action can digest at most 8 MiB at a time');
  const made = hostDigest(name, bytes, key);
  if (made === undefined) throw coded(Error, 'ERR_OSSL_EVP_UNSUPPORTED', 'Digest method not supported');
  return made;
}

class Digester {
  #name; #parts = []; #key; #length; #made; #stream;
  constructor(name, key, length) {
    this.#name = name;
    this.#key = key;
    this.#length = length;
  }
  update(data, encoding) {
    if (this.#made) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    this.#parts.push(input(data, 'data', encoding));
    return this;
  }
  digest(encoding) {
    if (this.#made) {
      if (this instanceof Hmac) return output(Buffer.alloc(0), encoding);
      throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    }
    this.#made = true;
    return output(this.#bytes(), encoding);
  }
  #bytes() {
    const data = concat(this.#parts);
    if (this.#length === undefined) return Buffer.from(digestBytes(this.#name, data, this.#key).buffer);
    return fromBase64(compute('digest', { hash: this.#name, data: toBase64(data), length: this.#length }).data);
  }
  copy(options) {
    if (this.#made) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    const Class = /** @type {typeof Digester} */ (this.constructor);
    const copy = new Class(this.#name, this.#key, options?.outputLength ?? this.#length);
    copy.#parts = [...this.#parts];
    return copy;
  }
  /** The same as a stream, made when it is first used as one. */
  #asStream() {
    if (this.#stream === undefined) {
      const { Transform } = builtinNamed('stream');
      this.#stream = new Transform({
        transform: (chunk, encoding, done) => { this.update(chunk, encoding); done(); },
        flush: (done) => { done(null, this.#made ? undefined : this.#bytes()); },
      });
    }
    return this.#stream;
  }
  static streams(names) {
    for (const name of names) {
      const method = { [name](...args) {
        const stream = this.#asStream();
        const result = stream[name](...args);
        return result === stream ? this : result;
      } }[name];
      Object.defineProperty(Digester.prototype, name, { value: method, writable: true, configurable: true });
    }
  }
}
Digester.streams([
  'on', 'once', 'off', 'addListener', 'removeListener', 'prependListener', 'removeAllListeners', 'listeners', 'listenerCount',
  'emit', 'write', 'end', 'read', 'pipe', 'unpipe', 'setEncoding', 'pause', 'resume', 'destroy', 'cork', 'uncork',
]);
delete Digester.streams;

export class Hash extends Digester {}
export class Hmac extends Digester {}
delete Hmac.prototype.copy;

export function createHash(algorithm, options) {
  if (typeof algorithm !== 'string') throw wrongType('algorithm', 'of type string', algorithm);
  const name = hashName(algorithm);
  if (name === undefined) throw new Error('Digest method not supported');
  const length = options?.outputLength;
  if (length !== undefined && !name.startsWith('shake')) {
    if (demandWhole(length, 'options.outputLength') !== digestBytes(name, new Uint8Array(0)).length) {
      throw coded(Error, 'ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH', 'error:030000B2:digital envelope routines::not XOF or invalid length');
    }
    return new Hash(name);
  }
  return new Hash(name, undefined, length);
}

export function createHmac(algorithm, key) {
  if (typeof algorithm !== 'string') throw wrongType('hmac', 'of type string', algorithm);
  return new Hmac(demandHash(algorithm), secretBytes(key));
}

export function hash(algorithm, data, encoding = 'hex') {
  return createHash(algorithm).update(data).digest(encoding);
}
