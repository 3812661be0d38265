// Node's modules that reach outside an Action. An Action that requires one is told what to do instead; a
// package gets a stand-in, because many load such a module and never use it.

import { markCoded } from './stacks.js';
import { ErrorCtor, hasOwn, stringIndexOf, stringSlice, stringStartsWith } from './primordials.js';

const HTTP = 'use fetch, http or https for requests';
const REASONS = {
  __proto__: null,
  fs: 'there are no files', child_process: 'there are no processes', cluster: 'there are no processes',
  net: `there are no sockets; ${HTTP}`, tls: `there are no sockets; ${HTTP}`, dgram: `there are no sockets; ${HTTP}`,
  http2: HTTP, dns: `names are resolved by the host; ${HTTP}`, worker_threads: 'there are no threads',
  vm: 'code cannot be compiled', v8: 'it is not V8', repl: 'there is no terminal', readline: 'there is no terminal',
  inspector: 'there is no debugger', trace_events: 'there is no tracing', wasi: 'there is no WebAssembly',
  'path.win32': 'paths here are those of POSIX', test: 'there is no test runner', domain: 'it is deprecated', sqlite: 'there are no files; use fetch to reach a database',
  sea: 'there are no files', bun: 'it is not Bun', ffi: 'there are no libraries',
};

function rootOf(name) {
  const bare = stringStartsWith(name, 'node:') ? stringSlice(name, 5) : name;
  const slash = stringIndexOf(bare, '/');
  return slash < 0 ? bare : stringSlice(bare, 0, slash);
}

/** Node's modules among them. */
export const refusedNames = () => Object.keys(REASONS).filter((name) => !name.includes('.'));

export const isRefused = (name) => hasOwn(REASONS, rootOf(name));

export function refusal(name) {
  const words = `Cannot use module '${name}' in an Action: ${REASONS[rootOf(name)]}.`;
  return markCoded(new ErrorCtor(words), 'ERR_ACCESS_DENIED');
}

/** An object whose every member can be read, and throws when it is called. What is constructed of it, as some
 *  packages do while they load, is one more of its kind. */
export function standIn(name) {
  const members = new Map();
  const fail = function refused() {
    throw refusal(name);
  };
  return new Proxy(fail, {
    construct: () => standIn(name),
    get(target, key) {
      if (key === '__esModule' || key === 'then' || typeof key === 'symbol') return undefined;
      if (key === 'default') return standIn(name);
      if (key === 'prototype') return target.prototype;
      if (key === 'constants') return {};
      if (!members.has(key)) members.set(key, standIn(name));
      return members.get(key);
    },
  });
}
