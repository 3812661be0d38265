// X509Certificate, as far as reading goes.

import { Buffer } from '../buffer/index.js';
import { compute, fromBase64, isBytes, toBase64, wrongType, input } from './host.js';
import { materialOf, wrap } from './keys.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (number) => String(number).padStart(2, '0');
const colons = (hex) => hex.toUpperCase().match(/../g).join(':');

function date(milliseconds) {
  const at = new Date(milliseconds);
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  return `${MONTHS[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2)} ${time} ${at.getUTCFullYear()} GMT`;
}

export class X509Certificate {
  #facts;
  constructor(data) {
    if (typeof data !== 'string' && !isBytes(data)) {
      throw wrongType('buffer', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
    }
    const bytes = input(data);
    const isPem = bytes.subarray(0, 4096).toString('latin1').includes('-----BEGIN');
    this.#facts = compute('certificate', isPem ? { pem: bytes.toString() } : { der: toBase64(bytes) });
  }
  get subject() { return this.#facts.subject; }
  get issuer() { return this.#facts.issuer; }
  get subjectAltName() { return this.#facts.subjectAltName ?? undefined; }
  get ca() { return this.#facts.ca; }
  get serialNumber() { return this.#facts.serialNumber; }
  get validFrom() { return date(this.#facts.validFrom); }
  get validTo() { return date(this.#facts.validTo); }
  get validFromDate() { return new Date(this.#facts.validFrom); }
  get validToDate() { return new Date(this.#facts.validTo); }
  get fingerprint() { return colons(this.#facts.fingerprint); }
  get fingerprint256() { return colons(this.#facts.fingerprint256); }
  get fingerprint512() { return colons(this.#facts.fingerprint512); }
  get raw() { return Buffer.from(fromBase64(this.#facts.der)); }
  get publicKey() { return wrap(this.#facts.publicKey); }
  checkPrivateKey(key) {
    const { der } = compute('key.import', { key: { format: 'der', data: materialOf(key).der }, private: false });
    return der === this.#facts.publicKey.der;
  }
  toString() { return this.#facts.pem; }
  toJSON() { return this.toString(); }
  get [Symbol.toStringTag]() { return 'X509Certificate'; }
}
