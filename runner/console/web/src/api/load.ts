import { useEffect } from "preact/hooks";
import { type Signal, useSignal } from "@preact/signals";

export type Loaded<T> = { state: "loading" } | { state: "ready"; data: T } | { state: "failed"; error: unknown };

export interface Load<T> {
  /** While it is loaded again the data before stays. */
  readonly result: Signal<Loaded<T>>;
  readonly reload: () => void;
}

/** Loads when the component is there and when a value of `on` changes; what was asked before is aborted. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, on: readonly unknown[]): Load<T> {
  const result = useSignal<Loaded<T>>({ state: "loading" });
  const turn = useSignal(0);
  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) {
          result.value = { state: "ready", data };
        }
      },
      (error: unknown) => {
        if (!abort.signal.aborted) {
          result.value = { state: "failed", error };
        }
      },
    );
    return () => abort.abort();
  }, [...on, turn.value]);
  return { result, reload: () => (turn.value += 1) };
}
