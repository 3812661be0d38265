// Intl.PluralRules. The rules are CLDR's, as the package make-plural has them.

import { cs, da, de, el, en, es, fi, fr, hu, id, it, ja, ko, nl, pl, pt, pt_PT, ro, ru, sv, tr, uk, vi, zh } from 'make-plural';
import * as categories from 'make-plural/pluralCategories';
import { callable } from './dates.js';
import { option, refuse, resolveLocale, supportedLocalesOf } from './locales.js';
import { digitOptions, digitsOf, resolvedDigits } from './rounding.js';

const RULES = { __proto__: null, cs, da, de, el, en, es, fi, fr, hu, id, it, ja, ko, nb: da, nl, pl, pt, 'pt-PT': pt_PT, ro, ru, sv, tr, uk, vi, zh };
const ORDER = ['zero', 'one', 'two', 'few', 'many', 'other'];

/** Norwegian counts as German does, and not as Danish. */
RULES.nb = (value, ordinal) => (ordinal ? 'other' : Number(value) === 1 ? 'one' : 'other');

function rulesFor(data) {
  return RULES[data] ?? RULES[data.split('-')[0]];
}

/** The plural category of a number that is written as `digits` (say `1.50`), in the language of `data`; `left` is
 * the power of ten that compact notation says in words. */
export const categoryOf = (data, digits, ordinal = false, left = 0) => rulesFor(data)(digits.replace(/^0+(?=\d)/, ''), ordinal, left);

function categoriesOf(data, ordinal) {
  const name = data === 'pt-PT' ? 'pt_PT' : data.split('-')[0];
  const known = (categories[name] ?? { cardinal: ['one', 'other'], ordinal: ['other'] })[ordinal ? 'ordinal' : 'cardinal'];
  return ORDER.filter((one) => known.includes(one));
}

const held = new WeakMap();

class PluralRulesClass {
  constructor(locales = undefined, options = undefined) {
    const resolved = resolveLocale(locales);
    const given = options === undefined ? {} : Object(options);
    const type = option(given, 'type', ['cardinal', 'ordinal'], 'cardinal');
    if ((option(given, 'notation') ?? 'standard') !== 'standard') refuse('The option notation of Intl.PluralRules');
    held.set(this, { ...resolved, type, digits: digitOptions(given, 0, 3) });
  }
  select(value) {
    const rules = held.get(this);
    const number = Number(value);
    if (!Number.isFinite(number)) return 'other';
    return categoryOf(rules.data, digitsOf(Math.abs(number), rules.digits), rules.type === 'ordinal');
  }
  selectRange() { return refuse('Intl.PluralRules.prototype.selectRange'); }
  resolvedOptions() {
    const { data, type, digits } = held.get(this);
    const locale = data === 'pt-PT' ? data : data.split('-')[0]; // regions count as their language does
    return {
      locale, type, ...resolvedDigits(digits), pluralCategories: categoriesOf(data, type === 'ordinal'),
      roundingIncrement: 1, roundingMode: digits.mode, roundingPriority: 'auto', trailingZeroDisplay: digits.trailing,
    };
  }
  get [Symbol.toStringTag]() { return 'Intl.PluralRules'; }
}
PluralRulesClass.supportedLocalesOf = supportedLocalesOf;

export const PluralRules = callable(PluralRulesClass, 'PluralRules', true);
