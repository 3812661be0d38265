/** What to show of the executions; it lives in the address. */
import type { Runtime } from "../../api/client";
import { query } from "../../router/router";

export type Item = Runtime["ExecutionItem"];

export interface Filters {
  readonly trigger: string;
  readonly action: string;
  readonly decision: string;
  readonly status: string;
  readonly user: string;
  /** A span before now as `15m`, or "" for any time, or "custom" with `from` and `to`. */
  readonly span: string;
  readonly from: string;
  readonly to: string;
}

/** Spans before now, in minutes. */
export const SPANS: Readonly<Record<string, number>> = { "15m": 15, "1h": 60, "24h": 1440, "7d": 10_080 };
export const DECISIONS = ["allow", "deny", "suspended", "failed"] as const;
export const STATUSES = ["final", "partial", "pending", "suspended", "canceled"] as const;

/** The filters of the current address; a value that no filter has stands for none. */
export function filters(): Filters {
  const text = (name: string) => query.value.get(name)?.slice(0, 255) ?? "";
  const one = (name: string, known: readonly string[]) => (known.includes(text(name)) ? text(name) : "");
  return {
    trigger: text("trigger").slice(0, 64),
    action: text("action"),
    decision: one("decision", DECISIONS),
    status: one("status", STATUSES),
    user: text("user"),
    span: one("span", [...Object.keys(SPANS), "custom"]),
    from: text("from"),
    to: text("to"),
  };
}

/** The parameters of the service for these filters, at the time `now`. */
export function parameters(wanted: Filters, now: Date): Record<string, string> {
  const { trigger, action, decision, status, user, span } = wanted;
  const minutes = SPANS[span];
  const from = minutes ? new Date(now.getTime() - minutes * 60_000).toISOString() : instant(wanted, "from");
  const all = { trigger, action, decision, status, user, from, to: instant(wanted, "to") };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

function instant({ span, from, to }: Filters, which: "from" | "to"): string {
  const date = new Date(which === "from" ? from : to);
  return span !== "custom" || Number.isNaN(date.getTime()) ? "" : date.toISOString();
}

/** Whether an execution that comes in belongs to what is shown. Users are not known here: see `canFollow`. */
export function matches(item: Item, wanted: Filters): boolean {
  const { trigger, action, decision, status } = wanted;
  const named = ({ action_name, action_id }: Item["results"][number]) => action_name === action || action_id === action;
  return (
    (!trigger || item.trigger_id === trigger) &&
    (!decision || item.decision === decision) &&
    (!status || item.status === status) &&
    (!action || item.results.some(named))
  );
}

/** Whether the tail can be shown with these filters. */
export function canFollow({ user, span }: Filters): boolean {
  return user === "" && span !== "custom";
}

/** Milliseconds from the start of the first Action to the end of the last; null where none ran. */
export function tookMs({ results }: Item): number | null {
  const first = results[0];
  const last = results.at(-1);
  return first && last ? new Date(last.ended_at).getTime() - new Date(first.started_at).getTime() : null;
}
