// Modules of packages as Node has them: `module`, its `require`, and everything that hangs on the two.

import path from 'path-browserify';
import { bareName, builtinForPackages, builtinNames } from '../builtins.js';
import { ErrorCtor, jsonParse, reflectApply } from '../primordials.js';
import { coded, wrongType, wrongValue } from '../node/errors.js';
import { isRefused, refusedNames, standIn } from '../refused.js';
import { linkOf, scriptOf, textOf } from './files.js';
import { modulePaths, resolve } from './resolve.js';
import { URL } from '../web/url.js';

/** How many parameters the function of a file has (sandbox/javascript/packages/files.py). */
const COMMON = 5;
const DECLARED = 4;
const scripts = new Map();
const parents = new WeakMap();
/** Modules that were written as ES modules: what they require is looked up as an import. */
const imports = new WeakSet();

/** The code of a file that is loaded by name: known before it is asked for. */
export function keepScript(file, script) {
  scripts.set(file, script);
}

export const Module = /** @type {any} */ (function Module(id = '', parent = undefined) {
  this.id = id;
  this.path = path.dirname(id);
  this.exports = {};
  parents.set(this, parent);
  parent?.children.push(this);
  this.filename = null;
  this.loaded = false;
  this.children = [];
});

/** A module of a file that nothing has been loaded of yet. */
export function moduleOf(file, parent) {
  const made = new Module(file, parent);
  made.filename = file;
  made.paths = modulePaths(made.path);
  return made;
}

/** What would have been started if this were a program of its own; Actions and packages are required by it. */
export const main = moduleOf('/main.js');
main.id = '.';
main.loaded = true;

const methods = {
  get parent() { return parents.get(this); },
  set parent(value) { parents.set(this, value); },
  require(id) {
    if (typeof id !== 'string') throw wrongType('id', 'of type string', id);
    if (id === '') throw wrongValue('id', 'must be a non-empty string', id);
    return Module._load(id, this);
  },
  load(filename) {
    this.filename = filename;
    this.paths = modulePaths(path.dirname(filename));
    const extension = path.extname(filename);
    (Module._extensions[extension] ?? Module._extensions['.js'])(this, filename);
    this.loaded = true;
  },
  _compile() {
    throw coded(ErrorCtor, 'ERR_ACCESS_DENIED', 'Code cannot be compiled in an Action.');
  },
};
Object.defineProperties(Module.prototype, Object.getOwnPropertyDescriptors(methods));

function loadScript(module, filename) {
  const script = scripts.get(filename) ?? scriptOf(filename);
  if (script === undefined) throw notFound(filename, parents.get(module));
  if (typeof script !== 'function') throw script;
  const required = requireOf(module);
  const folder = path.dirname(filename);
  if (script.length === COMMON) {
    return reflectApply(script, module.exports, [module.exports, required, module, filename, folder]);
  }
  imports.add(module);
  const url = `file://${encodeURI(filename)}`;
  const importMeta = { __proto__: null, dirname: folder, filename, url, resolve: (id) => `file://${encodeURI(required.resolve(id))}` };
  const imported = script.length === DECLARED ? importedBy(module) : required;
  return reflectApply(script, undefined, [module.exports, imported, module, importMeta]);
}

const views = new WeakMap();

/** What converted `import`s call: of CommonJS, the default is all of it, whatever a compiler left in it. */
function importedBy(module) {
  return function require(id) {
    const exports = module.require(id);
    if ((typeof exports !== 'object' && typeof exports !== 'function') || exports === null || !exports.__esModule) return exports;
    const file = Module._resolveFilename(id, module);
    if (Module._cache[file] === undefined || imports.has(Module._cache[file])) return exports;
    if (!views.has(exports)) views.set(exports, viewOf(exports));
    return views.get(exports);
  };
}

function viewOf(exports) {
  const view = { __proto__: null };
  for (const name of Object.keys(exports)) {
    if (name !== 'default') Object.defineProperty(view, name, { get: () => exports[name], enumerable: true });
  }
  Object.defineProperties(view, { default: { value: exports, enumerable: true }, __esModule: { value: true } });
  return view;
}

function loadJson(module, filename) {
  const text = textOf(filename);
  if (text === undefined) throw notFound(filename, parents.get(module));
  try {
    module.exports = jsonParse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    error.message = `${filename}: ${error.message}`;
    throw error;
  }
}

/** As Node words it. */
function notFound(request, parent) {
  const requireStack = [];
  for (let module = parent; module !== undefined && module !== main; module = parents.get(module)) {
    if (requireStack.includes(module.filename)) break;
    requireStack.push(module.filename);
  }
  const stack = requireStack.length > 0 ? `\nRequire stack:\n- ${requireStack.join('\n- ')}` : '';
  const error = coded(ErrorCtor, 'MODULE_NOT_FOUND', `Cannot find module '${request}'${stack}`);
  error.requireStack = requireStack;
  return error;
}

function isBuiltin(name) {
  const bare = bareName(String(name));
  return builtinNames().includes(bare) || isRefused(bare);
}

const statics = {
  _cache: { __proto__: null },
  _pathCache: { __proto__: null },
  _extensions: {
    __proto__: null, '.js': loadScript, '.json': loadJson,
    '.node': (module, filename) => { throw new ErrorCtor(`Machine code cannot run in an Action: ${filename}`); },
  },
  globalPaths: [],
  isBuiltin,
  wrapper: ['(function (exports, require, module, __filename, __dirname) { ', '\n});'],
  wrap: (script) => Module.wrapper[0] + script + Module.wrapper[1],
  _nodeModulePaths: modulePaths,
  _resolveLookupPaths: (request, parent) =>
    (isBuiltin(request) ? null : /^\.{1,2}(?:\/|$)/.test(request) ? [parent?.path ?? '/'] : [...parent?.paths ?? modulePaths('/')]),
  _resolveFilename(request, parent, isMain = false, options = undefined) {
    const isModule = parent !== undefined && imports.has(parent);
    const folders = options?.paths ?? [parent?.path ?? '/'];
    const known = options?.paths === undefined && parent?.filename ? linkOf(parent.filename, request) : undefined;
    if (known !== undefined) return known;
    if (isBuiltin(request)) return request;
    for (const folder of folders) {
      const found = resolve(request, path.resolve('/', folder), isModule);
      if (found !== undefined) return found;
    }
    throw notFound(request, parent);
  },
  _load(request, parent) {
    const built = builtinForPackages(request);
    if (built !== undefined) return built;
    const filename = Module._resolveFilename(request, parent);
    return filename === request && isRefused(request) ? standIn(request) : loadFile(filename, parent);
  },
  createRequire(filename) {
    const file = fileOf(filename);
    if (file === undefined) throw wrongValue('filename', 'must be a file URL object, file URL string, or absolute path string', filename);
    return requireOf(moduleOf(file.endsWith('/') ? `${file}noop.js` : file));
  },
  runMain() {}, register() {}, syncBuiltinESMExports() {}, findSourceMap: () => undefined, enableCompileCache() {},
  findPackageJSON: () => undefined, stripTypeScriptTypes() { throw coded(ErrorCtor, 'ERR_ACCESS_DENIED', 'Code cannot be compiled in an Action.'); },
};
Object.assign(Module, statics, { Module });
Object.defineProperty(Module, 'builtinModules', {
  get: () => [...new Set([...builtinNames(), ...refusedNames()])].sort(), enumerable: true, configurable: true,
});

/** An absolute path, of a path or a file URL. */
export function fileOf(given) {
  const text = given instanceof URL ? given.href : given;
  if (typeof text !== 'string') return undefined;
  if (!text.startsWith('file:')) return text.startsWith('/') ? text : undefined;
  try {
    return decodeURIComponent(new URL(text).pathname);
  } catch {
    return undefined;
  }
}

/** The exports of a file, which is loaded unless it was before. */
export function loadFile(filename, parent) {
  const known = Module._cache[filename];
  if (known !== undefined) {
    if (parent !== undefined && !parent.children.includes(known)) parent.children.push(known);
    return known.exports;
  }
  const module = new Module(filename, parent);
  Module._cache[filename] = module;
  let failed = true;
  try {
    module.load(filename);
    failed = false;
  } finally {
    if (failed) {
      delete Module._cache[filename];
      const at = parent?.children.indexOf(module) ?? -1;
      if (at >= 0) parent.children.splice(at, 1);
    }
  }
  return module.exports;
}

/** The function `require` of a module. */
export function requireOf(module) {
  function require(id) {
    return module.require(id);
  }
  function resolveName(request, options = undefined) {
    if (typeof request !== 'string') throw wrongType('request', 'of type string', request);
    return Module._resolveFilename(request, module, false, options);
  }
  resolveName.paths = (request) => Module._resolveLookupPaths(request, module);
  Object.defineProperty(resolveName, 'name', { value: 'resolve', configurable: true });
  return withMembers(require, resolveName);
}

/** `require` with what Node puts on it. */
export function withMembers(require, resolveName) {
  require.resolve = resolveName;
  require.main = main;
  require.extensions = Module._extensions;
  require.cache = Module._cache;
  return require;
}
