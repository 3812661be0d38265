// Event, CustomEvent and EventTarget, as far as a program without a document can tell.

import { inspect } from '../inspect.js';
import { coded, wrongType } from '../node/errors.js';

const stopped = new WeakSet();
const states = new WeakMap();

export class Event {
  #type;
  #cancelable;
  #prevented = false;
  constructor(type, options = undefined) {
    if (arguments.length === 0) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "type" argument must be specified');
    this.#type = String(type);
    this.#cancelable = Boolean(options?.cancelable);
    states.set(this, { bubbles: Boolean(options?.bubbles), target: null, at: performance.now() });
  }
  get type() { return this.#type; }
  get target() { return states.get(this).target; }
  get currentTarget() { return states.get(this).target; }
  get srcElement() { return states.get(this).target; }
  get bubbles() { return states.get(this).bubbles; }
  get cancelable() { return this.#cancelable; }
  get composed() { return false; }
  get defaultPrevented() { return this.#prevented; }
  get eventPhase() { return states.get(this).target ? 2 : 0; }
  get isTrusted() { return false; }
  get returnValue() { return !this.#prevented; }
  get timeStamp() { return states.get(this).at; }
  composedPath() { return states.get(this).target ? [states.get(this).target] : []; }
  preventDefault() { if (this.#cancelable) this.#prevented = true; }
  get cancelBubble() { return states.get(this).stopped ?? false; }
  set cancelBubble(value) { if (value) this.stopPropagation(); }
  initEvent(type) { this.#type = String(type); }
  stopPropagation() { states.get(this).stopped = true; }
  stopImmediatePropagation() { stopped.add(this); }
  [inspect.custom](depth, options) {
    const { type, defaultPrevented, cancelable, timeStamp } = this;
    return `${this.constructor.name} ${inspect({ type, defaultPrevented, cancelable, timeStamp }, options)}`;
  }
  get [Symbol.toStringTag]() { return 'Event'; }
}

for (const [value, name] of ['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE'].entries()) {
  Object.defineProperty(Event, name, { value, enumerable: true });
  Object.defineProperty(Event.prototype, name, { value, enumerable: true });
}

export class CustomEvent extends Event {
  #detail;
  constructor(type, options = undefined) {
    super(type, options);
    this.#detail = options?.detail ?? null;
  }
  get detail() { return this.#detail; }
}

const listeners = new WeakMap();

function listOf(target, type) {
  const all = listeners.get(target);
  if (!all.has(type)) all.set(type, []);
  return all.get(type);
}

export class EventTarget {
  constructor() {
    listeners.set(this, new Map());
  }
  addEventListener(type, callback, options = undefined) {
    if (callback === null || callback === undefined) return;
    const capture = typeof options === 'boolean' ? options : Boolean(options?.capture);
    const list = listOf(this, String(type));
    if (list.some((one) => one.callback === callback && one.capture === capture)) return;
    if (options?.signal?.aborted) return;
    list.push({ callback, capture, once: Boolean(options?.once) });
    options?.signal?.addEventListener('abort', () => this.removeEventListener(type, callback, options), { once: true });
  }
  removeEventListener(type, callback, options = undefined) {
    const capture = typeof options === 'boolean' ? options : Boolean(options?.capture);
    const list = listOf(this, String(type));
    const at = list.findIndex((one) => one.callback === callback && one.capture === capture);
    if (at >= 0) list.splice(at, 1);
  }
  dispatchEvent(event) {
    if (!(event instanceof Event)) throw wrongType('event', 'an instance of Event', event);
    states.get(event).target = this;
    const handler = this[`on${event.type}`];
    if (typeof handler === 'function') Reflect.apply(handler, this, [event]);
    for (const listener of [...listOf(this, event.type)]) {
      if (stopped.has(event)) break;
      if (listener.once) this.removeEventListener(event.type, listener.callback, listener.capture);
      const { callback } = listener;
      if (typeof callback === 'function') Reflect.apply(callback, this, [event]);
      else callback.handleEvent(event);
    }
    return !event.defaultPrevented;
  }
  get [Symbol.toStringTag]() { return 'EventTarget'; }
}
