// The module `module`, as far as programs ask it for a `require` or for what is built in.

import { builtinNames, require } from '../modules.js';
import { isRefused, refusedNames } from '../refused.js';
import { wrongType } from './errors.js';

export function makeModule() {
  function Module(id = '') {
    Object.assign(this, { id, exports: {}, filename: null, loaded: false, children: [], paths: [] });
  }
  const isBuiltin = (name) => {
    const bare = String(name).replace(/^node:/, '');
    return builtinNames().includes(bare) || isRefused(bare);
  };
  return Object.assign(Module, {
    Module, isBuiltin, builtinModules: [...new Set([...builtinNames(), ...refusedNames()])].sort(),
    createRequire(filename) {
      if (typeof filename !== 'string' && !(filename instanceof URL)) {
        throw wrongType('filename', 'a file URL object, file URL string, or absolute path string', filename);
      }
      return require;
    },
    findPackageJSON: () => undefined, findSourceMap: () => undefined, syncBuiltinESMExports() {}, globalPaths: [],
    wrap: (script) => `(function (exports, require, module, __filename, __dirname) { ${script}\n});`,
  });
}
