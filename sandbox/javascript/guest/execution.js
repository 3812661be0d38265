// One execution: the tenant's module, its handler, and the report to the host.

import { STATUS_EXPORTS, STATUS_NO_HANDLER, complete } from './host.js';
import { leave } from './continuations.js';
import { bindEvent, buildApi } from './api.js';
import { find, functionNames } from './handlers.js';
import { moduleNamed, require, setModuleSecrets } from './modules.js';
import { settle } from './operations.js';
import { fireNext, nextDelay } from './timers.js';
import { fail } from './uncaught.js';
import { PromiseCtor, isGenerator, jsonStringify, reflectApply } from './primordials.js';

// One instance runs one program once.
let factory;
let filename;
let api;

/**
 * Take a program and build its `api`. Runs no tenant code; the host may keep what this does to memory and
 * put it into further instances (sandbox/javascript/checkpoints.py).
 * @param {import('./boundary.js').Program} program
 * @param {{filename: string, surface?: import('./boundary.js').Surface}} about without a surface, only exports are asked for
 */
export function prepare(program, about) {
  factory = program;
  filename = about.filename;
  api = about.surface === undefined ? undefined : buildApi(about.surface);
}

/**
 * Begin: load the tenant's module and call its handler. What follows happens in promise jobs.
 * @param {import('./boundary.js').StartRequest} request
 * @returns {unknown} what the handler returned; the host reads the state of a promise from the engine, so
 *   that no patched `then` comes between
 */
export function start(request) {
  try {
    if (request.modules !== undefined) setModuleSecrets(request.modules);
    if (api !== undefined) bindEvent(request.event);
    const exported = load();
    if (api === undefined) return complete(STATUS_EXPORTS, jsonStringify(functionNames(exported, request.wanted)));
    return invoke(exported, request);
  } catch (error) {
    return fail(error);
  } finally {
    leave();
  }
}

function load() {
  const module = moduleNamed(filename);
  reflectApply(factory, module.exports, [module.exports, require, module, module.filename, module.path]);
  module.loaded = true;
  return module.exports;
}

function invoke(exported, request) {
  const { owner, handler } = find(exported, request.handler);
  if (typeof handler !== 'function') {
    const module = typeof exported;
    return complete(STATUS_NO_HANDLER, jsonStringify({ kind: typeof handler, names: functionNames(exported), module }));
  }
  let result;
  try {
    result = reflectApply(handler, owner, [request.event, api]);
  } catch (error) {
    return new PromiseCtor((_, reject) => reject(error)); // what it queued before still runs
  }
  // Its body has not run, and never would: that must not pass for a decision.
  if (isGenerator(result)) complete(STATUS_NO_HANDLER, jsonStringify({ kind: 'generator', names: [] }));
  return result;
}

/** A promise of the engine's own for what a handler returned that may be a thenable. */
export function adopt(result) {
  return new PromiseCtor((resolve) => resolve(result));
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
    fail(error); // as an uncaught exception ends a Node process
  }
}
