/** JSON that others wrote: nothing of it is as it should be until it was looked at. */

export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value, if it is an object; else one without members. */
export function objectOf(value: unknown): Json {
  return isObject(value) ? value : {};
}

/** What a text is as JSON; undefined for what is no text, or no JSON. */
export function parsed(text: unknown): unknown {
  try {
    return typeof text === "string" ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
