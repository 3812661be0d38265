// The fs that packages find: the files of the packages of this Action version, which can be read and nothing else.
// An Action that asks for fs itself is refused.

import path from 'path-browserify';
import { bytesOf, namesIn, sizeOf } from '../../packages/files.js';
import { Buffer } from '../buffer/index.js';
import { noFunction } from '../../timers.js';
import { wrongType } from '../errors.js';
import { encoded, failure, optionsOf, pathText } from './errors.js';
import { Dirent, Stats } from './stats.js';
import { makeStreams } from './streams.js';
import { process } from '../process.js';
import { promisify } from '../util/index.js';

const NOTHING = -2;
const WRITING = [
  'appendFile', 'chmod', 'chown', 'copyFile', 'cp', 'lchmod', 'lchown', 'link', 'lutimes', 'mkdir', 'mkdtemp', 'rename', 'rm', 'rmdir',
  'symlink', 'truncate', 'unlink', 'utimes', 'writeFile',
];
/** The system's call behind a method, where their names differ. */
const SYSCALLS = { appendFile: 'open', writeFile: 'open', copyFile: 'copyfile', truncate: 'open', rm: 'rm', lutimes: 'lutime', utimes: 'utime' };
const WITH_TWO_PATHS = ['copyFile', 'cp', 'link', 'rename', 'symlink'];
const constants = {
  F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024,
  O_DIRECTORY: 65536, O_NOFOLLOW: 131072, O_SYNC: 1052672, S_IFMT: 61440, S_IFREG: 32768, S_IFDIR: 16384, S_IFLNK: 40960,
  COPYFILE_EXCL: 1, COPYFILE_FICLONE: 2, COPYFILE_FICLONE_FORCE: 4, UV_FS_SYMLINK_DIR: 1, UV_FS_SYMLINK_JUNCTION: 2,
};

const full = (name) => path.resolve('/', name);
const isReading = (flag) => flag === undefined || flag === null || flag === 0 || ['r', 'rs', 'sr'].includes(flag);

/** Open files: descriptor to {bytes, at, size}. */
const open = new Map();

function opened(fd, syscall) {
  if (typeof fd !== 'number') throw wrongType('fd', 'of type number', fd);
  const file = open.get(fd);
  if (file === undefined) throw failure('EBADF', syscall);
  return file;
}

function sizeFor(given, syscall) {
  const name = pathText(given);
  const size = sizeOf(full(name));
  if (size === NOTHING) throw failure('ENOENT', syscall, name);
  return size;
}

function contentOf(given, syscall = 'open') {
  if (sizeFor(given, syscall) < 0) throw failure('EISDIR', 'read');
  const bytes = bytesOf(full(pathText(given)));
  if (bytes === undefined) throw failure('EMFILE', syscall, pathText(given)); // asked for too much
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function listed(given, { withFileTypes = false, recursive = false, encoding = undefined }) {
  const name = pathText(given);
  const folder = full(name);
  if (sizeFor(name, 'scandir') >= 0) throw failure('ENOTDIR', 'scandir', name);
  const made = [];
  const visit = (at, prefix) => {
    for (const [item, isDirectory] of namesIn(at) ?? []) {
      made.push(withFileTypes ? new Dirent(item, path.join(name, prefix), isDirectory) : encoded(Buffer.from(path.join(prefix, item)), encoding ?? 'utf8'));
      if (recursive && isDirectory) visit(path.join(at, item), path.join(prefix, item));
    }
  };
  visit(folder, '');
  return made;
}

function stat(syscall) {
  return (given, options = undefined) => {
    const { bigint = false, throwIfNoEntry = true } = optionsOf(options);
    if (!throwIfNoEntry && sizeOf(full(pathText(given))) === NOTHING) return undefined;
    return new Stats(sizeFor(given, syscall), bigint);
  };
}

/** Reads into `target` and moves on, unless `position` says where. */
function readInto(file, target, offset = 0, length = target.byteLength - offset, position = null) {
  const start = position === null || position === undefined || position < 0 ? file.at : Number(position);
  const part = file.bytes.subarray(start, start + length);
  new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(part, offset);
  if (start === file.at && (position === null || position === undefined || position < 0)) file.at += part.length;
  return part.length;
}

const reading = {
  access(given, mode = constants.F_OK) {
    const size = sizeFor(given, 'access');
    if (mode & constants.W_OK) throw failure('EROFS', 'access', pathText(given));
    if (mode & constants.X_OK && size >= 0) throw failure('EACCES', 'access', pathText(given));
  },
  close(fd) {
    opened(fd, 'close');
    open.delete(fd);
  },
  fstat: (fd, { bigint = false } = {}) => new Stats(opened(fd, 'fstat').bytes.length, bigint),
  lstat: stat('lstat'),
  open(given, flag = 'r') {
    if (!isReading(flag)) throw failure('EROFS', 'open', pathText(given));
    const bytes = sizeFor(given, 'open') < 0 ? Buffer.alloc(0) : contentOf(given);
    let fd = 3;
    while (open.has(fd)) fd += 1;
    if (fd > 1000) throw failure('EMFILE', 'open', pathText(given));
    open.set(fd, { bytes, at: 0 });
    return fd;
  },
  read(fd, target, offset, length, position) {
    const file = opened(fd, 'read');
    if (!ArrayBuffer.isView(target)) throw wrongType('buffer', 'an instance of Buffer, TypedArray, or DataView', target);
    if (typeof offset === 'object' && offset !== null) return readInto(file, target, offset.offset, offset.length, offset.position);
    return readInto(file, target, offset, length, position);
  },
  readFile(given, options = undefined) {
    const { encoding, flag } = optionsOf(options);
    if (typeof given === 'number') {
      const file = opened(given, 'read');
      const rest = file.bytes.subarray(file.at);
      file.at = file.bytes.length;
      return encoded(Buffer.from(rest), encoding);
    }
    if (!isReading(flag)) throw failure('EROFS', 'open', pathText(given));
    return encoded(contentOf(given), encoding);
  },
  readdir: (given, options = undefined) => listed(given, optionsOf(options)),
  readlink(given) {
    sizeFor(given, 'readlink');
    throw failure('EINVAL', 'readlink', pathText(given));
  },
  realpath(given, options = undefined) {
    sizeFor(given, 'lstat');
    return encoded(Buffer.from(full(pathText(given))), optionsOf(options).encoding ?? 'utf8');
  },
  stat: stat('stat'),
  statfs: () => ({ type: 0, bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0 }),
};

const writing = Object.fromEntries(WRITING.map((name) => [name, (given, other = undefined) => {
  const target = WITH_TWO_PATHS.includes(name) ? pathText(other, 'dest') : undefined;
  throw failure('EROFS', SYSCALLS[name] ?? name, typeof given === 'number' ? undefined : pathText(given), target);
}]));

/** The forms of a method: at once, by callback and by promise. */
function define(fs, name, method) {
  fs[`${name}Sync`] = method;
  fs[name] = (...args) => {
    const callback = args.pop();
    if (typeof callback !== 'function') throw noFunction(callback);
    const done = outcome(() => method(...args));
    process.nextTick(() => callback(...done));
  };
  fs.promises[name] = async (...args) => method(...args);
  fs[name][promisify.custom] = fs.promises[name];
}

function outcome(task) {
  try {
    const value = task();
    return value === undefined ? [null] : [null, value];
  } catch (error) {
    if (error.syscall === undefined) throw error; // of wrong arguments
    return [error];
  }
}

class FileHandle {
  constructor(fd) { this.fd = fd; }
  async readFile(options) { return reading.readFile(this.fd, options); }
  async stat(options) { return reading.fstat(this.fd, options); }
  async read(buffer = Buffer.alloc(16384), ...rest) { return { bytesRead: reading.read(this.fd, buffer, ...rest), buffer }; }
  async close() { reading.close(this.fd); }
  async [Symbol.asyncDispose]() { return this.close(); }
}

class Dir {
  #entries;
  constructor(name) {
    this.path = name;
    this.#entries = listed(name, { withFileTypes: true });
  }
  readSync() { return this.#entries.shift() ?? null; }
  async read() { return this.readSync(); }
  closeSync() {}
  async close() {}
  async* [Symbol.asyncIterator]() { while (this.#entries.length > 0) yield this.readSync(); }
}

/** @param {(name: string) => object} standIn for what is not here: its use fails by name */
export function makeFs(standIn, streams) {
  const fs = { promises: {} };
  for (const [name, method] of [...Object.entries(reading), ...Object.entries(writing)]) define(fs, name, method);
  define(fs, 'opendir', (name) => new Dir(pathText(name)));
  const read = fs.read;
  fs.read = (fd, buffer, ...rest) => read(fd, buffer, ...rest.slice(0, -1), (error, count) => rest.at(-1)(error, count, buffer));
  fs.promises.open = async (...args) => new FileHandle(reading.open(...args));
  for (const name of ['close', 'fstat', 'read']) delete fs.promises[name];
  fs.existsSync = (given) => { try { return sizeOf(full(pathText(given))) !== NOTHING; } catch { return false; } };
  fs.exists = (given, callback) => process.nextTick(() => callback(fs.existsSync(given)));
  fs.exists[promisify.custom] = async (given) => fs.existsSync(given);
  fs.realpathSync.native = fs.realpathSync;
  fs.realpath.native = fs.realpath;
  fs.constants = fs.promises.constants = constants;
  Object.assign(fs, { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, Stats, Dirent, Dir }, makeStreams(streams, contentOf));
  const rest = standIn('fs');
  return new Proxy(fs, { get: (target, key) => (key in target || typeof key === 'symbol' ? target[key] : rest[key]) });
}
