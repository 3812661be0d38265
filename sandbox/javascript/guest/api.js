// Builds `api` from the surface that the host describes (sandbox/javascript/surface.py). Knows no trigger.

import { apiCall } from './host.js';
import { encodeArguments } from './encode.js';
import { hostError } from './errors.js';
import { PromiseCtor, define, defineFixed, hasOwn, isArray, jsonParse, promiseThen } from './primordials.js';

const RETURNS_API = 0;
const RETURNS_VOID = 1;
const RETURNS_PROMISE = 3;
const resolved = PromiseCtor.resolve(undefined);

// An instance runs one execution, so these are set once.
let api;
let event;

/**
 * Turn the surface into `api`, in place. Runs before any tenant code does.
 * @param {import('./boundary.js').Surface} surface
 */
export function buildApi(surface) {
  api = surface;
  addMethods(surface, '');
  return surface;
}

/** Say which object live members change. */
export function bindEvent(tenantEvent) {
  event = tenantEvent;
}

function addMethods(namespace, prefix) {
  for (const name in namespace) {
    const member = namespace[name];
    // Fixed, so that no package and no slip replaces a decision; members of one's own may be added.
    if (typeof member === 'number') {
      defineFixed(namespace, name, method(prefix + name, name, member, undefined));
    } else if (isArray(member)) {
      defineFixed(namespace, name, method(prefix + name, name, member[0], member));
    } else {
      addMethods(member, prefix + name + '.');
      defineFixed(namespace, name, member);
    }
  }
}

function method(path, name, returns, spoken) {
  return {
    [name](...args) {
      if (returns !== RETURNS_PROMISE) return invoke(path, args, returns, spoken);
      // A query that the host answers at once; errors arrive as rejections, as from any async function.
      return promiseThen(resolved, () => invoke(path, args, returns, spoken));
    },
  }[name];
}

function invoke(path, args, returns, spoken) {
  const text = apiCall(path, encodeArguments(args, 'api.' + path, spoken));
  const reply = text === undefined ? undefined : jsonParse(text);
  if (reply !== undefined) {
    if (hasOwn(reply, 'event')) applyChanges(reply.event);
    if (hasOwn(reply, 'error')) throw hostError(reply.error, 'invalid_command');
  }
  if (returns === RETURNS_API) return api;
  if (returns === RETURNS_VOID || reply === undefined || !hasOwn(reply, 'ok')) return undefined;
  return reply.ok;
}

/** Put each value at its path in `event`, making objects on the way where there are none. */
function applyChanges(changes) {
  for (let index = 0; index < changes.length; index += 1) {
    const path = changes[index][0];
    let target = event;
    const last = path.length - 1;
    for (let step = 0; step < last; step += 1) {
      const key = path[step];
      if (!hasOwn(target, key) || typeof target[key] !== 'object' || target[key] === null) define(target, key, {});
      target = target[key];
    }
    define(target, path[last], changes[index][1]);
  }
}
