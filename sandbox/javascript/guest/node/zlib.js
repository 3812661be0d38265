// zlib over pako: whole buffers at a time, which is what an Action needs of it.

import { Buffer } from './buffer.js';

const CODES = {
  Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5, Z_OK: 0, Z_STREAM_END: 1,
  Z_BUF_ERROR: -5, Z_DATA_ERROR: -3, Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9,
  Z_DEFAULT_COMPRESSION: -1, Z_DEFAULT_STRATEGY: 0, Z_MIN_WINDOWBITS: 8, Z_MAX_WINDOWBITS: 15,
  Z_DEFAULT_WINDOWBITS: 15, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_PROCESS: 0,
};

const input = (data) => (typeof data === 'string' ? Buffer.from(data) : ArrayBuffer.isView(data)
  ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data));

export function makeZlib(stream, pako) {
  const methods = {
    Gzip: pako.gzip, Gunzip: pako.ungzip, Deflate: pako.deflate, Inflate: pako.inflate, DeflateRaw: pako.deflateRaw,
    InflateRaw: pako.inflateRaw, Unzip: pako.ungzip,
  };
  const zlib = { constants: CODES, ...CODES, codes: {} };
  for (const [name, method] of Object.entries(methods)) {
    const compute = (data, { level, windowBits, dictionary } = {}) => {
      const options = {};
      if (level !== undefined) options.level = level;
      if (windowBits !== undefined) options.windowBits = windowBits;
      if (dictionary !== undefined) options.dictionary = dictionary;
      try {
        const out = method(input(data), options);
        if (out === undefined) throw 'unexpected end of file';
        return Buffer.from(out.buffer, out.byteOffset, out.byteLength);
      } catch (problem) {
        if (problem instanceof TypeError) throw problem;
        const message = String(problem?.message || problem || 'incorrect data');
        throw Object.assign(new Error(message), { errno: -3, code: 'Z_DATA_ERROR' });
      }
    };
    const lower = name[0].toLowerCase() + name.slice(1);
    zlib[`${lower}Sync`] = (data, options) => compute(data, options);
    zlib[lower] = (data, options, callback = options) => {
      queueMicrotask(() => {
        let out;
        try {
          out = compute(data, typeof options === 'object' && options !== null ? options : undefined);
        } catch (error) {
          callback(error);
          return;
        }
        callback(null, out);
      });
    };
    const Stream = { [name]: class extends stream.Transform {
      constructor(options) {
        const parts = [];
        super({
          transform(chunk, encoding, done) { parts.push(Buffer.from(chunk, encoding)); done(); },
          flush(done) {
            try {
              done(null, compute(Buffer.concat(parts), options ?? undefined));
            } catch (error) {
              done(error);
            }
          },
        });
      }
      close(callback) { this.destroy(); callback?.(); }
    } }[name];
    zlib[name] = Stream;
    zlib[`create${name}`] = (options) => new Stream(options);
  }
  for (const name of ['brotliCompress', 'brotliDecompress', 'brotliCompressSync', 'brotliDecompressSync',
    'createBrotliCompress', 'createBrotliDecompress']) {
    zlib[name] = () => {
      throw new Error(`zlib.${name} is not available in an Action; use gzip`);
    };
  }
  return zlib;
}
