// http and https as clients, over the same way out as fetch. Redirects are the caller's, as in Node.

import { markOrigin } from '../errors.js';
import { operate } from '../operations.js';
import { Buffer } from './buffer.js';
import { URL } from '../web/url.js';

const CODES = { dns: 'ENOTFOUND', connect: 'ECONNREFUSED', timeout: 'ETIMEDOUT', tls: 'CERT_HAS_EXPIRED' };
const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
const STATUS_CODES = {
  200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'No Content', 206: 'Partial Content', 301: 'Moved Permanently',
  302: 'Found', 303: 'See Other', 304: 'Not Modified', 307: 'Temporary Redirect', 308: 'Permanent Redirect',
  400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found',
  405: 'Method Not Allowed', 406: 'Not Acceptable', 408: 'Request Timeout', 409: 'Conflict', 410: 'Gone',
  412: 'Precondition Failed', 413: 'Payload Too Large', 415: 'Unsupported Media Type', 422: 'Unprocessable Entity',
  429: 'Too Many Requests', 500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway',
  503: 'Service Unavailable', 504: 'Gateway Timeout',
};
/** Of the connection, which the host makes; and of the body, which it has inflated. */
const HOSTS_OWN = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host', 'expect', 'accept-encoding']);

class Agent {
  constructor(options = {}) {
    Object.assign(this, { options, maxSockets: Infinity, maxFreeSockets: 256, sockets: {}, requests: {}, freeSockets: {} });
    this.keepAlive = Boolean(options.keepAlive);
  }
  destroy() {}
  on() { return this; }
  once() { return this; }
}

function address(options, protocol) {
  const base = options.protocol ?? protocol;
  const host = options.hostname ?? options.host ?? 'localhost';
  const name = host.includes(':') && !host.startsWith('[') && options.hostname !== undefined ? `[${host}]` : host;
  const port = options.port ? `:${options.port}` : '';
  return `${base}//${name.includes(':') && !name.startsWith('[') ? name : name + port}${options.path ?? '/'}`;
}

function optionsOf(input, more, protocol) {
  if (typeof input !== 'string' && !(input instanceof URL)) return { ...input };
  const url = new URL(String(input));
  const { username, password } = url;
  return {
    protocol: url.protocol, hostname: url.hostname, port: url.port, path: url.pathname + url.search,
    ...(username ? { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` } : {}),
    ...(more ?? {}), defaultProtocol: protocol,
  };
}

export function makeHttp(protocol, { Readable, Writable }) {
  class IncomingMessage extends Readable {
    constructor(req, answer) {
      super();
      this.req = req;
      this.url = '';
      this.httpVersion = '1.1';
      this.statusCode = answer.status;
      this.statusMessage = answer.statusText || STATUS_CODES[answer.status] || '';
      this.headers = {};
      this.rawHeaders = [];
      this.trailers = {};
      this.complete = true;
      this.aborted = false;
      this.socket = this.connection = { encrypted: protocol === 'https:', setTimeout() {}, destroy() {}, on() {}, once() {}, removeListener() {} };
      const inflated = answer.headers.some(([name]) => name.toLowerCase() === 'content-encoding');
      for (const [name, value] of answer.headers) {
        const key = name.toLowerCase();
        if (inflated && (key === 'content-encoding' || key === 'content-length')) continue;
        this.rawHeaders.push(name, value);
        if (key === 'set-cookie') (this.headers[key] ??= []).push(value);
        else this.headers[key] = this.headers[key] === undefined ? value : `${this.headers[key]}, ${value}`;
      }
      const body = Buffer.from(answer.body ?? '', 'base64');
      if (body.length) this.push(body);
      this.push(null);
    }
    _read() {}
    setTimeout() { return this; }
  }

  class ClientRequest extends Writable {
    #headers = new Map();
    #parts = [];
    #abandon;
    #timer;
    #url;
    constructor(input, more, callback) {
      super({ autoDestroy: false }); // it lives on until the response is there
      if (typeof more === 'function') [more, callback] = [undefined, more];
      const options = { ...optionsOf(input, more, protocol), ...(more ?? {}) };
      this.method = String(options.method ?? 'GET').toUpperCase();
      this.path = options.path ?? '/';
      this.host = options.hostname ?? options.host ?? 'localhost';
      this.protocol = options.protocol ?? protocol;
      this.agent = options.agent;
      this.aborted = false;
      this.finished = false;
      this.reusedSocket = false;
      this.#url = address(options, protocol);
      const given = options.headers ?? {};
      for (const [name, value] of Array.isArray(given) ? pairs(given) : Object.entries(given)) this.setHeader(name, value);
      if (options.auth && !this.hasHeader('authorization')) {
        this.setHeader('authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`);
      }
      if (callback) this.once('response', callback);
      if (options.timeout) this.setTimeout(options.timeout);
      options.signal?.addEventListener('abort', () => this.destroy(options.signal.reason), { once: true });
    }
    setHeader(name, value) {
      if (value !== undefined) this.#headers.set(String(name).toLowerCase(), [String(name), value]);
      return this;
    }
    getHeader(name) { return this.#headers.get(String(name).toLowerCase())?.[1]; }
    hasHeader(name) { return this.#headers.has(String(name).toLowerCase()); }
    removeHeader(name) { this.#headers.delete(String(name).toLowerCase()); }
    getHeaders() { return Object.fromEntries([...this.#headers].map(([key, [, value]]) => [key, value])); }
    getHeaderNames() { return [...this.#headers.keys()]; }
    flushHeaders() {}
    setNoDelay() {}
    setSocketKeepAlive() {}
    setTimeout(delay, callback) {
      if (callback) this.once('timeout', callback);
      clearTimeout(this.#timer);
      if (delay > 0) this.#timer = setTimeout(() => this.emit('timeout'), delay);
      return this;
    }
    abort() {
      this.aborted = true;
      this.destroy();
    }
    _write(chunk, encoding, done) {
      this.#parts.push(Buffer.from(chunk, encoding));
      done();
    }
    _final(done) {
      this.finished = true;
      this.#send();
      done();
    }
    _destroy(error, done) {
      clearTimeout(this.#timer);
      this.#abandon?.();
      done(error ?? (this.res ? null : Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })));
    }
    async #send() {
      const headers = [];
      for (const [key, [name, value]] of this.#headers) {
        if (HOSTS_OWN.has(key)) continue;
        for (const item of Array.isArray(value) ? value : [value]) headers.push([name, String(item)]);
      }
      const body = this.#parts.length ? Buffer.concat(this.#parts).toString('base64') : null;
      const { promise, abandon } = operate('fetch', JSON.stringify({
        url: this.#url, method: this.method, headers, body, timeoutMs: null, redirect: 'manual',
      }));
      this.#abandon = abandon;
      const answer = await promise;
      this.#abandon = undefined;
      clearTimeout(this.#timer);
      if (this.destroyed) return;
      if (answer.error !== undefined) {
        const error = new Error(answer.error.message);
        error.code = CODES[answer.error.rule] ?? 'ECONNRESET';
        error.rule = answer.error.rule;
        this.res = null;
        this.destroy(markOrigin(error, 'egress'));
        return;
      }
      this.res = new IncomingMessage(this, answer.ok);
      if (!this.emit('response', this.res)) this.res.resume();
    }
  }

  const request = (...args) => new ClientRequest(...args);
  const get = (...args) => request(...args).end();
  const refused = (name) => () => {
    throw new Error(`${protocol.slice(0, -1)}.${name} is not available in an Action: it cannot listen`);
  };
  return {
    Agent, globalAgent: new Agent(), ClientRequest, IncomingMessage, METHODS, STATUS_CODES, request, get,
    createServer: refused('createServer'), Server: refused('Server'), maxHeaderSize: 16384,
    OutgoingMessage: Writable, ServerResponse: Writable, validateHeaderName() {}, validateHeaderValue() {},
  };
}

function* pairs(list) {
  if (Array.isArray(list[0])) yield* list;
  else for (let index = 0; index < list.length; index += 2) yield [list[index], list[index + 1]];
}
