// MessageChannel within one program, and the event that carries a message.

import { bindAsync } from '../continuations.js';
import { coded } from '../node/errors.js';
import { timerGlobals } from '../timers.js';
import { structuredClone } from './clone.js';
import { Event, EventTarget } from './events.js';

export class MessageEvent extends Event {
  #init;
  constructor(type, init = {}) {
    super(type, init);
    this.#init = init ?? {};
  }
  get data() { return this.#init.data ?? null; }
  get origin() { return String(this.#init.origin ?? ''); }
  get lastEventId() { return String(this.#init.lastEventId ?? ''); }
  get source() { return this.#init.source ?? null; }
  get ports() { return [...(this.#init.ports ?? [])]; }
}

const CREATE = Symbol('create');

export class MessagePort extends EventTarget {
  #other; #waiting = []; #started = false; #closed = false; #handler = null;
  constructor(token) {
    if (token !== CREATE) throw coded(TypeError, 'ERR_CONSTRUCT_CALL_INVALID', 'Illegal constructor');
    super();
  }
  static join(one, other) {
    one.#other = other;
    other.#other = one;
  }
  get onmessage() { return this.#handler; }
  set onmessage(handler) {
    this.#handler = typeof handler === 'function' ? bindAsync(handler) : null;
    this.start();
  }
  postMessage(value, options = undefined) {
    const data = structuredClone(value, Array.isArray(options) ? { transfer: options } : options);
    const other = this.#other;
    if (this.#closed || other === undefined || other.#closed) return;
    other.#waiting.push(data);
    if (other.#started) other.#deliver();
  }
  #deliver() {
    timerGlobals.setImmediate(() => {
      if (this.#closed || this.#waiting.length === 0) return;
      this.dispatchEvent(new MessageEvent('message', { data: this.#waiting.shift() }));
    });
  }
  start() {
    if (this.#started) return;
    this.#started = true;
    for (let count = this.#waiting.length; count > 0; count -= 1) this.#deliver();
  }
  /** Node's own way to listen. */
  on(type, listener) {
    this.addEventListener(type, type === 'message' ? (event) => listener(event.data) : listener);
    if (type === 'message') this.start();
    return this;
  }
  close() { this.#closed = true; }
  ref() {}
  unref() {}
  hasRef() { return false; }
}
const { join } = MessagePort;
delete MessagePort.join;

export class MessageChannel {
  constructor() {
    this.port1 = new MessagePort(CREATE);
    this.port2 = new MessagePort(CREATE);
    join(this.port1, this.port2);
  }
}
