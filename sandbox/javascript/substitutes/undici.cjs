// Takes the place of the package undici: its own sockets are not available in an Action, its API is, over fetch.

'use strict';

const { Readable } = require('stream');

class UndiciError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = 'UndiciError';
    this.code = 'UND_ERR';
  }
}

/** One of undici's error classes. */
function failure(name, code, fallback) {
  return { [name]: class extends UndiciError {
    constructor(message = fallback, options = undefined) {
      super(message, options);
      this.name = name;
      this.code = code;
    }
  } }[name];
}

const errors = {
  UndiciError,
  ConnectTimeoutError: failure('ConnectTimeoutError', 'UND_ERR_CONNECT_TIMEOUT', 'Connect Timeout Error'),
  HeadersTimeoutError: failure('HeadersTimeoutError', 'UND_ERR_HEADERS_TIMEOUT', 'Headers Timeout Error'),
  BodyTimeoutError: failure('BodyTimeoutError', 'UND_ERR_BODY_TIMEOUT', 'Body Timeout Error'),
  ResponseStatusCodeError: failure('ResponseStatusCodeError', 'UND_ERR_RESPONSE_STATUS_CODE', 'Response Status Code Error'),
  ResponseError: failure('ResponseError', 'UND_ERR_RESPONSE', 'Response error'),
  InvalidArgumentError: failure('InvalidArgumentError', 'UND_ERR_INVALID_ARG', 'Invalid Argument Error'),
  RequestAbortedError: failure('RequestAbortedError', 'UND_ERR_ABORTED', 'Request aborted'),
  SocketError: failure('SocketError', 'UND_ERR_SOCKET', 'Socket error'),
  ClientDestroyedError: failure('ClientDestroyedError', 'UND_ERR_DESTROYED', 'The client is destroyed'),
  ClientClosedError: failure('ClientClosedError', 'UND_ERR_CLOSED', 'The client is closed'),
  NotSupportedError: failure('NotSupportedError', 'UND_ERR_NOT_SUPPORTED', 'Not supported error'),
};

const unavailable = (name, why) => class {
  constructor() {
    throw new errors.NotSupportedError(`undici.${name} is not available in an Action: ${why}.`);
  }
};

function* pairsOf(headers) {
  if (headers === undefined || headers === null) return;
  if (typeof headers[Symbol.iterator] !== 'function') {
    for (const [name, value] of Object.entries(headers)) for (const item of [value].flat()) yield [name, item];
  } else if (Array.isArray(headers) && typeof headers[0] === 'string') {
    for (let index = 0; index < headers.length; index += 2) yield [headers[index], headers[index + 1]];
  } else {
    yield* headers;
  }
}

async function bytesOf(body) {
  if (body === undefined || body === null || typeof body[Symbol.asyncIterator] !== 'function' || body instanceof Blob) return body;
  const parts = [];
  for await (const part of body) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

function readHeaders(response) {
  const headers = {};
  for (const [name, value] of response.headers) if (name !== 'set-cookie') headers[name] = value;
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) headers['set-cookie'] = cookies.length === 1 ? cookies[0] : cookies;
  return headers;
}

/** The body as undici gives it: a stream, with the readers of a Response. */
function bodyOf(response) {
  const body = Readable.from((async function* read() {
    const bytes = Buffer.from(await response.arrayBuffer());
    if (bytes.length > 0) yield bytes;
  })(), { objectMode: false });
  for (const name of ['json', 'text', 'arrayBuffer', 'blob', 'formData']) body[name] = () => response[name]();
  return Object.assign(body, {
    bytes: async () => new Uint8Array(await response.arrayBuffer()),
    dump: async () => {},
  });
}

async function request(address, options = {}) {
  const url = new URL(typeof address === 'object' && address.origin && !(address instanceof URL) ? address.origin : address);
  const { method = options.body ? 'PUT' : 'GET', query, path, signal, headersTimeout, bodyTimeout, maxRedirections = 0 } = options;
  const target = path === undefined ? url : new URL(path, url);
  for (const [name, value] of Object.entries(query ?? {})) for (const item of [value].flat()) target.searchParams.append(name, item);
  const headers = new Headers();
  for (const [name, value] of pairsOf(options.headers)) headers.append(name, value);
  const limit = headersTimeout || bodyTimeout;
  const signals = [signal, limit ? AbortSignal.timeout(limit) : undefined].filter((item) => item instanceof AbortSignal);
  let response;
  try {
    response = await fetch(target, {
      method, headers,
      body: await bytesOf(options.body), redirect: maxRedirections > 0 ? 'follow' : 'manual',
      ...(signals.length > 0 ? { signal: AbortSignal.any(signals) } : {}),
    });
  } catch (error) {
    if (error?.name === 'TimeoutError') throw new errors.HeadersTimeoutError(undefined, { cause: error });
    if (error?.name === 'AbortError') throw new errors.RequestAbortedError(undefined, { cause: error });
    throw error;
  }
  if (options.throwOnError && response.status >= 400) {
    const error = new errors.ResponseStatusCodeError(`Response status code ${response.status}`);
    throw Object.assign(error, { status: response.status, statusCode: response.status, headers: readHeaders(response), body: await response.text() });
  }
  return {
    statusCode: response.status, statusText: response.statusText, headers: readHeaders(response), body: bodyOf(response),
    trailers: {}, opaque: options.opaque, context: {},
  };
}

/** Connections are the host's: what a dispatcher is told about them has no effect. */
class Dispatcher {
  #origin;
  constructor(origin) {
    this.#origin = typeof origin === 'string' || origin instanceof URL ? origin : undefined;
    this.closed = false;
    this.destroyed = false;
  }
  request(options, callback) {
    const made = request(options.origin ?? this.#origin, options);
    if (callback === undefined) return made;
    made.then((answer) => callback(null, answer), callback);
    return undefined;
  }
  compose() { return this; }
  dispatch() { throw new errors.NotSupportedError('undici.dispatch is not available in an Action; use request or fetch.'); }
  async close() { this.closed = true; }
  async destroy() { this.destroyed = true; }
}
class Agent extends Dispatcher {}
class Pool extends Dispatcher {}
class BalancedPool extends Dispatcher {}
class Client extends Dispatcher {}
class RetryAgent extends Dispatcher {}

const HOST = 'the host makes the connections';
let dispatcher = new Agent();

module.exports = {
  fetch, Request, Response, Headers, FormData, File, Blob, request, errors, Dispatcher, Agent, Pool, BalancedPool, Client, RetryAgent,
  ProxyAgent: unavailable('ProxyAgent', HOST), EnvHttpProxyAgent: Agent, Socks5ProxyAgent: unavailable('Socks5ProxyAgent', HOST),
  MockAgent: unavailable('MockAgent', 'stub requests with actionbox instead'),
  WebSocket: unavailable('WebSocket', HOST), EventSource: unavailable('EventSource', HOST),
  interceptors: { redirect: () => (next) => next, retry: () => (next) => next, dump: () => (next) => next, dns: () => (next) => next },
  setGlobalDispatcher(value) { dispatcher = value; },
  getGlobalDispatcher: () => dispatcher,
  setGlobalOrigin() {},
  getGlobalOrigin: () => undefined,
  install() {},
};
