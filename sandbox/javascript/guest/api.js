// Builds `api` from the surface that the host describes (docs/decisions/0002). Knows no trigger.

import { apiCall } from './host.js';
import { encodeArguments } from './encode.js';
import { hostError } from './errors.js';
import {
  PromiseCtor, construct, define, defineHidden, hasOwn, isArray, jsonParse, objectKeys, promiseThen,
} from './primordials.js';

const resolved = PromiseCtor.resolve(undefined);

/**
 * @param {object} surface namespaces are objects, methods are arrays [returns, parameters, options?]
 * @param {object} event the tenant's event object, which live members change
 */
export function buildApi(surface, event) {
  const api = {};
  addMembers(api, surface, '', { api, event });
  return api;
}

function addMembers(target, surface, prefix, scope) {
  const names = objectKeys(surface);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index];
    const member = surface[name];
    const path = prefix + name;
    if (isArray(member)) {
      define(target, name, method(path, name, member[0], scope));
    } else {
      const namespace = {};
      addMembers(namespace, member, path + '.', scope);
      define(target, name, namespace);
    }
  }
}

function method(path, name, returns, scope) {
  const calls = {
    [name](...args) {
      if (returns !== 'promise') return invoke(path, args, returns, scope);
      // A query that the host answers at once; errors arrive as rejections, as from any async function.
      return promiseThen(resolved, () => invoke(path, args, returns, scope));
    },
  };
  return calls[name];
}

function invoke(path, args, returns, scope) {
  const text = apiCall(path, encodeArguments(args, 'api.' + path));
  const reply = text === undefined ? undefined : jsonParse(text);
  if (reply !== undefined) {
    if (hasOwn(reply, 'event')) applyChanges(scope.event, reply.event);
    if (hasOwn(reply, 'error')) throw hostError(reply.error, 'invalid_command');
  }
  if (returns === 'api') return scope.api;
  if (returns === 'void' || reply === undefined || !hasOwn(reply, 'ok')) return undefined;
  return reply.ok;
}

/** Put each value at its path in `event`, making objects on the way where there are none. */
function applyChanges(event, changes) {
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
