/** What an execution changes, as lines of a difference. All texts are hostile. */
import { isObject, type Json, objectOf } from "../../json";

export interface Change {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

function own(value: Json, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function shown(value: unknown): string | null {
  return value === undefined ? null : (JSON.stringify(value) ?? null);
}

function isNothing(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    value === false ||
    (Array.isArray(value) && value.length === 0) ||
    (typeof value === "object" && Object.keys(value).length === 0)
  );
}

/** Effects that change something which the event has: where that stands. */
const BEFORE: Record<string, readonly string[]> = {
  user_metadata: ["user", "user_metadata"],
  app_metadata: ["user", "app_metadata"],
  transaction_metadata: ["transaction", "metadata"],
};

/** The changes that the effects of an outcome ask for. `event`: what was there before; null when nobody knows. */
export function changes(effects: unknown, event: unknown): Change[] {
  const found: Change[] = [];
  for (const [name, value] of Object.entries(objectOf(effects))) {
    if (name === "decision" || isNothing(value)) {
      continue;
    }
    const there = BEFORE[name]?.reduce<unknown>((item, part) => own(objectOf(item), part), event);
    if (isObject(value)) {
      for (const [key, inner] of Object.entries(value)) {
        const before = shown(own(objectOf(there), key));
        if (!isNothing(inner) || before !== null) {
          found.push({ path: `${name}.${key}`, before, after: inner === null ? null : shown(inner) });
        }
      }
    } else {
      found.push({ path: name, before: null, after: shown(value) });
    }
  }
  return found;
}
