/** Evidence of guards over time: what decisions kept, and what was seen while the page is open. */
import type { Management } from "../../api/client";
import type { Reading } from "../../pictures/evidence";

type Rollout = Management["Rollout"];

function guardsOf(evidence: unknown): { guard: string; factor: number }[] {
  const { guards } = (evidence ?? {}) as { guards?: unknown };
  return Array.isArray(guards)
    ? guards.filter(
        (item): item is { guard: string; factor: number } =>
          typeof item === "object" && item !== null && typeof item.guard === "string" && typeof item.factor === "number",
      )
    : [];
}

/** By guard, in order. `seen`: the rollout as it was at moments in the past. */
export function readings(rollout: Rollout, seen: readonly { at: number; rollout: Rollout }[]): Map<string, Reading[]> {
  const found = new Map<string, Reading[]>();
  const note = (guard: string, at: number, factor: number) => {
    found.set(guard, [...(found.get(guard) ?? []), { at, factor }]);
  };
  for (const { guard } of rollout.evidence) {
    note(guard, Date.parse(rollout.created_at), 1); // nothing speaks for or against it yet
  }
  for (const decision of rollout.decisions.toSorted((one, other) => one.at.localeCompare(other.at))) {
    for (const { guard, factor } of guardsOf(decision.evidence)) {
      note(guard, Date.parse(decision.at), factor);
    }
  }
  for (const { at, rollout: then } of seen) {
    for (const { guard, factor } of then.evidence) {
      note(guard, at, factor);
    }
  }
  for (const list of found.values()) {
    list.sort((one, other) => one.at - other.at);
  }
  return found;
}
