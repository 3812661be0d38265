// isDeepStrictEqual, by Node's rules: own enumerable properties, prototypes, and what containers hold.

import { types } from './types.js';

export function isDeepStrictEqual(left, right) {
  return same(left, right, []);
}

function same(left, right, pairs) {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  if (Object.prototype.toString.call(left) !== Object.prototype.toString.call(right)) return false;
  if (pairs.some(([one, other]) => one === left && other === right)) return true;
  pairs.push([left, right]);
  const equal = sameInside(left, right, pairs) && sameProperties(left, right, pairs);
  pairs.pop();
  return equal;
}

function sameInside(left, right, pairs) {
  if (Array.isArray(left)) return Array.isArray(right) && left.length === right.length;
  if (types.isDate(left)) return types.isDate(right) && Object.is(left.getTime(), right.getTime());
  if (types.isRegExp(left)) {
    return types.isRegExp(right) && String(left) === String(right) && left.lastIndex === right.lastIndex;
  }
  if (types.isNativeError(left)) {
    return left.message === right.message && left.name === right.name && same(left.cause, right.cause, pairs);
  }
  if (types.isBoxedPrimitive(left)) return types.isBoxedPrimitive(right) && Object.is(left.valueOf(), right.valueOf());
  if (ArrayBuffer.isView(left) || types.isArrayBuffer(left)) return sameBytes(left, right);
  if (types.isSet(left)) return types.isSet(right) && left.size === right.size && sameSet(left, right, pairs);
  if (types.isMap(left)) return types.isMap(right) && left.size === right.size && sameMap(left, right, pairs);
  return true;
}

function sameBytes(left, right) {
  if (left.byteLength !== right.byteLength) return false;
  const view = (value) =>
    ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value);
  const other = view(right);
  return view(left).every((byte, index) => byte === other[index]);
}

function sameSet(left, right, pairs) {
  const rest = [...right];
  return [...left].every((value) => {
    const at = rest.findIndex((other) => same(value, other, pairs));
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}

function sameMap(left, right, pairs) {
  const rest = [...right];
  return [...left].every(([key, value]) => {
    const at = rest.findIndex(([otherKey, other]) => same(key, otherKey, pairs) && same(value, other, pairs));
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}

const enumerableKeys = (value) =>
  Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));

function sameProperties(left, right, pairs) {
  if (ArrayBuffer.isView(left)) return true;
  const keys = enumerableKeys(left);
  return keys.length === enumerableKeys(right).length
    && keys.every((key) => Object.hasOwn(right, key) && same(left[key], right[key], pairs));
}
