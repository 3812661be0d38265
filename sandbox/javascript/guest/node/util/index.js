// The util module.

import { format, formatWithOptions, inspect, stripVTControlCharacters } from '../../inspect.js';
import { TextDecoder, TextEncoder } from '../../web/text.js';
import { isDeepStrictEqual } from './equality.js';
import { coded, demandFunction } from '../errors.js';
import { MIMEParams, MIMEType } from './mime.js';
import { parseArgs } from './parse-args.js';
import * as more from './more.js';
import { types } from './types.js';
import { oldUtil } from './old.js';

const CUSTOM = Symbol.for('nodejs.util.promisify.custom');

export function promisify(original) {
  demandFunction(original, 'original');
  if (original[CUSTOM]) return original[CUSTOM];
  function promisified(...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [...args, (error, value) => (error ? reject(error) : resolve(value))]);
    });
  }
  Object.setPrototypeOf(promisified, Object.getPrototypeOf(original));
  return Object.defineProperties(promisified, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = CUSTOM;

function callbackify(original) {
  demandFunction(original, 'original');
  return function callbackified(...args) {
    const callback = args.pop();
    demandFunction(callback, 'last argument');
    Reflect.apply(original, this, args).then(
      (value) => queueMicrotask(() => callback(null, value)),
      (error) => queueMicrotask(() => callback(error || rejectedWith(error))),
    );
  };
}

/** Node's error for a rejection that a callback could not tell from success. */
function rejectedWith(reason) {
  const error = coded(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value');
  error.reason = reason;
  return error;
}

function inherits(constructor, parent) {
  demandFunction(constructor, 'ctor');
  demandFunction(parent, 'superCtor');
  Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

function deprecate(original, message) {
  let warned = false;
  return function deprecated(...args) {
    if (!warned) globalThis.console.warn(`(node:1) DeprecationWarning: ${message}`);
    warned = true;
    return new.target ? Reflect.construct(original, args, new.target) : Reflect.apply(original, this, args);
  };
}

const debuglog = () => Object.assign(() => {}, { enabled: false });
const toUSVString = (text) => String(text).toWellFormed();

export const util = {
  ...oldUtil, promisify, callbackify, inherits, deprecate, debuglog, debug: debuglog, toUSVString, inspect, format,
  formatWithOptions, stripVTControlCharacters, isDeepStrictEqual, types, TextEncoder, TextDecoder,
  parseArgs, MIMEType, MIMEParams, ...more,
};
