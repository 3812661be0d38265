// util.types: what a value is, whatever its prototype says.

import { isDomException } from '../../stacks.js';
import { promiseState } from '../../host.js';
import { isError, prototypeOf } from '../../primordials.js';
import { proxyTarget } from '../../proxies.js';

function branded(read) {
  return (value) => {
    try {
      read(value);
      return true;
    } catch {
      return false;
    }
  };
}

const method = (Class, name) => (value) => Reflect.apply(Class.prototype[name], value, []);
const getter = (prototype, name) => {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name);
  return (value) => Reflect.apply(get, value, []);
};
const typedArrayName = getter(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);
const object = (value) => typeof value === 'object' && value !== null;
const tagged = (text) => (value) => typeof value === 'function' && Object.prototype.toString.call(value) === text;

const isMap = branded(getter(Map.prototype, 'size'));
const isSet = branded(getter(Set.prototype, 'size'));
const isDate = branded(method(Date, 'getTime'));
const isRegExp = branded((value) => {
  if (value === RegExp.prototype) throw new TypeError('not a regular expression');
  getter(RegExp.prototype, 'source')(value);
});
const isArrayBuffer = branded(getter(ArrayBuffer.prototype, 'byteLength'));
const isNumberObject = (value) => object(value) && branded(method(Number, 'valueOf'))(value);
const isStringObject = (value) => object(value) && branded(method(String, 'valueOf'))(value);
const isBooleanObject = (value) => object(value) && branded(method(Boolean, 'valueOf'))(value);
const isBigIntObject = (value) => object(value) && branded(method(BigInt, 'valueOf'))(value);
const isSymbolObject = (value) => object(value) && branded(method(Symbol, 'valueOf'))(value);

const WEAK_KEY = {};

export const types = {
  isMap, isSet, isDate, isRegExp, isArrayBuffer, isNumberObject, isStringObject, isBooleanObject, isBigIntObject,
  isSymbolObject,
  isAnyArrayBuffer: isArrayBuffer,
  isSharedArrayBuffer: () => false,
  isBoxedPrimitive: (value) =>
    isNumberObject(value) || isStringObject(value) || isBooleanObject(value) || isBigIntObject(value)
    || isSymbolObject(value),
  isNativeError: (value) => isError(value) || isDomException(value),
  isPromise: (value) =>
    object(value) && (value instanceof Promise || (prototypeOf(value) === null && promiseState(value) !== undefined)),
  isProxy: (value) => (object(value) || typeof value === 'function') && proxyTarget(value) !== undefined,
  isWeakMap: branded((value) => Reflect.apply(WeakMap.prototype.has, value, [WEAK_KEY])),
  isWeakSet: branded((value) => Reflect.apply(WeakSet.prototype.has, value, [WEAK_KEY])),
  isDataView: (value) => ArrayBuffer.isView(value) && typedArrayName(value) === undefined,
  isTypedArray: (value) => ArrayBuffer.isView(value) && typedArrayName(value) !== undefined,
  isArrayBufferView: (value) => ArrayBuffer.isView(value),
  isAsyncFunction: (value) => tagged('[object AsyncFunction]')(value) || tagged('[object AsyncGeneratorFunction]')(value),
  isGeneratorFunction: (value) =>
    tagged('[object GeneratorFunction]')(value) || tagged('[object AsyncGeneratorFunction]')(value),
  isGeneratorObject: (value) => object(value) && Object.prototype.toString.call(value) === '[object Generator]',
  isMapIterator: (value) => object(value) && Object.prototype.toString.call(value) === '[object Map Iterator]',
  isSetIterator: (value) => object(value) && Object.prototype.toString.call(value) === '[object Set Iterator]',
  isArgumentsObject: (value) => object(value) && Object.prototype.toString.call(value) === '[object Arguments]',
  isModuleNamespaceObject: (value) => object(value) && Object.prototype.toString.call(value) === '[object Module]',
  isExternal: () => false,
};

for (const name of [
  'Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array', 'Int8Array', 'Int16Array', 'Int32Array',
  'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array',
]) {
  types[`is${name}`] = (value) => ArrayBuffer.isView(value) && typedArrayName(value) === name;
}
