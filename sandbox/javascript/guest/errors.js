// What an error says to the host, whatever a tenant did to it.

import {
  ErrorCtor, RangeErrorCtor, SyntaxErrorCtor, TypeErrorCtor, WeakMapCtor, defineHidden, hasOwn, isError, jsonStringify, stringSlice, toText, toWellFormed, weakMapGet, weakMapSet,
} from './primordials.js';
import { inspectSafely } from './inspect.js';
import { recordOf } from './stacks.js';

const MAX_MESSAGE = 8 * 1024;
const MAX_NAME = 256;
const MAX_STACK = 16 * 1024;
const MAX_CAUSES = 4;
const CLASSES = {
  __proto__: null, Error: ErrorCtor, TypeError: TypeErrorCtor, RangeError: RangeErrorCtor,
  SyntaxError, ReferenceError, URIError, EvalError,
};

/** Errors that the host's answers made: the failure code they have when nobody catches them, and the rule. */
const origins = new WeakMapCtor();

/** The error that a host answer describes. */
export function hostError(description, origin) {
  const Class = CLASSES[description.name] ?? ErrorCtor;
  const error = new Class(description.message);
  if (CLASSES[description.name] === undefined && description.name !== undefined) {
    defineHidden(error, 'name', description.name);
  }
  if (description.code !== undefined) defineHidden(error, 'code', description.code);
  return markOrigin(error, description.code === 'output' ? 'output' : origin);
}

/** Note that `error` came from the host, so that it keeps its failure code when it is not caught. */
export function markOrigin(error, code, rule = undefined) {
  weakMapSet(origins, error, { __proto__: null, code, rule });
  return error;
}

/** JSON for the host: what was thrown. Never throws; may run the tenant's getters. */
export function describe(thrown) {
  try {
    return jsonStringify(description(thrown, 0));
  } catch {
    return '{"name":"Error","message":"an error that cannot be read was thrown","unreadable":true}';
  }
}

function description(thrown, depth) {
  if (!isErrorLike(thrown)) {
    return { __proto__: null, message: cut(spoken(thrown), MAX_MESSAGE), bare: true };
  }
  const told = {
    __proto__: null,
    name: cut(attempt(() => thrown.name, 'Error'), MAX_NAME),
    message: cut(attempt(() => thrown.message, ''), MAX_MESSAGE),
    stack: cut(attempt(() => stackOf(thrown), ''), MAX_STACK),
    origin: weakMapGet(origins, thrown)?.code,
    rule: weakMapGet(origins, thrown)?.rule,
    engine: isEngineError(thrown),
  };
  const code = attempt(() => thrown.code, undefined);
  if (code !== undefined) told.code = cut(code, MAX_NAME);
  if (depth < MAX_CAUSES && attemptHas(thrown, 'cause')) {
    told.cause = attemptValue(() => description(thrown.cause, depth + 1));
  }
  return told;
}

/** Whether it shows as an error: one of the engine's, or of a class in the old style, made by no constructor of
 * the engine's. */
function isErrorLike(value) {
  try {
    return isError(value) || value instanceof DOMExceptionCtor || value instanceof ErrorCtor;
  } catch {
    return false; // a proxy that will not tell
  }
}

/** What an error says, where its message is wanted: the message, else its name. Any other value as it is. */
export function saying(value) {
  if (typeof value !== 'object' || value === null) return value;
  try {
    if (!isErrorLike(value) && !(value instanceof ErrorCtor)) return value;
    const message = value.message;
    return message === undefined || message === '' ? value.name : message;
  } catch {
    return value; // a proxy or a getter that will not tell: the host sees what JSON makes of it
  }
}

const DOMExceptionCtor = DOMException;
const InternalErrorCtor = InternalError;

/** Whether the engine's own classes made it: only these may stand for memory or stack exhaustion. */
function isEngineError(value) {
  return value instanceof InternalErrorCtor || value instanceof RangeErrorCtor || value instanceof SyntaxErrorCtor;
}

/** Whether the engine threw it because the stack ended. */
export function isStackError(value) {
  return isEngineError(value) && attempt(() => value.message, '') === 'Maximum call stack size exceeded';
}

function stackOf(error) {
  const raw = recordOf(error);
  return typeof raw === 'string' ? raw : error.stack;
}

/** The value of `read()` as text, or `otherwise` when it throws or is no primitive. */
function attempt(read, otherwise) {
  try {
    const value = read();
    if (value === undefined) return otherwise;
    return typeof value === 'object' || typeof value === 'function' ? cut(inspectSafely(value), MAX_MESSAGE) : toText(value);
  } catch {
    return otherwise;
  }
}

function attemptHas(value, key) {
  try {
    return hasOwn(value, key) && value[key] !== undefined && value[key] !== null;
  } catch {
    return false;
  }
}

function attemptValue(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** A thrown value that is no error, as a sentence part. */
function spoken(value) {
  if (value === null) return 'null'; // what the engine throws when even an error takes too much memory
  return typeof value === 'string' ? value : inspectSafely(value);
}

function cut(text, limit) {
  text = toWellFormed(toText(text));
  return text.length > limit ? stringSlice(text, 0, limit) + '…' : text;
}
