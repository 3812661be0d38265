// http and https as clients, over the same way out as fetch. Redirects are the caller's, as in Node.

import { markOrigin } from '../../errors.js';
import { operate } from '../../operations.js';
import { Buffer } from '../buffer/index.js';
import { coded } from '../errors.js';
import { Socket, demandPlain, makeAgent } from './socket.js';
import { STATUS_CODES } from './status.js';
import { process } from '../process.js';
import { describeBreakage } from '../../web/network-errors.js';
import { URL } from '../../web/url.js';

const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
const TOKEN = /^[\^_`a-zA-Z\-0-9!#$%&'*+.|~]+$/;
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
/** Of the connection, which the host makes; and of the body, which it has inflated. */
const HOSTS_OWN = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host', 'expect', 'accept-encoding']);

const INVALID = (code, message) => coded(TypeError, code, message);

function address(options, protocol) {
  const host = String(options.hostname ?? options.host ?? 'localhost');
  const name = host.includes(':') && !host.startsWith('[') && options.hostname !== undefined ? `[${host}]` : host;
  const port = options.port ? `:${options.port}` : '';
  return `${protocol}//${name.includes(':') && !name.startsWith('[') ? name : name + port}${options.path || '/'}`;
}

function optionsOf(input, more) {
  if (typeof input !== 'string' && !(input instanceof URL)) return { ...input, ...more };
  const url = new URL(String(input));
  const { username, password } = url;
  return {
    protocol: url.protocol, hostname: url.hostname, port: url.port, path: url.pathname + url.search, href: url.href,
    ...(username ? { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` } : {}),
    ...more,
  };
}

/** Headers as Node gives them: repeated ones joined, but for cookies. */
function readHeaders(message, listed) {
  const inflated = listed.some(([name]) => name.toLowerCase() === 'content-encoding');
  for (const [name, value] of listed) {
    const key = name.toLowerCase();
    if (inflated && (key === 'content-encoding' || key === 'content-length')) continue;
    message.rawHeaders.push(name, value);
    (message.headersDistinct[key] ??= []).push(value);
    if (key === 'set-cookie') (message.headers[key] ??= []).push(value);
    else message.headers[key] = message.headers[key] === undefined ? value : `${message.headers[key]}, ${value}`;
  }
}

function validateHeaderName(name, label = 'Header name') {
  if (typeof name === 'string' && TOKEN.test(name)) return;
  throw INVALID('ERR_INVALID_HTTP_TOKEN', `${label} must be a valid HTTP token ["${name}"]`);
}

function validateHeaderValue(name, value) {
  if (value === undefined) throw INVALID('ERR_HTTP_INVALID_HEADER_VALUE', `Invalid value "undefined" for header "${name}"`);
  if (BAD_VALUE.test(String(value))) throw INVALID('ERR_INVALID_CHAR', `Invalid character in header content ["${name}"]`);
}

export function makeHttp(protocol, { Readable, Writable }) {
  class IncomingMessage extends Readable {
    constructor(req, answer) {
      super();
      Object.assign(this, {
        req, url: '', httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, statusCode: answer.status,
        statusMessage: answer.statusText || STATUS_CODES[answer.status] || '', headers: {}, headersDistinct: {},
        rawHeaders: [], trailers: {}, rawTrailers: [], complete: false, aborted: false, socket: req.socket,
        connection: req.socket,
      });
      readHeaders(this, answer.headers);
      const body = Buffer.from(answer.body ?? '', 'base64');
      if (body.length) this.push(body);
      this.push(null);
      this.once('end', () => {
        this.complete = true;
        req.finishUp();
      });
      this.once('close', () => req.finishUp());
    }
    _read() {}
    /** Ends the request as well. An error reaches who listens for one, and is nobody's otherwise, as in Node. */
    _destroy(error, done) {
      if (!this.complete) {
        this.aborted = true;
        this.emit('aborted');
        this.req.destroy(error);
      }
      process.nextTick(() => done(this.listenerCount('error') ? error : null));
    }
    setTimeout(delay, callback) {
      this.req.setTimeout(delay, callback);
      return this;
    }
  }

  class ClientRequest extends Writable {
    #headers = new Map();
    #parts = [];
    #abandon;
    #url;
    #closed = false;
    constructor(input, more, callback) {
      super({ autoDestroy: false, emitClose: false }); // it lives on until the response is there
      if (typeof more === 'function') [more, callback] = [undefined, more];
      const options = optionsOf(input, more);
      demandPlain(options);
      const asked = options.protocol || protocol;
      if (asked !== protocol && asked !== options.agent?.protocol) {
        throw INVALID('ERR_INVALID_PROTOCOL', `Protocol "${asked}" not supported. Expected "${protocol}"`);
      }
      if (/[^\x21-\xff]/.test(options.path ?? '/')) {
        throw INVALID('ERR_UNESCAPED_CHARACTERS', 'Request path contains unescaped characters');
      }
      Object.assign(this, {
        method: String(options.method ?? 'GET').toUpperCase(), path: options.path || '/',
        host: options.hostname ?? options.host ?? 'localhost', protocol: asked, agent: options.agent, aborted: false,
        finished: false, reusedSocket: false, socket: null, connection: null, res: null, timeoutCb: null,
        maxHeadersCount: null, shouldKeepAlive: false, timeout: options.timeout,
      });
      this.#url = address(options, asked);
      const given = options.headers ?? {};
      for (const [name, value] of Array.isArray(given) ? pairs(given) : Object.entries(given)) {
        if (value !== undefined) this.setHeader(name, value);
      }
      if (options.auth && !this.hasHeader('authorization')) {
        this.setHeader('Authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`);
      }
      if (callback) this.once('response', callback);
      this.#connect(options);
    }
    #connect({ signal }) {
      const socket = new Socket(protocol === 'https:');
      socket.on('timeout', () => this.emit('timeout'));
      process.nextTick(() => {
        if (this.#closed) return;
        this.socket = this.connection = socket;
        if (this.timeout > 0) socket.setTimeout(this.timeout);
        this.emit('socket', socket);
      });
      if (!signal) return;
      const abort = () => this.destroy(Object.assign(new Error('The operation was aborted', { cause: signal.reason }), {
        name: 'AbortError', code: 'ABORT_ERR',
      }));
      if (signal.aborted) process.nextTick(abort);
      else signal.addEventListener('abort', abort, { once: true });
    }
    setHeader(name, value) {
      validateHeaderName(name);
      for (const item of Array.isArray(value) ? value : [value]) validateHeaderValue(name, item);
      this.#headers.set(name.toLowerCase(), [name, value]);
      return this;
    }
    setHeaders(headers) {
      for (const [name, value] of headers) this.setHeader(name, value);
      return this;
    }
    appendHeader(name, value) {
      const before = this.getHeader(name);
      return this.setHeader(name, before === undefined ? value : [before, value].flat());
    }
    getHeader(name) { return this.#headers.get(String(name).toLowerCase())?.[1]; }
    hasHeader(name) { return this.#headers.has(String(name).toLowerCase()); }
    removeHeader(name) { this.#headers.delete(String(name).toLowerCase()); }
    getHeaders() {
      return Object.assign(Object.create(null), Object.fromEntries([...this.#headers].map(([key, [, value]]) => [key, value])));
    }
    getHeaderNames() { return [...this.#headers.keys()]; }
    getRawHeaderNames() { return [...this.#headers.values()].map(([name]) => name); }
    get headersSent() { return this.finished; }
    flushHeaders() {}
    setNoDelay() {}
    setSocketKeepAlive() {}
    onSocket() {}
    setTimeout(delay, callback) {
      if (callback) this.once('timeout', callback);
      this.timeout = delay;
      this.socket?.setTimeout(delay);
      return this;
    }
    abort() {
      if (this.aborted) return;
      this.aborted = true;
      process.nextTick(() => this.emit('abort'));
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
      this.#abandon?.();
      const { res } = this;
      done(error ?? (res ? null : Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })));
      if (res?.destroyed) return; // its close ends the exchange
      process.nextTick(() => {
        this.finishUp();
        if (res && !res.complete) res.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
      });
    }
    /** The exchange is over, well or not. */
    finishUp() {
      if (this.#closed) return;
      this.#closed = true;
      this.socket?.destroy();
      process.nextTick(() => {
        this.destroyed = true;
        this.emit('close');
      });
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
      this.socket?.idle();
      if (this.destroyed) return;
      if (answer.error !== undefined) {
        const { message, rule } = answer.error;
        const error = describeBreakage(new Error(message), answer.error, this.#url, true);
        this.destroy(markOrigin(error, 'egress', rule));
        return;
      }
      this.res = new IncomingMessage(this, answer.ok);
      if (!this.emit('response', this.res)) this.res.resume();
    }
  }

  const Agent = makeAgent(protocol);
  const request = (...args) => new ClientRequest(...args);
  const get = (...args) => {
    const made = request(...args);
    made.end();
    return made;
  };
  const refused = (name) => () => {
    throw new Error(`${protocol.slice(0, -1)}.${name} is not available in an Action: it cannot listen`);
  };
  return {
    Agent, globalAgent: new Agent({ keepAlive: true }), ClientRequest, IncomingMessage, METHODS, STATUS_CODES, request, get,
    createServer: refused('createServer'), Server: refused('Server'), maxHeaderSize: 16384,
    OutgoingMessage: Writable, ServerResponse: Writable, validateHeaderName, validateHeaderValue,
  };
}

function* pairs(list) {
  if (Array.isArray(list[0])) yield* list;
  else for (let index = 0; index < list.length; index += 2) yield [list[index], list[index + 1]];
}
