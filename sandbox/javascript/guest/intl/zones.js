// Time zones: their names, and the time of day that clocks show in them.

import { about, zoneOffset } from './data.js';

const OFFSET = /^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$/;

/** A zone by any of its names: {name, offset in seconds, undefined when it varies}. */
export function zoneNamed(name) {
  if (name === undefined) return { name: 'UTC', offset: 0 };
  const text = String(name);
  const fixed = OFFSET.exec(text);
  if (fixed !== null) {
    const [, sign, hours, minutes = '00'] = fixed;
    const seconds = (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
    return { name: `${seconds === 0 ? '+' : sign}${hours}:${minutes}`, offset: seconds };
  }
  if (/^(etc\/)?utc$/i.test(text)) return { name: 'UTC', offset: 0 };
  const known = about('zone', text.toLowerCase());
  if (known === undefined || zoneOffset(known.name, 0) === undefined) throw new RangeError(`Invalid time zone specified: ${text}`);
  return { name: known.name, offset: known.name === 'UTC' ? 0 : undefined, offsets: known.offsets };
}

/** Seconds east of Greenwich in `zone` at `moment`. */
export const offsetAt = (zone, moment) => zone.offset ?? zoneOffset(zone.name, moment);

const two = (number) => String(number).padStart(2, '0');

/** The name of `zone` for the width `style`, in the language whose data is `data`. */
export function zoneName(zone, style, data, offset) {
  const names = about('zoneNames', data);
  if (style === 'short' || style === 'long') {
    const own = names[zone.name]?.[style === 'short' ? 0 : 1];
    const { offsets = [0, 0] } = zone;
    const name = own?.[offset === offsets[0] ? 0 : 1];
    if (name !== undefined && name !== null && offsets.includes(offset)) return name;
  }
  const wide = style === 'long' || style === 'longOffset';
  if (offset === 0) return wide ? names.zero : names.zeroShort;
  const size = Math.abs(offset);
  const [hours, minutes, seconds] = [Math.floor(size / 3600), Math.floor((size % 3600) / 60), size % 60];
  let text = wide ? two(hours) : String(hours);
  if (wide || minutes || seconds) text += names.between + two(minutes);
  if (seconds) text += names.between + two(seconds);
  return (offset < 0 ? names.west : names.east).replace('5', () => text);
}
