// Dates as Node writes them: there, texts of the local time name its zone.

import { defineHidden, reflectApply } from './primordials.js';

const ZONE = ' (Coordinated Universal Time)';
const { toString, toTimeString } = Date.prototype;

const methods = {
  toString() {
    const text = reflectApply(toString, this, []);
    return text.endsWith('GMT+0000') ? text + ZONE : text;
  },
  toTimeString() {
    const text = reflectApply(toTimeString, this, []);
    return text.endsWith('GMT+0000') ? text + ZONE : text;
  },
};

export function installLocale() {
  for (const name of ['toString', 'toTimeString']) defineHidden(Date.prototype, name, methods[name]);
}
