// Intl.DateTimeFormat. Patterns and names come from the host as Node has them (sandbox/javascript/intl/dates.cjs).

import { about } from './data.js';
import { demandUsual, flag, number, option, refuse, resolveLocale, supportedLocalesOf } from './locales.js';
import { offsetAt, zoneName, zoneNamed } from './zones.js';

const TEXT = ['narrow', 'short', 'long'];
const NUMBER = ['2-digit', 'numeric'];
const FIELDS = {
  weekday: TEXT, era: TEXT, year: NUMBER, month: [...NUMBER, ...TEXT], day: NUMBER, dayPeriod: TEXT, hour: NUMBER,
  minute: NUMBER, second: NUMBER,
};
const DATE_FIELDS = ['weekday', 'year', 'month', 'day'];
const TIME_FIELDS = ['hour', 'minute', 'second'];
const STYLES = ['full', 'long', 'medium', 'short'];
const ZONE_NAMES = ['short', 'long', 'shortOffset', 'longOffset', 'shortGeneric', 'longGeneric'];
const LETTER = { __proto__: null, numeric: 'n', '2-digit': '2', narrow: 'N', short: 's', long: 'l' };
const MOST = 8.64e15;
const CYCLES = ['h11', 'h12', 'h23', 'h24'];

/** The options that a method adds when none of those it needs is there (ECMA-402 ToDateTimeOptions). */
export function withDefaults(given, required, defaults) {
  const options = given === undefined ? {} : { ...Object(given) };
  let needed = true;
  if (required !== 'time' && ['weekday', 'year', 'month', 'day'].some((name) => options[name] !== undefined)) needed = false;
  const times = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits'];
  if (required !== 'date' && times.some((name) => options[name] !== undefined)) needed = false;
  const { dateStyle, timeStyle } = options;
  if (dateStyle !== undefined || timeStyle !== undefined) needed = false;
  if (required === 'date' && timeStyle !== undefined) throw new TypeError('Invalid option : timeStyle');
  if (required === 'time' && dateStyle !== undefined) throw new TypeError('Invalid option : dateStyle');
  if (needed && defaults !== 'time') for (const name of ['year', 'month', 'day']) options[name] = 'numeric';
  if (needed && defaults !== 'date') for (const name of TIME_FIELDS) options[name] = 'numeric';
  return options;
}

export function readFormat(locales, given, required = 'any', defaults = 'date') {
  if (given === null) throw new TypeError('Cannot convert undefined or null to object');
  const resolved = resolveLocale(locales);
  const options = withDefaults(given, required, defaults);
  demandUsual(options, resolved.keywords);
  const hour12 = flag(options, 'hour12');
  const cycle = option(options, 'hourCycle', CYCLES) ?? keywordCycle(resolved.keywords);
  /** @type {any} */
  const format = { ...resolved, words: about('dates', resolved.data), zone: zoneNamed(options.timeZone), fields: {} };
  for (const name of Object.keys(FIELDS)) format.fields[name] = option(options, name, FIELDS[name]);
  format.fraction = number(options, 'fractionalSecondDigits', 1, 3);
  format.zoneStyle = option(options, 'timeZoneName', ZONE_NAMES);
  option(options, 'formatMatcher', ['basic', 'best fit']);
  format.dateStyle = option(options, 'dateStyle', STYLES);
  format.timeStyle = option(options, 'timeStyle', STYLES);
  demandStyleAlone(format);
  demandAvailable(format);
  format.cycle = hour12 === undefined ? cycle ?? format.words.cycle : format.words[hour12 ? 'cycle12' : 'cycle24'];
  format.hasHour = format.fields.hour !== undefined || format.timeStyle !== undefined;
  format.tokens = tokensOf(patternOf(format));
  return format;
}

const keywordCycle = (keywords) => (CYCLES.includes(keywords.get('hc')) ? keywords.get('hc') : undefined);

function demandStyleAlone({ dateStyle, timeStyle, fields, fraction, zoneStyle }) {
  if (dateStyle === undefined && timeStyle === undefined) return;
  const also = Object.keys(fields).find((name) => fields[name] !== undefined)
    ?? (fraction === undefined ? zoneStyle && 'timeZoneName' : 'fractionalSecondDigits');
  if (also) throw new TypeError(`Can't set option ${also} when ${dateStyle === undefined ? 'timeStyle' : 'dateStyle'} is used`);
}

function demandAvailable({ fields, fraction, zoneStyle }) {
  if (fields.dayPeriod !== undefined) refuse("The option dayPeriod of Intl.DateTimeFormat");
  if (zoneStyle?.endsWith('Generic')) refuse(`timeZoneName '${zoneStyle}' of Intl.DateTimeFormat`);
  if (fields.hour !== undefined && fields.second !== undefined && fields.minute === undefined) {
    refuse('Hour and second without minute in Intl.DateTimeFormat');
  }
  if (fraction === undefined) return;
  if (fields.second === undefined || fields.minute === undefined) {
    refuse('The option fractionalSecondDigits without second and minute');
  }
}

const keyOf = (fields, names) => names.map((name) => LETTER[fields[name]] ?? '-').join('');
const glued = (glue, date, time) => glue.replace('{1}', () => date).replace('{0}', () => time);

function patternOf(format) {
  const { words, fields, dateStyle, timeStyle, zoneStyle } = format;
  const half = format.cycle === 'h11' || format.cycle === 'h12' ? 'a' : '';
  if (dateStyle !== undefined || timeStyle !== undefined) {
    const date = dateStyle && words.style[`date ${dateStyle}`];
    const time = timeStyle && words.style[`time ${timeStyle}${half}`];
    return date && time ? glued(words.style[`${dateStyle} ${timeStyle}${half}`], date, time) : date ?? time;
  }
  const dateKey = keyOf(fields, DATE_FIELDS);
  const shape = keyOf(fields, TIME_FIELDS);
  const era = fields.era === undefined ? '' : `G${LETTER[fields.era]}`;
  const date = words.date[dateKey + era];
  if (era && date === undefined) refuse('The option era of Intl.DateTimeFormat with these other options');
  if (shape === '---') {
    if (date === undefined) return '{z}';
    return zoneStyle === undefined ? date : glued(words.join[dateKey], date, '{z}');
  }
  const plainKey = shape + (fields.hour === undefined ? '' : half || ''); // as the host names them
  const timeKey = plainKey + (zoneStyle === undefined ? '' : 'z');
  const time = withFraction(words.time[timeKey], format);
  if (date === undefined) return time;
  const own = era ? glueOnly(words.join[`${dateKey} ${timeKey}`]) : words.join[`${dateKey} ${timeKey}`];
  const whole = own ?? glueOnly(words.join[`${dateKey} ${plainKey}`]) ?? words.join[dateKey];
  return whole.includes('{1}') ? glued(whole, date, time) : withFraction(whole, format);
}

const glueOnly = (pattern) => (pattern?.includes('{1}') ? pattern : undefined);

function withFraction(pattern, { fraction, words }) {
  return fraction === undefined ? pattern : pattern.replace(/\{ss?\}/, (second) => `${second}${words.fraction}{f}`);
}

const TYPES = {
  __proto__: null, w: 'weekday', y: 'year', M: 'month', d: 'day', h: 'hour', m: 'minute', s: 'second', f: 'fractionalSecond',
  p: 'dayPeriod', G: 'era', z: 'timeZoneName', Z: 'timeZoneName',
};

/** [type, letter, doubled, table] of a field; text between them. */
function tokensOf(pattern) {
  return pattern.split(/(\{[^}]*\})/).filter((text) => text !== '').map((text) => {
    if (text[0] !== '{') return { type: 'literal', text };
    const [, letter, more] = /^\{(.)(.*)\}$/.exec(text);
    return { type: TYPES[letter], letter, doubled: more === letter, table: /^\d+$/.test(more) ? Number(more) : undefined };
  });
}

const two = (number) => String(number % 100).padStart(2, '0');

function momentOf(date) {
  const moment = date === undefined ? Date.now() : Number(date);
  if (!(Math.abs(moment) <= MOST)) throw new RangeError('Invalid time value');
  return Math.trunc(moment) + 0;
}

export function partsOf(format, date) {
  const moment = momentOf(date);
  const offset = offsetAt(format.zone, moment);
  const local = new Date(moment + offset * 1000);
  const shown = {
    w: () => [local.getUTCDay(), 'weekday'],
    y: () => yearOf(local),
    G: () => [local.getUTCFullYear() > 0 ? 1 : 0, 'era'],
    M: () => [local.getUTCMonth(), 'month'],
    d: () => local.getUTCDate(),
    h: () => hourIn(local.getUTCHours(), format.cycle),
    m: () => local.getUTCMinutes(),
    s: () => local.getUTCSeconds(),
    p: () => [local.getUTCHours(), 'dayPeriod'],
  };
  return format.tokens.map(({ type, text, letter, doubled, table }) => {
    if (type === 'literal') return { type, value: text };
    if (type === 'timeZoneName') return { type, value: zoneName(format.zone, format.zoneStyle ?? (letter === 'Z' ? 'long' : 'short'), format.data, offset) };
    if (letter === 'f') return { type, value: String(local.getUTCMilliseconds()).padStart(3, '0').slice(0, format.fraction) };
    const found = shown[letter]();
    if (table !== undefined) return { type, value: format.words.tables[found[1]][table][found[0]] };
    const value = Array.isArray(found) ? found[0] + 1 : found;
    return { type, value: doubled ? two(value) : String(value) };
  });
}

/** A year before the first is counted backwards, as the era that is not shown does. */
function yearOf(local) {
  const year = local.getUTCFullYear();
  return year > 0 ? year : 1 - year;
}

function hourIn(hour, cycle) {
  if (cycle === 'h23') return hour;
  if (cycle === 'h24') return hour || 24;
  return cycle === 'h11' ? hour % 12 : hour % 12 || 12;
}

/** V8 writes its narrow spaces as plain ones here, and only here. */
export const textOf = (format, date) => partsOf(format, date).map((part) => part.value).join('').replaceAll('\u202f', ' ');

const formats = new WeakMap();

function held(object, method) {
  const format = formats.get(object);
  if (format === undefined) throw new TypeError(`Method Intl.DateTimeFormat.prototype.${method} called on incompatible receiver ${String(object)}`);
  return format;
}

class DateTimeFormatClass {
  constructor(locales = undefined, options = undefined) {
    formats.set(this, { ...readFormat(locales, options), bound: undefined });
  }
  get format() {
    const format = held(this, 'format');
    format.bound ??= { format: (date) => textOf(format, date) }.format;
    return format.bound;
  }
  formatToParts(date) { return partsOf(held(this, 'formatToParts'), date); }
  formatRange() { return refuse('Intl.DateTimeFormat.prototype.formatRange'); }
  formatRangeToParts() { return refuse('Intl.DateTimeFormat.prototype.formatRangeToParts'); }
  resolvedOptions() {
    const format = held(this, 'resolvedOptions');
    const made = { locale: format.locale, calendar: 'gregory', numberingSystem: 'latn', timeZone: format.zone.name };
    if (format.hasHour) {
      made.hourCycle = format.cycle;
      made.hour12 = format.cycle === 'h11' || format.cycle === 'h12';
    }
    if (format.dateStyle === undefined && format.timeStyle === undefined) Object.assign(made, shownFields(format));
    else for (const name of ['dateStyle', 'timeStyle']) if (format[name] !== undefined) made[name] = format[name];
    return made;
  }
  get [Symbol.toStringTag]() { return 'Intl.DateTimeFormat'; }
}
DateTimeFormatClass.supportedLocalesOf = supportedLocalesOf;

/** What the pattern shows, which need not be what was asked for. */
function shownFields(format) {
  const made = {};
  for (const name of ['weekday', 'era', 'year', 'month', 'day', 'hour', 'minute', 'second']) {
    const token = format.tokens.find(({ type }) => type === name);
    if (token === undefined) continue;
    made[name] = token.table === undefined ? (token.doubled ? '2-digit' : 'numeric') : format.fields[name];
  }
  if (format.fraction !== undefined) made.fractionalSecondDigits = format.fraction;
  if (format.zoneStyle !== undefined) made.timeZoneName = format.zoneStyle;
  return made;
}

/** `Class` under its public name; without `newOnly` it works without `new`, too. */
export function callable(Class, name, newOnly = false) {
  const made = newOnly ? Class : new Proxy(Class, { apply: (target, self, args) => new target(...args) });
  Object.defineProperty(Class, 'name', { value: name, configurable: true });
  Object.defineProperty(Class.prototype, 'constructor', { value: made, writable: true, configurable: true });
  return made;
}

export const DateTimeFormat = callable(DateTimeFormatClass, 'DateTimeFormat');
