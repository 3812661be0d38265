// process.stdout and process.stderr: what is written to them joins the console's lines, one for each write.

import EventEmitter from 'events';
import { log } from '../host.js';
import { toWellFormed } from '../primordials.js';
import { timerGlobals } from '../timers.js';
import { Buffer } from './buffer/index.js';
import { coded } from './errors.js';

/** Positions in sandbox/javascript/hostcalls.py. */
const LOG = 0;
const ERROR = 4;
const MAX_TEXT = 1024 * 1024;

function textOf(chunk, encoding) {
  if (typeof chunk === 'string') return typeof encoding === 'string' ? Buffer.from(chunk, encoding).toString() : chunk;
  if (ArrayBuffer.isView(chunk)) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString();
  throw coded(
    TypeError, 'ERR_INVALID_ARG_TYPE', `The "chunk" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received ${chunk === null ? 'null' : typeof chunk}`,
  );
}

function outlet(fd, level) {
  const out = new EventEmitter();
  const done = (...args) => {
    const callback = args.findLast((item) => typeof item === 'function');
    if (callback) timerGlobals.setImmediate(callback);
  };
  Object.assign(out, {
    fd, writable: true, _isStdio: true, writableLength: 0, writableHighWaterMark: 16384, destroyed: false,
    write(chunk, encoding, callback) {
      const text = textOf(chunk, encoding);
      const line = text.endsWith('\n') ? text.slice(0, -1) : text;
      if (text !== '') log(level, toWellFormed(line.slice(0, MAX_TEXT)));
      done(encoding, callback);
      return true;
    },
    end(chunk, encoding, callback) {
      if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') out.write(chunk, encoding);
      done(chunk, encoding, callback);
      return out;
    },
    cork() {}, uncork() {}, destroy: () => out, setDefaultEncoding: () => out,
  });
  return out;
}

export const stdout = outlet(1, LOG);
export const stderr = outlet(2, ERROR);
