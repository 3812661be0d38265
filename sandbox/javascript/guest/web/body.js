// Request and Response: bodies that are read once.

import { ReadableStream } from 'web-streams-polyfill';
import { randomBytes } from '../host.js';
import { inspect } from '../inspect.js';
import { parseJson } from '../json.js';
import { AbortController, AbortSignal } from './abort.js';
import { Blob, FormData, blobBytes, encodeForm, streamOf } from './blob.js';
import { Headers } from './headers.js';
import { parseMultipart } from './multipart.js';
import { bytesOf, concat, decodeUtf8, encodeUtf8 } from './text.js';
import { URL, URLSearchParams } from './url.js';

/** What a body init is: its bytes or stream, and the content type it brings. */
function extract(init) {
  if (typeof init === 'string') return { bytes: encodeUtf8(init), type: 'text/plain;charset=UTF-8' };
  if (init instanceof URLSearchParams) {
    return { bytes: encodeUtf8(init.toString()), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  }
  if (init instanceof FormData) {
    const boundary = `----formdata-undici-0${[...randomBytes(6)].map((byte) => String(byte % 100).padStart(2, '0')).join('')}`;
    return { bytes: encodeForm(init, boundary), type: `multipart/form-data; boundary=${boundary}` };
  }
  if (init instanceof Blob) return { bytes: blobBytes(init), type: init.type || null };
  if (init instanceof ArrayBuffer || ArrayBuffer.isView(init)) return { bytes: bytesOf(init).slice(), type: null };
  if (init instanceof ReadableStream) return { stream: init, type: null };
  if (typeof init[Symbol.asyncIterator] === 'function') return { stream: ReadableStream.from(init), type: null };
  return { bytes: encodeUtf8(String(init)), type: 'text/plain;charset=UTF-8' };
}

async function drain(stream) {
  const reader = stream.getReader();
  const parts = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(parts);
    if (!(value instanceof Uint8Array)) throw new TypeError('Received non-Uint8Array chunk');
    parts.push(value);
  }
}

class Body {
  #bytes = null;
  #stream = null;
  #used = false;
  #null;

  constructor(content) {
    this.#null = content === null;
    this.#bytes = content?.bytes ?? null;
    this.#stream = content?.stream ?? null;
  }
  /** Take the bytes; a second time is an error. */
  static async take(body) {
    if (body.bodyUsed) throw new TypeError('Body is unusable: Body has already been read');
    if (body.#null) return new Uint8Array(0);
    body.#used = true;
    return body.#stream ? drain(body.#stream) : body.#bytes;
  }
  static split(body) {
    if (body.bodyUsed) throw new TypeError('Response.clone: Body has already been consumed.');
    if (body.#null) return null;
    if (!body.#stream) return { bytes: body.#bytes };
    const [mine, other] = body.#stream.tee();
    body.#stream = mine;
    return { stream: other };
  }
  static isEmpty(body) {
    return body.#null;
  }
  get body() {
    if (this.#null) return null;
    this.#stream ??= streamOf(this.#bytes);
    return this.#stream;
  }
  get bodyUsed() {
    return this.#used || Boolean(this.#stream && this.#stream.locked);
  }
  async arrayBuffer() {
    return (await take(this)).slice().buffer;
  }
  async bytes() {
    return (await take(this)).slice();
  }
  async blob() {
    return new Blob([await take(this)], { type: typeOf(this) });
  }
  async text() {
    const text = decodeUtf8(await take(this));
    return text.startsWith('\ufeff') ? text.slice(1) : text;
  }
  async json() {
    return parseJson(await Reflect.apply(Body.prototype.text, this, []));
  }
  async formData() {
    const type = typeOf(this);
    if (/^application\/x-www-form-urlencoded/i.test(type)) {
      const form = new FormData();
      for (const [name, value] of new URLSearchParams(await this.text())) form.append(name, value);
      return form;
    }
    if (/^multipart\/form-data/i.test(type)) return parseMultipart(await take(this), type);
    throw new TypeError('Content-Type was not one of "multipart/form-data" or "application/x-www-form-urlencoded".');
  }
}
/** The media type of a request or a response. */
const typeOf = (body) => body.headers.get('content-type') ?? '';

/** All bytes of a body, marking it used. */
export const take = Body.take;
/** Whether there is no body at all. */
export const isEmpty = Body.isEmpty;
const split = Body.split;
delete Body.take;
delete Body.isEmpty;
delete Body.split;

const METHODS = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH']);
const FORBIDDEN = new Set(['CONNECT', 'TRACE', 'TRACK']);

function checkedMethod(method) {
  method = String(method);
  const upper = method.toUpperCase();
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method) || FORBIDDEN.has(upper)) {
    throw new TypeError(`'${method}' is not a valid HTTP method.`);
  }
  return METHODS.has(upper) && upper !== 'PATCH' ? upper : method;
}

function checkedUrl(input) {
  let url;
  try {
    url = new URL(String(input));
  } catch (cause) {
    throw new TypeError(`Failed to parse URL from ${String(input)}`, { cause });
  }
  if (url.username || url.password) {
    throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${url.href}`);
  }
  return url.href;
}

export class Request extends Body {
  #url; #method; #headers; #signal; #redirect;

  constructor(input, init = {}) {
    if (arguments.length === 0) throw new TypeError('Request constructor: 1 argument required, but only 0 present.');
    init ??= {};
    const from = input instanceof Request ? input : undefined;
    const method = init.method === undefined ? from?.method ?? 'GET' : checkedMethod(init.method);
    let content = null;
    if (init.body !== undefined && init.body !== null) {
      if (method === 'GET' || method === 'HEAD') {
        throw new TypeError('Request with GET/HEAD method cannot have body.');
      }
      content = extract(init.body);
    } else if (from && init.body === undefined) {
      content = split(from);
    }
    super(content);
    this.#url = from ? from.url : checkedUrl(input);
    this.#method = method;
    this.#headers = new Headers(init.headers ?? (from ? from.headers : undefined));
    if (content?.type && !this.#headers.has('content-type')) this.#headers.set('content-type', content.type);
    if (init.signal !== undefined && init.signal !== null && !(init.signal instanceof AbortSignal)) {
      throw new TypeError("Request constructor: Expected signal (\"AbortSignal\") to be an instance of AbortSignal.");
    }
    this.#signal = init.signal ?? from?.signal ?? new AbortController().signal;
    this.#redirect = init.redirect ?? from?.redirect ?? 'follow';
    if (!['follow', 'error', 'manual'].includes(this.#redirect)) {
      throw new TypeError(`Request constructor: ${this.#redirect} is not an accepted type. Expected one of follow, error, manual.`);
    }
  }
  get url() { return this.#url; }
  get method() { return this.#method; }
  get headers() { return this.#headers; }
  get signal() { return this.#signal; }
  get redirect() { return this.#redirect; }
  get mode() { return 'cors'; }
  get credentials() { return 'same-origin'; }
  get cache() { return 'default'; }
  get referrer() { return 'about:client'; }
  get referrerPolicy() { return ''; }
  get integrity() { return ''; }
  get keepalive() { return false; }
  get destination() { return ''; }
  get duplex() { return 'half'; }
  clone() {
    if (this.bodyUsed) throw new TypeError('Request.clone: Body has already been consumed.');
    return new Request(this);
  }
  [inspect.custom](depth, options) {
    const { method, url, headers, signal, redirect, bodyUsed } = this;
    return `Request ${inspect({ method, url, headers, redirect, signal, bodyUsed }, options)}`;
  }
  get [Symbol.toStringTag]() { return 'Request'; }
}

const NULL_BODY = new Set([101, 204, 205, 304]);
const MADE_BY_HOST = Symbol('made by the host');

export class Response extends Body {
  #status; #statusText; #headers; #url; #redirected; #type;

  constructor(body = null, init = {}) {
    init ??= {};
    const made = init[MADE_BY_HOST];
    const status = init.status === undefined ? 200 : Math.trunc(Number(init.status));
    if (!made && (!(status >= 200 && status <= 599))) {
      throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
    }
    const content = body === null || body === undefined ? null : extract(body);
    if (content && NULL_BODY.has(status)) {
      throw new TypeError(`Response constructor: Invalid response status code ${status}`);
    }
    super(content);
    this.#status = status;
    this.#statusText = String(init.statusText ?? '');
    this.#headers = new Headers(init.headers ?? undefined);
    if (content?.type && !this.#headers.has('content-type')) this.#headers.set('content-type', content.type);
    this.#url = made?.url ?? '';
    this.#redirected = made?.redirected ?? false;
    this.#type = made?.type ?? 'default';
  }
  /** The response that the host's answer describes. */
  static fromHost(answer) {
    const body = NULL_BODY.has(answer.status) ? null : Uint8Array.fromBase64(answer.body);
    return new Response(body, {
      status: answer.status, statusText: answer.statusText, headers: answer.headers,
      [MADE_BY_HOST]: { url: answer.url, redirected: answer.redirected, type: 'basic' },
    });
  }
  static json(data, init = {}) {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('Value is not JSON serializable');
    const headers = new Headers(init?.headers ?? undefined);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new Response(text, { ...init, headers });
  }
  static error() {
    return new Response(null, { status: 0, [MADE_BY_HOST]: { type: 'error' } });
  }
  static redirect(url, status = 302) {
    if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`Invalid status code ${status}`);
    return new Response(null, { status, headers: { location: new URL(String(url)).href } });
  }
  get status() { return this.#status; }
  get statusText() { return this.#statusText; }
  get ok() { return this.#status >= 200 && this.#status <= 299; }
  get headers() { return this.#headers; }
  get url() { return this.#url; }
  get redirected() { return this.#redirected; }
  get type() { return this.#type; }
  clone() {
    const { status, statusText, headers, url, redirected, type } = this;
    const content = split(this);
    return new Response(content && (content.stream ?? content.bytes), {
      status, statusText, headers, [MADE_BY_HOST]: { url, redirected, type },
    });
  }
  [inspect.custom](depth, options) {
    const { status, statusText, headers, body, bodyUsed, ok, redirected, type, url } = this;
    return `Response ${inspect({ status, statusText, headers, body, bodyUsed, ok, redirected, type, url }, options)}`;
  }
  get [Symbol.toStringTag]() { return 'Response'; }
}
export const responseFromHost = Response.fromHost;
delete Response.fromHost;
