// Intl.RelativeTimeFormat, ListFormat and DisplayNames.

import { about } from './data.js';
import { callable } from './dates.js';
import { demandUsual, getOptionsObject, option, refuse, resolveLocale, supportedLocalesOf, tellLack } from './locales.js';
import { partsOf, readFormat } from './numbers.js';
import { categoryOf } from './plurals.js';

const WIDTHS = ['long', 'short', 'narrow'];
const UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];
const joined = (parts) => parts.map((part) => part.value).join('');
const tagged = (Class, name) => Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: `Intl.${name}`, configurable: true });

class RelativeTimeFormatClass {
  #locale; #data; #style; #numeric; #numbers;
  constructor(locales = undefined, given = undefined) {
    const resolved = resolveLocale(locales);
    const options = given === undefined ? {} : Object(given);
    demandUsual(options, resolved.keywords);
    [this.#locale, this.#data] = [resolved.locale, resolved.data];
    this.#style = option(options, 'style', WIDTHS, 'long');
    this.#numeric = option(options, 'numeric', ['always', 'auto'], 'always');
    this.#numbers = readFormat(resolved.locale);
  }
  formatToParts(value, unit) {
    const number = Number(value);
    const name = String(unit).replace(/s$/, '');
    if (!UNITS.includes(name)) throw new RangeError(`Invalid unit argument for format() '${unit}'`);
    if (!Number.isFinite(number)) throw new RangeError('The value argument must be finite');
    const [future, past, words] = about('relative', this.#data)[`${this.#style} ${name}`];
    const word = this.#numeric === 'auto' ? words[number] : undefined;
    if (word !== undefined) return [{ type: 'literal', value: word }];
    const parts = partsOf(this.#numbers, Math.abs(number));
    const patterns = number < 0 || Object.is(number, -0) ? past : future;
    const category = categoryOf(this.#data, joined(parts.filter(({ type }) => type !== 'group')).replace(this.#numbers.words.decimal, '.'));
    const made = [];
    for (const text of (patterns[category] ?? patterns.other).split(/(\{n\})/)) {
      if (text === '{n}') made.push(...parts.map((part) => ({ ...part, unit: name })));
      else if (text !== '') made.push({ type: 'literal', value: text });
    }
    return made;
  }
  format(value, unit) { return joined(this.formatToParts(value, unit)); }
  resolvedOptions() {
    return { locale: this.#locale, style: this.#style, numeric: this.#numeric, numberingSystem: 'latn' };
  }
}

class ListFormatClass {
  #locale; #data; #type; #style;
  constructor(locales = undefined, given = undefined) {
    const resolved = resolveLocale(locales);
    const options = getOptionsObject(given);
    [this.#locale, this.#data] = [resolved.locale, resolved.data];
    this.#type = option(options, 'type', ['conjunction', 'disjunction', 'unit'], 'conjunction');
    this.#style = option(options, 'style', WIDTHS, 'long');
  }
  formatToParts(list) {
    const items = list === undefined ? [] : [...list];
    if (items.some((item) => typeof item !== 'string')) throw new TypeError('Iterable yielded a non-String value');
    const [pair, start, middle, end] = about('lists', this.#data)[`${this.#type} ${this.#style}`];
    const between = (at) => {
      if (items.length === 2) return pair;
      return at === 1 ? start : at === items.length - 1 ? end : middle;
    };
    return items.flatMap((value, at) => {
      const element = { type: 'element', value };
      if (at === 0) return [element];
      const literal = between(at);
      const last = at === items.length - 1;
      return [{ type: 'literal', value: last ? spanish(this.#data, literal, value) : literal }, element];
    });
  }
  format(list) { return joined(this.formatToParts(list)); }
  resolvedOptions() {
    return { locale: this.#locale, type: this.#type, style: this.#style };
  }
}

/** Spanish "y" and "o" change before a word that begins with their sound. */
function spanish(data, literal, next) {
  if (!data.startsWith('es')) return literal;
  if (literal.endsWith(' y ') && /^(i|hi(?![aeou]))/i.test(next)) return literal.replace(/ y $/, ' e ');
  if (literal.endsWith(' o ') && /^(o|ho|8|11(?:\D|$))/i.test(next)) return literal.replace(/ o $/, ' u ');
  return literal;
}

const AREAS = { __proto__: null, region: 'regions', language: 'languages', currency: 'currencyNames' };
const FORMS = { region: /^([a-z]{2}|\d{3})$/i, language: /^[a-z]{2,3}(-|$)/i, currency: /^[a-z]{3}$/i };

class DisplayNamesClass {
  #locale; #data; #type; #fallback; #style;
  constructor(locales, given) {
    if (given === undefined) throw new TypeError('Cannot convert undefined or null to object');
    const resolved = resolveLocale(locales);
    const options = getOptionsObject(given);
    [this.#locale, this.#data] = [resolved.locale, resolved.data];
    this.#style = option(options, 'style', ['narrow', 'short', 'long'], 'long');
    this.#type = option(options, 'type', ['language', 'region', 'script', 'currency', 'calendar', 'dateTimeField']);
    if (this.#type === undefined) throw new TypeError('Required option "type" must not be undefined');
    if (AREAS[this.#type] === undefined) refuse(`Intl.DisplayNames of the type '${this.#type}'`);
    if (this.#style !== 'long') refuse(`The style '${this.#style}' of Intl.DisplayNames`);
    this.#fallback = option(options, 'fallback', ['code', 'none'], 'code');
    if (option(options, 'languageDisplay', ['dialect', 'standard'], 'dialect') !== 'dialect') refuse("The languageDisplay 'standard'");
  }
  of(given) {
    const code = String(given);
    if (!FORMS[this.#type].test(code)) throw new RangeError('invalid_argument');
    const canonical = this.#type === 'language' ? canonicalTag(code) : code;
    const name = about(AREAS[this.#type], this.#data)[this.#type === 'currency' ? canonical.toUpperCase() : canonical];
    if (name === undefined && canonical.includes('-')) tellLack(`the name of the language '${canonical}'`, 'its code is used instead');
    return name ?? (this.#fallback === 'code' ? canonical : undefined);
  }
  resolvedOptions() {
    const made = { locale: this.#locale, style: this.#style, type: this.#type, fallback: this.#fallback };
    return this.#type === 'language' ? { ...made, languageDisplay: 'dialect' } : made;
  }
}

const canonicalTag = (code) => code.split('-').map((part, at) =>
  (at === 0 ? part.toLowerCase() : part.length === 4 ? part[0].toUpperCase() + part.slice(1).toLowerCase() : part.toUpperCase())).join('-');

for (const Class of [RelativeTimeFormatClass, ListFormatClass, DisplayNamesClass]) Object.assign(Class, { supportedLocalesOf });
tagged(RelativeTimeFormatClass, 'RelativeTimeFormat');
tagged(ListFormatClass, 'ListFormat');
tagged(DisplayNamesClass, 'DisplayNames');

export const RelativeTimeFormat = callable(RelativeTimeFormatClass, 'RelativeTimeFormat', true);
export const ListFormat = callable(ListFormatClass, 'ListFormat', true);
export const DisplayNames = callable(DisplayNamesClass, 'DisplayNames', true);
