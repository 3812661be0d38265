// JSON for the host. Like JSON.stringify, but deaf to patched prototypes and bounded in depth and size.

import { markOrigin, saying } from './errors.js';
import {
  ObjectPrototype, RangeErrorCtor, TypeErrorCtor, WeakSetCtor, bigintValueOf, booleanValueOf, dateGetTime,
  dateToISOString, descriptorOf, hasOwn, isArray, isFinite_, jsonStringify, numberValueOf, objectKeys,
  objectToString, prototypeOf, reflectApply, stringSlice, stringValueOf, toText, toWellFormed, weakSetAdd, weakSetDelete,
  weakSetHas,
} from './primordials.js';

const MAX_DEPTH = 64;
const MAX_LENGTH = 256 * 1024;

/**
 * JSON text of an arguments list. Trailing arguments that JSON has no form for (undefined, functions, symbols)
 * are dropped.
 * @param {unknown[]} list own, dense array (rest parameters)
 * @param {string} what named in errors
 * @param {[unknown, number[], number, string[]]} [spoken] where an error stands for its message: at the
 *   positions that the second names, and at the position and under the keys that the last two name
 */
export function encodeArguments(list, what, spoken) {
  const state = { what, path: new WeakSetCtor(), room: MAX_LENGTH, keys: undefined };
  let text = '[';
  let end = 1;
  for (let index = 0; index < list.length; index += 1) {
    let value = list[index];
    if (spoken !== undefined) {
      state.keys = index === spoken[2] && spoken[3].length > 0 ? spoken[3] : undefined;
      if (state.keys !== undefined || holds(spoken[1], index)) value = saying(value);
    }
    const item = encode(value, toText(index), state, 1);
    text += (index ? ',' : '') + (item ?? 'null');
    if (item !== undefined) end = text.length;
  }
  return stringSlice(text, 0, end) + ']';
}

function holds(list, item) {
  for (let index = 0; index < list.length; index += 1) if (list[index] === item) return true;
  return false;
}

/** JSON text of one value, or undefined where JSON.stringify gives that. */
export function encodeValue(value, what) {
  return encode(value, '', { what, path: new WeakSetCtor(), room: MAX_LENGTH, keys: undefined }, 0);
}

function encode(value, key, state, depth) {
  value = plain(value, key);
  switch (typeof value) {
    case 'string':
      return spend(jsonStringify(toWellFormed(value)), state);
    case 'number':
      return spend(isFinite_(value) ? toText(value) : 'null', state);
    case 'boolean':
      return spend(value ? 'true' : 'false', state);
    case 'bigint':
      throw new TypeErrorCtor('Do not know how to serialize a BigInt');
    case 'object':
      return value === null ? spend('null', state) : encodeObject(value, state, depth);
    default:
      return undefined;
  }
}

/** Resolve toJSON, dates and boxed primitives to what is to be written. */
function plain(value, key) {
  if (typeof value !== 'object' || value === null) return value;
  const array = isArray(value);
  if (!array && prototypeOf(value) !== ObjectPrototype) {
    const primitive = unboxed(value);
    if (primitive !== value) return primitive;
  }
  if (!array || hasOwn(value, 'toJSON')) {
    const method = value.toJSON;
    if (typeof method === 'function' && method !== own(ObjectPrototype, 'toJSON')) {
      return unboxed(reflectApply(method, value, [key]));
    }
  }
  return value;
}

/** The primitive that a date or a boxed primitive stands for; any other value as it is. */
function unboxed(value) {
  if (typeof value !== 'object' || value === null) return value;
  switch (objectToString(value)) {
    case '[object Date]': {
      const time = tried(dateGetTime, value);
      if (time === undefined) return value;
      return time === time ? dateToISOString(value) : null;
    }
    case '[object String]':
      return tried(stringValueOf, value) ?? value;
    case '[object Number]':
      return tried(numberValueOf, value) ?? value;
    case '[object Boolean]':
      return tried(booleanValueOf, value) ?? value;
    case '[object BigInt]':
      return tried(bigintValueOf, value) ?? value;
    default:
      return value;
  }
}

/** The value of an own data property. */
function own(object, key) {
  return descriptorOf(object, key)?.value;
}

/** The result of a brand check, undefined for values of another brand. */
function tried(method, value) {
  try {
    return method(value);
  } catch {
    return undefined;
  }
}

function encodeObject(value, state, depth) {
  if (depth >= MAX_DEPTH) {
    throw tooMuch(`The arguments of ${state.what} are nested more than ${MAX_DEPTH} levels deep`);
  }
  if (weakSetHas(state.path, value)) throw new TypeErrorCtor('Converting circular structure to JSON');
  weakSetAdd(state.path, value);
  spend('{}', state);
  const text = isArray(value) ? encodeArray(value, state, depth) : encodeMembers(value, state, depth);
  weakSetDelete(state.path, value);
  return text;
}

function encodeArray(value, state, depth) {
  const length = value.length;
  let text = '[';
  for (let index = 0; index < length; index += 1) {
    const item = encode(value[index], toText(index), state, depth + 1) ?? spend('null', state);
    text += index ? ',' + item : item;
    spend(',', state);
  }
  return text + ']';
}

function encodeMembers(value, state, depth) {
  const keys = objectKeys(value);
  const count = keys.length;
  let text = '{';
  for (let index = 0; index < count; index += 1) {
    const key = keys[index];
    const member = value[key];
    const said = depth === 1 && state.keys !== undefined && holds(state.keys, key) ? saying(member) : member;
    const item = encode(said, key, state, depth + 1);
    if (item === undefined) continue;
    text += (text.length > 1 ? ',' : '') + spend(jsonStringify(toWellFormed(key)), state) + ':' + item;
  }
  return text + '}';
}

function spend(text, state) {
  state.room -= text.length;
  if (state.room < 0) {
    throw tooMuch(`The arguments of ${state.what} are larger than ${MAX_LENGTH / 1024} KiB of JSON`);
  }
  return text;
}

/** The error for what passes a cap: a failure of its own kind when nobody catches it. */
function tooMuch(message) {
  return markOrigin(new RangeErrorCtor(message), 'output');
}
