// The crypto module.

import { Crypto, CryptoKey, SubtleCrypto, subtle, webcrypto } from '../../web/crypto.js';
import * as certificate from './certificate.js';
import * as cipher from './cipher.js';
import * as derive from './derive.js';
import * as hash from './hash.js';
import { coded, getCurves, getHashes } from './host.js';
import * as keys from './keys.js';
import * as random from './random.js';
import * as sign from './sign.js';

const absent = (name, advice) => () => {
  throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `crypto.${name} is not available in an Action; ${advice}`);
};

export const crypto = {
  ...hash, ...derive, ...sign,
  ...certificate,
  createCipheriv: cipher.createCipheriv, createDecipheriv: cipher.createDecipheriv,
  Cipheriv: cipher.Cipheriv, Decipheriv: cipher.Decipheriv,
  getCiphers: cipher.getCiphers, getCipherInfo: cipher.getCipherInfo, getCurves, getHashes,
  KeyObject: keys.KeyObject, createSecretKey: keys.createSecretKey, createPrivateKey: keys.createPrivateKey,
  createPublicKey: keys.createPublicKey, generateKeyPair: keys.generateKeyPair,
  generateKeyPairSync: keys.generateKeyPairSync, generateKey: keys.generateKey, generateKeySync: keys.generateKeySync,
  randomBytes: random.randomBytes, pseudoRandomBytes: random.randomBytes, randomFill: random.randomFill,
  randomFillSync: random.randomFillSync, randomInt: random.randomInt, randomUUID: random.randomUUID,
  timingSafeEqual: random.timingSafeEqual, getRandomValues: random.getRandomValues,
  webcrypto, subtle,
  getFips: () => 0,
  createDiffieHellman: absent('createDiffieHellman', 'use createECDH or diffieHellman with X25519 keys'),
  getDiffieHellman: absent('getDiffieHellman', 'use createECDH or diffieHellman with X25519 keys'),
  createCipher: absent('createCipher', 'use createCipheriv'),
  createDecipher: absent('createDecipher', 'use createDecipheriv'),
};
delete crypto.digestBytes;

export { Crypto, CryptoKey, SubtleCrypto, webcrypto };
export const { getRandomValues, randomUUID } = random;
