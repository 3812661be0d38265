// Globals of Node that an Action cannot have: they are there for tests of their name, and say why they do not work.

import { coded } from '../node/errors.js';

function absent(name, reason) {
  return { [name]: class {
    constructor() {
      throw coded(Error, 'ERR_ACCESS_DENIED', `${name} is not available in an Action: ${reason}.`);
    }
  } }[name];
}

export const WebSocket = absent('WebSocket', 'a connection does not outlast the execution; use fetch');
for (const [at, name] of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].entries()) {
  Object.defineProperty(WebSocket, name, { value: at, enumerable: true });
}
export const BroadcastChannel = absent('BroadcastChannel', 'there are no other threads to hear it');
