// URL and URLSearchParams are jsdom's implementation of the standard; here they learn to show themselves.

import './text.js';
import { URL, URLSearchParams } from 'whatwg-url';
import { inspect } from '../inspect.js';
import { coded } from '../node/errors.js';

const PARTS = [
  'href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search',
  'searchParams', 'hash',
];

function custom(prototype, show) {
  Object.defineProperty(prototype, inspect.custom, { value: show, writable: true, configurable: true });
}

custom(URL.prototype, function showUrl(depth, options) {
  if (depth < 0) return this;
  const shown = {};
  for (const part of PARTS) shown[part] = this[part];
  return `URL ${inspect(shown, options)}`;
});

custom(URLSearchParams.prototype, function showParams(depth, options) {
  if (depth < 0) return options.stylize('[Object]', 'special');
  const pairs = [...this].map(([key, value]) => `${inspect(key)} => ${inspect(value)}`);
  return pairs.length ? `URLSearchParams { ${pairs.join(', ')} }` : 'URLSearchParams {}';
});

/** The URL class with Node's error code on what does not parse. */
const NodeURL = new Proxy(URL, {
  construct(target, args, newTarget) {
    try {
      return Reflect.construct(target, args, newTarget);
    } catch (error) {
      if (!(error instanceof TypeError) || !error.message.startsWith('Invalid')) throw error;
      const invalid = new TypeError('Invalid URL');
      invalid.code = 'ERR_INVALID_URL';
      invalid.input = String(args[0]);
      if (args[1] !== undefined) invalid.base = String(args[1]);
      throw invalid;
    }
  },
});
Object.defineProperty(URL.prototype, 'constructor', { value: NodeURL, writable: true, configurable: true });

/** URLSearchParams with Node's error for pairs that are none. */
const NodeParams = new Proxy(URLSearchParams, {
  construct(target, args, newTarget) {
    try {
      return Reflect.construct(target, args, newTarget);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw coded(TypeError, 'ERR_INVALID_TUPLE', 'Each query pair must be an iterable [name, value] tuple');
    }
  },
});
Object.defineProperty(URLSearchParams.prototype, 'constructor', { value: NodeParams, writable: true, configurable: true });

export { NodeURL as URL, NodeParams as URLSearchParams };
