// `process`, as far as an Action has one.

import { promiseThen, reflectApply } from '../primordials.js';
import { guarded } from '../uncaught.js';
import EventEmitter from 'events';
import { builtinNamed } from '../modules.js';
import { monotonic, noFunction } from '../timers.js';
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

/** Text in, text out, as the environment of a process has it. */
const environment = new Proxy({}, {
  set: (target, key, value) => Reflect.set(target, key, typeof key === 'symbol' ? value : String(value)),
  defineProperty: (target, key, descriptor) => Reflect.defineProperty(target, key, 'value' in descriptor && typeof key !== 'symbol'
    ? { ...descriptor, value: String(descriptor.value) } : descriptor),
});

/** Listeners are kept and can be called by `emit`; nothing that happens to a process happens to an Action. */
const emitter = new EventEmitter();
const LISTENING = [
  'on', 'once', 'off', 'addListener', 'removeListener', 'removeAllListeners', 'prependListener', 'prependOnceListener',
  'setMaxListeners', 'emit', 'listeners', 'rawListeners', 'listenerCount', 'eventNames', 'getMaxListeners',
];
const memory = () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 });

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
  env: environment,
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
    if (typeof callback !== 'function') throw noFunction(callback);
    promiseThen(settled, guarded(() => reflectApply(callback, undefined, args)));
  },
  memoryUsage: Object.assign(memory, { rss: () => 0 }),
  cpuUsage: () => ({ user: monotonic() * 1000, system: 0 }),
  resourceUsage: () => ({ userCPUTime: monotonic() * 1000, systemCPUTime: 0, maxRSS: 0 }),
  availableMemory: () => 0,
  constrainedMemory: () => 0,
  getuid: () => -1, geteuid: () => -1, getgid: () => -1, getegid: () => -1, getgroups: () => [],
  ref() {}, unref() {}, setUncaughtExceptionCaptureCallback() {}, hasUncaughtExceptionCaptureCallback: () => false,
  getActiveResourcesInfo: () => [], setSourceMapsEnabled() {}, debugPort: 9229, argv0: 'node',
  getBuiltinModule: (name) => builtinNamed(String(name)),
  umask: () => 0o22,
  emitWarning(warning, type, code) {
    const given = typeof type === 'object' && type !== null ? type : { type, code };
    const isError = warning instanceof Error;
    const name = isError ? warning.name : given.type ?? 'Warning';
    const mark = given.code ?? (isError ? warning.code : undefined);
    globalThis.console.warn(`(node:1) ${mark === undefined ? '' : `[${mark}] `}${name}: ${isError ? warning.message : warning}`);
  },
};
for (const name of LISTENING) {
  process[name] = { [name]: (...args) => {
    const answer = emitter[name](...args);
    return answer === emitter ? process : answer;
  } }[name];
}
Object.defineProperty(process, Symbol.toStringTag, { value: 'process', configurable: true });
