// Entry of the prelude. The host evaluates it once, calls `install`, and freezes the result as the image.

import './primordials.js';
import { removeScaffolding } from './scaffolding.js';
import { connect } from './host.js';
import { poll, resume, start } from './execution.js';
import { installGlobals } from './globals.js';

export function install(hostFunction) {
  connect(hostFunction);
  installGlobals(globalThis);
  removeScaffolding();
  return { start, poll, resume };
}
