// createCipheriv and createDecipheriv. The host keeps no state: each call sends all data so far, and what
// came back before is left out.

import { concat } from '../../web/text.js';
import { Buffer } from '../buffer/index.js';
import { coded, compute, fromBase64, input, output, toBase64, wrongType } from './host.js';
import { secretBytes } from './keys.js';

const BLOCK = 16;
const SIZES = [128, 192, 256];
const MODES = ['cbc', 'ctr', 'ecb', 'gcm'];
export const getCiphers = () => [...SIZES.flatMap((size) => MODES.map((mode) => `aes-${size}-${mode}`)), 'chacha20-poly1305'];

function parse(name) {
  if (typeof name !== 'string') throw wrongType('cipher', 'of type string', name);
  const plain = name.toLowerCase().replace(/^id-aes(\d+)-gcm$/, 'aes-$1-gcm').replace(/^aes(\d+)$/, 'aes-$1-cbc');
  if (!getCiphers().includes(plain)) throw coded(Error, 'ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
  if (plain === 'chacha20-poly1305') return { name: plain, mode: plain, size: 32 };
  const [, size, mode] = plain.split('-');
  return { name: plain, mode, size: Number(size) / 8 };
}

class Coder {
  #base; #mode; #all = []; #length = 0; #given = 0; #padded = true; #aad = []; #tag; #tagLength; #done = false; #encrypting;
  constructor(encrypting, name, key, iv, options) {
    const { mode, size } = parse(name);
    const bytes = secretBytes(key);
    if (bytes.length !== size) throw coded(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
    this.#mode = mode;
    this.#encrypting = encrypting;
    this.#base = { mode, encrypt: encrypting, key: toBase64(bytes) };
    this.#tagLength = options?.authTagLength ?? BLOCK;
    if (mode === 'ecb') return;
    const vector = iv === null ? new Uint8Array(0) : input(iv, 'iv');
    const fits = mode === 'gcm' ? vector.length > 0 : vector.length === (mode === 'chacha20-poly1305' ? 12 : BLOCK);
    if (!fits) throw coded(TypeError, 'ERR_CRYPTO_INVALID_IV', 'Invalid initialization vector');
    this.#base.iv = toBase64(vector);
  }
  get #authenticates() {
    return this.#mode === 'gcm' || this.#mode === 'chacha20-poly1305';
  }
  #run(final) {
    const request = { ...this.#base, data: toBase64(concat(this.#all)), final, padding: this.#padded };
    if (this.#aad.length) request.aad = toBase64(concat(this.#aad));
    if (this.#tag !== undefined && !this.#encrypting) request.tag = toBase64(this.#tag);
    return compute('cipher', request);
  }
  /** How many bytes of the result are certain before the end. */
  #ready() {
    if (this.#authenticates || this.#mode === 'ctr') return this.#length;
    const held = !this.#encrypting && this.#padded ? 1 : 0;
    return Math.max(0, Math.floor((this.#length - held) / BLOCK) * BLOCK);
  }
  #fresh(bytes) {
    const part = bytes.subarray(this.#given);
    this.#given = bytes.length;
    return Buffer.from(part);
  }
  update(data, inputEncoding, outputEncoding) {
    if (this.#done) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation update');
    const bytes = input(data, 'data', inputEncoding);
    this.#all.push(bytes);
    this.#length += bytes.length;
    const ready = this.#ready();
    if (ready <= this.#given) return output(Buffer.alloc(0), outputEncoding);
    return output(this.#fresh(fromBase64(this.#run(false).data).subarray(0, ready)), outputEncoding);
  }
  final(outputEncoding) {
    if (this.#done) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation final');
    this.#done = true;
    const made = this.#run(true);
    if (made.tag !== undefined) this.#tag = fromBase64(made.tag).subarray(0, this.#tagLength);
    return output(this.#fresh(fromBase64(made.data)), outputEncoding);
  }
  setAutoPadding(padded = true) {
    this.#padded = Boolean(padded);
    return this;
  }
  setAAD(data) {
    if (!this.#authenticates) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation setAAD');
    this.#aad.push(input(data, 'buffer'));
    return this;
  }
  getAuthTag() {
    if (!this.#done || !this.#authenticates || !this.#encrypting) {
      throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation getAuthTag');
    }
    return this.#tag;
  }
  setAuthTag(tag, encoding) {
    if (this.#done || !this.#authenticates || this.#encrypting) {
      throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation setAuthTag');
    }
    const bytes = input(tag, 'buffer', encoding);
    if (![4, 8, 12, 13, 14, 15, 16].includes(bytes.length)) {
      throw coded(TypeError, 'ERR_CRYPTO_INVALID_AUTH_TAG', `Invalid authentication tag length: ${bytes.length}`);
    }
    this.#tag = bytes;
    return this;
  }
}

export class Cipheriv extends Coder {
  constructor(name, key, iv, options) {
    super(true, name, key, iv, options);
  }
}
delete Cipheriv.prototype.setAuthTag;
export class Decipheriv extends Coder {
  constructor(name, key, iv, options) {
    super(false, name, key, iv, options);
  }
}
export const createCipheriv = (name, key, iv, options) => new Cipheriv(name, key, iv, options);
export const createDecipheriv = (name, key, iv, options) => new Decipheriv(name, key, iv, options);

export function getCipherInfo(name) {
  let found;
  try {
    found = parse(name);
  } catch {
    return undefined;
  }
  const info = { mode: found.mode === found.name ? undefined : found.mode, name: found.name, keyLength: found.size };
  if (found.mode === 'cbc') info.blockSize = BLOCK;
  if (found.mode !== 'ecb') info.ivLength = found.mode === 'gcm' || found.mode === found.name ? 12 : BLOCK;
  return info;
}
