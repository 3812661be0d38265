// What `require` knows.

import assert from 'assert';
import events from 'events';
import path from 'path-browserify';
import querystring from 'querystring-es3';
import * as legacyUrl from 'url';
import { console } from '../console.js';
import { provide } from '../modules.js';
import { timerGlobals } from '../timers.js';
import { URL, URLSearchParams } from '../web/url.js';
import { buffer } from './buffer.js';
import { crypto } from './crypto.js';
import { process } from './process.js';
import { promisify, util } from './util.js';
import { types } from './types.js';

function fileURLToPath(url) {
  const { protocol, pathname } = new URL(url);
  if (protocol !== 'file:') {
    throw Object.assign(new TypeError('The URL must be of scheme file'), { code: 'ERR_INVALID_URL_SCHEME' });
  }
  return decodeURIComponent(pathname);
}

const url = {
  ...legacyUrl.default ?? legacyUrl, URL, URLSearchParams, fileURLToPath,
  pathToFileURL: (name) => new URL(`file://${encodeURI(path.resolve('/', name))}`),
  urlToHttpOptions: ({ protocol, hostname, hash, search, pathname, href, port, username, password }) => ({
    protocol, hostname, hash, search, pathname, path: `${pathname}${search}`, href,
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username || password ? { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` } : {}),
  }),
  domainToASCII: (name) => { try { return new URL(`http://${name}`).hostname; } catch { return ''; } },
};

const { parse } = querystring;
Object.assign(querystring, {
  parse: (...args) => Object.assign(Object.create(null), parse(...args)),
  decode: (...args) => querystring.parse(...args),
});

const timersPromises = {
  setTimeout: (delay, value) => new Promise((resolve) => { timerGlobals.setTimeout(resolve, delay, value); }),
  setImmediate: (value) => new Promise((resolve) => { timerGlobals.setImmediate(resolve, value); }),
};
timersPromises.scheduler = { wait: (delay) => timersPromises.setTimeout(delay) };
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
