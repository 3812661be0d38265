// console, rendered inside the instance as Node renders it, and sent to the host one call at a time.

import { log } from './host.js';
import { coded } from './node/errors.js';
import { formatWithOptions, inspectSafely } from './inspect.js';
import { captureStackTrace } from './stacks.js';
import { table } from './table.js';
import { monotonic } from './timers.js';
import {
  MapCtor, append, mapDelete, mapGet, mapSet, reflectApply, stringReplaceAll, stringSlice, toWellFormed,
} from './primordials.js';

/** Positions in sandbox/javascript/hostcalls.py. */
const LEVEL = { __proto__: null, log: 0, debug: 1, info: 2, warn: 3, error: 4, trace: 5 };
const MAX_TEXT = 1024 * 1024;

/** Format as console.log does; `args` is a rest parameter. What cannot be formatted (conversions that throw, where
 * Node throws too) is shown value by value: a line of the log ends no login. */
function formatted(args) {
  const all = [{ __proto__: null }];
  for (let index = 0; index < args.length; index += 1) append(all, args[index]);
  try {
    return reflectApply(formatWithOptions, undefined, all);
  } catch {
    let text = '';
    for (let index = 0; index < args.length; index += 1) {
      if (index > 0) text += ' ';
      text += typeof args[index] === 'string' ? args[index] : inspectSafely(args[index]);
    }
    return text;
  }
}

/** A value as text, also where its own conversion throws. */
function spoken(value) {
  try {
    return `${value}`;
  } catch {
    return inspectSafely(value);
  }
}

/** A label as Node reads it. */
const labelled = (label) => (label === undefined ? 'default' : spoken(label));

function duration(milliseconds) {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(3)}s`;
  return `${milliseconds}ms`;
}

/** A console whose lines go to `send(level, text)`. */
function makeConsole(send) {
  const counts = new MapCtor();
  const timers = new MapCtor();
  let indentation = '';

  function write(level, text) {
    if (text.length > MAX_TEXT) text = stringSlice(text, 0, MAX_TEXT);
    if (indentation !== '') {
      text = indentation + stringReplaceAll(text, '\n', '\n' + indentation);
      if (text.length > MAX_TEXT) text = stringSlice(text, 0, MAX_TEXT);
    }
    send(level, toWellFormed(text));
  }

  function print(level, args) {
    write(level, formatted(args));
  }

  function elapsed(method, label, rest) {
    const since = mapGet(timers, label);
    if (since === undefined) return print('warn', [`Warning: No such label '${label}' for console.${method}()`]);
    const all = [`${label}: ${duration(monotonic() - since)}`];
    for (let index = 0; index < rest.length; index += 1) append(all, rest[index]);
    return print('log', all);
  }

  const made = {
    log(...args) { print('log', args); },
    debug(...args) { print('debug', args); },
    info(...args) { print('info', args); },
    warn(...args) { print('warn', args); },
    error(...args) { print('error', args); },
    trace(...args) {
      const error = { name: 'Trace', message: formatted(args) };
      captureStackTrace(error, made.trace);
      write('trace', error.stack);
    },
    dir(value, options) {
      write('log', inspectSafely(value, options, { customInspect: false }));
    },
    dirxml(...args) { print('log', args); },
    table(data, columns) {
      let text;
      try {
        text = table(data, columns);
      } catch { /* getters and traps of the data's own */ }
      if (text === undefined) print('log', [data]);
      else write('log', text);
    },
    assert(condition, ...args) {
      if (condition) return;
      if (args.length > 0) args[0] = `Assertion failed: ${spoken(args[0])}`;
      else args = ['Assertion failed'];
      print('warn', args);
    },
    count(label) {
      label = labelled(label);
      const count = (mapGet(counts, label) ?? 0) + 1;
      mapSet(counts, label, count);
      print('log', [`${label}: ${count}`]);
    },
    countReset(label) {
      if (!mapDelete(counts, labelled(label))) print('warn', [`Warning: Count for '${labelled(label)}' does not exist`]);
    },
    group(...args) {
      if (args.length > 0) print('log', args);
      indentation += '  ';
    },
    groupCollapsed(...args) {
      made.group(...args);
    },
    groupEnd() {
      indentation = stringSlice(indentation, 2);
    },
    time(label) {
      label = labelled(label);
      if (mapGet(timers, label) !== undefined) {
        return print('warn', [`Warning: Label '${label}' already exists for console.time()`]);
      }
      mapSet(timers, label, monotonic());
    },
    timeLog(label, ...args) {
      elapsed('timeLog', labelled(label), args);
    },
    timeEnd(label) {
      label = labelled(label);
      elapsed('timeEnd', label, []);
      mapDelete(timers, label);
    },
    timeStamp() {},
    profile() {},
    profileEnd() {},
    clear() {},
  };
  return made;
}

export const console = makeConsole((level, text) => log(LEVEL[level], text));
/** A line of ours, whatever becomes of `console`. */
export const { warn } = console;

/** console.Console: lines go to streams, those of warn, error and trace to `stderr`. */
class Console {
  constructor(stdout, stderr = undefined) {
    const given = typeof stdout?.write === 'function' ? { stdout, stderr } : stdout ?? {};
    if (typeof given.stdout?.write !== 'function') {
      throw coded(TypeError, 'ERR_CONSOLE_WRITABLE_STREAM', 'Console expects a writable stream instance for stdout');
    }
    const apart = given.stderr ?? given.stdout;
    const members = makeConsole((level, text) => (LEVEL[level] >= LEVEL.warn ? apart : given.stdout).write(`${text}\n`));
    for (const name of Object.keys(members)) Object.defineProperty(this, name, { value: members[name], writable: true, enumerable: true, configurable: true });
  }
}
Object.defineProperty(console, 'Console', { value: Console, writable: true, enumerable: true, configurable: true });
