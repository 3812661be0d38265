/** What the api holds after so many calls: commands folded as a flow folds them, for the eye. All texts are hostile. */
import { parsed } from "../../json";
import type { Call } from "./journal";

export interface Line {
  readonly path: string;
  readonly value: string;
  /** The call that put it there. */
  readonly sequence: number;
}

/** Members whose first argument is a name under which a later call replaces an earlier one. */
const NAMED = /^(idToken|accessToken)\.setCustomClaim$|^user\.set(User|App)Metadata$|^samlResponse\.setAttribute$|^transaction\.setMetadata$|^cache\.(set|delete)$/;

function values(text: unknown): unknown[] {
  const found = parsed(text);
  return Array.isArray(found) ? found : [];
}

/** The state after the call `last` (its number in the journal), in the order in which it came about. */
export function stateAfter(shown: readonly Call[], last: number): Line[] {
  const lines = new Map<string, Line>();
  for (const { entry, kind, failed, sequence } of shown) {
    if (sequence > last) {
      break;
    }
    if (kind !== "api" || failed || entry.result["recorded"] !== true) {
      continue;
    }
    const path = String(entry.arguments["path"]);
    const [name, ...rest] = values(entry.arguments["arguments"]);
    const key = NAMED.test(path) && typeof name === "string" ? `${path} ${name}` : path;
    const shownValues = key === path ? [name, ...rest].filter((value) => value !== undefined) : rest;
    const value = shownValues.map((item) => JSON.stringify(item)).join(", ");
    const place = key === path && lines.has(key) ? `${key} #${sequence}` : key;
    lines.delete(place);
    lines.set(place, { path: key, value, sequence });
  }
  return [...lines.values()];
}
