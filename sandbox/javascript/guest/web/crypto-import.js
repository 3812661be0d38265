// How Web Crypto keys come in, go out and are made.

import { compute, fromBase64, toBase64 } from '../node/crypto/host.js';
import { generate, jwkFields, sourceOf } from '../node/crypto/keys.js';
import { fill } from '../node/crypto/random.js';
import {
  BLOCK_BITS, CURVES, bufferSource, demandAesLength, demandUsages, failure, isAes, isOkp, isRsa, jwkAlg, normaliseHash,
  notSupported, splitUsages,
} from './crypto-algorithms.js';

const dataError = (message = 'Invalid keyData') => failure('DataError', message);
const url = (bytes) => bytes.toBase64({ alphabet: 'base64url', omitPadding: true });

function fromUrl(text) {
  if (typeof text !== 'string') throw dataError();
  try {
    return Uint8Array.fromBase64(text, { alphabet: 'base64url' });
  } catch {
    throw dataError();
  }
}

/** {held, algorithm, kind, usages} of a key that comes in. */
export function imported(format, data, algorithm, extractable, usages) {
  const found = isSecret(algorithm.name)
    ? importedSecret(format, data, algorithm, extractable)
    : importedPair(format, data, algorithm);
  const { kind } = found.held;
  demandUsages(algorithm.name, kind, usages);
  if (format === 'jwk') checkJwk(data, found.algorithm, extractable, usages, kind);
  return found;
}

const isSecret = (name) => isAes(name) || ['HMAC', 'HKDF', 'PBKDF2'].includes(name);

function importedSecret(format, data, { name, hash, length }, extractable) {
  if ((name === 'HKDF' || name === 'PBKDF2') && extractable) {
    throw failure('SyntaxError', `${name} keys are not extractable`);
  }
  if (format !== 'raw' && (format !== 'jwk' || name === 'HKDF' || name === 'PBKDF2')) {
    throw notSupported(`Unable to import ${name} using ${format} format`);
  }
  if (format === 'jwk' && data?.kty !== 'oct') throw dataError('Invalid JWK "kty" Parameter');
  const bytes = format === 'jwk' ? fromUrl(data.k) : bufferSource(data, 'keyData');
  const held = { kind: 'secret', bytes };
  if (isAes(name)) {
    if (![16, 24, 32].includes(bytes.length)) throw dataError('Invalid key length');
    return { held, algorithm: { name, length: bytes.length * 8 } };
  }
  if (name !== 'HMAC') return { held, algorithm: { name } };
  if (bytes.length === 0) throw dataError('Zero-length key is not supported');
  if (length !== undefined && length !== bytes.length * 8) throw dataError('Invalid key length');
  return { held, algorithm: { name, hash: { name: normaliseHash(hash).name }, length: bytes.length * 8 } };
}

function importedPair(format, data, algorithm) {
  const request = { key: pairSource(format, data, algorithm) };
  if (format === 'spki' || format === 'raw') request.private = false;
  let found;
  try {
    found = compute('key.import', request);
  } catch {
    throw dataError();
  }
  if (format === 'pkcs8' && found.kind !== 'private') throw dataError();
  return { held: found, algorithm: pairAlgorithm(found, algorithm) };
}

function pairSource(format, data, { name, namedCurve }) {
  if (format === 'jwk') {
    if (typeof data !== 'object' || data === null) throw dataError();
    const kty = isRsa(name) ? 'RSA' : isOkp(name) ? 'OKP' : 'EC';
    if (data.kty !== kty) throw dataError('Invalid JWK "kty" Parameter');
    return { format: 'jwk', data: jwkFields(data) };
  }
  const bytes = toBase64(bufferSource(data, 'keyData'));
  if (format === 'spki' || format === 'pkcs8') return { format: 'der', type: format, data: bytes };
  if (format !== 'raw' || isRsa(name)) throw notSupported(`Unable to import ${name} using ${format} format`);
  if (isOkp(name)) return { format: 'raw', type: name.toLowerCase(), data: bytes };
  demandCurve(namedCurve);
  return { format: 'raw', type: 'ec', curve: namedCurve, data: bytes };
}

function demandCurve(name) {
  if (!CURVES.includes(name)) throw notSupported('Unrecognized namedCurve');
}

const NODE_CURVES = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

/** The key's algorithm as a CryptoKey shows it; the key must be of that sort. */
function pairAlgorithm({ type, details }, { name, hash, namedCurve }) {
  if (isRsa(name)) {
    if (type !== 'rsa') throw dataError('Invalid key type');
    return rsaAlgorithm(name, details, normaliseHash(hash).name);
  }
  if (isOkp(name)) {
    if (type !== name.toLowerCase()) throw dataError('Invalid key type');
    return { name };
  }
  demandCurve(namedCurve);
  if (type !== 'ec') throw dataError('Invalid key type');
  if (NODE_CURVES[details.namedCurve] !== namedCurve) throw dataError('Named curve mismatch');
  return { name, namedCurve };
}

function rsaAlgorithm(name, { modulusLength, publicExponent }, hash) {
  const exponent = BigInt(publicExponent).toString(16);
  const bytes = Uint8Array.fromHex(exponent.length % 2 ? `0${exponent}` : exponent);
  return { name, modulusLength, publicExponent: bytes, hash: { name: hash } };
}

function checkJwk(jwk, algorithm, extractable, usages, kind) {
  if (jwk.ext === false && extractable) throw dataError('JWK "ext" Parameter and extractable mismatch');
  const alg = jwkAlg(algorithm);
  if (jwk.alg !== undefined && alg !== undefined && jwk.alg !== alg) throw dataError('JWK "alg" does not match the requested algorithm');
  if (jwk.crv !== undefined && jwk.crv !== (algorithm.namedCurve ?? algorithm.name)) throw dataError('JWK "crv" does not match');
  const wanted = kind === 'secret' && algorithm.name === 'HMAC' || /^(RSASSA|RSA-PSS|ECDSA|Ed)/.test(algorithm.name) ? 'sig' : 'enc';
  if (usages.length && jwk.use !== undefined && jwk.use !== wanted) throw dataError('Invalid JWK "use" Parameter');
  if (jwk.key_ops !== undefined) {
    if (!Array.isArray(jwk.key_ops)) throw dataError('Invalid JWK "key_ops" Parameter');
    if (usages.some((usage) => !jwk.key_ops.includes(usage))) throw dataError('Key operations and usage mismatch');
  }
}

/** The key in a format: an ArrayBuffer or a JWK. */
export function exported(format, key, held) {
  if (format === 'jwk') return exportedJwk(key, held);
  if (held.kind === 'secret') {
    if (format !== 'raw') throw notSupported(`Unable to export ${key.algorithm.name} secret key using ${format} format`);
    return held.bytes.slice().buffer;
  }
  const fits = { pkcs8: 'private', spki: 'public', raw: 'public' }[format];
  if (fits === undefined || (format === 'raw' && isRsa(key.algorithm.name))) {
    throw notSupported(`Unable to export ${key.algorithm.name} ${held.kind} key using ${format} format`);
  }
  if (fits !== held.kind) throw failure('InvalidAccessError', `Unable to export a raw ${key.algorithm.name} ${held.kind} key`);
  if (format !== 'raw') return Uint8Array.fromBase64(held.der).buffer;
  return arrayBuffer(fromBase64(compute('key.export', { key: sourceOf(held), format: 'raw' }).data));
}

const arrayBuffer = (bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);

function exportedJwk(key, held) {
  const common = { key_ops: [...key.usages], ext: key.extractable };
  const alg = jwkAlg(key.algorithm);
  const fields = held.kind === 'secret'
    ? { kty: 'oct', k: url(held.bytes) }
    : compute('key.export', { key: sourceOf(held), format: 'jwk' }).data;
  return { ...common, ...fields, ...(alg === undefined ? {} : { alg }) };
}

/** A new key: {held, algorithm, usages} or {private, public, algorithm, usages}. */
export function generated(algorithm, usages) {
  const { name } = algorithm;
  if (isSecret(name)) return generatedSecret(algorithm, usages);
  const split = splitUsages(name, usages);
  let made;
  try {
    made = isRsa(name) ? generatedRsa(algorithm) : generatedCurve(algorithm);
  } catch (cause) {
    if (cause instanceof DOMException || cause instanceof TypeError && cause.code === undefined) throw cause;
    throw failure('OperationError', cause.message);
  }
  return { ...made, algorithm: pairAlgorithm(made.public, algorithm), usages: split };
}

function generatedSecret({ name, length, hash }, usages) {
  if (name === 'HKDF' || name === 'PBKDF2') throw notSupported();
  demandUsages(name, 'secret', usages);
  if (isAes(name)) {
    demandAesLength(length);
    return { held: { kind: 'secret', bytes: fill(new Uint8Array(length / 8)) }, algorithm: { name, length } };
  }
  const hashName = normaliseHash(hash).name;
  const bits = length ?? BLOCK_BITS[hashName];
  if (!(bits > 0) || bits > 65536) throw failure('OperationError', 'Invalid key length');
  const held = { kind: 'secret', bytes: fill(new Uint8Array(Math.ceil(bits / 8))) };
  return { held, algorithm: { name, hash: { name: hashName }, length: bits } };
}

function generatedRsa({ modulusLength, publicExponent, hash }) {
  normaliseHash(hash);
  if (!(publicExponent instanceof Uint8Array)) throw new TypeError("'publicExponent' is required in 'RsaHashedKeyGenParams'.");
  const exponent = publicExponent.reduce((sum, byte) => sum * 256 + byte, 0);
  return generate('rsa', { modulusLength, publicExponent: exponent });
}

function generatedCurve({ name, namedCurve }) {
  if (isOkp(name)) return generate(name.toLowerCase());
  demandCurve(namedCurve);
  return generate('ec', { namedCurve });
}
