// Arguments and errors of fs, as Node has them.

import { Buffer } from '../buffer/index.js';
import { coded, wrongType, wrongValue } from '../errors.js';
import { errnoConstants, systemErrors } from '../system-errors.js';
import { fileOf } from '../../packages/module.js';
import { URL } from '../../web/url.js';

/** The system's error `code` of the call `syscall`. */
export function failure(code, syscall, path = undefined, dest = undefined) {
  const errno = -errnoConstants[code];
  const where = `${path === undefined ? '' : ` '${path}'`}${dest === undefined ? '' : ` -> '${dest}'`}`;
  const error = new Error(`${code}: ${systemErrors.get(errno)[1]}, ${syscall}${where}`);
  Object.assign(error, { errno, code, syscall });
  if (path !== undefined) error.path = path;
  if (dest !== undefined) error.dest = dest;
  return error;
}

/** A path as text; relative ones begin at `/`. */
export function pathText(given, name = 'path') {
  const isUrl = given instanceof URL;
  if (isUrl && given.protocol !== 'file:') throw coded(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
  const text = isUrl ? fileOf(given) : ArrayBuffer.isView(given) ? Buffer.from(given).toString() : given;
  if (typeof text !== 'string') throw wrongType(name, 'of type string or an instance of Buffer or URL', given);
  if (text.includes('\0')) throw wrongValue(name, 'must be a string, Uint8Array, or URL without null bytes', given);
  return text;
}

export function demandEncoding(encoding) {
  if (encoding !== undefined && encoding !== null && encoding !== 'buffer' && !Buffer.isEncoding(encoding)) {
    throw wrongValue('encoding', 'is invalid encoding', encoding);
  }
}

/** Options that may be an encoding alone. */
export function optionsOf(given) {
  if (given === undefined || given === null || typeof given === 'function') return {};
  const options = typeof given === 'string' ? { encoding: given } : given;
  if (typeof options !== 'object') throw wrongType('options', 'of type string or an instance of Object', given);
  demandEncoding(options.encoding);
  return options;
}

export const encoded = (bytes, encoding) => (encoding && encoding !== 'buffer' ? bytes.toString(encoding) : bytes);
