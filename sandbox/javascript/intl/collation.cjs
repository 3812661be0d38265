// The order of letters in one language: characters in groups that are equal but for accents and case.
'use strict';

const RANGES = [
  [0x20, 0x7e], [0xa0, 0x24f], [0x2b0, 0x2ff], [0x370, 0x52f], [0x5d0, 0x5ea], [0x621, 0x64a], [0x1e00, 0x1fff],
  [0x2010, 0x205e], [0x20a0, 0x20c0], [0x2100, 0x214f], [0x2190, 0x22ff], [0x3001, 0x30ff],
];
const PAIRS = ['ae', 'oe', 'ss', 'ij', 'dz', 'lj', 'nj', 'th', 'st', 'ff', 'fi', 'fl'];

/**
 * {order: one string for each primary weight, its characters by accent, then case; U+0000 between accents;
 * pairs: characters that stand for two, say æ, with the two}
 */
exports.collation = function collation(locale) {
  const strength = (sensitivity) => new Intl.Collator(locale, { sensitivity }).compare;
  const [base, accent, variant] = ['base', 'accent', 'variant'].map(strength);
  const pairs = {};
  const single = [];
  for (const [first, last] of RANGES) {
    for (let code = first; code <= last; code += 1) {
      const text = String.fromCodePoint(code);
      if (!/\p{Assigned}/u.test(text) || variant(text, '') === 0) continue;
      const pair = PAIRS.find((two) => base(text, two) === 0);
      if (pair === undefined) single.push(text);
      else pairs[text] = pair;
    }
  }
  single.sort(variant);
  const order = [];
  single.forEach((text, at) => {
    if (at > 0 && base(text, single[at - 1]) === 0) order.push(order.pop() + (accent(text, single[at - 1]) === 0 ? '' : '\u0000') + text);
    else order.push(text);
  });
  const rules = new Intl.Collator(locale).resolvedOptions();
  return { order, pairs, locale: rules.locale, caseFirst: rules.caseFirst, ignorePunctuation: rules.ignorePunctuation };
};
