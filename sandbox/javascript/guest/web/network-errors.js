// Errors of the network with the names and facts that Node's have, and the rule that the host goes by beside them.

import { errnoConstants } from '../node/system-errors.js';
import { URL } from './url.js';

/** Where the host's rule alone tells what became of a request. What the policy refuses has the code of what Node's own
 * permissions refuse. */
const BY_RULE = {
  __proto__: null, dns: 'ENOTFOUND', connect: 'ECONNREFUSED', timeout: 'ETIMEDOUT', tls: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  protocol: 'HPE_INVALID_CONSTANT', encoding: 'Z_DATA_ERROR', 'too-large': 'UND_ERR_RES_EXCEEDED_MAX_SIZE', url: 'ERR_INVALID_URL',
  redirects: undefined,
};
const REFUSED = 'ERR_ACCESS_DENIED';
const CALLS = { __proto__: null, ENOTFOUND: 'getaddrinfo', EAI_AGAIN: 'getaddrinfo', ECONNRESET: 'read', EPIPE: 'write' };
const RESOLVER = { __proto__: null, ENOTFOUND: -3008, EAI_AGAIN: -3001 };
/** undici's names, and those of the http module for the same. */
const OF_HTTP = { __proto__: null, UND_ERR_SOCKET: 'ECONNRESET', UND_ERR_RES_EXCEEDED_MAX_SIZE: 'ERR_OUT_OF_RANGE' };

function place(url) {
  try {
    const { hostname, port, protocol } = new URL(url);
    return { address: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) };
  } catch {
    return {};
  }
}

/** Give `error` what Node's has. @param {{rule?: string, system?: string}} told by the host; `http`: by that module */
export function describeBreakage(error, told, url, http = false) {
  const named = told.system ?? (told.rule in BY_RULE ? BY_RULE[told.rule] : REFUSED);
  const code = http ? OF_HTTP[named] ?? named : named;
  const errno = RESOLVER[code] ?? (errnoConstants[code] === undefined ? undefined : -errnoConstants[code]);
  const syscall = errno === undefined ? undefined : CALLS[code] ?? 'connect';
  if (errno !== undefined) error.errno = errno;
  if (code !== undefined) error.code = code;
  if (syscall !== undefined) error.syscall = syscall;
  const { address, port } = place(url);
  if (syscall === 'getaddrinfo') error.hostname = address;
  if (syscall === 'connect') Object.assign(error, { address, port });
  if (told.rule !== undefined) error.rule = told.rule;
  return error;
}
