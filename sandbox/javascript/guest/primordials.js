// The built-ins as they are before any tenant code runs. Whatever carries a command, a completion or an
// error to the host uses these and no method looked up on a prototype, so that a tenant who replaces
// built-ins breaks only their own code.
//
// In such code: no for-of, no spread, no array destructuring (all consult Symbol.iterator), and no
// assignment to an index of a plain array (a setter on the prototype would see it); use `append`.

// The engine lacks these; packages define methods under them while they load.
for (const name of ['dispose', 'asyncDispose']) {
  if (Symbol[name] === undefined) Object.defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) });
}

const { apply, ownKeys: reflectOwnKeys, getPrototypeOf: reflectGetPrototypeOf } = Reflect;
const { bind, call } = Function.prototype;

/** `uncurry(f)(self, ...args)` is `f.call(self, ...args)`, whatever becomes of `call`. */
export const uncurry = apply(bind, bind, [call]);

export const reflectApply = apply;
export const ownKeys = reflectOwnKeys;
export const prototypeOf = reflectGetPrototypeOf;
export const construct = Reflect.construct;

export const ObjectPrototype = Object.prototype;
export const FunctionPrototype = Function.prototype;
export const ErrorCtor = Error;
export const TypeErrorCtor = TypeError;
export const RangeErrorCtor = RangeError;
export const SyntaxErrorCtor = SyntaxError;
export const PromiseCtor = Promise;
export const MapCtor = Map;

export const defineProperty = Object.defineProperty;
export const descriptorOf = Object.getOwnPropertyDescriptor;
export const objectKeys = Object.keys;
export const isArray = Array.isArray;
export const { isExtensible } = Object;
export const isError = Error.isError;
export const isInteger = Number.isInteger;
export const isFinite_ = Number.isFinite;

export const jsonParse = JSON.parse;
export const jsonStringify = JSON.stringify;

export const hasOwn = uncurry(Object.prototype.hasOwnProperty);
export const objectToString = uncurry(Object.prototype.toString);
export const stringSlice = uncurry(String.prototype.slice);
export const stringIndexOf = uncurry(String.prototype.indexOf);
export const stringSplit = uncurry(String.prototype.split);
export const stringEndsWith = uncurry(String.prototype.endsWith);
export const stringStartsWith = uncurry(String.prototype.startsWith);
export const stringReplaceAll = uncurry(String.prototype.replaceAll);
export const toWellFormed = uncurry(String.prototype.toWellFormed);
export const numberValueOf = uncurry(Number.prototype.valueOf);
export const stringValueOf = uncurry(String.prototype.valueOf);
export const booleanValueOf = uncurry(Boolean.prototype.valueOf);
export const bigintValueOf = uncurry(BigInt.prototype.valueOf);
export const dateGetTime = uncurry(Date.prototype.getTime);
export const dateToISOString = uncurry(Date.prototype.toISOString);
export const mapGet = uncurry(Map.prototype.get);
export const mapSet = uncurry(Map.prototype.set);
export const mapDelete = uncurry(Map.prototype.delete);
export const mapForEach = uncurry(Map.prototype.forEach);
export const weakMapGet = uncurry(WeakMap.prototype.get);
export const weakMapSet = uncurry(WeakMap.prototype.set);
export const weakSetAdd = uncurry(WeakSet.prototype.add);
export const weakSetHas = uncurry(WeakSet.prototype.has);
export const weakSetDelete = uncurry(WeakSet.prototype.delete);
export const ProxyCtor = Proxy;
export const WeakMapCtor = WeakMap;
export const WeakSetCtor = WeakSet;
export const promiseThen = uncurry(Promise.prototype.then);

/** The engine's own record of where an error was made: lines of `    at name (file:line:column)`. */
export const rawStack = uncurry(Object.getOwnPropertyDescriptor(Error.prototype, 'stack').get);

const generatorPrototypes = [
  prototypeOf(prototypeOf((function* () {})())), prototypeOf(prototypeOf((async function* () {})())),
];

/** Whether a value is what calling a generator function gives. */
export function isGenerator(value) {
  if (typeof value !== 'object' || value === null) return false;
  const parent = prototypeOf(value);
  const above = parent === null ? null : prototypeOf(parent);
  return above !== null && (above === generatorPrototypes[0] || above === generatorPrototypes[1]);
}

/** String() that no patched prototype can see. Objects still run their own conversion. */
export const toText = String;
export const toNumber = Number;

/** Append without touching setters that a tenant may have put on Array.prototype. */
export function append(list, value) {
  defineProperty(list, list.length, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

/** Define an ordinary data property, whatever the prototypes say. */
export function define(target, key, value) {
  defineProperty(target, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

/** Define a data property that nobody can replace or delete. */
export function defineFixed(target, key, value) {
  defineProperty(target, key, { __proto__: null, value, writable: false, enumerable: true, configurable: false });
}

/** Define a property the way built-ins have theirs: not enumerable. */
export function defineHidden(target, key, value) {
  defineProperty(target, key, { __proto__: null, value, writable: true, enumerable: false, configurable: true });
}
