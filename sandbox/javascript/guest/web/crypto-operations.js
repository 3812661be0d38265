// What each Web Crypto algorithm does with a key, in terms of the host's operations.

import { compute, fromBase64, toBase64 } from '../node/crypto/host.js';
import { digestBytes } from '../node/crypto/hash.js';
import { sourceOf } from '../node/crypto/keys.js';
import { timingSafeEqual } from '../node/crypto/random.js';
import { bufferSource, failure, hostHash, isOkp, isRsa, normalise, notSupported } from './crypto-algorithms.js';
import { concat } from './text.js';

/** The host's answer as bytes; whatever it refuses is one error. */
export function operation(name, request) {
  try {
    return compute(name, request);
  } catch (cause) {
    if (cause.name === 'RangeError') throw failure('OperationError', cause.message);
    throw failure('OperationError', 'The operation failed for an operation-specific reason');
  }
}
const bytes = (name, request) => fromBase64(operation(name, request).data);

function manner(algorithm, key) {
  const { name } = key.algorithm;
  if (isOkp(name)) return {};
  if (name === 'ECDSA') return { hash: hostHash(algorithm.hash), encoding: 'ieee-p1363' };
  const how = { hash: hostHash(key.algorithm.hash), padding: 'pkcs1' };
  if (name === 'RSA-PSS') {
    if (!Number.isInteger(algorithm.saltLength)) throw new TypeError("'saltLength' is required in 'RsaPssParams'.");
    Object.assign(how, { padding: 'pss', salt: 'length', saltLength: algorithm.saltLength });
  }
  return how;
}

export function signature(algorithm, key, held, data) {
  if (held.kind === 'secret') return digestBytes(hostHash(key.algorithm.hash), data, held.bytes);
  return bytes('sign', { key: sourceOf(held), data: toBase64(data), ...manner(algorithm, key) });
}

export function verified(algorithm, key, held, given, data) {
  if (held.kind === 'secret') {
    const expected = digestBytes(hostHash(key.algorithm.hash), data, held.bytes);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
  const request = { key: sourceOf(held), data: toBase64(data), signature: toBase64(given), ...manner(algorithm, key) };
  return operation('verify', request).valid;
}

function sealing(algorithm, held, encrypt, data) {
  const mode = algorithm.name.slice(4).toLowerCase();
  const iv = bufferSource(mode === 'ctr' ? algorithm.counter : algorithm.iv, mode === 'ctr' ? 'algorithm.counter' : 'algorithm.iv');
  if (mode !== 'gcm' && iv.length !== 16) {
    throw failure('OperationError', `algorithm.${mode === 'ctr' ? 'counter' : 'iv'} must contain exactly 16 bytes`);
  }
  if (mode === 'ctr' && !(algorithm.length > 0 && algorithm.length <= 128)) {
    throw failure('OperationError', 'AES-CTR algorithm.length must be between 1 and 128');
  }
  const request = { mode, encrypt, key: toBase64(held.bytes), iv: toBase64(iv), data: toBase64(data), final: true };
  if (algorithm.additionalData !== undefined) request.aad = toBase64(bufferSource(algorithm.additionalData, 'algorithm.additionalData'));
  return request;
}

function tagBytes({ tagLength = 128 }) {
  if (![32, 64, 96, 104, 112, 120, 128].includes(tagLength)) {
    throw failure('OperationError', `${tagLength} is not a valid AES-GCM tag length`);
  }
  return tagLength / 8;
}

function oaep(algorithm, key) {
  const how = { padding: 'oaep', hash: hostHash(key.algorithm.hash) };
  if (algorithm.label !== undefined) how.label = toBase64(bufferSource(algorithm.label, 'algorithm.label'));
  return how;
}

export function encrypted(algorithm, key, held, data) {
  if (isRsa(algorithm.name)) {
    return bytes('encrypt', { key: sourceOf(held), data: toBase64(data), ...oaep(algorithm, key) });
  }
  const size = algorithm.name === 'AES-GCM' ? tagBytes(algorithm) : 0;
  const made = operation('cipher', sealing(algorithm, held, true, data));
  const text = fromBase64(made.data);
  return size ? concat([text, fromBase64(made.tag).subarray(0, size)]) : text;
}

export function decrypted(algorithm, key, held, data) {
  if (isRsa(algorithm.name)) {
    return bytes('decrypt', { key: sourceOf(held), data: toBase64(data), ...oaep(algorithm, key) });
  }
  if (algorithm.name !== 'AES-GCM') return bytes('cipher', sealing(algorithm, held, false, data));
  const size = tagBytes(algorithm);
  if (data.length < size) throw failure('OperationError', 'The provided data is too small.');
  const end = data.length - size;
  return bytes('cipher', { ...sealing(algorithm, held, false, data.subarray(0, end)), tag: toBase64(data.subarray(end)) });
}

export const wrapped = (held, data, wrap) => bytes('keywrap', { key: toBase64(held.bytes), data: toBase64(data), wrap });

/** `length` bits, or all there are when it is null (ECDH and X25519 only). */
export function derived(algorithm, key, held, length, other) {
  const { name } = algorithm;
  if (name === 'HKDF' || name === 'PBKDF2') return derivedByHash(algorithm, held, length);
  if (!['ECDH', 'X25519', 'X448'].includes(name)) throw notSupported();
  if (other === undefined || other.kind !== 'public') throw failure('InvalidAccessError', 'algorithm.public must be a public key');
  if (normalise(algorithm.public.algorithm).name !== key.algorithm.name || algorithm.public.algorithm.namedCurve !== key.algorithm.namedCurve) {
    throw failure('InvalidAccessError', 'algorithm.public must be a key of the same algorithm and curve');
  }
  const secret = bytes('agree', { key: sourceOf(held), publicKey: sourceOf(other) });
  if (length === null) return secret;
  if (length > secret.length * 8) throw failure('OperationError', 'derived bit length is too small');
  return firstBits(secret, length);
}

function firstBits(secret, length) {
  const part = secret.slice(0, Math.ceil(length / 8));
  if (length % 8) part[part.length - 1] &= 0xff << (8 - (length % 8));
  return part;
}

function derivedByHash(algorithm, held, length) {
  if (length === null || length % 8) throw failure('OperationError', 'length must be a multiple of 8 and not null');
  const hash = hostHash(algorithm.hash);
  const salt = toBase64(bufferSource(algorithm.salt, 'algorithm.salt'));
  if (algorithm.name === 'HKDF') {
    const info = toBase64(bufferSource(algorithm.info, 'algorithm.info'));
    return bytes('hkdf', { hash, key: toBase64(held.bytes), salt, info, length: length / 8 });
  }
  const { iterations } = algorithm;
  if (!(iterations > 0)) throw failure('OperationError', 'iterations cannot be zero');
  return bytes('pbkdf2', { hash, password: toBase64(held.bytes), salt, iterations, length: length / 8 });
}
