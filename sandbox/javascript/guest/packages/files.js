// The files of the packages of this Action version, as the host has them (sandbox/javascript/packages/files.py).

import { packageFile } from '../host.js';
import { jsonParse } from '../primordials.js';

const NOTHING = -2;
const FOLDER = -1;

/** Bytes of a file. */
export const sizeOf = (path) => packageFile(0, path) ?? NOTHING;
export const isFile = (path) => sizeOf(path) >= 0;
export const isFolder = (path) => sizeOf(path) === FOLDER;
/** [name, whether it is a folder] of what is in a folder; undefined when it is none. */
export function namesIn(path) {
  const text = packageFile(1, path);
  return text === undefined ? undefined : jsonParse(text);
}
/** A Uint8Array; undefined when there is no such file. */
export const bytesOf = (path) => packageFile(2, path);
export const textOf = (path) => packageFile(3, path);
/** The file that `origin` means by `name`, when that was found while the version was built. */
export const linkOf = (origin, name) => packageFile(4, origin, name);
/** A script as a function, or the error that it does not parse; undefined when there is none. */
export const scriptOf = (path) => packageFile(5, path);
