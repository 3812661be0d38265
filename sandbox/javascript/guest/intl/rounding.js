// The decimal digits of a number, rounded as the options of ECMA-402 say.

import { number, option, refuse } from './locales.js';

const MODES = ['ceil', 'floor', 'expand', 'trunc', 'halfCeil', 'halfFloor', 'halfExpand', 'halfTrunc', 'halfEven'];
const MOST_FRACTION = 100;

/** How many digits to show; see SetNumberFormatDigitOptions in ECMA-402. */
export function digitOptions(options, leastDefault, mostDefault, compact = false) {
  const integer = number(options, 'minimumIntegerDigits', 1, 21, 1);
  const given = {
    least: options.minimumFractionDigits, most: options.maximumFractionDigits,
    leastSignificant: options.minimumSignificantDigits, mostSignificant: options.maximumSignificantDigits,
  };
  const mode = option(options, 'roundingMode', MODES, 'halfExpand');
  if (number(options, 'roundingIncrement', 1, 5000, 1) !== 1) refuse('The option roundingIncrement of Intl.NumberFormat');
  const priority = option(options, 'roundingPriority', ['auto', 'morePrecision', 'lessPrecision'], 'auto');
  if (priority !== 'auto') refuse('The option roundingPriority of Intl.NumberFormat');
  const trailing = option(options, 'trailingZeroDisplay', ['auto', 'stripIfInteger'], 'auto');
  if (given.leastSignificant !== undefined || given.mostSignificant !== undefined) {
    const leastSignificant = number(options, 'minimumSignificantDigits', 1, 21, 1);
    const mostSignificant = number(options, 'maximumSignificantDigits', leastSignificant, 21, 21);
    return { integer, mode, trailing, leastSignificant, mostSignificant };
  }
  if (given.least === undefined && given.most === undefined) {
    if (compact) return { integer, mode, trailing, least: 0, most: 0, leastSignificant: 1, mostSignificant: 2, both: true };
    return { integer, mode, trailing, least: leastDefault, most: mostDefault };
  }
  let least = number(options, 'minimumFractionDigits', 0, MOST_FRACTION);
  let most = number(options, 'maximumFractionDigits', 0, MOST_FRACTION);
  if (least === undefined) least = Math.min(leastDefault, most);
  else if (most === undefined) most = Math.max(mostDefault, least);
  else if (least > most) throw new RangeError('maximumFractionDigits value is out of range.');
  return { integer, mode, trailing, least, most };
}

export function resolvedDigits({ integer, least, most, leastSignificant, mostSignificant }) {
  const made = { minimumIntegerDigits: integer };
  if (least !== undefined) Object.assign(made, { minimumFractionDigits: least, maximumFractionDigits: most });
  if (leastSignificant !== undefined) Object.assign(made, { minimumSignificantDigits: leastSignificant, maximumSignificantDigits: mostSignificant });
  return made;
}

/** The exact decimal digits of a finite number or bigint >= 0: {digits, point}; 0.digits * 10^point. */
function exact(value) {
  if (typeof value === 'bigint') return normal(String(value), String(value).length);
  const [mantissa, exponent = '0'] = shortest(value).split('e');
  const [whole, fraction = ''] = mantissa.split('.');
  return normal(whole + fraction, whole.length + Number(exponent));
}

/** Node rounds what is shown of a number, 1.005 as 1.005, and not its binary value. */
const shortest = (value) => String(value);

function normal(digits, point) {
  const lead = /^0*/.exec(digits)[0].length;
  const kept = digits.slice(lead).replace(/0+$/, '');
  return kept === '' ? { digits: '', point: 0 } : { digits: kept, point: point - lead };
}

/** Whether cutting `digits` at `at` rounds away from zero. */
function roundsUp(digits, at, mode, negative) {
  if (at >= digits.length) return false;
  const next = at < 0 ? 0 : Number(digits[at]);
  const beyond = at < 0 ? digits !== '' : /[1-9]/.test(digits.slice(at + 1));
  const half = next === 5 && !beyond ? 'half' : next >= 5 ? 'more' : 'less';
  if (mode === 'ceil') return !negative;
  if (mode === 'floor') return negative;
  if (mode === 'expand') return true;
  if (mode === 'trunc') return false;
  if (half !== 'half') return half === 'more';
  if (mode === 'halfEven') return at > 0 && Number(digits[at - 1]) % 2 === 1;
  return mode === 'halfExpand' || (mode === 'halfCeil' && !negative) || (mode === 'halfFloor' && negative);
}

function roundAt({ digits, point }, keep, mode, negative) {
  if (keep >= digits.length) return { digits, point };
  let kept = keep > 0 ? digits.slice(0, keep) : '';
  if (roundsUp(digits, keep, mode, negative)) {
    kept = increment(kept);
    if (keep <= 0) return { digits: '1', point: point - keep + 1 };
    if (kept.length > keep) return normal(kept, point + 1);
  }
  return normal(kept, point);
}

function increment(digits) {
  return digits === '' ? '1' : String(BigInt(digits) + 1n).padStart(digits.length, '0');
}

const asText = ({ digits, point }) => {
  if (digits === '') return ['0', ''];
  if (point <= 0) return ['0', '0'.repeat(-point) + digits];
  return [digits.slice(0, point).padEnd(point, '0'), digits.slice(point)];
};

/** The digits of `value` (>= 0) as text, say `1234.50`; `shift` divides by that power of ten first. */
export function digitsOf(value, how, negative = false, shift = 0) {
  const { digits, point } = exact(value);
  const number = { digits, point: digits === '' ? 0 : point - shift };
  const significant = how.mostSignificant !== undefined && (!how.both || number.point < how.leastSignificant + 1);
  let [whole, fraction] = significant
    ? asText(roundAt(number, how.mostSignificant, how.mode, negative))
    : asText(roundAt(number, number.point + how.most, how.mode, negative));
  if (significant && !how.both) fraction = fraction.padEnd(significantFraction(whole, fraction, how.leastSignificant), '0');
  if (!significant) fraction = fraction.padEnd(how.least, '0');
  if (how.trailing === 'stripIfInteger' && /^0*$/.test(fraction)) fraction = '';
  whole = whole.padStart(how.integer, '0');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

function significantFraction(whole, fraction, least) {
  if (whole !== '0') return Math.max(0, least - whole.length);
  const zeros = /^0*/.exec(fraction)[0].length;
  return fraction === '' || zeros === fraction.length ? Math.max(0, least - 1) : zeros + least;
}
