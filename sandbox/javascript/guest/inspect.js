// Values as Node shows them. `node-inspect-extracted` is Node's own util.inspect, packed for elsewhere.

import nodeInspect from 'node-inspect-extracted';

export const { inspect, format, formatWithOptions, getStringWidth, stripVTControlCharacters } = nodeInspect;

/** `inspect` that cannot throw. */
export function inspectSafely(value, options = undefined, defaults = undefined) {
  try {
    return inspect(value, { ...defaults, ...options });
  } catch {
    return '[a value that cannot be shown]';
  }
}
