// Signatures, RSA encryption and Diffie-Hellman of node:crypto.

import { concat } from '../../web/text.js';
import { coded, compute, demandHash, demandWhole, fromBase64, input, later, output, toBase64, wrongType } from './host.js';
import { generate, keySource, materialOf, sourceOf } from './keys.js';

export const constants = {
  RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_X931_PADDING: 5, RSA_PKCS1_PSS_PADDING: 6,
  RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2,
  POINT_CONVERSION_COMPRESSED: 2, POINT_CONVERSION_UNCOMPRESSED: 4, POINT_CONVERSION_HYBRID: 6,
  ENGINE_METHOD_ALL: 65535, SSL_OP_ALL: 2147485776, SSL_OP_NO_SSLv2: 0, SSL_OP_NO_SSLv3: 33554432,
  SSL_OP_NO_TLSv1: 67108864, SSL_OP_NO_TLSv1_1: 268435456, TLS1_2_VERSION: 771, TLS1_3_VERSION: 772,
  defaultCoreCipherList: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256',
};

/** Padding, salt and encoding as the host takes them. */
function manner(key) {
  const how = {};
  if (typeof key !== 'object' || key === null || materialOf(key) !== undefined) return how;
  if (key.padding === constants.RSA_PKCS1_PSS_PADDING) how.padding = 'pss';
  else if (key.padding !== undefined && key.padding !== constants.RSA_PKCS1_PADDING) {
    throw coded(Error, 'ERR_OSSL_RSA_ILLEGAL_OR_UNSUPPORTED_PADDING_MODE', 'error:1C8000A5:Provider routines::illegal or unsupported padding mode');
  }
  if (key.saltLength !== undefined) {
    if (key.saltLength === constants.RSA_PSS_SALTLEN_DIGEST) how.salt = 'digest';
    else if (key.saltLength >= 0) Object.assign(how, { salt: 'length', saltLength: demandWhole(key.saltLength, 'saltLength', 0, 1024) });
  }
  if (key.dsaEncoding !== undefined) {
    if (key.dsaEncoding !== 'der' && key.dsaEncoding !== 'ieee-p1363') {
      throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The property 'options.dsaEncoding' is invalid. Received ${String(key.dsaEncoding)}`);
    }
    how.encoding = key.dsaEncoding;
  }
  return how;
}

function signBytes(hash, data, key) {
  return fromBase64(compute('sign', { key: keySource(key, 'private'), data: toBase64(data), hash, ...manner(key) }).data);
}

function verifyBytes(hash, data, key, signature) {
  const request = { key: keySource(key, 'public'), data: toBase64(data), hash, signature: toBase64(signature), ...manner(key) };
  return compute('verify', request).valid;
}

class Signer {
  #hash; #parts = [];
  constructor(algorithm) {
    this.#hash = demandHash(algorithm, 'algorithm', 'Invalid digest');
  }
  update(data, encoding) {
    this.#parts.push(input(data, 'data', encoding));
    return this;
  }
  write(data, encoding) {
    this.update(data, encoding);
    return true;
  }
  end(data, encoding) {
    if (data !== undefined) this.update(data, encoding);
    return this;
  }
  static state(signer) {
    return [signer.#hash, concat(signer.#parts)];
  }
}
const { state } = Signer;
delete Signer.state;

export class Sign extends Signer {
  sign(key, encoding) {
    if (key === undefined || key === null) throw coded(Error, 'ERR_CRYPTO_SIGN_KEY_REQUIRED', 'No key provided to sign');
    return output(signBytes(...state(this), key), encoding);
  }
}
export class Verify extends Signer {
  verify(key, signature, encoding) {
    return verifyBytes(...state(this), key, input(signature, 'signature', encoding));
  }
}
export const createSign = (algorithm) => new Sign(algorithm);
export const createVerify = (algorithm) => new Verify(algorithm);

/** No algorithm: what the key has of its own (Ed25519, Ed448), SHA-256 for others. */
const oneShotHash = (algorithm) => (algorithm === null || algorithm === undefined ? 'sha256' : demandHash(algorithm, 'algorithm'));

export function sign(algorithm, data, key, callback) {
  const work = () => signBytes(oneShotHash(algorithm), input(data), key);
  return callback === undefined ? work() : later(callback, work);
}

export function verify(algorithm, data, key, signature, callback) {
  const work = () => verifyBytes(oneShotHash(algorithm), input(data), key, input(signature, 'signature'));
  return callback === undefined ? work() : later(callback, work);
}

function cryptPadding(key) {
  const padding = key?.padding ?? constants.RSA_PKCS1_OAEP_PADDING;
  if (padding === constants.RSA_PKCS1_PADDING) return { padding: 'pkcs1' };
  if (padding !== constants.RSA_PKCS1_OAEP_PADDING) {
    throw coded(Error, 'ERR_OSSL_RSA_ILLEGAL_OR_UNSUPPORTED_PADDING_MODE', 'error:1C8000A5:Provider routines::illegal or unsupported padding mode');
  }
  const how = { padding: 'oaep', hash: key?.oaepHash === undefined ? 'sha1' : demandHash(key.oaepHash) };
  if (key?.oaepLabel !== undefined) how.label = toBase64(input(key.oaepLabel, 'key.oaepLabel'));
  return how;
}

export function publicEncrypt(key, data) {
  const request = { key: keySource(key, 'public'), data: toBase64(input(data, 'buffer')), ...cryptPadding(key) };
  return fromBase64(compute('encrypt', request).data);
}

export function privateDecrypt(key, data) {
  const request = { key: keySource(key, 'private'), data: toBase64(input(data, 'buffer')), ...cryptPadding(key) };
  return fromBase64(compute('decrypt', request).data);
}

export const privateEncrypt = (key, data) => fromBase64(
  compute('sign', { key: keySource(key, 'private'), data: toBase64(input(data, 'buffer')), hash: 'none' }).data,
);
export const publicDecrypt = (key, data) => fromBase64(
  compute('recover', { key: keySource(key, 'public'), data: toBase64(input(data, 'buffer')) }).data,
);

export function diffieHellman({ privateKey, publicKey }) {
  if (materialOf(privateKey) === undefined) throw wrongType('options.privateKey', 'an instance of KeyObject', privateKey);
  if (materialOf(publicKey) === undefined) throw wrongType('options.publicKey', 'an instance of KeyObject', publicKey);
  const request = { key: keySource(privateKey, 'private'), publicKey: keySource(publicKey, 'public') };
  return fromBase64(compute('agree', request).data);
}

export class ECDH {
  #curve; #key;
  constructor(curve) {
    if (typeof curve !== 'string') throw wrongType('curve', 'of type string', curve);
    this.#curve = curve;
  }
  #demand() {
    if (this.#key === undefined) throw coded(Error, 'ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY', 'Failed to get ECDH public key');
    return this.#key;
  }
  generateKeys(encoding, format) {
    this.#key = sourceOf(generate('ec', { namedCurve: this.#curve }).private);
    return this.getPublicKey(encoding, format);
  }
  setPrivateKey(key, encoding) {
    const data = toBase64(input(key, 'key', encoding));
    const source = { format: 'raw', type: 'ec', curve: this.#curve, private: true, data };
    this.#key = sourceOf(compute('key.import', { key: source, private: true }));
  }
  getPrivateKey(encoding) {
    return output(fromBase64(compute('key.export', { key: this.#demand(), format: 'raw' }).data), encoding);
  }
  getPublicKey(encoding, format = 'uncompressed') {
    const key = sourceOf(compute('key.import', { key: this.#demand(), private: false }));
    return output(fromBase64(compute('key.export', { key, format: 'raw', compressed: format === 'compressed' }).data), encoding);
  }
  computeSecret(other, inputEncoding, outputEncoding) {
    const data = toBase64(input(other, 'otherPublicKey', inputEncoding));
    try {
      const request = { key: this.#demand(), publicKey: { format: 'raw', type: 'ec', curve: this.#curve, data } };
      return output(fromBase64(compute('agree', request).data), outputEncoding);
    } catch (error) {
      if (error.code !== 'ERR_OSSL_UNSUPPORTED') throw error;
      throw coded(Error, 'ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY', 'Public key is not valid for specified curve');
    }
  }
  static convertKey(key, curve, inputEncoding, outputEncoding, format = 'uncompressed') {
    const source = { format: 'raw', type: 'ec', curve, data: toBase64(input(key, 'key', inputEncoding)) };
    const made = compute('key.export', { key: source, format: 'raw', compressed: format === 'compressed' });
    return output(fromBase64(made.data), outputEncoding);
  }
}
export const createECDH = (curve) => new ECDH(curve);
