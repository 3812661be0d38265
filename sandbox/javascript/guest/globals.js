// What tenant code finds on the global object, beyond the engine's own.

import { console } from './console.js';
import { timerGlobals } from './timers.js';
import { defineHidden, objectKeys } from './primordials.js';

export function installGlobals(global) {
  delete global.SharedArrayBuffer;
  delete global.InternalError;
  const members = { console, ...timerGlobals, global };
  for (const name of objectKeys(members)) defineHidden(global, name, members[name]);
}
