// assert: the package that browsers use, with the messages of current Node and what it lacks.

import plain from 'assert';
import { inspect } from '../inspect.js';
import { isDeepStrictEqual } from './util/equality.js';

const { AssertionError } = plain;
Object.defineProperty(AssertionError, 'name', { value: 'AssertionError', configurable: true }); // the bundler renamed it

function failure(details, generated) {
  const error = new AssertionError(details);
  error.generatedMessage = generated;
  return error;
}

function ok(args, method) {
  const [value, message] = args;
  if (value) return;
  if (message instanceof Error) throw message;
  const said = args.length === 0 ? 'No value argument passed to `assert.ok()`'
    : message ?? `The expression evaluated to a falsy value:\n\n  ${method}(${inspect(value)})\n`;
  throw failure({ actual: value, expected: true, operator: '==', message: said, stackStartFn: method }, message === undefined);
}

/** Whether all that `expected` has is in `actual`, too. */
function holds(actual, expected) {
  if (typeof expected !== 'object' || expected === null) return isDeepStrictEqual(actual, expected);
  if (typeof actual !== 'object' || actual === null || Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) return false;
  if (Array.isArray(expected)) return inOrder(actual, expected);
  if (expected instanceof Map) return [...expected].every(([key, value]) => actual.has(key) && holds(actual.get(key), value));
  if (expected instanceof Set) return [...expected].every((value) => actual.has(value) || [...actual].some((one) => holds(one, value)));
  if (!Object.keys(expected).length && expected.constructor !== Object) return isDeepStrictEqual(actual, expected);
  return Reflect.ownKeys(expected).every((key) => Object.hasOwn(actual, key) && holds(actual[key], expected[key]));
}

function inOrder(actual, expected) {
  let at = 0;
  for (const value of expected) {
    while (at < actual.length && !holds(actual[at], value)) at += 1;
    if (at === actual.length) return false;
    at += 1;
  }
  return true;
}

function partialDeepStrictEqual(actual, expected, message) {
  if (holds(actual, expected)) return;
  if (message instanceof Error) throw message;
  throw failure({
    actual, expected, operator: 'partialDeepStrictEqual', stackStartFn: partialDeepStrictEqual,
    message: message ?? `Expected values to be partially and strictly deep-equal:\n\n${inspect(actual)}\n\nshould have\n\n${inspect(expected)}\n`,
  }, message === undefined);
}

/** One of the two forms of the module, which is also a function. */
function made(from, name) {
  const assert = { [name]: (...args) => ok(args, 'assert') }[name];
  return Object.assign(assert, from, {
    ok: (...args) => ok(args, 'assert.ok'), partialDeepStrictEqual, AssertionError,
  });
}

export const assert = made(plain, 'assert');
assert.strict = made(plain.strict, 'strict');
assert.strict.strict = assert.strict;
