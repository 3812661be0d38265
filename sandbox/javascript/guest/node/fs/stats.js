// What fs says of files and folders.

const FILE = 0o100444;
const FOLDER = 0o040555;
/** The moment that npm gives to all files of an archive. */
const MOMENT = 499_162_500_000;
const KINDS = { isFile: 0o100000, isDirectory: 0o040000, isSymbolicLink: 0o120000, isFIFO: 0o010000, isSocket: 0o140000, isBlockDevice: 0o060000, isCharacterDevice: 0o020000 };

export class Stats {
  /** @param size bytes of a file, negative for a folder */
  constructor(size, bigint = false) {
    const number = bigint ? BigInt : Number;
    const length = Math.max(size, 0);
    const numbers = {
      dev: 1, mode: size < 0 ? FOLDER : FILE, nlink: 1, uid: 0, gid: 0, rdev: 0, blksize: 4096, ino: 1, size: length,
      blocks: Math.ceil(length / 512),
    };
    for (const name of Object.keys(numbers)) this[name] = number(numbers[name]);
    for (const name of ['atime', 'mtime', 'ctime', 'birthtime']) {
      this[`${name}Ms`] = number(MOMENT);
      if (bigint) this[`${name}Ns`] = BigInt(MOMENT) * 1_000_000n;
    }
    for (const name of ['atime', 'mtime', 'ctime', 'birthtime']) this[name] = new Date(MOMENT);
  }
}
for (const name of Object.keys(KINDS)) {
  Stats.prototype[name] = { [name]() { return (Number(this.mode) & 0o170000) === KINDS[name]; } }[name];
}

export class Dirent {
  #isFolder;
  constructor(name, parentPath, isFolder) {
    this.name = name;
    this.parentPath = parentPath;
    this.#isFolder = isFolder;
  }
  get path() { return this.parentPath; }
  isDirectory() { return this.#isFolder; }
  isFile() { return !this.#isFolder; }
}
for (const name of Object.keys(KINDS)) Dirent.prototype[name] ??= () => false;
