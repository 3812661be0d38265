// What util has had since Node's first days: deprecated there, still asked for by older packages.

import { Buffer } from '../buffer/index.js';
import { types } from './types.js';

const isObject = (value) => typeof value === 'object' && value !== null;

export const oldUtil = {
  isArray: Array.isArray,
  isBoolean: (value) => typeof value === 'boolean',
  isBuffer: (value) => Buffer.isBuffer(value),
  isDate: types.isDate,
  isError: (value) => types.isNativeError(value) || value instanceof Error,
  isFunction: (value) => typeof value === 'function',
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value === null || value === undefined,
  isNumber: (value) => typeof value === 'number',
  isObject,
  isPrimitive: (value) => !isObject(value) && typeof value !== 'function',
  isRegExp: types.isRegExp,
  isString: (value) => typeof value === 'string',
  isSymbol: (value) => typeof value === 'symbol',
  isUndefined: (value) => value === undefined,
  _extend(target, source) {
    return isObject(source) ? Object.assign(target, source) : target;
  },
  log(...args) {
    globalThis.console.log(...args);
  },
};
