// Remembers the target of every proxy, so that showing one runs none of its traps (as in Node).

import { ProxyCtor, WeakMapCtor, construct, weakMapGet, weakMapSet } from './primordials.js';

const targets = new WeakMapCtor();
const { revocable } = ProxyCtor;

/** The target of a proxy, null of one that is revoked, undefined for any other value. */
export function proxyTarget(value) {
  return weakMapGet(targets, value)?.target;
}

/** The handler of a proxy that is not revoked. */
export const proxyHandler = (value) => weakMapGet(targets, value).handler;

function remember(proxy, target, handler) {
  weakMapSet(targets, proxy, { __proto__: null, target, handler });
  return proxy;
}

/** `Proxy` for tenants: the engine's own, watched. */
export const WatchedProxy = new ProxyCtor(ProxyCtor, {
  __proto__: null,
  construct(_, args) {
    return remember(construct(ProxyCtor, args), args[0], args[1]);
  },
  get(_, key) {
    return key === 'revocable' ? watchedRevocable : ProxyCtor[key];
  },
});

const { revocable: watchedRevocable } = {
  revocable(target, handler) {
    const { proxy, revoke } = revocable(target, handler);
    remember(proxy, target, handler);
    return { proxy, revoke() { revoke(); remember(proxy, null, null); } };
  },
};
