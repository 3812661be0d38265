// Entry of the prelude. The host evaluates it once, calls `install`, and freezes the result as the image.

import './primordials.js';
import { removeScaffolding } from './scaffolding.js';
import { connect } from './host.js';
import { bind, flags } from './continuations.js';
import { explain } from './explain.js';
import { adopt, poll, prepare, resume, start } from './execution.js';
import { installGlobals } from './globals.js';
import { installIntl } from './intl/index.js';
import { installJson } from './json.js';
import { installLocale } from './locale.js';
import { equip } from './modules.js';
import { provideModules } from './node/index.js';
import { provideLaterModules } from './node/later.js';
import { installStacks, stackGetter, stackSetter } from './stacks.js';
import { over } from './timers.js';
import { fail, tell } from './uncaught.js';

/**
 * @param {import('./boundary.js').HostCall} hostFunction
 * @returns {import('./boundary.js').Guest}
 */
export function install(hostFunction) {
  connect(hostFunction);
  provideModules();
  provideLaterModules();
  removeScaffolding();
  installGlobals(globalThis);
  installStacks();
  installLocale();
  installIntl(globalThis);
  installJson();
  return {
    prepare, start, poll, resume, adopt, fail, tell, over, equip, bind, flags, explain, stackGetter, stackSetter,
  };
}
