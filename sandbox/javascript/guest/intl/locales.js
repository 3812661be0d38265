// Language tags (BCP 47, as far as ECMA-402 looks into them) and which language serves a request.

import { about, listed } from './data.js';

const TAG = /^([a-z]{2,3}|[a-z]{5,8})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?((?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*)((?:-[a-wy-z\d](?:-[a-z\d]{2,8})+)*)(?:-x(?:-[a-z\d]{1,8})+)?$/i;
const MODERN = { __proto__: null, iw: 'he', in: 'id', ji: 'yi', no: 'nb', mo: 'ro', tl: 'fil' };
const title = (text) => text[0].toUpperCase() + text.slice(1).toLowerCase();

/** A tag in its parts, canonical: {language, script, region, variants, keywords, base}. */
export function parseTag(tag) {
  const match = TAG.exec(tag);
  if (match === null) throw new RangeError(`Incorrect locale information provided`);
  const [, language, script, region, variants, extensions] = match;
  const parts = {
    language: canonicalLanguage(language.toLowerCase()),
    script: script && title(script),
    region: region?.toUpperCase(),
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

/** The data's name for a tag; undefined when Node has nothing of its own for it either. */
function served(parts) {
  const tag = [parts.language, parts.script, parts.region].filter(Boolean).join('-');
  if (tag === DEFAULT || tag in HOME) return HOME[tag] ?? tag;
  if (listed('tags').has(tag)) return tag;
  const own = parts.region !== undefined && parts.script === undefined && listed('regions').has(tag);
  if (!own && parts.script === undefined && parts.region !== undefined) return served({ language: parts.language });
  if (!listed('languages').has(parts.language)) return undefined;
  throw new RangeError(
    `The locale '${tag}' is not available in an Action; available are ${[...listed('tags')].join(', ')}`,
  );
}

/** Which language serves `locales`: {locale, data, keywords}; `data` is the key of what the host has. */
export function resolveLocale(locales) {
  for (const tag of canonicalLocales(locales)) {
    const parts = parseTag(tag);
    const data = served(parts);
    if (data !== undefined) return { locale: shownTag(parts, data), data, keywords: parts.keywords };
  }
  return { locale: DEFAULT, data: DEFAULT, keywords: new Map() };
}

/** The tag without what Node knows nothing of: `en-ZZ` is `en`. */
function shownTag(parts, data) {
  if (parts.region !== undefined && parts.script === undefined && data === parts.language) {
    const tag = `${parts.language}-${parts.region}`;
    return tag in HOME || listed('regions').has(tag) ? tag : data;
  }
  return [parts.language, parts.script, parts.region].filter(Boolean).join('-');
}

/** Static method of every class of Intl. */
export function supportedLocalesOf(locales, options) {
  if (options !== undefined) option(Object(options), 'localeMatcher', ['lookup', 'best fit'], 'best fit');
  return canonicalLocales(locales).filter((tag) => {
    try {
      return served(parseTag(tag)) !== undefined;
    } catch {
      return false;
    }
  });
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

/** A calendar or numbering system other than the usual is refused: its dates would be wrong. */
export function demandUsual(options, keywords) {
  const calendar = option(options, 'calendar') ?? keywords.get('ca');
  if (calendar !== undefined && !/^(gregory|gregorian|iso8601)$/i.test(calendar)) refuse(`The calendar '${calendar}'`);
  const numbering = option(options, 'numberingSystem') ?? keywords.get('nu');
  if (numbering !== undefined && !/^latn$/i.test(numbering)) refuse(`The numbering system '${numbering}'`);
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
