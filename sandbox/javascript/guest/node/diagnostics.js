// diagnostics_channel: named channels between libraries.

import { wrongType, demandFunction } from './errors.js';
import { process } from './process.js';

export function makeDiagnostics() {
  const channels = new Map();
  class Channel {
    #subscribers = [];
    #stores = new Map();
    constructor(name) { this.name = name; }
    get hasSubscribers() { return this.#subscribers.length > 0 || this.#stores.size > 0; }
    subscribe(subscriber) {
      demandFunction(subscriber, 'subscription');
      this.#subscribers = [...this.#subscribers, subscriber];
    }
    unsubscribe(subscriber) {
      const at = this.#subscribers.indexOf(subscriber);
      this.#subscribers = this.#subscribers.filter((_, index) => index !== at);
      return at >= 0;
    }
    publish(message) {
      for (const subscriber of this.#subscribers) {
        try {
          subscriber(message, this.name);
        } catch (error) {
          process.nextTick(() => { throw error; });
        }
      }
    }
    bindStore(store, transform) { this.#stores.set(store, transform); }
    unbindStore(store) { return this.#stores.delete(store); }
    runStores(message, fn, self, ...args) {
      let run = () => {
        this.publish(message);
        return Reflect.apply(fn, self, args);
      };
      for (const [store, transform = (value) => value] of this.#stores) {
        const inner = run;
        run = () => store.run(transform(message), inner);
      }
      return run();
    }
  }
  const channel = (name) => {
    if (typeof name !== 'string' && typeof name !== 'symbol') throw wrongType('channel', 'of type string or symbol', name);
    if (!channels.has(name)) channels.set(name, new Channel(name));
    return channels.get(name);
  };
  return {
    channel, Channel, hasSubscribers: (name) => channels.get(name)?.hasSubscribers ?? false,
    subscribe: (name, subscriber) => channel(name).subscribe(subscriber),
    unsubscribe: (name, subscriber) => channel(name).unsubscribe(subscriber),
    tracingChannel: (name) => new TracingChannel(name, channel),
  };
}

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];

class TracingChannel {
  constructor(name, channel) {
    const made = (event) => (typeof name === 'string' ? channel(`tracing:${name}:${event}`) : name[event]);
    this.start = made('start');
    this.end = made('end');
    this.asyncStart = made('asyncStart');
    this.asyncEnd = made('asyncEnd');
    this.error = made('error');
  }
  get hasSubscribers() { return EVENTS.some((event) => this[event]?.hasSubscribers); }
  subscribe(handlers) { for (const event of EVENTS) if (handlers[event]) this[event].subscribe(handlers[event]); }
  unsubscribe(handlers) {
    return EVENTS.filter((event) => handlers[event]).map((event) => this[event].unsubscribe(handlers[event])).every(Boolean);
  }
  #failed(context, error) {
    context.error = error;
    this.error.publish(context);
  }
  traceSync(fn, context = {}, self, ...args) {
    return this.start.runStores(context, () => {
      try {
        context.result = Reflect.apply(fn, self, args);
        return context.result;
      } catch (error) {
        this.#failed(context, error);
        throw error;
      } finally {
        this.end.publish(context);
      }
    });
  }
  tracePromise(fn, context = {}, self, ...args) {
    const settle = (key, value) => {
      if (key === 'error') this.#failed(context, value);
      else context.result = value;
      this.asyncStart.publish(context);
      this.asyncEnd.publish(context);
    };
    return this.traceSync(() => Promise.resolve(Reflect.apply(fn, self, args)).then(
      (value) => { settle('result', value); return value; },
      (error) => { settle('error', error); throw error; },
    ), context);
  }
  traceCallback(fn, position = -1, context = {}, self, ...args) {
    const at = position < 0 ? args.length + position : position;
    const callback = args[at];
    args[at] = (error, value) => {
      if (error) this.#failed(context, error);
      else context.result = value;
      this.asyncStart.publish(context);
      try {
        return callback(error, value);
      } finally {
        this.asyncEnd.publish(context);
      }
    };
    return this.traceSync(() => Reflect.apply(fn, self, args), context);
  }
}
