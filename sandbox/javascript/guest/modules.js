// `require` for what Node has built in.

import { ErrorCtor, defineHidden, hasOwn, stringSlice, stringStartsWith, toText } from './primordials.js';

const builtin = { __proto__: null };

export function provide(name, value) {
  builtin[name] = value;
}

export function require(id) {
  const name = toText(id);
  const bare = stringStartsWith(name, 'node:') ? stringSlice(name, 5) : name;
  if (hasOwn(builtin, bare)) return builtin[bare];
  const error = new ErrorCtor(`Cannot find module '${name}'\n${advice(bare)}`);
  defineHidden(error, 'code', 'MODULE_NOT_FOUND');
  throw error;
}

function advice(name) {
  if (stringStartsWith(name, './') || stringStartsWith(name, '../') || stringStartsWith(name, '/')) {
    return 'An Action is one file; put the code of this file into it.';
  }
  return 'Actions cannot load npm packages yet; use fetch and the built-in modules, or put the code into the Action.';
}
