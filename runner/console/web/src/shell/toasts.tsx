import { signal } from "@preact/signals";
import { Hostile } from "../components/hostile";
import { texts } from "../texts";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: "good" | "bad";
}

const SHOWN_MS = 6000;
const toasts = signal<readonly Toast[]>([]);
let last = 0;

/** Shows a short message; failures stay until they are closed. The text may be hostile. */
export function toast(text: string, kind: Toast["kind"] = "good"): void {
  const id = ++last;
  toasts.value = [...toasts.value, { id, text, kind }].slice(-4);
  if (kind === "good") {
    setTimeout(() => close(id), SHOWN_MS);
  }
}

function close(id: number): void {
  toasts.value = toasts.value.filter((shown) => shown.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, kind }) => (
        <div key={id} class={`toast ${kind}`}>
          <Hostile text={text} limit={400} brief />
          <button type="button" class="quiet icon" aria-label={texts.close} onClick={() => close(id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
