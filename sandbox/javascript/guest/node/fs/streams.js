// Streams of files: they read what the package brought, and fail to write.

import { Buffer } from '../buffer/index.js';
import { failure, optionsOf, pathText } from './errors.js';
import { process } from '../process.js';

/** @param contentOf the bytes of a file, by its path */
export function makeStreams({ Readable, Writable }, contentOf) {
  class ReadStream extends Readable {
    #left;
    constructor(path, options = undefined) {
      const { encoding, start = 0, end = Infinity, highWaterMark = 65536 } = optionsOf(options);
      super({ highWaterMark, encoding });
      Object.assign(this, { path: pathText(path), start, end, bytesRead: 0, pending: true });
      process.nextTick(() => this.#open());
    }
    #open() {
      try {
        this.#left = contentOf(this.path).subarray(this.start, this.end + 1);
      } catch (error) {
        this.destroy(error);
        return;
      }
      this.pending = false;
      this.emit('open', 3);
      this.emit('ready');
      this._read();
    }
    _read(size = this.readableHighWaterMark) {
      if (this.#left === undefined) return;
      const part = this.#left.subarray(0, size);
      this.#left = this.#left.subarray(part.length);
      this.bytesRead += part.length;
      this.push(part.length > 0 ? Buffer.from(part) : null);
    }
    close(callback) {
      if (callback) this.once('close', callback);
      this.destroy();
    }
  }
  class WriteStream extends Writable {
    constructor(path) {
      super();
      this.path = pathText(path);
      process.nextTick(() => this.destroy(failure('EROFS', 'open', this.path)));
    }
    _write(chunk, encoding, done) { done(failure('EROFS', 'open', this.path)); }
  }
  return {
    ReadStream, WriteStream, FileReadStream: ReadStream, FileWriteStream: WriteStream,
    createReadStream: (path, options) => new ReadStream(path, options), createWriteStream: (path) => new WriteStream(path),
  };
}
