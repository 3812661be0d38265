// What clients of http expect to hold: a socket and an agent. The host makes the connections.

import EventEmitter from 'events';
import { limit } from '../../timers.js';
import { coded } from '../errors.js';

const quiet = ['ref', 'unref', 'cork', 'uncork', 'pause', 'resume', 'setNoDelay', 'setKeepAlive', 'setEncoding'];

export class Socket extends EventEmitter {
  #unset = () => {};
  constructor(encrypted) {
    super();
    Object.assign(this, {
      connecting: false, destroyed: false, readable: true, writable: true, bytesRead: 0, bytesWritten: 0, timeout: 0,
    });
    if (encrypted) Object.assign(this, { encrypted: true, authorized: true, authorizationError: null });
  }
  setTimeout(delay, callback) {
    if (callback) this.once('timeout', callback);
    this.#unset();
    this.timeout = delay;
    if (delay > 0) this.#unset = limit(delay, () => this.emit('timeout'));
    return this;
  }
  /** The response is there: nothing is waited for any longer. */
  idle() {
    this.#unset();
  }
  end() { return this; }
  destroy() {
    this.idle();
    this.destroyed = true;
    return this;
  }
  address() { return {}; }
  getPeerCertificate() { return {}; }
  isSessionReused() { return false; }
}
for (const name of quiet) {
  Object.defineProperty(Socket.prototype, name, { value() { return this; }, writable: true, configurable: true });
}

export const makeAgent = (protocol) => class Agent extends EventEmitter {
  constructor(options = {}) {
    super();
    Object.assign(this, {
      options: { path: null, ...options }, defaultPort: protocol === 'https:' ? 443 : 80, protocol, requests: {}, sockets: {},
      freeSockets: {}, keepAlive: Boolean(options.keepAlive), keepAliveMsecs: options.keepAliveMsecs ?? 1000,
      maxSockets: options.maxSockets ?? Infinity, maxFreeSockets: options.maxFreeSockets ?? 256,
      maxTotalSockets: options.maxTotalSockets ?? Infinity, scheduling: options.scheduling ?? 'lifo', totalSocketCount: 0,
    });
  }
  getName({ host = 'localhost', port = '', localAddress = '' } = {}) { return `${host}:${port}:${localAddress}`; }
  keepSocketAlive() { return true; }
  reuseSocket() {}
  destroy() {}
};

const refused = (message) => coded(Error, 'ERR_ACCESS_DENIED', message);

/** An Action would not notice that these have no effect, so they fail. */
export function demandPlain(options) {
  const { agent } = options;
  const settings = { ...agent?.options, ...agent?.connectOpts, ...options };
  if (settings.pfx || (settings.cert && settings.key)) {
    throw refused('Client certificates (cert, key, pfx) are not available in an Action: the host makes the connection.');
  }
  if (agent?.proxy || agent?.proxyUri || agent?.getProxyForUrl || settings.proxy) {
    throw refused('A proxy agent has no effect in an Action, whose requests the host makes: leave the proxy out.');
  }
  if (settings.socketPath) throw refused('Unix sockets (socketPath) are not available in an Action.');
}
