// Relative times, lists, names of places, languages and time zones, as Node writes them in one language.
'use strict';

const { byPlural } = require('./numbers.cjs');

/** @type {Intl.RelativeTimeFormatUnit[]} */
const UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];
const STYLES = /** @type {const} */ (['long', 'short', 'narrow']);
const LISTS = /** @type {const} */ (['conjunction', 'disjunction', 'unit']);

exports.relative = function relative(locale) {
  const made = {};
  for (const style of STYLES) {
    const always = new Intl.RelativeTimeFormat(locale, { style });
    const auto = new Intl.RelativeTimeFormat(locale, { style, numeric: 'auto' });
    for (const unit of UNITS) {
      const pattern = (value) => always.formatToParts(value, unit)
        .map((part) => ('unit' in part ? '{n}' : part.value)).join('').replace(/(\{n\})+/g, '{n}');
      const words = {};
      for (const value of [-2, -1, 0, 1, 2]) {
        const said = auto.formatToParts(value, unit);
        if (said.every((part) => !('unit' in part))) words[value] = said.map((part) => part.value).join('');
      }
      made[`${style} ${unit}`] = [byPlural(locale, (count) => pattern(count)), byPlural(locale, (count) => pattern(-count)), words];
    }
  }
  return made;
};

exports.lists = function lists(locale) {
  const made = {};
  for (const type of LISTS) {
    for (const style of STYLES) {
      const between = (items) => new Intl.ListFormat(locale, { type, style }).formatToParts(items)
        .filter((part) => part.type === 'literal').map((part) => part.value);
      const [pair] = between(['x', 'y']);
      const [start, middle, end] = between(['x', 'y', 'z', 'v']);
      made[`${type} ${style}`] = [pair, start, middle, end];
    }
  }
  return made;
};

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const codes = (length) => (length === 0 ? [''] : codes(length - 1).flatMap((code) => LETTERS.map((letter) => code + letter)));
const DIALECTS = [
  'en-US', 'en-GB', 'en-AU', 'en-CA', 'pt-BR', 'pt-PT', 'es-ES', 'es-MX', 'es-419', 'fr-CA', 'fr-CH', 'de-AT', 'de-CH',
  'nl-BE', 'zh-Hans', 'zh-Hant', 'ro-MD', 'fa-AF', 'ar-001', 'sr-Latn', 'sr-Cyrl',
];

function named(locale, type, all) {
  const names = new Intl.DisplayNames(locale, { type, fallback: 'none' });
  const made = {};
  for (const code of all) {
    const name = names.of(code);
    if (name !== undefined && name !== code) made[code] = name;
  }
  return made;
}

exports.regions = (locale) => named(locale, 'region', [...codes(2), '001', '002', '019', '142', '150', '009', '419']);
const languageCodes = [...codes(2), ...codes(3)].map((code) => code.toLowerCase()).concat(DIALECTS);
/** Language and script to the codes that have names there: its regions have no others, and all codes take half a
 *  second. */
const known = new Map();
exports.languages = function languages(locale) {
  const { language, script } = new Intl.Locale(locale).maximize();
  const written = `${language}-${script}`;
  if (!known.has(written)) known.set(written, Object.keys(named(written, 'language', languageCodes)));
  return named(locale, 'language', known.get(written));
};

exports.currencyNames = (locale) => named(locale, 'currency', Intl.supportedValuesOf('currency'));

const WINTER = Date.UTC(2024, 0, 15);
const SUMMER = Date.UTC(2024, 6, 15);

/** What `timeZone` is called at each of `moments`. */
function zoneNamesAt(locale, timeZone, timeZoneName, moments) {
  const format = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName, hour: 'numeric' });
  return moments.map((moment) => format.formatToParts(moment).find((part) => part.type === 'timeZoneName').value);
}

const isOffset = (name) => /^[^\d]*[+\-−]\d/.test(name);

/** Zone to its names [short, long], each [standard, daylight]; null where the offset stands for a name. */
exports.zoneNames = function zoneNames(locale, zones) {
  const of = (zone, width) => zoneNamesAt(locale, zone, width, [WINTER])[0];
  const made = { east: of('Etc/GMT-5', 'short'), west: of('Etc/GMT+5', 'short'), zero: of('UTC', 'longOffset'), zeroShort: of('UTC', 'shortOffset'), between: of('Asia/Kathmandu', 'longOffset').at(-3) };
  for (const zone of zones) {
    const names = ['short', 'long'].map((width) => zoneNamesAt(locale, zone, width, zonesAt(zone))
      .map((name) => (isOffset(name) ? null : name)));
    if (names.flat().some((name) => name !== null)) made[zone] = names;
  }
  return made;
};

const moments = new Map();

/** Seconds east of Greenwich. */
function secondsOf(name) {
  const [, sign, hours, minutes, seconds = 0] = /([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(name) ?? [0, '+', 0, 0];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
}

const offsetsAt = (zone, moments) => zoneNamesAt('en', zone, 'longOffset', moments).map(secondsOf);

/** The offset of `zone` in winter time and in summer time. */
exports.zoneOffsets = (zone) => offsetsAt(zone, zonesAt(zone));

/** A moment with the standard offset of `zone`, and one with its other. */
function zonesAt(zone) {
  if (!moments.has(zone)) {
    const [winter, summer] = offsetsAt(zone, [WINTER, SUMMER]);
    moments.set(zone, winter <= summer ? [WINTER, SUMMER] : [SUMMER, WINTER]);
  }
  return moments.get(zone);
}
