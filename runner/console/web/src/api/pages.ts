import { useEffect } from "preact/hooks";
import { type Signal, useSignal } from "@preact/signals";

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; undefined on the last one. */
  readonly next?: string | undefined;
}

export interface Pages<T> {
  readonly items: Signal<readonly T[]>;
  readonly loading: Signal<boolean>;
  readonly error: Signal<unknown>;
  readonly more: Signal<boolean>;
  /** Loads the next page. */
  readonly next: () => void;
  /** Loads from the beginning. */
  readonly reload: () => void;
}

/** A list that comes in pages; loaded anew when a value of `on` changes. */
export function usePages<T>(load: (from: string | undefined) => Promise<Page<T>>, on: readonly unknown[]): Pages<T> {
  const items = useSignal<readonly T[]>([]);
  const loading = useSignal(true);
  const error = useSignal<unknown>(null);
  const more = useSignal(false);
  const cursor = useSignal<string | undefined>(undefined);
  const turn = useSignal(0);

  const ask = async (from: string | undefined) => {
    const mine = ++turn.value;
    loading.value = true;
    error.value = null;
    try {
      const page = await load(from);
      if (mine === turn.peek()) {
        items.value = from === undefined ? page.items : [...items.peek(), ...page.items];
        cursor.value = page.next;
        more.value = page.next !== undefined;
      }
    } catch (failure) {
      if (mine === turn.peek()) {
        error.value = failure;
      }
    } finally {
      if (mine === turn.peek()) {
        loading.value = false;
      }
    }
  };
  useEffect(() => {
    void ask(undefined);
    return () => {
      turn.value += 1;
    };
  }, on);
  return { items, loading, error, more, next: () => void ask(cursor.peek()), reload: () => void ask(undefined) };
}
