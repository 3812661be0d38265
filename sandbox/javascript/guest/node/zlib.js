// zlib over pako: whole buffers at a time, which is what an Action needs of it.

import { Buffer } from './buffer/index.js';
import { coded, wrongType } from './errors.js';

const CODES = {
  Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5, Z_OK: 0, Z_STREAM_END: 1,
  Z_NEED_DICT: 2, Z_ERRNO: -1, Z_STREAM_ERROR: -2, Z_DATA_ERROR: -3, Z_MEM_ERROR: -4, Z_BUF_ERROR: -5, Z_VERSION_ERROR: -6,
  Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1, Z_FILTERED: 1, Z_HUFFMAN_ONLY: 2,
  Z_RLE: 3, Z_FIXED: 4, Z_DEFAULT_STRATEGY: 0, ZLIB_VERNUM: 4880, DEFLATE: 1, INFLATE: 2, GZIP: 3, GUNZIP: 4, DEFLATERAW: 5,
  INFLATERAW: 6, UNZIP: 7, BROTLI_DECODE: 8, BROTLI_ENCODE: 9, Z_MIN_WINDOWBITS: 8, Z_MAX_WINDOWBITS: 15,
  Z_DEFAULT_WINDOWBITS: 15, Z_MIN_CHUNK: 64, Z_MAX_CHUNK: Infinity, Z_DEFAULT_CHUNK: 16384, Z_MIN_MEMLEVEL: 1,
  Z_MAX_MEMLEVEL: 9, Z_DEFAULT_MEMLEVEL: 8, Z_MIN_LEVEL: -1, Z_MAX_LEVEL: 9, Z_DEFAULT_LEVEL: -1,
  BROTLI_OPERATION_PROCESS: 0, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_FINISH: 2, BROTLI_PARAM_MODE: 0,
  BROTLI_PARAM_QUALITY: 1, BROTLI_PARAM_LGWIN: 2, BROTLI_PARAM_SIZE_HINT: 5, BROTLI_MODE_GENERIC: 0, BROTLI_MODE_TEXT: 1,
  BROTLI_MIN_QUALITY: 0, BROTLI_MAX_QUALITY: 11, BROTLI_DEFAULT_QUALITY: 11,
};
const STATUS = ['Z_OK', 'Z_STREAM_END', 'Z_NEED_DICT', 'Z_ERRNO', 'Z_STREAM_ERROR', 'Z_DATA_ERROR', 'Z_MEM_ERROR', 'Z_BUF_ERROR', 'Z_VERSION_ERROR'];
const codes = {};
for (const name of STATUS) Object.assign(codes, { [name]: CODES[name], [CODES[name]]: name });
const ABSENT = [
  'brotliCompress', 'brotliDecompress', 'brotliCompressSync', 'brotliDecompressSync', 'createBrotliCompress',
  'createBrotliDecompress', 'zstdCompress', 'zstdDecompress', 'zstdCompressSync', 'zstdDecompressSync', 'createZstdCompress',
  'createZstdDecompress',
];

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(data, start = 0) {
  if (typeof data !== 'string' && !ArrayBuffer.isView(data)) throw wrongType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
  let value = ~start;
  for (const byte of input(data)) value = crcTable[(value ^ byte) & 0xff] ^ (value >>> 8);
  return ~value >>> 0;
}

const input = (data) => (typeof data === 'string' ? Buffer.from(data) : ArrayBuffer.isView(data)
  ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data));

const tooLarge = (most) => coded(RangeError, 'ERR_BUFFER_TOO_LARGE', `Cannot create a Buffer larger than ${most} bytes`);

export function makeZlib(stream, pako) {
  const methods = {
    Gzip: pako.gzip, Gunzip: pako.ungzip, Deflate: pako.deflate, Inflate: pako.inflate, DeflateRaw: pako.deflateRaw,
    InflateRaw: pako.inflateRaw, Unzip: pako.ungzip,
  };
  const zlib = { constants: CODES, ...CODES, codes, crc32 };
  for (const [name, method] of Object.entries(methods)) {
    const compute = (data, { level = undefined, windowBits = undefined, dictionary = undefined, maxOutputLength = undefined } = {}) => {
      /** @type {any} */
      const options = {};
      if (level !== undefined) options.level = level;
      if (windowBits !== undefined) options.windowBits = windowBits;
      if (dictionary !== undefined) options.dictionary = dictionary;
      try {
        const out = method(input(data), options);
        if (out === undefined) throw 'unexpected end of file';
        if (out.length > maxOutputLength) throw tooLarge(maxOutputLength);
        return Buffer.from(out.buffer, out.byteOffset, out.byteLength);
      } catch (problem) {
        if (problem instanceof TypeError || problem?.code) throw problem;
        const message = String(problem?.message || problem || 'incorrect data').replace('buffer error', 'unexpected end of file');
        const code = message === 'unexpected end of file' ? 'Z_BUF_ERROR' : 'Z_DATA_ERROR';
        throw Object.assign(new Error(message), { errno: CODES[code], code });
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
  for (const name of ABSENT) {
    zlib[name] = () => {
      throw coded(Error, 'ERR_ACCESS_DENIED', `zlib.${name} is not available in an Action; use gzip or deflate.`);
    };
  }
  return zlib;
}
