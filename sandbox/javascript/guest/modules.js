// `require` of Actions and of shared modules: what Node has built in, the packages of this version, and the modules.

import {
  ErrorCtor, defineHidden, hasOwn, jsonParse, objectKeys, reflectApply, stringIndexOf, stringSlice, stringSplit,
  stringStartsWith, toText,
} from './primordials.js';
import { builtinForPackages, builtinNamed } from './builtins.js';
import { wrongType } from './node/errors.js';
import { linkOf, isFile } from './packages/files.js';
import { keepScript, loadFile, main, moduleOf, withMembers } from './packages/module.js';
import { modulePaths, resolve } from './packages/resolve.js';
import { isRefused, refusal, standIn } from './refused.js';

export { builtinNamed, builtinNames, provide, provideForPackages, provideLater } from './builtins.js';

const MODULE = 'actions:';
/** Scope ('' for the Action, `actions:NAME` for a module) to {at, names, module, require}: see `scopes` in
 * sandbox/javascript/packages/files.py. */
const owners = { __proto__: null };
/** Of versions that were built before packages had files: scope to specifier to a function that loads it. */
const bundled = { __proto__: null };
/** Shared modules: name to the source as a function. */
const factories = { __proto__: null };
/** Shared modules that have been required: their module object, or the error of their top level. */
const loaded = { __proto__: null };
let secrets = { __proto__: null };

/** While the image of an Action version is built: what its packages and its modules are. */
export function equip(what, name, value) {
  if (what === 'scopes') {
    const scopes = jsonParse(name);
    for (const scope of objectKeys(scopes)) own(scope, scopes[scope].at, scopes[scope].names);
  } else if (what === 'script') {
    keepScript(name, value);
  } else if (what === 'bundle') {
    const made = value(requireOfBundle);
    for (const scope of objectKeys(made)) bundled[scope] = made[scope];
  } else if (what === 'module') {
    factories[name] = value;
  } else {
    try {
      owners[name].require(value);
    } catch (error) {
      return `${error?.name}: ${error?.message}`;
    }
  }
  return undefined;
}

function own(scope, at, names) {
  if (owners[scope] !== undefined) {
    owners[scope].names = names;
    return;
  }
  const module = moduleOf(at + (scope === '' ? 'action.js' : 'index.js'), main);
  owners[scope] = { at, names, module, require: requireFor(scope) };
  defineHidden(module, 'require', owners[scope].require);
}

/** The secrets of shared modules, by module, for this execution. */
export function setModuleSecrets(values) {
  secrets = values;
}

/** What the bundle of an old version sees: modules that an Action is refused load, and only their use fails. */
function requireOfBundle(id) {
  const name = toText(id);
  const found = builtinForPackages(name);
  if (found !== undefined) return found;
  if (isRefused(name)) return standIn(name);
  throw notFound(name, 'There is no such file in the installed packages.');
}

function requireFor(scope) {
  function require(id) {
    if (typeof id !== 'string') {
      throw wrongType('id', 'of type string', id);
    }
    const found = builtinNamed(id);
    if (found !== undefined) return found;
    if (stringStartsWith(id, MODULE)) return sharedModule(id, scope);
    const plain = withoutVersion(id);
    const before = bundled[scope];
    if (before !== undefined && hasOwn(before, plain)) return before[plain]();
    return loadFile(fileFor(id, plain, scope), owners[scope].module);
  }
  function resolveName(request) {
    if (typeof request !== 'string') throw wrongType('request', 'of type string', request);
    const plain = withoutVersion(request);
    const isOwn = owners[scope].names.includes(packageIn(plain));
    const isNamed = builtinNamed(request) !== undefined || stringStartsWith(request, MODULE) || isRefused(request);
    return isNamed && !isOwn ? request : fileFor(request, plain, scope);
  }
  resolveName.paths = () => modulePaths(owners[scope].at);
  defineHidden(resolveName, 'name', 'resolve');
  return withMembers(require, resolveName);
}

own('', '/', []);
export const { require } = owners[''];

/** The Action's module object, when the name of its file is known. */
export function moduleNamed(filename) {
  const { module } = owners[''];
  const parts = stringSplit(filename, '/');
  module.id = module.filename = '/' + parts[parts.length - 1];
  return module;
}

/** The file of a declared package that is meant. Throws as Node does. */
function fileFor(id, plain, scope) {
  const { at, names } = owners[scope];
  if (names.includes(packageIn(plain))) {
    const file = linkOf(at, plain) ?? resolve(plain, at);
    if (file !== undefined) return file;
  } else if (stringStartsWith(id, `${at}node_modules/`) && isFile(id)) {
    return id; // of `require.resolve`
  }
  if (isRefused(id)) throw refusal(id);
  throw notFound(id, advice(plain, names));
}

function packageIn(id) {
  const parts = stringSplit(id, '/');
  return stringStartsWith(id, '@') ? `${parts[0]}/${parts[1]}` : parts[0];
}

/** `name@1.2.3` as old runtimes had it: the version is the one that was declared. */
function withoutVersion(id) {
  const at = stringIndexOf(id, '@', 1);
  if (at < 0) return id;
  const slash = stringIndexOf(id, '/', at);
  return stringSlice(id, 0, at) + (slash < 0 ? '' : stringSlice(id, slash));
}

function sharedModule(id, scope) {
  const name = stringSlice(id, MODULE.length);
  if (scope !== '') {
    throw notFound(id, 'A module cannot use other modules.');
  }
  if (!hasOwn(factories, name)) {
    const names = objectKeys(factories);
    throw notFound(id, names.length
      ? `The Action has the modules ${names.join(', ')}.`
      : 'The Action has no module of this name; add it, with its version, to the Action.');
  }
  if (!hasOwn(loaded, name)) loaded[name] = load(name);
  if (loaded[name].failed) throw loaded[name].error;
  return loaded[name].module.exports;
}

function load(name) {
  const { module, require: required } = owners[MODULE + name];
  const actions = { secrets: hasOwn(secrets, name) ? secrets[name] : {} };
  const entry = { __proto__: null, module, failed: false, error: undefined };
  loaded[name] = entry;
  try {
    reflectApply(factories[name], module.exports, [module.exports, required, module, module.filename, module.path, actions]);
    module.loaded = true;
  } catch (error) {
    entry.failed = true;
    entry.error = error;
  }
  return entry;
}

function notFound(name, hint) {
  const error = new ErrorCtor(`Cannot find module '${name}'\n${hint}`);
  defineHidden(error, 'code', 'MODULE_NOT_FOUND');
  return error;
}

function advice(name, names) {
  if (stringStartsWith(name, './') || stringStartsWith(name, '../') || stringStartsWith(name, '/')) {
    return 'An Action is one file; put the code of this file into it, or into a module.';
  }
  const bare = packageIn(name);
  if (names.includes(bare)) return `The package ${bare} has no such file.`;
  return `Add ${bare} to the dependencies of the Action: in package.json beside it, or in the service.`;
}
