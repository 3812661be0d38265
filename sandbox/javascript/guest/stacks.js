// `error.stack` as V8 writes it, in the tenant's own files only.
//
// The engine keeps `    at name (file:line:column)` lines and no headline. Frames of the prelude say
// nothing to a tenant and are left out.

import {
  ErrorCtor, TypeErrorCtor, WeakMapCtor, WeakSetCtor, define, defineHidden, defineProperty, descriptorOf, isError,
  isExtensible, prototypeOf, rawStack, stringEndsWith, stringIndexOf, stringSlice, stringSplit, stringStartsWith,
  toText, uncurry, weakMapGet, weakMapSet, weakSetAdd, weakSetHas,
} from './primordials.js';

export const OWN_FILE = 'actionbox:';
const AT = '    at ';
const { captureStackTrace: nativeCapture } = ErrorCtor;

/** The engine's frames in V8's spelling, without ours and without what ours called natively. */
export function frames(raw) {
  const lines = stringSplit(raw, '\n');
  let text = '';
  let native = '';
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index];
    if (!stringStartsWith(line, AT)) continue;
    if (stringIndexOf(line, OWN_FILE) >= 0) {
      native = '';
    } else if (stringEndsWith(line, ' (native)')) {
      native += '\n' + spelled(line);
    } else {
      text += native + '\n' + spelled(line);
      native = '';
    }
  }
  return text;
}

function spelled(line) {
  const open = stringIndexOf(line, ' (');
  if (open < 0) return line;
  const where = stringSlice(line, open + 2, -1);
  if (where === 'native') return stringSlice(line, 0, open) + ' (<anonymous>)';
  return stringStartsWith(line, AT + '<anonymous>') ? AT + where : line;
}

/** Errors of Node's own, which show their code behind the name. */
const withCode = new WeakSetCtor();

/** `Name: message`, as Error.prototype.toString has it. */
function headline(error) {
  try {
    const name = error.name === undefined ? 'Error' : toText(error.name);
    const message = error.message === undefined ? '' : toText(error.message);
    if (weakSetHas(withCode, error) || isPolyfilled(error)) return `${name} [${error.code}]: ${message}`;
    if (name === '') return message;
    return message === '' ? name : name + ': ' + message;
  } catch {
    return '<error>';
  }
}

/** The package that streams are made of makes Node's errors in a class of its own. */
const isPolyfilled = (error) => typeof error.code === 'string' && error.constructor?.name === 'NodeError';

/** Give an error the code, the headline and the conversion to text of Node's own errors. */
export function markCoded(error, code) {
  weakSetAdd(withCode, error);
  define(error, 'code', code);
  defineHidden(error, 'toString', function toString() { return `${this.name} [${code}]: ${this.message}`; });
  return error;
}

/** Whether `stack` is the engine's own text, and not what a tenant's prepareStackTrace made. */
const isRaw = (stack) => typeof stack === 'string' && (stack === '' || stringStartsWith(stack, AT));

/** What captureStackTrace took, by the object that it was taken for. */
const captured = new WeakMapCtor();
/** Stacks as they were first read, which later names and messages do not change. */
const read = new WeakMapCtor();
const MAX_PROTOTYPES = 100;

/** The engine's record of where an error, or an object that a stack was captured for, was made. */
export function recordOf(target) {
  if ((typeof target !== 'object' && typeof target !== 'function') || target === null) return undefined;
  return weakMapGet(captured, target) ?? (isError(target) ? rawStack(target) : undefined);
}

const accessors = {
  get stack() {
    /** @type {object | null} */
    let holder = this;
    for (let count = 0; count < MAX_PROTOTYPES && holder !== null; count += 1) {
      const raw = recordOf(holder);
      if (raw !== undefined && raw !== null) return isRaw(raw) ? formatted(holder, raw) : raw;
      if (typeof holder !== 'object' && typeof holder !== 'function') return undefined;
      holder = prototypeOf(holder);
    }
    return undefined;
  },
  set stack(value) {
    defineHidden(this, 'stack', value);
  },
};
const { get: stackGetter, set: stackSetter } = descriptorOf(accessors, 'stack');
export { stackGetter, stackSetter };

function formatted(holder, raw) {
  let text = weakMapGet(read, holder);
  if (text === undefined) {
    text = headline(holder) + frames(raw);
    weakMapSet(read, holder, text);
  }
  return text;
}

/** Keep what the engine put on `target`; its headline is made when it is first read. */
export function adoptStack(target) {
  const raw = descriptorOf(target, 'stack')?.value;
  if (!isRaw(raw)) return;
  weakMapSet(captured, target, raw);
  weakMapSet(read, target, undefined);
  defineProperty(target, 'stack', { __proto__: null, get: stackGetter, set: stackSetter, enumerable: false, configurable: true });
}

const DOMExceptionCtor = DOMException;
const domName = uncurry(descriptorOf(DOMException.prototype, 'name').get);

/** Whether a value is a DOMException. */
export function isDomException(value) {
  try {
    if (!(value instanceof DOMExceptionCtor)) return false;
    domName(value);
    return true;
  } catch {
    return false;
  }
}

export const { captureStackTrace } = {
  captureStackTrace(target, below) {
    if ((typeof target !== 'object' && typeof target !== 'function') || target === null) {
      throw new TypeErrorCtor('invalid_argument');
    }
    if (!isExtensible(target) && descriptorOf(target, 'stack')?.configurable !== true) {
      throw new TypeErrorCtor('Cannot define property stack, object is not extensible');
    }
    nativeCapture(target, below === undefined ? captureStackTrace : below);
    adoptStack(target);
  },
};

export function installStacks() {
  delete ErrorCtor.prototype.stack; // each error has its own
  defineHidden(ErrorCtor, 'captureStackTrace', captureStackTrace);
}
