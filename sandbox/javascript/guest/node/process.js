// `process`, as far as an Action has one.

import { promiseThen, reflectApply } from '../primordials.js';
import { monotonic } from '../timers.js';
import { stderr, stdout } from './stdio.js';

const VERSION = '22.12.0';
const settled = Promise.resolve();

function hrtime(since = undefined) {
  const now = monotonic();
  const seconds = Math.floor(now / 1000);
  const nanoseconds = (now % 1000) * 1e6;
  if (since === undefined) return [seconds, nanoseconds];
  const borrow = nanoseconds < since[1] ? 1 : 0;
  return [seconds - since[0] - borrow, nanoseconds - since[1] + borrow * 1e9];
}
hrtime.bigint = () => BigInt(monotonic()) * 1000000n;

function noExit(name) {
  return () => {
    throw new Error(`process.${name} is not available in an Action; return from the handler instead`);
  };
}

const chainable = () => process;

export const process = {
  title: 'node',
  version: `v${VERSION}`,
  versions: { node: VERSION, v8: '12.4.254.21-node.21', modules: '127' },
  arch: 'x64',
  platform: 'linux',
  release: { name: 'node', lts: 'Jod' },
  argv: ['node', 'action.js'],
  execArgv: [],
  execPath: '/usr/bin/node',
  env: {},
  pid: 1,
  ppid: 0,
  exitCode: undefined,
  stdout,
  stderr,
  features: {},
  config: {},
  cwd: () => '/',
  chdir: noExit('chdir'),
  exit: noExit('exit'),
  abort: noExit('abort'),
  kill: noExit('kill'),
  hrtime,
  uptime: () => monotonic() / 1000,
  nextTick(callback, ...args) {
    if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function.');
    promiseThen(settled, () => reflectApply(callback, undefined, args));
  },
  memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
  umask: () => 0o22,
  emitWarning(warning) {
    globalThis.console.warn(`(node:1) ${warning instanceof Error ? `${warning.name}: ${warning.message}` : `Warning: ${warning}`}`);
  },
  on: chainable, once: chainable, off: chainable, addListener: chainable, removeListener: chainable,
  removeAllListeners: chainable, prependListener: chainable, emit: () => false, listeners: () => [],
  listenerCount: () => 0,
};
Object.defineProperty(process, Symbol.toStringTag, { value: 'process', configurable: true });
