// One execution: the tenant's module, its handler, and the report to the host.

import { STATUS_EXPORTS, STATUS_NO_HANDLER, STATUS_OK, STATUS_THROWN, complete } from './host.js';
import { buildApi } from './api.js';
import { describe } from './errors.js';
import { require } from './modules.js';
import { settle } from './operations.js';
import { fireNext, nextDelay } from './timers.js';
import { append, jsonStringify, objectKeys, reflectApply } from './primordials.js';

/**
 * Begin: load the tenant's module and call its handler. What follows happens in promise jobs.
 * @param {Function} factory the tenant's source as a CommonJS function
 * @param {{handler?: string, filename: string, event: object, surface: object}} request without a handler,
 *   only the names of the exported functions are reported
 */
export function start(factory, request) {
  try {
    const exported = load(factory, request.filename);
    if (request.handler === undefined) {
      complete(STATUS_EXPORTS, jsonStringify(functionNames(exported)));
    } else {
      invoke(exported, request);
    }
  } catch (error) {
    complete(STATUS_THROWN, describe(error));
  }
}

function load(factory, filename) {
  const exports = {};
  const module = { id: '.', path: '/', exports, filename, loaded: false, children: [], paths: [] };
  require.main = module;
  reflectApply(factory, exports, [exports, require, module, filename, '/']);
  module.loaded = true;
  return module.exports;
}

function invoke(exported, request) {
  const handler = exported === undefined || exported === null ? undefined : exported[request.handler];
  if (typeof handler !== 'function') {
    complete(STATUS_NO_HANDLER, jsonStringify({ kind: typeof handler, names: functionNames(exported) }));
  }
  const { event } = request;
  finish(reflectApply(handler, exported, [event, buildApi(request.surface, event)]));
}

async function finish(result) {
  try {
    await result;
  } catch (error) {
    complete(STATUS_THROWN, describe(error));
  }
  complete(STATUS_OK, '');
}

function functionNames(exported) {
  const names = [];
  if (exported === undefined || exported === null) return names;
  const keys = objectKeys(exported);
  for (let index = 0; index < keys.length && names.length < 100; index += 1) {
    if (typeof exported[keys[index]] === 'function') append(names, keys[index]);
  }
  return names;
}

/** How long the host may wait for the next timer, in ms; -1 when only an operation can go on. */
export function poll() {
  return nextDelay();
}

/** Go on after a wait: with an operation's answer, or with the next due timer. */
export function resume(answer) {
  try {
    if (answer === undefined) fireNext();
    else settle(answer);
  } catch (error) {
    complete(STATUS_THROWN, describe(error)); // as an uncaught exception ends a Node process
  }
}
