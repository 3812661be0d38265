// Dates and numbers as Node writes them for en-US in UTC. There is no Intl here: what needs it fails
// with a sentence, because a silently wrong time zone or language is worse.

import { defineHidden, numberValueOf, objectKeys, reflectApply, toText } from './primordials.js';

const ZONE = ' (Coordinated Universal Time)';
const UTC = ['utc', 'gmt', 'etc/utc', 'etc/gmt', 'universal', 'zulu'];
const two = (number) => (number < 10 ? `0${number}` : `${number}`);

function demandPlain(method, locales, options, allowed) {
  const locale = Array.isArray(locales) ? locales[0] : locales;
  if (locale !== undefined && !/^en(-US)?$/i.test(toText(locale))) refuse(method, `the locale '${toText(locale)}'`);
  if (options === undefined || options === null) return;
  for (const name of objectKeys(options)) {
    if (options[name] === undefined || allowed.includes(name)) continue;
    if (name === 'timeZone' && UTC.includes(toText(options[name]).toLowerCase())) continue;
    refuse(method, `the option ${name}`);
  }
}

function refuse(method, what) {
  throw new RangeError(
    `${method} with ${what} is not available in an Action; only en-US in UTC is. Use the getUTC… methods, or compute it`,
  );
}

const valid = (date) => !Number.isNaN(date.getTime());
const day = (date) => `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()}`;

function time(date) {
  const hours = date.getUTCHours();
  return `${hours % 12 || 12}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${hours < 12 ? 'AM' : 'PM'}`;
}

const { toString, toTimeString } = Date.prototype;

const dateMethods = {
  toString() {
    const text = reflectApply(toString, this, []);
    return text.endsWith('GMT+0000') ? text + ZONE : text;
  },
  toTimeString() {
    const text = reflectApply(toTimeString, this, []);
    return text.endsWith('GMT+0000') ? text + ZONE : text;
  },
  toLocaleString(locales, options) {
    demandPlain('toLocaleString', locales, options, []);
    return valid(this) ? `${day(this)}, ${time(this)}` : 'Invalid Date';
  },
  toLocaleDateString(locales, options) {
    demandPlain('toLocaleDateString', locales, options, []);
    return valid(this) ? day(this) : 'Invalid Date';
  },
  toLocaleTimeString(locales, options) {
    demandPlain('toLocaleTimeString', locales, options, []);
    return valid(this) ? time(this) : 'Invalid Date';
  },
};

const numberMethods = {
  toLocaleString(locales, options) {
    const allowed = ['minimumFractionDigits', 'maximumFractionDigits', 'useGrouping'];
    demandPlain('toLocaleString', locales, options, allowed);
    const value = numberValueOf(this);
    if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞';
    const least = options?.minimumFractionDigits ?? 0;
    const most = options?.maximumFractionDigits ?? Math.max(3, least);
    let [whole, fraction = ''] = Math.abs(value).toFixed(most).split('.');
    while (fraction.length > least && fraction.endsWith('0')) fraction = fraction.slice(0, -1);
    if (options?.useGrouping !== false) whole = whole.replace(/\B(?=(\d{3})+$)/g, ',');
    return (value < 0 || Object.is(value, -0) ? '-' : '') + (fraction ? `${whole}.${fraction}` : whole);
  },
};

const bare = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
const order = (left, right) => (left < right ? -1 : left > right ? 1 : 0);

const stringMethods = {
  /** Letters first, then accents, then small before capital, as in most languages. */
  localeCompare(that) {
    const [left, right] = [toText(this), toText(that)];
    if (left === right) return 0;
    return order(bare(left), bare(right))
      || order(left.normalize('NFD').toLowerCase(), right.normalize('NFD').toLowerCase())
      || order(right.normalize('NFD'), left.normalize('NFD'));
  },
};

export function installLocale() {
  for (const name of objectKeys(stringMethods)) defineHidden(String.prototype, name, stringMethods[name]);
  for (const name of objectKeys(dateMethods)) defineHidden(Date.prototype, name, dateMethods[name]);
  for (const name of objectKeys(numberMethods)) defineHidden(Number.prototype, name, numberMethods[name]);
}
