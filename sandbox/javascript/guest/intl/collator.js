// Intl.Collator: letters, then accents, then case, in the order that the language has.

import { about } from './data.js';
import { callable } from './dates.js';
import { flag, option, refuse, resolveLocale, supportedLocalesOf, tellKeyword, tellLack } from './locales.js';

const SENSITIVITIES = ['base', 'accent', 'case', 'variant'];
/** Primary weights of what no table has: Han and the like, in the order of their code points. */
const BEYOND = 100_000;
const USUAL = /^(standard|default)$/;
const tables = new Map();

/** Character to [letter, accent, case]. */
function tableOf(data) {
  if (tables.has(data)) return tables.get(data);
  const { order, pairs } = about('collation', data);
  const weights = new Map();
  order.forEach((group, letter) => {
    group.split('\0').forEach((same, accent) => {
      [...same].forEach((character, kind) => weights.set(character, [letter + 1, accent, kind]));
    });
  });
  const made = { weights, pairs, sinograms: /^(zh|ja|ko)/.test(data) };
  tables.set(data, made);
  return made;
}

/** The weights of each character of `text`; digits in a row as one when `numeric`. */
function elementsOf(text, { weights, pairs, sinograms }, { numeric, ignorePunctuation }) {
  const made = [];
  const add = (character) => {
    const known = weights.get(character);
    if (known !== undefined) return made.push(known);
    if (pairs[character] !== undefined) return [...pairs[character]].forEach((one) => made.push([weights.get(one)[0], 0, 50]));
    const apart = character.normalize('NFD');
    if (apart !== character) return [...apart].forEach(add);
    const code = character.codePointAt(0);
    if (sinograms && /\p{Script=Han}/u.test(character)) {
      tellLack('the order of Chinese characters', 'their code points are compared');
    }
    if (/\p{M}/u.test(character) && made.length) {
      const [letter, accent, kind] = made.pop();
      return made.push([letter, accent + code, kind]);
    }
    return /\p{C}/u.test(character) ? undefined : made.push([BEYOND + code, 0, 0]);
  };
  const pieces = numeric ? text.split(/(\d+)/) : [text];
  for (const piece of pieces) {
    if (numeric && /^\d/.test(piece)) made.push([weights.get('0')[0], 0, 0, BigInt(piece)]);
    else for (const character of piece.normalize('NFC')) if (!ignorePunctuation || !/[\p{P}\p{Z}]/u.test(character)) add(character);
  }
  return made;
}

function firstDifference(left, right, level) {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at += 1) {
    if (left[at][level] !== right[at][level]) return left[at][level] < right[at][level] ? -1 : 1;
    if (level === 0 && (left[at][3] ?? 0n) !== (right[at][3] ?? 0n)) return (left[at][3] ?? 0n) < (right[at][3] ?? 0n) ? -1 : 1;
  }
  return left.length === right.length ? 0 : left.length < right.length ? -1 : 1;
}

export function readCollator(locales, given = undefined) {
  const resolved = resolveLocale(locales);
  if (given === null) throw new TypeError('Cannot convert undefined or null to object');
  const options = given === undefined ? {} : Object(given);
  const { keywords } = resolved;
  const collation = option(options, 'collation');
  if (collation !== undefined && !USUAL.test(collation)) refuse(`The collation '${collation}'`);
  if (collation === undefined) tellKeyword(keywords, 'co', USUAL, 'collation', 'default');
  const words = about('collation', resolved.data);
  const collator = {
    ...resolved,
    locale: words.locale,
    usage: option(options, 'usage', ['sort', 'search'], 'sort'),
    sensitivity: option(options, 'sensitivity', SENSITIVITIES, 'variant'),
    ignorePunctuation: flag(options, 'ignorePunctuation', words.ignorePunctuation),
    numeric: flag(options, 'numeric', keywords.has('kn') && keywords.get('kn') !== 'false'),
    caseFirst: option(options, 'caseFirst', ['upper', 'lower', 'false'], keywords.get('kf') ?? words.caseFirst),
  };
  if (collator.usage === 'search') refuse("The usage 'search' of Intl.Collator");
  return collator;
}

const PLAIN = /^[a-z0-9 ]*$/i;

/** `compare` of texts that are in the same order in every language with a root order; undefined for others. */
export function comparePlain(left, right) {
  if (!PLAIN.test(left) || !PLAIN.test(right)) return undefined;
  const [one, other] = [left.toLowerCase(), right.toLowerCase()];
  if (one !== other) return one < other ? -1 : 1;
  return left === right ? 0 : left > right ? -1 : 1; // small letters first
}

export function compare(collator, left, right) {
  [left, right] = [String(left), String(right)];
  if (left === right) return 0;
  const table = tableOf(collator.data);
  const [one, other] = [elementsOf(left, table, collator), elementsOf(right, table, collator)];
  const { sensitivity, caseFirst } = collator;
  let order = firstDifference(one, other, 0);
  if (order === 0 && (sensitivity === 'accent' || sensitivity === 'variant')) order = firstDifference(one, other, 1);
  if (order === 0 && (sensitivity === 'case' || sensitivity === 'variant')) {
    order = firstDifference(one, other, 2);
    if (caseFirst === 'upper') order = -order;
  }
  return order + 0;
}

const held = new WeakMap();

class CollatorClass {
  constructor(locales = undefined, options = undefined) {
    held.set(this, { ...readCollator(locales, options), bound: undefined });
  }
  get compare() {
    const collator = held.get(this);
    collator.bound ??= { compare: (left, right) => compare(collator, left, right) }.compare;
    return collator.bound;
  }
  resolvedOptions() {
    const { locale, usage, sensitivity, ignorePunctuation, numeric, caseFirst } = held.get(this);
    return { locale, usage, sensitivity, ignorePunctuation, collation: 'default', numeric, caseFirst };
  }
  get [Symbol.toStringTag]() { return 'Intl.Collator'; }
}
CollatorClass.supportedLocalesOf = supportedLocalesOf;

export const Collator = callable(CollatorClass, 'Collator');
