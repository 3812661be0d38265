// How Node finds the file that a `require` means (https://nodejs.org/api/modules.html, "All together").

import path from 'path-browserify';
import { exports as exported, imports as imported } from 'resolve.exports';
import { ErrorCtor, jsonParse } from '../primordials.js';
import { coded } from '../node/errors.js';
import { isFile, isFolder, textOf } from './files.js';

const EXTENSIONS = ['', '.js', '.json', '.node'];
const REQUIRED = ['node', 'module-sync', 'require'];
const IMPORTED = ['node', 'module-sync', 'import'];
const NAME = /^((?:@[^/\\%]+\/)?[^./\\%@][^/\\%]*)(\/.*)?$/;

const manifests = new Map();

/** The package.json of a folder; undefined where there is none. */
function manifestIn(folder) {
  if (!manifests.has(folder)) manifests.set(folder, readManifest(path.join(folder, 'package.json')));
  return manifests.get(folder);
}

function readManifest(file) {
  const text = textOf(file);
  if (text === undefined) return undefined;
  try {
    return jsonParse(text.replace(/^\ufeff/, ''));
  } catch {
    throw coded(ErrorCtor, 'ERR_INVALID_PACKAGE_CONFIG', `Invalid package config ${file}.`);
  }
}

/** The folders up from `from` in which packages may be. */
export function modulePaths(from) {
  const made = [];
  for (let folder = path.resolve('/', from); ; folder = path.dirname(folder)) {
    if (path.basename(folder) !== 'node_modules') made.push(path.join(folder, 'node_modules'));
    if (folder === '/') return made;
  }
}

/** The package that a folder belongs to: {folder, manifest}. */
function packageOf(from) {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (path.basename(folder) === 'node_modules') return undefined;
    const manifest = manifestIn(folder);
    if (manifest !== undefined) return { folder, manifest };
    if (folder === '/') return undefined;
  }
}

const asFile = (name) => EXTENSIONS.map((extension) => name + extension).find(isFile);

function asFolder(name) {
  if (!isFolder(name)) return undefined;
  const main = manifestIn(name)?.main;
  const named = typeof main === 'string' && main !== '' ? path.resolve(name, main) : undefined;
  return (named && (asFile(named) ?? asFile(path.join(named, 'index')))) ?? asFile(path.join(name, 'index'));
}

/** Where `exports` or `imports` of a package lead, of `conditions` and then of those of an import. */
function served(find, { folder, manifest }, wanted, isModule) {
  for (const conditions of isModule ? [IMPORTED] : [REQUIRED, IMPORTED]) {
    try {
      for (const target of find(manifest, wanted, { conditions, unsafe: true }) ?? []) {
        if (!target.startsWith('./')) return resolve(target, folder, isModule);
        const file = path.join(folder, target);
        if (isFile(file) && file.startsWith(`${folder}/`)) return file;
      }
    } catch {
      // Nothing for these conditions.
    }
  }
  return undefined;
}

function notExported({ folder, manifest }, subpath) {
  const file = path.join(folder, 'package.json');
  const what = subpath === '.' ? 'No "exports" main defined' : `Package subpath '${subpath}' is not defined by "exports"`;
  return coded(ErrorCtor, 'ERR_PACKAGE_PATH_NOT_EXPORTED', `${what} in ${file}${manifest.version ? ` of version ${manifest.version}` : ''}`);
}

function inPackage(found, rest, isModule) {
  const subpath = rest === undefined ? '.' : `.${rest}`;
  if (found.manifest?.exports === undefined || found.manifest.exports === null) {
    const name = path.join(found.folder, subpath);
    return (rest?.endsWith('/') ? undefined : asFile(name)) ?? asFolder(name);
  }
  const file = served(exported, found, subpath, isModule);
  if (file === undefined) throw notExported(found, subpath);
  return file;
}

function ofPackage(request, from, isModule) {
  const [, name, rest] = NAME.exec(request) ?? [];
  if (name === undefined) return undefined;
  const own = packageOf(from);
  if (own?.manifest.name === name && own.manifest.exports !== undefined) return inPackage(own, rest, isModule);
  for (const folder of modulePaths(from)) {
    const place = path.join(folder, name);
    if (!isFolder(place)) continue;
    const file = inPackage({ folder: place, manifest: manifestIn(place) }, rest, isModule);
    if (file !== undefined) return file;
  }
  return undefined;
}

function ofImports(request, from, isModule) {
  const own = packageOf(from);
  const file = own?.manifest.imports === undefined ? undefined : served(imported, own, request, isModule);
  if (file !== undefined) return file;
  const where = own === undefined ? '' : ` in package ${path.join(own.folder, 'package.json')}`;
  throw coded(ErrorCtor, 'ERR_PACKAGE_IMPORT_NOT_DEFINED', `Package import specifier "${request}" is not defined${where}`);
}

/**
 * The file that `request` means in the folder `from`; undefined when there is none.
 * @param isModule whether an ES module asks
 */
export function resolve(request, from, isModule = false) {
  if (/^\.{0,2}\/|^\.{1,2}$/.test(request)) {
    const name = path.resolve(from, request);
    return (/(?:^|\/)\.{0,2}$/.test(request) ? undefined : asFile(name)) ?? asFolder(name);
  }
  return request.startsWith('#') ? ofImports(request, from, isModule) : ofPackage(request, from, isModule);
}
