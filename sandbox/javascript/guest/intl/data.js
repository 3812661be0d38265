// What the host knows of languages and time zones (sandbox/javascript/locales.py), asked when first needed.

import { localeText } from '../host.js';
import { jsonParse } from '../primordials.js';

const known = new Map();

/** What `area` has for `key`; undefined when it has nothing. */
export function about(area, key) {
  const name = `${area} ${key}`;
  if (!known.has(name)) {
    const text = localeText(area, key);
    known.set(name, text === undefined ? undefined : jsonParse(text));
  }
  return known.get(name);
}

const sets = new Map();

/** The words of a list that the host keeps as text. */
export function listed(key) {
  if (!sets.has(key)) sets.set(key, new Set(about('all', key).split(' ')));
  return sets.get(key);
}

/** Seconds east of Greenwich in `zone` at `moment`; undefined for an unknown zone. */
export function zoneOffset(zone, moment) {
  const text = localeText('offset', `${zone} ${moment}`);
  return text === undefined ? undefined : Number(text);
}
