// AbortController and AbortSignal.

import { limit } from '../timers.js';
import { inspect } from '../inspect.js';
import { coded, outOfRange, wrongType } from '../node/errors.js';
import { Event, EventTarget } from './events.js';

const CREATE = Symbol('create');

export const abortError = () => new DOMException('This operation was aborted', 'AbortError');

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason = undefined;
  onabort = null;

  constructor(token) {
    if (token !== CREATE) throw coded(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    super();
    Object.defineProperty(this, 'onabort', { enumerable: false });
  }
  static abort(reason = abortError()) {
    const signal = new AbortSignal(CREATE);
    signal.#abort(reason);
    return signal;
  }
  static timeout(milliseconds) {
    if (typeof milliseconds !== 'number') throw wrongType('delay', 'of type number', milliseconds);
    if (!Number.isInteger(milliseconds)) throw outOfRange('delay', 'an integer', milliseconds);
    if (milliseconds < 0 || milliseconds > 0xffffffff) throw outOfRange('delay', '>= 0 && <= 4294967295', milliseconds);
    const signal = new AbortSignal(CREATE);
    limit(milliseconds, () => {
      signal.#abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    });
    return signal;
  }
  static any(signals) {
    const all = [...signals];
    all.forEach((one, at) => {
      if (!(one instanceof AbortSignal)) throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', `signals[${at}] is not of type AbortSignal.`);
    });
    const signal = new AbortSignal(CREATE);
    const first = all.find((one) => one.aborted);
    if (first) signal.#abort(first.reason);
    else for (const one of all) one.addEventListener('abort', () => signal.#abort(one.reason), { once: true });
    return signal;
  }
  static create() {
    const signal = new AbortSignal(CREATE);
    return { signal, abort: (reason) => signal.#abort(reason) };
  }
  get aborted() { return this.#aborted; }
  get reason() { return this.#reason; }
  throwIfAborted() {
    if (this.#aborted) throw this.#reason;
  }
  #abort(reason) {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.dispatchEvent(new Event('abort'));
  }
  [inspect.custom](depth, options) {
    return `AbortSignal ${inspect({ aborted: this.#aborted }, options)}`;
  }
  get [Symbol.toStringTag]() { return 'AbortSignal'; }
}
const { create } = AbortSignal;
delete AbortSignal.create;

export class AbortController {
  #signal;
  #abort;
  constructor() {
    const { signal, abort } = create();
    this.#signal = signal;
    this.#abort = abort;
  }
  get signal() { return this.#signal; }
  abort(reason = abortError()) {
    this.#abort(reason);
  }
  [inspect.custom](depth, options) {
    return `AbortController ${inspect({ signal: this.#signal }, options)}`;
  }
  get [Symbol.toStringTag]() { return 'AbortController'; }
}
