// Names, parameters and usages of Web Crypto algorithms.

import { bytesOf } from './text.js';

export const failure = (name, message) => new DOMException(message, name);
export const notSupported = (message = 'Unrecognized algorithm name') => failure('NotSupportedError', message);

const PAIR = { private: ['sign'], public: ['verify'] };
const AGREE = { private: ['deriveKey', 'deriveBits'], public: [] };
const CRYPT = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'];

/** Usages that a key of each algorithm may have, by its kind. */
const USAGES = {
  'RSASSA-PKCS1-v1_5': PAIR, 'RSA-PSS': PAIR, ECDSA: PAIR, Ed25519: PAIR, Ed448: PAIR,
  'RSA-OAEP': { private: ['decrypt', 'unwrapKey'], public: ['encrypt', 'wrapKey'] },
  ECDH: AGREE, X25519: AGREE, X448: AGREE,
  HMAC: { secret: ['sign', 'verify'] },
  'AES-CBC': { secret: CRYPT }, 'AES-CTR': { secret: CRYPT }, 'AES-GCM': { secret: CRYPT },
  'AES-KW': { secret: ['wrapKey', 'unwrapKey'] },
  HKDF: { secret: ['deriveKey', 'deriveBits'] }, PBKDF2: { secret: ['deriveKey', 'deriveBits'] },
};
const ALL_USAGES = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];
const BY_LOWER_CASE = new Map(Object.keys(USAGES).map((name) => [name.toLowerCase(), name]));

export const CURVES = ['P-256', 'P-384', 'P-521'];
export const isRsa = (name) => name.startsWith('RSA');
export const isAes = (name) => name.startsWith('AES');
export const isOkp = (name) => /^(Ed|X)(25519|448)$/.test(name);

/** {…algorithm, name} under its usual name. */
export function normalise(algorithm) {
  const given = typeof algorithm === 'string' ? { name: algorithm } : algorithm;
  if (typeof given !== 'object' || given === null || typeof given.name !== 'string') {
    throw new TypeError("Failed to normalize algorithm: 'name' is required in 'algorithm'.");
  }
  const name = BY_LOWER_CASE.get(given.name.toLowerCase());
  if (name === undefined) throw notSupported();
  return { ...given, name };
}

const HASHES = { 'sha-1': 'sha1', 'sha-256': 'sha256', 'sha-384': 'sha384', 'sha-512': 'sha512' };

/** {name: 'SHA-256', host: 'sha256'} */
export function normaliseHash(algorithm) {
  const name = typeof algorithm === 'object' && algorithm !== null ? algorithm.name : algorithm;
  if (typeof name !== 'string') throw new TypeError("Failed to normalize algorithm: 'hash' is required.");
  const host = HASHES[name.toLowerCase()];
  if (host === undefined) throw notSupported();
  return { name: name.toUpperCase(), host };
}

export const hostHash = (algorithm) => normaliseHash(algorithm).host;

/** The usages without repetition in their usual order. */
export function usagesOf(usages) {
  const given = [...usages];
  for (const usage of given) {
    if (!ALL_USAGES.includes(usage)) {
      throw new TypeError(`Value '${usage}' is not a valid KeyUsage`);
    }
  }
  return ALL_USAGES.filter((usage) => given.includes(usage));
}

const shownName = (name) => (
  isAes(name) ? 'an AES' : isRsa(name) ? 'a RSA' : /^(E|X|HMAC)/.test(name) ? `an ${name}` : `a ${name}`
);

/** The usages that a key of this kind gets. Some of a pair's go to each half. */
export function demandUsages(name, kind, usages) {
  const allowed = USAGES[name][kind];
  if (usages.some((usage) => !allowed.includes(usage))) {
    throw failure('SyntaxError', `Unsupported key usage for ${shownName(name)} key`);
  }
  if (usages.length === 0 && kind !== 'public') {
    throw failure('SyntaxError', `Usages cannot be empty when importing a ${kind} key.`);
  }
  return usages;
}

/** For a new pair: usages must belong to one of the halves. */
export function splitUsages(name, usages) {
  const { private: own, public: other } = USAGES[name];
  if (usages.some((usage) => !own.includes(usage) && !other.includes(usage))) {
    throw failure('SyntaxError', `Unsupported key usage for ${shownName(name)} key`);
  }
  const mine = usages.filter((usage) => own.includes(usage));
  if (mine.length === 0) throw failure('SyntaxError', 'Usages cannot be empty when creating a key.');
  return { private: mine, public: usages.filter((usage) => other.includes(usage)) };
}

/** What a JWK of this algorithm says in `alg`; undefined when it says nothing. */
export function jwkAlg({ name, hash, length }) {
  const bits = hash?.name.slice(4);
  if (name === 'HMAC') return `HS${bits}`;
  if (name === 'RSASSA-PKCS1-v1_5') return `RS${bits}`;
  if (name === 'RSA-PSS') return `PS${bits}`;
  if (name === 'RSA-OAEP') return bits === '1' ? 'RSA-OAEP' : `RSA-OAEP-${bits}`;
  if (isAes(name)) return `A${length}${name.slice(4)}`;
  return undefined;
}

export const BLOCK_BITS = { 'SHA-1': 512, 'SHA-256': 512, 'SHA-384': 1024, 'SHA-512': 1024 };

/** Bits of the key that `deriveKey` makes; null: as many as there are. */
export function derivedLength(algorithm) {
  const { name } = algorithm;
  if (isAes(name)) {
    demandAesLength(algorithm.length);
    return algorithm.length;
  }
  if (name === 'HMAC') return algorithm.length ?? BLOCK_BITS[normaliseHash(algorithm.hash).name];
  return null;
}

export function demandAesLength(length) {
  if (![128, 192, 256].includes(length)) throw failure('OperationError', 'Invalid key length');
}

export function bufferSource(value, what) {
  if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)) {
    throw new TypeError(`${what} is not instance of ArrayBuffer, Buffer, TypedArray, or DataView.`);
  }
  return bytesOf(value).slice();
}
