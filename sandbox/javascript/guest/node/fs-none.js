// The fs that packages find: a file system without any file. An Action that asks for fs itself is refused.

import { promisify } from './util.js';
import { process } from './process.js';

function absent(call, path) {
  const error = new Error(`ENOENT: there are no files in an Action, ${call} '${path}'`);
  return Object.assign(error, { errno: -2, code: 'ENOENT', syscall: call, path: String(path) });
}

const CALLS = [
  'access', 'appendFile', 'chmod', 'chown', 'copyFile', 'cp', 'lchown', 'link', 'lstat', 'mkdir', 'mkdtemp', 'open', 'opendir',
  'readFile', 'readdir', 'readlink', 'realpath', 'rename', 'rm', 'rmdir', 'stat', 'statfs', 'symlink', 'truncate', 'unlink',
  'utimes', 'writeFile',
];

/** @param {(name: string) => object} standIn for what is not here: its use fails by name */
export function makeFs(standIn, { Readable, Writable }) {
  const fs = { promises: {} };
  for (const name of CALLS) {
    fs[`${name}Sync`] = (path) => { throw absent(name, path); };
    fs[name] = (path, ...rest) => {
      const callback = rest.at(-1);
      if (typeof callback !== 'function') throw new TypeError('The "cb" argument must be of type function.');
      process.nextTick(() => callback(absent(name, path)));
    };
    fs.promises[name] = async (path) => { throw absent(name, path); };
    fs[name][promisify.custom] = fs.promises[name];
  }
  fs.existsSync = () => false;
  fs.exists = (path, callback) => process.nextTick(() => callback(false));
  fs.realpathSync.native = fs.realpathSync;
  fs.realpath.native = fs.realpath;
  fs.constants = fs.promises.constants = { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64 };
  const failing = (Stream, call) => class extends Stream {
    constructor(path) {
      super();
      this.path = path;
      process.nextTick(() => this.destroy(absent(call, path)));
    }
    _read() {}
    _write(chunk, encoding, done) { done(); }
  };
  fs.ReadStream = failing(Readable, 'open');
  fs.WriteStream = failing(Writable, 'open');
  fs.createReadStream = (path) => new fs.ReadStream(path);
  fs.createWriteStream = (path) => new fs.WriteStream(path);
  fs.Stats = class Stats {};
  fs.Dirent = class Dirent {};
  const rest = standIn('fs');
  return new Proxy(fs, { get: (target, key) => (key in target || typeof key === 'symbol' ? target[key] : rest[key]) });
}
