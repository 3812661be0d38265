// What `require` knows.

import path from 'path-browserify';
import querystring from 'querystring-es3';
import * as legacyUrl from 'url';
import { console } from '../console.js';
import { provide } from '../modules.js';
import { timerGlobals } from '../timers.js';
import { URL, URLSearchParams } from '../web/url.js';
import { assert } from './assert.js';
import { standIn } from '../refused.js';
import { Buffer, buffer } from './buffer/index.js';
import { crypto } from './crypto/index.js';
import { coded, demandText } from './errors.js';
import { events } from './events.js';
import { process } from './process.js';
import { timersPromises } from './timers-promises.js';
import { promisify, util } from './util/index.js';
import { types } from './util/types.js';

function fileURLToPath(url) {
  const { protocol, pathname } = new URL(url);
  if (protocol !== 'file:') {
    throw coded(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
  }
  return decodeURIComponent(pathname);
}

const { format: legacyFormat } = legacyUrl.default ?? legacyUrl;

function formatUrl(value, { auth = true, fragment = true, search = true, unicode = false } = {}) {
  const copy = new URL(value.href);
  if (!auth) [copy.username, copy.password] = ['', ''];
  if (!fragment) copy.hash = '';
  if (!search) copy.search = '';
  return unicode ? copy.href.replace(copy.hostname, url.domainToUnicode(copy.hostname)) : copy.href;
}

/** The package, with Node's checks; what runs on Windows is not here. */
const CHECKED = ['join', 'normalize', 'isAbsolute', 'dirname', 'basename', 'extname', 'parse', 'relative', 'resolve'];
for (const name of CHECKED) {
  const method = path[name];
  path[name] = { [name]: (...args) => {
    for (const arg of name === 'basename' ? args.slice(0, 1) : args) demandText(arg, 'path');
    return method(...args);
  } }[name];
}
path.toNamespacedPath = (name) => name;
path.posix = path;
path.win32 = standIn('path.win32');

const url = {
  ...legacyUrl.default ?? legacyUrl, URL, URLSearchParams, fileURLToPath,
  pathToFileURL: (name) => new URL(`file://${encodeURI(path.resolve('/', name))}`),
  urlToHttpOptions: ({ protocol, hostname, hash, search, pathname, href, port, username, password }) => ({
    protocol, hostname, hash, search, pathname, path: `${pathname}${search}`, href,
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username || password ? { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` } : {}),
  }),
  fileURLToPathBuffer: (address) => Buffer.from(fileURLToPath(address)),
  domainToUnicode: (name) => require('punycode/').toUnicode(url.domainToASCII(name)),
  format: (value, options) => (value instanceof URL ? formatUrl(value, options) : legacyFormat(value)),
  domainToASCII: (name) => { try { return new URL(`http://${name}`).hostname; } catch { return ''; } },
};

/** Percent signs that begin nothing stay as they are. */
function unescapeText(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return String(text).replace(/(?:%[\da-f]{2})+/gi, (part) => Buffer.from(part.replaceAll('%', ''), 'hex').toString());
  }
}

const { parse } = querystring;
Object.assign(querystring, {
  escape: (text) => encodeURIComponent(text).replace(/%(?:5B|5D)/g, (mark) => mark),
  unescape: unescapeText,
  unescapeBuffer: (text) => Buffer.from(unescapeText(text)),
  parse: (...args) => Object.assign(Object.create(null), parse(...args)),
  decode: (...args) => querystring.parse(...args),
});

Object.defineProperty(timerGlobals.setTimeout, promisify.custom, { value: timersPromises.setTimeout, configurable: true });
Object.defineProperty(timerGlobals.setImmediate, promisify.custom, { value: timersPromises.setImmediate, configurable: true });

export function provideModules() {
  const modules = {
    assert, 'assert/strict': assert.strict, buffer, console, crypto, events, path, 'path/posix': path, process,
    querystring, timers: { ...timerGlobals, promises: timersPromises },
    'timers/promises': timersPromises, url, util, 'util/types': types,
  };
  for (const name of Object.keys(modules)) provide(name, modules[name]);
}
