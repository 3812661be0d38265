/** Values that people type: JSON objects, and lines of NAME=VALUE. */
import { isObject, type Json } from "../../json";

/** The object that a text is as JSON, or what is wrong with it. An empty text is an empty object. */
export function object(text: string): Json | string {
  if (text.trim() === "") {
    return {};
  }
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : text.trim().slice(0, 40);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The pairs of lines `NAME=VALUE`; a line without `=` has an empty value. */
export function pairs(text: string): Record<string, string> {
  const found = Object.create(null) as Record<string, string>;
  for (const line of text.split("\n")) {
    const [name = "", ...value] = line.split("=");
    if (name.trim() !== "") {
      found[name.trim()] = value.join("=").trim();
    }
  }
  return found;
}

/** The claims of the first JWT among the parameters of an address, unverified; null when there is none. */
export function tokenClaims(address: string): unknown {
  let parameters: URLSearchParams;
  try {
    parameters = new URL(address).searchParams;
  } catch {
    return null;
  }
  for (const value of parameters.values()) {
    const payload = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(value)?.[1];
    if (payload) {
      try {
        const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
        return JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        continue;
      }
    }
  }
  return null;
}
