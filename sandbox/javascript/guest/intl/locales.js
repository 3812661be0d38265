// Language tags (BCP 47, as far as ECMA-402 looks into them) and which language serves a request.

import { log } from '../host.js';
import { about, listed } from './data.js';

const TAG = /^([a-z]{2,3}|[a-z]{5,8})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?((?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*)((?:-[a-wy-z\d](?:-[a-z\d]{2,8})+)*)(?:-x(?:-[a-z\d]{1,8})+)?$/i;
const MODERN = { __proto__: null, iw: 'he', in: 'id', ji: 'yi', no: 'nb', mo: 'ro', tl: 'fil', cmn: 'zh' };
const MODERN_REGIONS = { __proto__: null, UK: 'GB', DD: 'DE', BU: 'MM', FX: 'FR' };
const title = (text) => text[0].toUpperCase() + text.slice(1).toLowerCase();

/** Whether a word is there twice, as no variant and no kind of extension may be. */
const repeats = (words) => new Set(words.map((word) => word.toLowerCase())).size < words.length;

/** A tag in its parts, canonical: {language, script, region, variants, keywords, base}. */
export function parseTag(tag) {
  const match = TAG.exec(tag);
  const [, language, script, region, variants, extensions] = match ?? [];
  if (match === null || repeats(variants.split('-')) || repeats(extensions.match(/-[^-](?=-)/g) ?? [])) {
    throw new RangeError('Incorrect locale information provided');
  }
  const parts = {
    language: canonicalLanguage(language.toLowerCase()),
    script: script && title(script),
    region: region && (MODERN_REGIONS[region.toUpperCase()] ?? region.toUpperCase()),
    variants: variants.toLowerCase(),
    keywords: keywordsOf(extensions.toLowerCase()),
  };
  parts.base = [parts.language, parts.script, parts.region].filter(Boolean).join('-') + parts.variants;
  return parts;
}

const canonicalLanguage = (language) => (language === 'no' ? 'no' : MODERN[language] ?? language);

function keywordsOf(extensions) {
  const keywords = new Map();
  const found = /-u((?:-[a-z\d]{2,8})+)/.exec(extensions);
  let key;
  for (const word of found?.[1].slice(1).split('-') ?? []) {
    if (word.length === 2) keywords.set(key = word, '');
    else if (key !== undefined) keywords.set(key, keywords.get(key) ? `${keywords.get(key)}-${word}` : word);
  }
  return keywords;
}

export function tagText(parts) {
  const words = [...parts.keywords].sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => (value && value !== 'true' ? `-${key}-${value}` : `-${key}`));
  return parts.base + (words.length ? `-u${words.join('')}` : '');
}

/** The canonical tags of a request: undefined, a tag, an Intl.Locale, or a list of them. */
export function canonicalLocales(locales) {
  if (locales === undefined) return [];
  if (locales === null) throw new TypeError('Cannot convert undefined or null to object');
  const list = typeof locales === 'string' || locales instanceof Locale ? [locales] : Array.from(Object(locales));
  const tags = list.map((one) => {
    if (typeof one !== 'string' && (typeof one !== 'object' || one === null)) {
      throw new TypeError('Incorrect locale information provided');
    }
    return tagText(parseTag(String(one)));
  });
  return [...new Set(tags)];
}

/** Regions whose language is written as the language alone says, and scripts that the region says. */
const HOME = {
  __proto__: null, 'de-DE': 'de', 'fr-FR': 'fr', 'es-ES': 'es', 'pt-BR': 'pt', 'it-IT': 'it', 'nl-NL': 'nl', 'sv-SE': 'sv',
  'da-DK': 'da', 'nb-NO': 'nb', no: 'nb', 'no-NO': 'nb', 'fi-FI': 'fi', 'pl-PL': 'pl', 'cs-CZ': 'cs', 'hu-HU': 'hu',
  'ro-RO': 'ro', 'uk-UA': 'uk', 'ru-RU': 'ru', 'tr-TR': 'tr', 'el-GR': 'el', 'ja-JP': 'ja', 'ko-KR': 'ko', 'zh-CN': 'zh',
  'zh-Hans': 'zh', 'zh-Hans-CN': 'zh', 'zh-Hant': 'zh-TW', 'zh-Hant-TW': 'zh-TW', 'zh-Hant-HK': 'zh-HK', 'id-ID': 'id',
  'vi-VN': 'vi', 'en-Latn-US': 'en-US',
};
const DEFAULT = 'en-US';

const joined = (...parts) => parts.filter(Boolean).join('-');

/** What serves a tag: itself, or what is left of it without its last parts (ECMA-402 BestAvailableLocale), as {tag, data},
 * where `data` is its name at the host; undefined for nothing. */
function served({ language, script, region }) {
  for (const tag of new Set([joined(language, script, region), joined(language, script), language])) {
    if (tag === DEFAULT || tag in HOME || listed('tags').has(tag)) return { tag, data: HOME[tag] ?? tag };
  }
  return undefined;
}

/** Whether Node would say the same of a tag that something less exact serves: it knows nothing of `en-ZZ` either. */
const isAsInNode = ({ language, script, region }, { tag }) =>
  tag === joined(language, script, region) || (script === undefined && !listed('regions').has(joined(language, region)));

/** Which language serves `locales`: {locale, data, keywords}. What has no data falls back, and the log says so. */
export function resolveLocale(locales) {
  const lacking = [];
  let found = { locale: DEFAULT, data: DEFAULT, keywords: new Map() };
  for (const tag of canonicalLocales(locales)) {
    const parts = parseTag(tag);
    const answer = served(parts);
    if (answer === undefined || !isAsInNode(parts, answer)) lacking.push(parts.base);
    if (answer === undefined) continue;
    found = { locale: answer.tag, data: answer.data, keywords: parts.keywords };
    break;
  }
  for (const tag of lacking) tellLack(`the locale '${tag}'`, `'${found.locale}' is used instead`);
  return found;
}

const WARN = 3;
const told = new Set();

/** Say in the log of the execution, once, what an Action has no words for. */
export function tellLack(what, instead) {
  const line = `Intl: there is no data for ${what} in an Action; ${instead}.`;
  if (told.has(line)) return;
  told.add(line);
  log(WARN, line);
}

/** Static method of every class of Intl. */
export function supportedLocalesOf(locales, options) {
  if (options !== undefined) option(Object(options), 'localeMatcher', ['lookup', 'best fit'], 'best fit');
  return canonicalLocales(locales).filter((tag) => served(parseTag(tag)) !== undefined);
}

/** One of `allowed`, or `otherwise` when there is none (ECMA-402 GetOption). */
export function option(options, name, allowed, otherwise) {
  let value = options[name];
  if (value === undefined) return otherwise;
  if (typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
  value = String(value);
  if (allowed !== undefined && !allowed.includes(value)) {
    throw new RangeError(`Value ${value} out of range for Intl options property ${name}`);
  }
  return value;
}

export function flag(options, name, otherwise) {
  return options[name] === undefined ? otherwise : Boolean(options[name]);
}

/** A whole number in a range (ECMA-402 GetNumberOption). */
export function number(options, name, least, most, otherwise) {
  if (options[name] === undefined) return otherwise;
  const value = Number(options[name]);
  if (!(value >= least && value <= most)) throw new RangeError(`${name} value is out of range.`);
  return Math.floor(value);
}

export function refuse(what) {
  throw new RangeError(`${what} is not available in an Action.`);
}

/** A calendar or numbering system other than the usual is refused: its dates would be wrong. Of a tag it is only a
 * wish, which is not heard. */
export function demandUsual(options, keywords) {
  const calendar = option(options, 'calendar');
  if (calendar !== undefined && !CALENDARS.test(calendar)) refuse(`The calendar '${calendar}'`);
  const numbering = option(options, 'numberingSystem');
  if (numbering !== undefined && !DIGITS.test(numbering)) refuse(`The numbering system '${numbering}'`);
  if (calendar === undefined) tellKeyword(keywords, 'ca', CALENDARS, 'calendar', 'gregory');
  if (numbering === undefined) tellKeyword(keywords, 'nu', DIGITS, 'numbering system', 'latn');
}

const CALENDARS = /^(gregory|gregorian|iso8601)$/i;
const DIGITS = /^latn$/i;

/** Say that a keyword of a tag does not count, unless it is one of `usual`. */
export function tellKeyword(keywords, key, usual, what, instead) {
  const value = keywords.get(key);
  if (value && !usual.test(value)) tellLack(`the ${what} '${value}'`, `'${instead}' is used instead`);
}

export const getOptionsObject = (options) => {
  if (options === undefined) return { __proto__: null };
  if (typeof options !== 'object' || options === null) throw new TypeError(`Incorrect options argument: ${String(options)}`);
  return options;
};

export class Locale {
  #parts;
  constructor(tag, options = undefined) {
    if (typeof tag !== 'string' && !(tag instanceof Locale)) throw new TypeError('First argument to Intl.Locale constructor can\'t be empty or missing');
    this.#parts = parseTag(String(tag));
    const given = options === undefined ? {} : Object(options);
    const { language = this.#parts.language, script = this.#parts.script, region = this.#parts.region } = given;
    const base = [language, script, region].filter(Boolean).join('-') + this.#parts.variants;
    const { keywords } = this.#parts;
    this.#parts = { ...parseTag(base), keywords };
    for (const [name, key] of [['calendar', 'ca'], ['collation', 'co'], ['hourCycle', 'hc'], ['caseFirst', 'kf'], ['numberingSystem', 'nu']]) {
      if (given[name] !== undefined) keywords.set(key, String(given[name]));
    }
    if (given.numeric !== undefined) keywords.set('kn', given.numeric ? '' : 'false');
  }
  get language() { return this.#parts.language; }
  get script() { return this.#parts.script; }
  get region() { return this.#parts.region; }
  get baseName() { return this.#parts.base; }
  get calendar() { return this.#parts.keywords.get('ca'); }
  get collation() { return this.#parts.keywords.get('co'); }
  get hourCycle() { return this.#parts.keywords.get('hc'); }
  get caseFirst() { return this.#parts.keywords.get('kf'); }
  get numberingSystem() { return this.#parts.keywords.get('nu'); }
  get numeric() { return this.#parts.keywords.has('kn') && this.#parts.keywords.get('kn') !== 'false'; }
  maximize() { return refuse('Intl.Locale.prototype.maximize'); }
  minimize() { return refuse('Intl.Locale.prototype.minimize'); }
  toString() { return tagText(this.#parts); }
  get [Symbol.toStringTag]() { return 'Intl.Locale'; }
}

export const currencyDigits = (code) => about('all', 'digits')[code] ?? 2;
