// structuredClone, for the types that exist here.

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
const typedArrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;

const uncloneable = (what) => new DOMException(`${what} could not be cloned.`, 'DataCloneError');

export function structuredClone(value, options = undefined) {
  if (arguments.length === 0) throw new TypeError('The "value" argument must be specified');
  const seen = new Map();
  const copy = clone(value, seen);
  for (const buffer of options?.transfer ?? []) buffer.transfer();
  return copy;
}

function clone(value, seen) {
  if (typeof value === 'symbol') throw uncloneable(String(value));
  if (typeof value === 'function') throw uncloneable(String(value));
  if (typeof value !== 'object' || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  return cloneLeaf(value, seen) ?? cloneContainer(value, seen);
}

/** Values that hold no others. */
function cloneLeaf(value, seen) {
  let copy;
  if (ArrayBuffer.isView(value)) copy = cloneView(value, seen);
  else if (value instanceof ArrayBuffer) copy = value.slice(0);
  else if (value instanceof Date) copy = new Date(value.getTime());
  else if (value instanceof RegExp) copy = new RegExp(value.source, value.flags);
  else if (value instanceof Boolean || value instanceof Number || value instanceof String || value instanceof BigInt) {
    copy = Object(value.valueOf());
  } else if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) {
    throw uncloneable(`#<${value.constructor?.name ?? 'Object'}>`);
  }
  if (copy !== undefined) seen.set(value, copy);
  return copy;
}

function cloneView(view, seen) {
  const buffer = clone(view.buffer, seen);
  if (view instanceof DataView) return new DataView(buffer, view.byteOffset, view.byteLength);
  return new globalThis[Reflect.apply(typedArrayName, view, [])](buffer, view.byteOffset, view.length);
}

function cloneContainer(value, seen) {
  if (value instanceof Map) {
    const copy = new Map();
    seen.set(value, copy);
    for (const [key, item] of [...value]) copy.set(clone(key, seen), clone(item, seen));
    return copy;
  }
  if (value instanceof Set) {
    const copy = new Set();
    seen.set(value, copy);
    for (const item of [...value]) copy.add(clone(item, seen));
    return copy;
  }
  if (Error.isError(value)) return cloneError(value, seen);
  const copy = Array.isArray(value) ? new Array(value.length) : {};
  seen.set(value, copy);
  for (const key of Object.keys(value)) copy[key] = clone(value[key], seen);
  return copy;
}

function cloneError(error, seen) {
  const Class = ERRORS[error.name] ?? Error;
  const real = new Class(error.message);
  seen.set(error, real);
  if (Object.hasOwn(error, 'cause')) {
    Object.defineProperty(real, 'cause', { value: clone(error.cause, seen), writable: true, configurable: true });
  }
  real.stack = error.stack;
  return real;
}
