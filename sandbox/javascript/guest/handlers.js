// Which functions a tenant's module has, wherever Node finds them: a property is looked up as any other, so it may be
// inherited (instances of classes), static, a getter, not enumerable, or a proxy's.

import {
  FunctionPrototype, ObjectPrototype, append, hasOwn, ownKeys, prototypeOf,
} from './primordials.js';

const MOST_NAMES = 1000;
const MOST_PROTOTYPES = 100;
/** Characters; no handler's name is longer. */
const LONGEST_NAME = 100;

const mayHave = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

/** What is exported by default, of a module that was written as an ES module; undefined where there is none. */
function byDefault(exported) {
  return mayHave(exported) && exported.__esModule === true && exported.default !== exported ? exported.default : undefined;
}

/**
 * The handler of a name, or what stands in its place.
 * @returns {{owner: unknown, handler: unknown}} `owner` is its `this`
 */
export function find(exported, name) {
  const handler = exported === undefined || exported === null ? undefined : exported[name];
  const other = handler === undefined ? byDefault(exported) : undefined;
  if (other === undefined || other === null) return { owner: exported, handler };
  return { owner: other, handler: other[name] };
}

/** Names of functions that `find` finds: those of `wanted`, and all that are listed. Runs getters and traps of the
 * tenant's; what throws is none. */
export function functionNames(exported, wanted = []) {
  const names = [];
  const seen = { __proto__: null, constructor: true };
  try {
    for (let index = 0; index < wanted.length; index += 1) {
      if (!isFunction(() => find(exported, wanted[index]).handler)) continue;
      seen[wanted[index]] = true;
      append(names, wanted[index]);
    }
    collect(exported, names, seen);
    collect(byDefault(exported), names, seen);
  } catch { /* what was found before stands */ }
  return names;
}

function collect(owner, names, seen) {
  let holder = owner;
  for (let depth = 0; mayHave(holder) && depth < MOST_PROTOTYPES; depth += 1) {
    if (holder === ObjectPrototype || holder === FunctionPrototype) return;
    const keys = ownKeys(holder);
    for (let index = 0; index < keys.length && names.length < MOST_NAMES; index += 1) {
      const key = keys[index];
      if (typeof key !== 'string' || key.length > LONGEST_NAME || hasOwn(seen, key)) continue;
      seen[key] = true;
      if (isFunction(() => owner[key])) append(names, key);
    }
    holder = prototypeOf(holder);
  }
}

function isFunction(read) {
  try {
    return typeof read() === 'function';
  } catch {
    return false;
  }
}
