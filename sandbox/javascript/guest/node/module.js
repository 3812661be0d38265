// The module `module`: that of packages, with a `require` that an Action may make too.

import { require } from '../modules.js';
import { Module, fileOf } from '../packages/module.js';
import { wrongType } from './errors.js';
import { URL } from '../web/url.js';

export function makeModule() {
  const ofPackages = Module.createRequire;
  Module.createRequire = { createRequire(filename) {
    if (typeof filename !== 'string' && !(filename instanceof URL)) {
      throw wrongType('filename', 'a file URL object, file URL string, or absolute path string', filename);
    }
    return fileOf(filename)?.includes('/node_modules/') ? ofPackages(filename) : require;
  } }.createRequire;
  return Module;
}
