// `require`: what Node has built in, the packages of this Action version, and shared modules.

import {
  ErrorCtor, defineHidden, hasOwn, objectKeys, reflectApply, stringIndexOf, stringSlice,
  stringStartsWith, toText,
} from './primordials.js';
import { wrongType } from './node/errors.js';
import { isRefused, refusal, standIn } from './refused.js';

const MODULE = 'actions:';
const builtin = { __proto__: null };
/** Values that are made when they are first required. */
const recipes = { __proto__: null };
/** Values that only packages get, by a function that makes each when it is first required. */
const forPackages = { __proto__: null };
/** Scope ('' for the Action, `actions:NAME` for a module) to specifier to a function that loads it. */
const scopes = { __proto__: null };
/** Shared modules: name to the source as a function. */
const factories = { __proto__: null };
/** Shared modules that have been required: their module object, or the error of their top level. */
const loaded = { __proto__: null };
let secrets = { __proto__: null };

export function provide(name, value) {
  builtin[name] = value;
}

/** Like `provide`, for what is costly to make: `make` runs when the module is first required. */
export function provideLater(name, make) {
  recipes[name] = make;
}

/** Like `provideLater`, for what packages find and an Action is refused. */
export function provideForPackages(name, make) {
  let value;
  forPackages[name] = () => (value ??= make(builtinNamed));
}

/** While the image of an Action version is built: what its bundle and its modules are. */
export function equip(what, name, value) {
  if (what === 'bundle') {
    const made = value(requireOfPackages);
    for (const scope of objectKeys(made)) scopes[scope] = made[scope];
  } else if (what === 'module') {
    factories[name] = value;
    scopes[MODULE + name] ??= { __proto__: null };
  } else if (what === 'action') {
    scopes[''] ??= { __proto__: null };
  } else {
    try {
      scopes[name][value]();
    } catch (error) {
      return `${error?.name}: ${error?.message}`;
    }
  }
  return undefined;
}

/** The secrets of shared modules, by module, for this execution. */
export function setModuleSecrets(values) {
  secrets = values;
}

/** What is built in, as `require` spells it. */
export const builtinNames = () => [...objectKeys(builtin), ...objectKeys(recipes)].sort();

export function builtinNamed(name) {
  const bare = stringStartsWith(name, 'node:') ? stringSlice(name, 5) : name;
  if (hasOwn(recipes, bare)) {
    builtin[bare] = recipes[bare](builtinNamed);
    delete recipes[bare];
  }
  return hasOwn(builtin, bare) ? builtin[bare] : undefined;
}

/** What packages see: modules that an Action is refused load, and only their use fails. */
function requireOfPackages(id) {
  const name = toText(id);
  const found = builtinNamed(name);
  if (found !== undefined) return found;
  const bare = stringStartsWith(name, 'node:') ? stringSlice(name, 5) : name;
  if (hasOwn(forPackages, bare)) return forPackages[bare]();
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
    const known = scopes[scope];
    const plain = withoutVersion(id);
    if (known !== undefined && hasOwn(known, plain)) return known[plain]();
    if (isRefused(id)) throw refusal(id);
    throw notFound(id, advice(plain, known));
  }
  defineHidden(require, 'resolve', (id) => id);
  defineHidden(require, 'cache', { __proto__: null });
  return require;
}

export const require = requireFor('');

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
  const exports = {};
  const filename = MODULE + name;
  const module = { id: filename, path: '/', exports, filename, loaded: false, children: [], paths: [] };
  const actions = { secrets: hasOwn(secrets, name) ? secrets[name] : {} };
  const entry = { __proto__: null, module, failed: false, error: undefined };
  loaded[name] = entry;
  try {
    reflectApply(factories[name], exports, [exports, requireFor(filename), module, filename, '/', actions]);
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

function advice(name, known) {
  if (stringStartsWith(name, './') || stringStartsWith(name, '../') || stringStartsWith(name, '/')) {
    return 'An Action is one file; put the code of this file into it, or into a module.';
  }
  const parts = name.split('/');
  const bare = stringStartsWith(name, '@') ? parts.slice(0, 2).join('/') : parts[0];
  if (known !== undefined && hasOwn(known, bare)) {
    return `The package ${bare} has no such file, or its name is not written as a literal in the Action.`;
  }
  return `Add ${bare} to the dependencies of the Action: in package.json beside it, or in the service.`;
}
