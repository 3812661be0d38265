// KeyObject and what makes one. A key is its PKCS8 or SPKI bytes as base64; the host reads them at each use.

import { inspect } from '../../inspect.js';
import { bytesOf } from '../../web/text.js';
import { Buffer } from '../buffer/index.js';
import {
  coded, compute, demandWhole, fromBase64, input, isBytes, later, toBase64, wrongType,
} from './host.js';
import { timingSafeEqual, fill } from './random.js';
import { types } from '../util/types.js';
import { promisify } from '../util/index.js';

const EXPECTED = 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey';
const JWK_FIELDS = ['kty', 'crv', 'x', 'y', 'd', 'n', 'e', 'p', 'q', 'dp', 'dq', 'qi'];
const CREATE = Symbol('create');
/** What a CryptoKey holds; web/crypto.js fills it. */
export const cryptoKeyMaterial = new WeakMap();

export class KeyObject {
  #material;
  constructor(token, material) {
    if (token !== CREATE) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', "The argument 'type' is invalid");
    this.#material = material;
  }
  static from(key) {
    const material = cryptoKeyMaterial.get(key);
    if (material === undefined) throw wrongType('key', 'an instance of CryptoKey', key);
    return wrap(material);
  }
  static materialOf(key) {
    return #material in key ? key.#material : undefined;
  }
  get type() {
    return this.#material.kind;
  }
  equals(other) {
    const [mine, theirs] = [this.#material, materialOf(other)];
    if (theirs === undefined) throw wrongType('otherKeyObject', 'an instance of KeyObject', other);
    if (mine.kind !== theirs.kind) return false;
    if (mine.kind !== 'secret') return mine.der === theirs.der;
    return mine.bytes.length === theirs.bytes.length && timingSafeEqual(mine.bytes, theirs.bytes);
  }
  [inspect.custom]() {
    return `${this.constructor.name} {}`;
  }
  get [Symbol.toStringTag]() { return 'KeyObject'; }
}
const { materialOf: readMaterial } = KeyObject;
delete KeyObject.materialOf;
export const materialOf = (key) => (typeof key === 'object' && key !== null ? readMaterial(key) : undefined);

export class SecretKeyObject extends KeyObject {
  get symmetricKeySize() {
    return materialOf(this).bytes.length;
  }
  export(options) {
    const { bytes } = materialOf(this);
    if (options?.format !== 'jwk') return Buffer.from(bytes);
    return { kty: 'oct', k: bytes.toBase64({ alphabet: 'base64url', omitPadding: true }) };
  }
}

class AsymmetricKeyObject extends KeyObject {
  get asymmetricKeyType() {
    return materialOf(this).type;
  }
  get asymmetricKeyDetails() {
    const details = { ...materialOf(this).details };
    if (details.publicExponent !== undefined) details.publicExponent = BigInt(details.publicExponent);
    return details;
  }
  export(options) {
    return exportKey(materialOf(this), options);
  }
}
export class PublicKeyObject extends AsymmetricKeyObject {}
export class PrivateKeyObject extends AsymmetricKeyObject {}

const CLASSES = { secret: SecretKeyObject, public: PublicKeyObject, private: PrivateKeyObject };

/** The KeyObject of {kind, bytes} or {kind, type, details, der}. */
export const wrap = (material) => new CLASSES[material.kind](CREATE, material);

types.isKeyObject = (value) => materialOf(value) !== undefined;
types.isCryptoKey = (value) => typeof value === 'object' && value !== null && cryptoKeyMaterial.has(value);

/** A key as the host takes it. */
export const sourceOf = ({ kind, der }) => ({ format: 'der', type: kind === 'private' ? 'pkcs8' : 'spki', data: der });

function exportKey(material, options) {
  if (typeof options !== 'object' || options === null) throw wrongType('options', 'of type object', options);
  const { format, type, cipher, passphrase } = options;
  const key = sourceOf(material);
  if (format === 'jwk') {
    if (cipher !== undefined || passphrase !== undefined) {
      throw coded(Error, 'ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS', 'The selected key encoding jwk does not support encryption.');
    }
    return compute('key.export', { key, format: 'jwk' }).data;
  }
  if (format !== 'pem' && format !== 'der') invalidOption('format', format);
  const allowed = material.kind === 'private' ? ['pkcs8', 'pkcs1', 'sec1'] : ['spki', 'pkcs1'];
  if (!allowed.includes(type)) invalidOption('type', type);
  const request = { key, format, type };
  if (cipher !== undefined || passphrase !== undefined) {
    if (material.kind !== 'private' || cipher === undefined) invalidOption('cipher', cipher);
    if (passphrase === undefined) invalidOption('passphrase', passphrase);
    request.passphrase = toBase64(input(passphrase, 'options.passphrase'));
  }
  const { data } = compute('key.export', request);
  return format === 'pem' ? data : fromBase64(data);
}

function invalidOption(name, value) {
  throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The property 'options.${name}' is invalid. Received ${inspect(value)}`);
}

/** What an argument that stands for an asymmetric key is to the host: a KeyObject, PEM, DER or JWK. */
export function keySource(key, kind) {
  const held = materialOf(key) ?? cryptoKeyMaterial.get(key);
  if (held !== undefined) return sourceOf(demandKind(held, kind));
  if (typeof key === 'string' || isBytes(key)) return { format: 'pem', data: text(key) };
  if (typeof key !== 'object' || key === null) throw wrongType('key', EXPECTED, key);
  const inner = key.key;
  if (materialOf(inner) !== undefined || cryptoKeyMaterial.has(inner)) return keySource(inner, kind);
  if (key.format === 'jwk') return { format: 'jwk', data: jwkFields(inner) };
  if (typeof inner !== 'string' && !isBytes(inner)) throw wrongType('key.key', EXPECTED, inner);
  /** @type {{format: string, data: string, type?: string, passphrase?: string}} */
  const source = key.format === 'der'
    ? { format: 'der', data: toBase64(input(inner, 'key.key', key.encoding)), ...(key.type === undefined ? {} : { type: String(key.type) }) }
    : { format: 'pem', data: text(inner) };
  if (key.passphrase !== undefined) source.passphrase = toBase64(input(key.passphrase, 'key.passphrase'));
  return source;
}

const text = (key) => (typeof key === 'string' ? key : Buffer.from(bytesOf(key)).toString());

function demandKind(material, kind) {
  if (material.kind === 'secret' || (kind === 'private' && material.kind !== 'private')) {
    const expected = kind === 'private' ? 'private' : 'private or public';
    throw coded(TypeError, 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', `Invalid key object type ${material.kind}, expected ${expected}.`);
  }
  return material;
}

export function jwkFields(jwk) {
  if (typeof jwk !== 'object' || jwk === null) throw wrongType('key.key', 'of type object', jwk);
  const fields = {};
  for (const name of JWK_FIELDS) if (typeof jwk[name] === 'string') fields[name] = jwk[name];
  return fields;
}

/** The bytes of a secret key in any of its forms. */
export function secretBytes(key, name = 'key') {
  const held = materialOf(key) ?? cryptoKeyMaterial.get(key);
  if (held === undefined) {
    if (typeof key !== 'string' && !isBytes(key)) throw wrongType(name, EXPECTED, key);
    return input(key, name);
  }
  if (held.kind !== 'secret') {
    throw coded(TypeError, 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', `Invalid key object type ${held.kind}, expected secret.`);
  }
  return held.bytes;
}

export function createSecretKey(key, encoding) {
  if (typeof key !== 'string' && !isBytes(key)) throw wrongType('key', 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView', key);
  return wrap({ kind: 'secret', bytes: input(key, 'key', encoding) });
}

export function createPrivateKey(key) {
  if (materialOf(key) !== undefined) throw wrongType('key', 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView', key);
  return wrap(compute('key.import', { key: keySource(key, 'private'), private: true }));
}

export function createPublicKey(key) {
  if (materialOf(key)?.kind === 'public') demandKind({ kind: 'secret' }, 'public');
  return wrap(compute('key.import', { key: keySource(key, 'public'), private: false }));
}

/** Ask the host for a pair: {private, public}. */
export function generate(type, options = {}) {
  const request = { type: type === 'rsa-pss' ? 'rsa' : type };
  if (request.type === 'rsa') {
    request.modulusLength = demandWhole(options.modulusLength, 'options.modulusLength', 0, 2 ** 32 - 1);
    request.publicExponent = options.publicExponent ?? 65537;
  } else if (type === 'ec') {
    if (typeof options.namedCurve !== 'string') throw wrongType('options.namedCurve', 'of type string', options.namedCurve);
    request.curve = options.namedCurve;
  } else if (!['ed25519', 'ed448', 'x25519', 'x448'].includes(type)) {
    throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'type' must be a supported key type. Received ${inspect(type)}`);
  }
  return compute('key.generate', request);
}

export function generateKeyPairSync(type, options = {}) {
  const made = generate(type, options);
  const form = (material, encoding) => (encoding === undefined ? wrap(material) : exportKey(material, encoding));
  return {
    publicKey: form(made.public, options.publicKeyEncoding),
    privateKey: form(made.private, options.privateKeyEncoding),
  };
}

export function generateKeyPair(type, options, callback) {
  if (typeof options === 'function') [options, callback] = [undefined, options];
  later((error, pair) => callback(error, pair?.publicKey, pair?.privateKey), () => generateKeyPairSync(type, options));
}

Object.defineProperty(generateKeyPair, promisify.custom, {
  value: async (type, options) => generateKeyPairSync(type, options),
  configurable: true,
});

export function generateKeySync(type, options) {
  if (type !== 'hmac' && type !== 'aes') {
    throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'type' must be a supported key type. Received ${inspect(type)}`);
  }
  const length = demandWhole(options?.length, 'options.length', 8, 65536);
  if (type === 'aes' && ![128, 192, 256].includes(length)) {
    throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The property 'options.length' must be one of: 128, 192, 256. Received ${length}`);
  }
  return wrap({ kind: 'secret', bytes: fill(Buffer.alloc(length >> 3)) });
}

export const generateKey = (type, options, callback) => later(callback, () => generateKeySync(type, options));
