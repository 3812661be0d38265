// What Node has built in, by the names that `require` knows.

import { hasOwn, objectKeys, stringSlice, stringStartsWith } from './primordials.js';

const builtin = { __proto__: null };
/** Values that are made when they are first required. */
const recipes = { __proto__: null };
/** Values that only packages get, by a function that makes each when it is first required. */
const forPackages = { __proto__: null };

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

/** What is built in, as `require` spells it. */
export const builtinNames = () => [...objectKeys(builtin), ...objectKeys(recipes)].sort();

/** The name without `node:`. */
export const bareName = (name) => (stringStartsWith(name, 'node:') ? stringSlice(name, 5) : name);

export function builtinNamed(name) {
  const bare = bareName(name);
  if (hasOwn(recipes, bare)) {
    builtin[bare] = recipes[bare](builtinNamed);
    delete recipes[bare];
  }
  return hasOwn(builtin, bare) ? builtin[bare] : undefined;
}

/** The same for packages. */
export function builtinForPackages(name) {
  const bare = bareName(name);
  return builtinNamed(name) ?? (hasOwn(forPackages, bare) ? forPackages[bare]() : undefined);
}
