// Numbers, currencies, units and percentages as Node writes them in one language. In patterns {n} is the number.
'use strict';

const CURRENCY = 'EUR';
/** Beyond the largest power of ten that has words of its own in any language. */
const COMPACT = 20;
/** Numbers that meet each plural category in one of the languages. */
const COUNTS = [0, 1, 2, 3, 5, 6, 11, 20, 1.5, 1000000];

const parts = (locale, options, value) => new Intl.NumberFormat(locale, options).formatToParts(value);
const NUMERIC = new Set(['integer', 'group', 'decimal', 'fraction']);

/** The text around the number of `value`, as a pattern. `marks` names parts that become fields of their own. */
function around(locale, options, value, marks = {}) {
  let text = '';
  for (const part of parts(locale, options, value)) {
    if (NUMERIC.has(part.type)) text += text.endsWith('{n}') ? '' : '{n}';
    else text += marks[part.type] ?? part.value;
  }
  return text;
}

/** Texts around a number by plural category, without repetition of what `other` has. */
function byPlural(locale, make) {
  const rules = new Intl.PluralRules(locale);
  const found = {};
  for (const count of COUNTS) found[rules.select(count)] ??= make(count);
  found.other ??= make(COUNTS[0]);
  for (const name of Object.keys(found)) if (name !== 'other' && found[name] === found.other) delete found[name];
  return found;
}

exports.numbers = function numbers(locale) {
  const one = (options, value, type) => parts(locale, options, value).find((part) => part.type === type)?.value;
  const groups = parts(locale, {}, 123456789012).filter((part) => part.type === 'integer').map((part) => part.value.length);
  const made = {
    decimal: one({}, 1.5, 'decimal'),
    group: one({}, 123456, 'group') ?? one({ useGrouping: 'always' }, 123456, 'group'),
    minus: one({}, -1, 'minusSign'),
    plus: one({ signDisplay: 'always' }, 1, 'plusSign'),
    percent: one({ style: 'percent' }, 1, 'percentSign'),
    nan: one({}, NaN, 'nan'),
    infinity: one({}, Infinity, 'infinity'),
    sizes: [groups.at(-1), groups.at(-2)],
    least: one({}, 1234, 'group') === undefined ? 2 : 1,
    pattern: {},
    compact: { short: compact(locale, 'short'), long: compact(locale, 'long') },
  };
  const money = { style: 'currency', currency: CURRENCY };
  made.money = { decimal: one(money, 1.5, 'decimal'), group: one({ ...money, useGrouping: 'always' }, 123456, 'group') };
  patterns(locale, made.pattern);
  return made;
};

const SIGN = { minusSign: '{-}', plusSign: '{+}', percentSign: '{%}', currency: '{c}' };

function patterns(locale, into) {
  const kinds = { decimal: {}, percent: { style: 'percent' } };
  for (const currencyDisplay of ['narrowSymbol', 'code']) {
    for (const currencySign of ['standard', 'accounting']) {
      kinds[`${currencySign} ${currencyDisplay === 'code' ? 'code' : 'symbol'}`] = { style: 'currency', currency: CURRENCY, currencyDisplay, currencySign };
    }
  }
  for (const [name, options] of Object.entries(kinds)) {
    into[name] = around(locale, options, 1, SIGN);
    into[`${name} -`] = around(locale, options, -1, SIGN);
    into[`${name} +`] = around(locale, { ...options, signDisplay: 'always' }, 1, SIGN);
  }
}

/** For each power of ten: [how many digits are left out, the words around by plural category; `=1` for exactly one]. */
function compact(locale, compactDisplay) {
  const format = new Intl.NumberFormat(locale, { notation: 'compact', compactDisplay, maximumFractionDigits: 1, useGrouping: false });
  const rules = new Intl.PluralRules(locale);
  const rows = [];
  for (let power = 3; power < COMPACT; power += 1) {
    const words = {};
    let left = 0;
    for (const lead of [2, 3, 5, 1.5, 1]) {
      const value = lead * 10 ** power;
      let text = '';
      for (const part of format.formatToParts(value)) {
        if (part.type === 'integer') left = power + 1 - part.value.length;
        if (NUMERIC.has(part.type)) text += text.endsWith('{n}') ? '' : '{n}';
        else text += part.type === 'compact' ? `{k:${part.value}}` : part.value;
      }
      words[text.includes('{n}') ? rules.select(value / 10 ** left) : '=1'] ??= text;
    }
    words.other ??= Object.values(words)[0];
    for (const name of Object.keys(words)) if (name !== 'other' && words[name] === words.other) delete words[name];
    rows.push([left, words]);
  }
  return rows;
}

exports.currencies = function currencies(locale) {
  const made = {};
  for (const code of Intl.supportedValuesOf('currency')) {
    const shown = (currencyDisplay, value) =>
      parts(locale, { style: 'currency', currency: code, currencyDisplay, minimumFractionDigits: 0 }, value).find((part) => part.type === 'currency').value;
    made[code] = [shown('symbol', 2), shown('narrowSymbol', 2), byPlural(locale, (count) => shown('name', count))];
  }
  made.pattern = byPlural(locale, (count) => around(locale, { style: 'currency', currency: CURRENCY, currencyDisplay: 'name', minimumFractionDigits: 0 }, count, SIGN));
  return made;
};

/** Currencies whose smallest unit is not a hundredth. */
exports.digits = function digits() {
  const made = {};
  for (const currency of Intl.supportedValuesOf('currency')) {
    const { maximumFractionDigits } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
    if (maximumFractionDigits !== 2) made[currency] = maximumFractionDigits;
  }
  return made;
};

exports.units = function units(locale) {
  const made = {};
  for (const unit of Intl.supportedValuesOf('unit')) {
    made[unit] = {};
    for (const unitDisplay of ['short', 'narrow', 'long']) {
      made[unit][unitDisplay] = byPlural(locale, (count) => around(locale, { style: 'unit', unit, unitDisplay }, count, { unit: undefined }));
    }
  }
  return made;
};
exports.byPlural = byPlural;
exports.around = around;
