/** The executions on the page: loaded in portions, and from the tail as they end. */
import { signal } from "@preact/signals";
import { json } from "../../api/client";
import { follow } from "../../api/stream";
import { type Filters, type Item, matches, parameters } from "./filters";

const PORTION = 100;
const MOST_ROWS = 5000;
const MOST_WAITING = 1000;
const SHOW_EVERY_MS = 200;
const LEFT_OUT = /^(\d+) executions were left out/;

export type TailState = "off" | "connecting" | "open" | "lost";

/** Newest first; the same execution is there once, as it was last heard of. */
export class Feed {
  readonly items = signal<readonly Item[]>([]);
  readonly loading = signal(true);
  readonly error = signal<unknown>(null);
  /** There are older ones at the service. */
  readonly hasMore = signal(false);
  readonly tail = signal<TailState>("off");
  readonly paused = signal(false);
  /** Came in while paused. */
  readonly waiting = signal(0);
  /** Left out by the service or here because they came in too fast, and rows that gave way to newer ones while paused. */
  readonly dropped = signal(0);

  private next: string | undefined;
  private came: Item[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly end = new AbortController();
  private following: AbortController | null = null;

  constructor(private readonly filters: Filters) {}

  /** Loads the first portion, or the next one. */
  async load(): Promise<void> {
    this.loading.value = true;
    this.error.value = null;
    try {
      const wanted = { ...parameters(this.filters, new Date()), per_page: `${PORTION}`, ...(this.next && { after: this.next }) };
      const path = `/runtime/v1/executions?${new URLSearchParams(wanted)}`;
      const page = await json<{ executions: Item[]; next?: string }>("GET", path, undefined, this.end.signal);
      this.next = page.next;
      this.hasMore.value = page.next !== undefined;
      this.items.value = merged(page.executions, this.items.value, "older");
    } catch (error) {
      if (!this.end.signal.aborted) {
        this.error.value = error;
      }
    } finally {
      this.loading.value = false;
    }
  }

  /** Shows executions as they end, until `unfollow`. */
  follow(): void {
    const following = new AbortController();
    this.following = following;
    this.tail.value = "connecting";
    void follow("/runtime/v1/logs/stream", AbortSignal.any([following.signal, this.end.signal]), {
      onState: (state) => (this.tail.value = state),
      onEvent: ({ type, data }) => this.take(type, data),
      onComment: (text) => this.leftOut(Number(LEFT_OUT.exec(text)?.[1] ?? 0)),
      onRefused: (error) => {
        this.tail.value = "off";
        this.error.value = error;
      },
    });
  }

  unfollow(): void {
    this.following?.abort();
    this.following = null;
    this.tail.value = "off";
    this.resume();
  }

  pause(): void {
    this.paused.value = true;
  }

  resume(): void {
    this.paused.value = false;
    this.show();
  }

  close(): void {
    this.end.abort();
    clearTimeout(this.timer);
  }

  private take(type: string, data: string): void {
    let parsed: unknown;
    try {
      parsed = JSON.parse(data);
    } catch {
      return; // the service ended in the middle of it
    }
    if (type === "dropped") {
      this.leftOut(Number((parsed as { count?: number }).count) || 0);
      return;
    }
    const item = parsed as Item;
    if (matches(item, this.filters)) {
      this.came.push(item);
      if (this.came.length > MOST_WAITING) {
        this.came.shift();
        this.leftOut(1);
      }
      this.timer ??= setTimeout(() => this.show(), SHOW_EVERY_MS);
    }
  }

  private leftOut(count: number): void {
    if (count > 0) {
      this.dropped.value += count;
    }
  }

  private show(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.paused.value) {
      this.waiting.value = this.came.length;
      return;
    }
    this.waiting.value = 0;
    if (this.came.length > 0) {
      const shown = merged(this.came.toReversed(), this.items.value, "newer");
      this.came = [];
      this.items.value = shown.length > MOST_ROWS ? shown.slice(0, MOST_ROWS) : shown;
    }
  }
}

/** `present` with `came` before or behind it; an execution that is in both stands where it was, as it came. */
export function merged(came: readonly Item[], present: readonly Item[], where: "newer" | "older"): readonly Item[] {
  const latest = new Map<string, Item>();
  for (const item of came) {
    if (!latest.has(item.id)) {
      latest.set(item.id, item);
    }
  }
  const known = new Set<string>();
  const kept = present.map((item) => {
    known.add(item.id);
    return (where === "newer" && latest.get(item.id)) || item;
  });
  const fresh = [...latest.values()].filter(({ id }) => !known.has(id));
  return where === "newer" ? [...fresh, ...kept] : [...kept, ...fresh];
}
