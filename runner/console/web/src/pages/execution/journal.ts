/** The calls of an execution's journal, with their times as far as the record tells them. All texts are hostile. */
import { objectOf, parsed } from "../../json";

export interface Entry {
  readonly sequence: number;
  readonly operation: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly result: Readonly<Record<string, unknown>>;
  readonly repeat?: number;
}

export interface Journal {
  readonly outcome: string | null;
  readonly entries: readonly Entry[];
}

/** One leg of a record, as far as the page uses it. */
export interface Leg {
  readonly number: number;
  readonly actions: readonly { readonly name: string }[];
  readonly executions: readonly { readonly action: number; readonly journal: unknown }[];
  readonly outcome: Readonly<Record<string, unknown>>;
  readonly state: unknown;
}

export type Kind = "request" | "api" | "log" | "clock" | "random" | "compute" | "wait" | "stop";

export const KINDS: readonly Kind[] = ["request", "api", "log", "clock", "random", "compute", "wait", "stop"];

export interface Call {
  /** Number of the entry in its journal. */
  readonly sequence: number;
  readonly entry: Entry;
  readonly kind: Kind;
  /** In one line. */
  readonly title: string;
  /** Milliseconds since the start of the execution. */
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
  /** The answer of a request, of the entry that waited for it; null while none came. */
  readonly answer: Answer | null;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
  readonly error?: string;
}

const KIND_OF: Record<string, Kind> = {
  start: "request",
  cancel: "request",
  api: "api",
  log: "log",
  log_dropped: "log",
  wall: "clock",
  monotonic: "clock",
  random: "random",
  compute: "compute",
  wait: "wait",
  stop: "stop",
};

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Base64 as the text that it is in UTF-8; what is not stays as it came. */
export function decoded(base64: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  } catch {
    return base64;
  }
}

function answerOf(wait: Entry): Answer | null {
  const settled = objectOf(parsed(wait.result["answer"]));
  const ok = objectOf(settled["ok"]);
  if (typeof ok["status"] === "number") {
    const headers = Array.isArray(ok["headers"])
      ? ok["headers"].flatMap((pair): [string, string][] => (Array.isArray(pair) ? [[text(pair[0]), text(pair[1])]] : []))
      : [];
    return { status: ok["status"], headers, body: decoded(text(ok["body"])) };
  }
  const error = objectOf(settled["error"]);
  return "message" in error ? { error: text(error["message"]) } : null;
}

function titleOf({ operation, arguments: given, result }: Entry): string {
  if (operation === "api") {
    const values = text(given["arguments"]).replace(/^\[|\]$/g, "");
    return `api.${text(given["path"])}(${values})`;
  }
  if (operation === "log") {
    return `console.${text(given["level"])} ${text(given["text"])}`;
  }
  if (operation === "start") {
    const request = objectOf(parsed(given["arguments"]));
    return `${text(request["method"]) || "GET"} ${text(request["url"]) || text(given["operation"])}`;
  }
  if (operation === "wait") {
    const handles = Array.isArray(given["handles"]) ? given["handles"].length : 0;
    const ms = given["timeout_ms"];
    return handles === 0 ? `sleep ${typeof ms === "number" ? Math.round(ms) : 0} ms` : `wait for ${handles}`;
  }
  if (operation === "wall" || operation === "monotonic") {
    const ms = typeof result["ms"] === "number" ? result["ms"] : 0;
    return operation === "wall" ? `clock ${isoOf(ms)}` : `timer ${ms} ms`;
  }
  if (operation === "random") {
    return `random, ${String(given["count"])} bytes`;
  }
  if (operation === "stop") {
    return `${text(result["code"])}: ${text(result["message"])}`;
  }
  return operation === "compute" ? `compute ${text(given["operation"])}` : operation;
}

/** ISO time; of a number that is no date, the number. */
export function isoOf(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}

function hasFailed({ operation, result }: Entry, answer: Answer | null): boolean {
  if (operation === "api") {
    return text(result["reply"]).startsWith('{"error":');
  }
  return operation === "stop" || answer?.error !== undefined || (answer?.status ?? 0) >= 400;
}

/**
 * The calls in order. Times come from readings of clocks and from console lines: a call is where the last reading before
 * it left the clock, and a request ends where the call that waited for it did.
 */
export function calls(journal: Journal): Call[] {
  const times = timesOf(journal);
  const answers = new Map<number, { at: number; answer: Answer | null }>();
  const cancelled = new Map<number, number>();
  for (const [index, entry] of journal.entries.entries()) {
    const at = times[index] ?? 0;
    if (entry.operation === "wait" && text(entry.result["answer"])) {
      const handle = objectOf(parsed(entry.result["answer"]))["id"];
      if (typeof handle === "number" && !answers.has(handle)) {
        answers.set(handle, { at, answer: answerOf(entry) });
      }
    } else if (entry.operation === "cancel" && typeof entry.arguments["handle"] === "number") {
      cancelled.set(entry.arguments["handle"], at);
    }
  }
  const last = times.at(-1) ?? 0;
  return journal.entries.map((entry, index) => {
    const at = times[index] ?? 0;
    const before = times[index - 1] ?? 0;
    const handle = entry.operation === "start" ? Number(entry.result["handle"]) : 0;
    const settled = answers.get(handle);
    const answer = settled?.answer ?? null;
    const waits = entry.operation === "wait";
    return {
      sequence: entry.sequence,
      entry,
      kind: KIND_OF[entry.operation] ?? "compute",
      title: titleOf(entry),
      start: waits ? before : at,
      end: handle > 0 ? Math.max(at, settled?.at ?? cancelled.get(handle) ?? last) : at,
      failed: hasFailed(entry, answer),
      answer,
    };
  });
}

/** Of each entry, the time after it. A wait takes until the next reading, because what passes then passes in it. */
function timesOf({ entries }: Journal): number[] {
  const times: number[] = [];
  let now = 0;
  let base: number | null = null;
  let waiting = -1;
  for (const [index, { operation, arguments: given, result }] of entries.entries()) {
    let seen: number | null = null;
    if (operation === "monotonic") {
      seen = Number(result["ms"]);
    } else if (operation === "log") {
      seen = Number(result["at_ms"]);
    } else if (operation === "wall") {
      base ??= Number(result["ms"]) - now;
      seen = Number(result["ms"]) - base;
    } else if (operation === "wait") {
      const slept = !text(result["answer"]) && typeof given["timeout_ms"] === "number" ? given["timeout_ms"] : 0;
      now += slept;
      waiting = index;
    }
    if (seen !== null && Number.isFinite(seen) && seen > now) {
      now = seen;
      for (let at = waiting; at >= 0 && at < index; at++) {
        times[at] = Math.max(times[at] ?? 0, now);
      }
    }
    if (seen !== null) {
      waiting = -1;
    }
    times[index] = now;
  }
  return times;
}

export interface Scale {
  /** Position of a time, from 0 to 1. */
  readonly at: (ms: number) => number;
  /** Idle times that were squeezed. */
  readonly gaps: readonly { readonly start: number; readonly end: number }[];
}

const IDLE_SHARE = 0.04; // of the width, for a squeezed gap, however long

/** A scale on which idle times (nothing begins, nothing ends) take no more than a sliver. */
export function squeezed(shown: readonly Call[]): Scale {
  const marks = [...new Set(shown.flatMap(({ start, end }) => [start, end]))].toSorted((one, other) => one - other);
  const steps = marks.slice(1).map((mark, index) => mark - (marks[index] ?? 0));
  const usual = steps.toSorted((one, other) => one - other)[Math.floor((steps.length - 1) / 2)] ?? 0;
  const longest = Math.max(usual * 8, 5);
  const widths = steps.map((step) => Math.min(step, longest));
  const gaps = steps.flatMap((step, index) =>
    step > longest ? [{ start: marks[index] ?? 0, end: marks[index + 1] ?? 0 }] : [],
  );
  const least = widths.reduce((sum, width) => sum + width, 0) * IDLE_SHARE;
  const places: number[] = [0];
  for (const [index, width] of widths.entries()) {
    places.push((places[index] ?? 0) + Math.max(width, steps[index] === 0 ? 0 : Math.min(least, longest)));
  }
  const total = places.at(-1) || 1;
  return {
    gaps,
    at(ms) {
      const after = marks.findIndex((mark) => mark >= ms);
      if (after <= 0) {
        return after === 0 ? 0 : 1;
      }
      const [from, to] = [marks[after - 1] ?? 0, marks[after] ?? 0];
      const [low, high] = [places[after - 1] ?? 0, places[after] ?? 0];
      return (low + ((high - low) * (ms - from)) / (to - from || 1)) / total;
    },
  };
}

/** What can stand in place of the answer of a call; null for calls whose answer follows from the others. */
export function changeable({ entry, kind, answer }: Call): string | null {
  if (kind === "request" && entry.operation === "start" && answer) {
    const { status, headers, body, error } = answer;
    const value = error === undefined ? { status, headers: Object.fromEntries(headers ?? []), body } : { error };
    return JSON.stringify(value, null, 2);
  }
  if (kind === "api" && /^(cache\.get$|groups\.|roles\.)/.test(text(entry.arguments["path"]))) {
    const reply = objectOf(parsed(entry.result["reply"]));
    return "error" in reply ? null : JSON.stringify(reply["ok"] ?? null, null, 2);
  }
  return entry.operation === "wall" ? String(entry.result["ms"]) : null;
}
