// TextEncoderStream, TextDecoderStream, CompressionStream, DecompressionStream.

import { ReadableStream, TransformStream, WritableStream } from 'web-streams-polyfill';
import { inspect } from '../inspect.js';
import { wrongValue } from '../node/errors.js';
import { builtinNamed } from '../modules.js';
import { TextDecoder, bytesOf, concat, encodeUtf8 } from './text.js';

function showAs(Class, facts) {
  Object.defineProperty(Class.prototype, inspect.custom, {
    value: function show(depth, options) {
      return depth < 0 ? `${Class.name} [Object]` : `${this[Symbol.toStringTag]} ${inspect(facts(this), options)}`;
    },
    writable: true, configurable: true,
  });
}
showAs(ReadableStream, (stream) => ({
  locked: stream.locked, state: stream._state,
  supportsBYOB: stream._readableStreamController?.constructor.name.includes('Byte') ?? false,
}));
showAs(WritableStream, (stream) => ({ locked: stream.locked, state: stream._state }));
showAs(TransformStream, (stream) => ({ readable: stream.readable, writable: stream.writable, backpressure: stream._backpressure }));

class Pair {
  #stream;
  constructor(transformer) {
    this.#stream = new TransformStream(transformer);
  }
  get readable() { return this.#stream.readable; }
  get writable() { return this.#stream.writable; }
}

export class TextEncoderStream extends Pair {
  constructor() {
    let high = ''; // half of a character that came with the last chunk
    super({
      transform(chunk, controller) {
        let text = high + String(chunk);
        high = /[\ud800-\udbff]$/.test(text) ? text.at(-1) : '';
        if (high) text = text.slice(0, -1);
        if (text) controller.enqueue(encodeUtf8(text));
      },
      flush(controller) {
        if (high) controller.enqueue(encodeUtf8(high));
      },
    });
  }
  get encoding() { return 'utf-8'; }
}

export class TextDecoderStream extends Pair {
  #decoder;
  constructor(label, options) {
    const decoder = new TextDecoder(label, options);
    const send = (text, controller) => { if (text) controller.enqueue(text); };
    super({
      transform: (chunk, controller) => send(decoder.decode(chunk, { stream: true }), controller),
      flush: (controller) => send(decoder.decode(), controller),
    });
    this.#decoder = decoder;
  }
  get encoding() { return this.#decoder.encoding; }
  get fatal() { return this.#decoder.fatal; }
  get ignoreBOM() { return this.#decoder.ignoreBOM; }
}

const FORMATS = { __proto__: null, gzip: ['gzip', 'gunzip'], deflate: ['deflate', 'inflate'], 'deflate-raw': ['deflateRaw', 'inflateRaw'] };

/** The whole is computed when all of it is there: an Action's data are small. */
function coder(kind, format, name) {
  const methods = FORMATS[format];
  if (methods === undefined) {
    const error = wrongValue('format', '', format);
    error.message = `Failed to construct '${name}': 1st argument '${format}' is not a valid enum value of type CompressionFormat.`;
    throw error;
  }
  const parts = [];
  return {
    transform(chunk) { parts.push(bytesOf(chunk).slice()); },
    flush(controller) {
      let made;
      try {
        made = builtinNamed('zlib')[`${methods[kind]}Sync`](concat(parts));
      } catch (cause) {
        throw new TypeError('The compressed data was not valid.', { cause });
      }
      controller.enqueue(new Uint8Array(made));
    },
  };
}

export class CompressionStream extends Pair {
  constructor(format) { super(coder(0, String(format), 'CompressionStream')); }
}
export class DecompressionStream extends Pair {
  constructor(format) { super(coder(1, String(format), 'DecompressionStream')); }
}
