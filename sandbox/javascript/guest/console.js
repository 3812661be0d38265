// console, rendered inside the instance and sent to the host one call at a time.

import { log } from './host.js';
import { formatWithOptions, inspect } from './inspect.js';
import { defineHidden, reflectApply, stringSlice, toWellFormed } from './primordials.js';

const LEVEL = { __proto__: null, log: 0, debug: 1, info: 2, warn: 3, error: 4, trace: 5 };
const MAX_TEXT = 256 * 1024;

function print(level, args) {
  const text = reflectApply(formatWithOptions, undefined, [{}, ...args]);
  log(LEVEL[level], toWellFormed(text.length > MAX_TEXT ? stringSlice(text, 0, MAX_TEXT) : text));
}

export const console = {
  log(...args) { print('log', args); },
  debug(...args) { print('debug', args); },
  info(...args) { print('info', args); },
  warn(...args) { print('warn', args); },
  error(...args) { print('error', args); },
  trace(...args) { print('trace', args); },
};
