// Intl, and the methods of the language's own types that speak a language.

import { defineHidden, defineProperty, numberValueOf, objectKeys, bigintValueOf, dateGetTime, toText } from '../primordials.js';
import { Collator, compare, comparePlain, readCollator } from './collator.js';
import { about } from './data.js';
import { DateTimeFormat, readFormat as readDates, textOf as dateText } from './dates.js';
import { Locale, canonicalLocales, parseTag, refuse, tellLack } from './locales.js';
import { NumberFormat, readFormat as readNumbers, textOf as numberText } from './numbers.js';
import { PluralRules } from './plurals.js';
import { DisplayNames, ListFormat, RelativeTimeFormat } from './words.js';

const LISTS = { __proto__: null, timeZone: 'zoneList', currency: 'currencies', calendar: ['gregory'], collation: ['default'], numberingSystem: ['latn'] };

class Segmenter {
  constructor() {
    refuse('Intl.Segmenter');
  }
}
class DurationFormat {
  constructor() {
    refuse('Intl.DurationFormat');
  }
}

const methods = {
  getCanonicalLocales: (locales) => canonicalLocales(locales),
  supportedValuesOf(key) {
    const name = String(key);
    if (name === 'unit') return objectKeys(about('units', 'en'));
    const list = LISTS[name];
    if (list === undefined) throw new RangeError(`Invalid key : ${name}`);
    return typeof list === 'string' ? [...about('all', list)] : [...list];
  },
};

/** Formats that were used last: scripts format in loops. */
const recent = new Map();

/** What `make` gives for a plain request, made once; a request with objects in it is made anew each time. */
function reuse(kind, locales, options, make) {
  if (options !== undefined || (locales !== undefined && typeof locales !== 'string')) return make();
  const key = `${kind} ${locales}`;
  if (!recent.has(key)) recent.set(key, make());
  return recent.get(key);
}

function dateMethod(required, defaults) {
  return {
    toLocaleString(locales = undefined, options = undefined) {
      const moment = dateGetTime(this);
      const format = reuse(`${required} ${defaults}`, locales, options, () => readDates(locales, options, required, defaults));
      return Number.isNaN(moment) ? 'Invalid Date' : dateText(format, moment);
    },
  }.toLocaleString;
}

const numberMethod = (valueOf) => ({
  toLocaleString(locales = undefined, options = undefined) {
    const value = valueOf(this);
    return numberText(reuse('number', locales, options, () => readNumbers(locales, options)), value);
  },
}).toLocaleString;

const { toUpperCase, toLowerCase } = String.prototype;

function languageOf(locales) {
  const [tag] = canonicalLocales(locales);
  const { language } = tag === undefined ? {} : parseTag(tag);
  if (language === 'lt') tellLack('upper and lower case of Lithuanian', 'the general rules are used');
  return language;
}

const turkic = (locales) => ['tr', 'az'].includes(languageOf(locales));

const stringMethods = {
  localeCompare(that, locales = undefined, options = undefined) {
    const [left, right] = [toText(this), toText(that)];
    const plain = locales === undefined && options === undefined ? comparePlain(left, right) : undefined;
    return plain ?? compare(reuse('collator', locales, options, () => readCollator(locales, options)), left, right);
  },
  toLocaleUpperCase(locales = undefined) {
    const text = turkic(locales) ? toText(this).replaceAll('i', 'İ') : toText(this);
    return Reflect.apply(toUpperCase, text, []);
  },
  toLocaleLowerCase(locales = undefined) {
    const text = turkic(locales) ? toText(this).replaceAll('İ', 'i').replaceAll('I', 'ı') : toText(this);
    return Reflect.apply(toLowerCase, text, []);
  },
};

export function installIntl(global) {
  const intl = {};
  const classes = { Collator, DateTimeFormat, DisplayNames, DurationFormat, ListFormat, Locale, NumberFormat, PluralRules, RelativeTimeFormat, Segmenter };
  for (const name of objectKeys(methods)) defineHidden(intl, name, methods[name]);
  for (const name of objectKeys(classes)) defineHidden(intl, name, classes[name]);
  defineProperty(intl, Symbol.toStringTag, { __proto__: null, value: 'Intl', configurable: true });
  defineHidden(global, 'Intl', intl);
  for (const name of objectKeys(stringMethods)) defineHidden(String.prototype, name, stringMethods[name]);
  install(Date.prototype, 'toLocaleString', dateMethod('any', 'all'));
  install(Date.prototype, 'toLocaleDateString', dateMethod('date', 'date'));
  install(Date.prototype, 'toLocaleTimeString', dateMethod('time', 'time'));
  install(Number.prototype, 'toLocaleString', numberMethod(numberValueOf));
  install(BigInt.prototype, 'toLocaleString', numberMethod(bigintValueOf));
}

function install(prototype, name, method) {
  defineProperty(method, 'name', { __proto__: null, value: name, configurable: true });
  defineHidden(prototype, name, method);
}
