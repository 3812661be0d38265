// Remembers the target of every proxy, so that showing one runs none of its traps (as in Node).

import { ProxyCtor, WeakMapCtor, construct, weakMapGet, weakMapSet } from './primordials.js';

const targets = new WeakMapCtor();
const { revocable } = ProxyCtor;

/** The target of a proxy, undefined for any other value. */
export function proxyTarget(value) {
  return weakMapGet(targets, value);
}

function remember(proxy, target) {
  weakMapSet(targets, proxy, target);
  return proxy;
}

/** `Proxy` for tenants: the engine's own, watched. */
export const WatchedProxy = new ProxyCtor(ProxyCtor, {
  __proto__: null,
  construct(_, args) {
    return remember(construct(ProxyCtor, args), args[0]);
  },
  get(_, key) {
    return key === 'revocable' ? watchedRevocable : ProxyCtor[key];
  },
});

const { revocable: watchedRevocable } = {
  revocable(target, handler) {
    const made = revocable(target, handler);
    remember(made.proxy, target);
    return made;
  },
};
