// Reading and writing numbers: the package's methods, behind Node's checks and errors.

import { coded, outOfRange, wrongType } from '../errors.js';

const SIZES = {
  UInt8: 1, Int8: 1, UInt16LE: 2, UInt16BE: 2, Int16LE: 2, Int16BE: 2, UInt32LE: 4, UInt32BE: 4, Int32LE: 4, Int32BE: 4,
  FloatLE: 4, FloatBE: 4, DoubleLE: 8, DoubleBE: 8, BigInt64LE: 8, BigInt64BE: 8, BigUInt64LE: 8, BigUInt64BE: 8,
};

function demandOffset(offset, length, size) {
  if (typeof offset !== 'number') throw wrongType('offset', 'of type number', offset);
  if (!Number.isInteger(offset)) throw outOfRange('offset', 'an integer', offset);
  if (length < size) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
  if (offset < 0 || offset + size > length) throw outOfRange('offset', `>= 0 and <= ${length - size}`, offset);
}

function demandValue(value, kind, size) {
  if (kind.startsWith('Big')) {
    if (typeof value !== 'bigint') throw wrongType('value', 'of type bigint', value);
    const unsigned = kind.startsWith('BigU');
    const [least, most] = unsigned ? [0n, 2n ** 64n - 1n] : [-(2n ** 63n), 2n ** 63n - 1n];
    if (value < least || value > most) {
      throw outOfRange('value', unsigned ? '>= 0n and < 2n ** 64n' : '>= -(2n ** 63n) and < 2n ** 63n', value);
    }
    return;
  }
  const bits = size * 8;
  const [least, most] = kind.startsWith('U') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  const number = Number(value);
  if (number > most || number < least) throw outOfRange('value', `>= ${least} and <= ${most}`, value);
}

export function guardNumbers(prototype) {
  for (const [kind, size] of Object.entries(SIZES)) {
    const [read, write] = [prototype[`read${kind}`], prototype[`write${kind}`]];
    const methods = {
      [`read${kind}`](offset = 0) {
        demandOffset(offset, this.length, size);
        return Reflect.apply(read, this, [offset, true]);
      },
      [`write${kind}`](value, offset = 0) {
        if (!/^(Float|Double)/.test(kind)) demandValue(value, kind, size);
        demandOffset(offset, this.length, size);
        return Reflect.apply(write, this, [value, offset, true]);
      },
    };
    for (const [name, method] of Object.entries(methods)) {
      define(prototype, name, method);
      const other = name.replace('UInt', 'Uint');
      if (other !== name) define(prototype, other, method);
    }
  }
}

function define(prototype, name, value) {
  Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
}
