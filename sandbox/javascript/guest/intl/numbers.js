// Intl.NumberFormat. Patterns and words come from the host as Node has them (sandbox/javascript/intl/numbers.cjs).

import { about } from './data.js';
import { callable } from './dates.js';
import { currencyDigits, demandUsual, option, refuse, resolveLocale, supportedLocalesOf } from './locales.js';
import { categoryOf } from './plurals.js';
import { digitOptions, digitsOf, resolvedDigits } from './rounding.js';

const SIGNS = ['auto', 'never', 'always', 'exceptZero', 'negative'];
const GROUPING = ['always', 'auto', 'min2', 'true', 'false'];
const WIDTHS = ['short', 'narrow', 'long'];

export function readFormat(locales, given = undefined) {
  const resolved = resolveLocale(locales);
  if (given === null) throw new TypeError('Cannot convert undefined or null to object');
  const options = given === undefined ? {} : Object(given);
  demandUsual(options, resolved.keywords);
  const style = option(options, 'style', ['decimal', 'percent', 'currency', 'unit'], 'decimal');
  /** @type {any} */
  const format = { ...resolved, words: about('numbers', resolved.data), style };
  readCurrency(format, options);
  readUnit(format, options);
  format.notation = option(options, 'notation', ['standard', 'scientific', 'engineering', 'compact'], 'standard');
  if (format.notation === 'scientific' || format.notation === 'engineering') refuse(`The notation '${format.notation}' of Intl.NumberFormat`);
  format.compactDisplay = option(options, 'compactDisplay', ['short', 'long'], 'short');
  const compact = format.notation === 'compact';
  if (compact && (style === 'percent' || style === 'unit')) refuse(`The notation 'compact' of Intl.NumberFormat with the style '${style}'`);
  const usual = style === 'currency' && !compact ? currencyDigits(format.currency) : 0;
  format.digits = digitOptions(options, usual, style === 'currency' && !compact ? usual : style === 'percent' ? 0 : 3, compact);
  format.grouping = groupingOf(options, compact);
  format.signDisplay = option(options, 'signDisplay', SIGNS, 'auto');
  return format;
}

function readCurrency(format, options) {
  const currency = option(options, 'currency');
  if (currency !== undefined && !/^[a-z]{3}$/i.test(currency)) throw new RangeError(`Invalid currency code : ${currency}`);
  if (format.style === 'currency' && currency === undefined) throw new TypeError('Currency code is required with currency style.');
  format.currencyDisplay = option(options, 'currencyDisplay', ['code', 'symbol', 'narrowSymbol', 'name'], 'symbol');
  format.currencySign = option(options, 'currencySign', ['standard', 'accounting'], 'standard');
  if (format.style === 'currency') format.currency = currency.toUpperCase();
}

function readUnit(format, options) {
  const unit = option(options, 'unit');
  if (format.style === 'unit' && unit === undefined) throw new TypeError('Unit is required with unit style.');
  format.unitDisplay = option(options, 'unitDisplay', WIDTHS, 'short');
  if (format.style !== 'unit') return;
  if (about('units', format.data)[unit] === undefined) {
    if (unit.includes('-per-')) refuse(`The unit '${unit}'`);
    throw new RangeError(`Invalid unit argument for Intl.NumberFormat() '${unit}'`);
  }
  format.unit = unit;
}

function groupingOf(options, compact) {
  const value = options.useGrouping;
  if (value === undefined) return compact ? 'min2' : 'auto';
  if (value === true) return 'always';
  if (value === false || value === null || value === '' || value === 0) return false;
  const name = option(options, 'useGrouping', GROUPING);
  return name === 'true' || name === 'false' ? (compact ? 'min2' : 'auto') : name;
}

/** A value as a number or bigint; texts keep what a number could not hold when they are whole. */
function numeric(value) {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'string' && /^\s*-?\d{16,}\s*$/.test(value)) return BigInt(value);
  return Number(value);
}

const isNegative = (value) => value < 0 || Object.is(value, -0);

export function partsOf(format, given) {
  const value = numeric(given);
  const negative = isNegative(value);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const part = Number.isNaN(value) ? { type: 'nan', value: format.words.nan } : { type: 'infinity', value: format.words.infinity };
    return dressed(format, [part], signOf(format, negative, Number.isNaN(value)), 'other');
  }
  const size = negative ? (typeof value === 'bigint' ? -value : Math.abs(value)) : value;
  const shift = format.style === 'percent' ? -2 : 0;
  if (format.notation === 'compact') return compactParts(format, size, negative);
  const text = digitsOf(size, format.digits, negative, shift);
  return dressed(format, numberParts(format, text), signOf(format, negative, isZero(text)), categoryOf(format.data, text));
}

const isZero = (text) => /^[0.]*$/.test(text);

function signOf({ signDisplay }, negative, zero) {
  if (signDisplay === 'never') return '';
  if (signDisplay === 'always') return negative ? '-' : '+';
  if (signDisplay === 'exceptZero') return zero ? '' : negative ? '-' : '+';
  if (signDisplay === 'negative') return negative && !zero ? '-' : '';
  return negative ? '-' : '';
}

function numberParts({ words, grouping, style }, text) {
  const { decimal, group } = style === 'currency' ? words.money : words;
  const [whole, fraction] = text.split('.');
  const parts = [];
  const least = grouping === 'min2' ? 2 : grouping === 'always' ? 1 : words.least;
  const [first, rest] = words.sizes;
  if (grouping === false || whole.length < first + least) {
    parts.push({ type: 'integer', value: whole });
  } else {
    const groups = [whole.slice(-first)];
    for (let left = whole.slice(0, -first); left !== ''; left = left.slice(0, -rest)) groups.unshift(left.slice(-rest));
    groups.forEach((value, at) => parts.push(...(at ? [{ type: 'group', value: group }] : []), { type: 'integer', value }));
  }
  if (fraction !== undefined) parts.push({ type: 'decimal', value: decimal }, { type: 'fraction', value: fraction });
  return parts;
}

/** Steps of a thousand (or as the language has them), rounded first: 999999 is a million. */
function compactParts(format, size, negative) {
  const rows = format.words.compact[format.style === 'currency' && format.currencyDisplay !== 'name' ? 'short' : format.compactDisplay];
  const steps = (power) => rowFor(rows, power)?.[0] ?? 0;
  let power = powerOf(size);
  let left = steps(power);
  let text = digitsOf(size, format.digits, negative, left);
  if (text.split('.')[0].length + left > power + 1 && size !== 0 && size !== 0n) {
    power += 1;
    left = steps(power);
    text = digitsOf(size, format.digits, negative, left);
  }
  const category = categoryOf(format.data, text, false, left);
  const row = rowFor(rows, power);
  const pattern = left === 0 || row === undefined ? '{n}' : (text === '1' ? row[1]['=1'] : undefined) ?? row[1][category] ?? row[1].other;
  const inner = fill(pattern, { n: numberParts(format, text) });
  return dressed(format, inner, signOf(format, negative, isZero(text)), category);
}

const powerOf = (size) => (typeof size === 'bigint' ? String(size).length - 1 : size === 0 ? 0 : Number(size.toExponential().split('e')[1]));
const rowFor = (rows, power) => (power < 3 ? undefined : rows[Math.min(power - 3, rows.length - 1)]);

/** The number with its sign, currency, unit or percent sign. */
function dressed(format, inner, sign, category) {
  const { words, style } = format;
  const suffix = sign === '' ? '' : ` ${sign}`;
  const marks = { n: inner, '-': [{ type: 'minusSign', value: words.minus }], '+': [{ type: 'plusSign', value: words.plus }], '%': [{ type: 'percentSign', value: words.percent }] };
  const signed = sign === '' ? inner : fill(words.pattern[`decimal ${sign}`], marks);
  if (style === 'unit') return unitParts(format, signed, category);
  if (style !== 'currency') return fill(words.pattern[style + suffix], marks);
  return currencyParts(format, marks, suffix, signed, category);
}

function currencyParts(format, marks, suffix, signed, category) {
  const inner = marks.n;
  const { words, currency, currencyDisplay, currencySign } = format;
  const names = about('currencies', format.data);
  const [symbol, narrow, plural] = names[currency] ?? [currency, currency, { other: currency }];
  if (currencyDisplay === 'name') {
    return fill(names.pattern[category] ?? names.pattern.other, { n: signed, c: [{ type: 'currency', value: plural[category] ?? plural.other }] });
  }
  const shown = { symbol, narrowSymbol: narrow, code: currency }[currencyDisplay];
  const digit = inner.find(({ type }) => type === 'integer') !== undefined;
  const width = !digit || /[\p{S}\p{Z}]$/u.test(shown) ? 'symbol' : 'code'; // which has a space where ICU puts one
  const c = [{ type: 'currency', value: shown }];
  if (format.notation !== 'compact' || suffix === '') return fill(words.pattern[`${currencySign} ${width}${suffix}`], { ...marks, c });
  const plain = fill(words.pattern[`${currencySign} ${width}`], { ...marks, c });
  return fill(words.pattern[`decimal${suffix}`], { ...marks, n: plain }); // the sign goes before all
}

function unitParts(format, signed, category) {
  const patterns = about('units', format.data)[format.unit][format.unitDisplay];
  return fill(patterns[category] ?? patterns.other, { n: signed }, 'unit');
}

/** The parts of a pattern; text in it is literal, and what is around the spaces is `kind`, if that is given. */
function fill(pattern, marks, kind = undefined) {
  const parts = [];
  for (const text of pattern.split(/(\{[^}]*\})/)) {
    if (text === '') continue;
    if (text.startsWith('{k:')) parts.push({ type: 'compact', value: text.slice(3, -1) });
    else if (text[0] === '{') parts.push(...marks[text.slice(1, -1)]);
    else if (kind === undefined) parts.push({ type: 'literal', value: text });
    else for (const [piece] of text.matchAll(/^\s+|\s+$|\S(?:.*\S)?/gu)) parts.push({ type: /^\s/.test(piece) ? 'literal' : kind, value: piece });
  }
  return parts;
}

export const textOf = (format, value) => partsOf(format, value).map((part) => part.value).join('');

const formats = new WeakMap();

function held(object) {
  const format = formats.get(object);
  if (format === undefined) throw new TypeError(`Method Intl.NumberFormat called on incompatible receiver ${String(object)}`);
  return format;
}

class NumberFormatClass {
  constructor(locales = undefined, options = undefined) {
    formats.set(this, { ...readFormat(locales, options), bound: undefined });
  }
  get format() {
    const format = held(this);
    format.bound ??= { format: (value) => textOf(format, value) }.format;
    return format.bound;
  }
  formatToParts(value) { return partsOf(held(this), value); }
  formatRange() { return refuse('Intl.NumberFormat.prototype.formatRange'); }
  formatRangeToParts() { return refuse('Intl.NumberFormat.prototype.formatRangeToParts'); }
  resolvedOptions() {
    const format = held(this);
    const made = { locale: format.locale, numberingSystem: 'latn', style: format.style };
    if (format.style === 'currency') for (const name of ['currency', 'currencyDisplay', 'currencySign']) made[name] = format[name];
    if (format.style === 'unit') Object.assign(made, { unit: format.unit, unitDisplay: format.unitDisplay });
    Object.assign(made, resolvedDigits(format.digits), { useGrouping: format.grouping, notation: format.notation });
    if (format.notation === 'compact') made.compactDisplay = format.compactDisplay;
    return Object.assign(made, {
      signDisplay: format.signDisplay, roundingIncrement: 1, roundingMode: format.digits.mode,
      roundingPriority: format.digits.both ? 'morePrecision' : 'auto', trailingZeroDisplay: format.digits.trailing,
    });
  }
  get [Symbol.toStringTag]() { return 'Intl.NumberFormat'; }
}
NumberFormatClass.supportedLocalesOf = supportedLocalesOf;

export const NumberFormat = callable(NumberFormatClass, 'NumberFormat');
