import { useId } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Signal } from "@preact/signals";

interface Props {
  label: string;
  /** What to write here. */
  hint?: ComponentChildren;
  /** What is wrong with what was written. */
  error?: string | null;
  children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }) => ComponentChildren;
}

/** A control with its label, hint and error, which are bound to it: `<Field …>{(ids) => <input {...ids} />}</Field>`. */
export function Field({ label, hint, error, children }: Props) {
  const id = useId();
  const described = hint || error ? `${id}-about` : undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": described, "aria-invalid": error ? true : undefined })}
      {described && (
        <p id={described} class={error ? "small error" : "small muted"}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

/** Binds a control for text to what is written in it: `<input {...bound(name)} />`. */
export function bound(signal: Signal<string>) {
  return {
    value: signal.value,
    onInput: (event: { currentTarget: { value: string } }) => {
      signal.value = event.currentTarget.value;
    },
  };
}

/** Options that are called as their values. */
export function Options({ of }: { of: readonly string[] }) {
  return (
    <>
      {of.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </>
  );
}
