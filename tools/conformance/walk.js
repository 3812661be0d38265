// Names and kinds of everything that programs find: globals, modules, their members, and what instances have.

const ENGINE_S = ['Atomics', 'SharedArrayBuffer', 'WebAssembly', 'RegExp'];
const OWN_NAMES = ['length', 'name', 'prototype', 'arguments', 'caller', 'constructor'];
const MODULES = [
  'assert', 'assert/strict', 'async_hooks', 'buffer', 'child_process', 'cluster', 'console', 'constants', 'crypto', 'dgram',
  'diagnostics_channel', 'dns', 'dns/promises', 'domain', 'events', 'fs', 'fs/promises', 'http', 'http2', 'https',
  'inspector', 'module', 'net', 'os', 'path', 'path/posix', 'path/win32', 'perf_hooks', 'process', 'punycode', 'querystring',
  'readline', 'readline/promises', 'repl', 'stream', 'stream/consumers', 'stream/promises', 'stream/web', 'string_decoder',
  'sys', 'timers', 'timers/promises', 'tls', 'tty', 'url', 'util', 'util/types', 'v8', 'vm', 'wasi', 'worker_threads', 'zlib',
];
/** Modules whose members are the same objects as another's. */
const SAME = ['process', 'console', 'sys', 'assert/strict', 'path/posix'];

const kindOf = (value) => (value === null ? 'null' : typeof value === 'function' ? 'function' : typeof value === 'undefined' ? 'undefined' : 'value');

function ownMembers(value, all) {
  const found = {};
  const owners = [];
  for (let at = value; at && at !== Object.prototype && at !== Function.prototype; at = Object.getPrototypeOf(at)) owners.push(at);
  for (const owner of all ? owners : [value]) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      if (OWN_NAMES.includes(name) || name.startsWith('_') || name in found) continue;
      const descriptor = Object.getOwnPropertyDescriptor(owner, name);
      found[name] = descriptor.get ? 'value' : kindOf(descriptor.value) === 'function' ? 'function' : 'value';
    }
  }
  return found;
}

/** What Node's classes have of their own; what they inherit is told where it is declared. In an Action it may be either. */
function note(into, area, value, inherited) {
  if (value === null || (typeof value !== 'function' && typeof value !== 'object')) return;
  for (const [name, kind] of Object.entries(ownMembers(value, typeof value === 'object'))) into[`${area}.${name}`] = kind;
  if (typeof value !== 'function' || !value.prototype) return;
  for (const [name, kind] of Object.entries(ownMembers(value.prototype, inherited))) into[`${area}.prototype.${name}`] = kind;
}

function walk(load, inherited) {
  const found = {};
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (/^(global|globalThis|require|module|exports|__\w+|GLOBAL|root)$/.test(name) || ENGINE_S.includes(name)) continue;
    let value;
    try { value = globalThis[name]; } catch { continue; }
    found[name] = kindOf(value);
    note(found, name, value, inherited);
  }
  for (const name of MODULES) {
    let value;
    try { value = load(name); } catch (error) {
      found[`require('${name}')`] = `refused: ${error.message.split('\n')[0]}`;
      continue;
    }
    found[`require('${name}')`] = kindOf(value);
    if (SAME.includes(name)) continue;
    for (const [member, kind] of Object.entries(ownMembers(value, false))) {
      found[`${name}.${member}`] = kind;
      let inner;
      try { inner = value[member]; } catch { continue; }
      if (kind === 'function' && typeof inner === 'function' && globalThis[member] !== inner && /^[A-Z]/.test(member)) {
        note(found, `${name}.${member}`, inner, inherited);
      }
    }
  }
  return found;
}
