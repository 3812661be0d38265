/** The keyboard: components say which keys they have while they are there, and `?` shows them all. */
import { useEffect, useRef } from "preact/hooks";
import { signal } from "@preact/signals";

export interface Shortcut {
  /** As `j`, `/`, `?`, `Escape`, `Mod+s`, `Mod+Shift+Enter`; Mod is Ctrl, and also ⌘ on a Mac. */
  readonly keys: string;
  readonly text: string;
  /** The shortcut does not work while this is false. */
  readonly when?: boolean;
  readonly run: (event: KeyboardEvent) => void;
}

interface Registered {
  readonly title: string;
  readonly current: () => readonly Shortcut[];
}

const registered = signal<readonly Registered[]>([]);

/** What works now, by section; for the help. */
export function shortcuts(): { title: string; shortcuts: readonly Shortcut[] }[] {
  return registered.value.map(({ title, current }) => ({ title, shortcuts: current() }));
}

/** Has these keys work while the component is there; those that came last win. */
export function useShortcuts(title: string, list: readonly Shortcut[]): void {
  const latest = useRef(list);
  latest.current = list;
  useEffect(() => {
    const own: Registered = { title, current: () => latest.current };
    registered.value = [...registered.peek(), own];
    return () => {
      registered.value = registered.peek().filter((other) => other !== own);
    };
  }, [title]);
}

/** The name of what was pressed, as in `Shortcut.keys`. */
export function pressed(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const parts = [event.ctrlKey || event.metaKey ? "Mod" : "", event.altKey ? "Alt" : ""];
  const shifted = event.shiftKey && (event.key.length > 1 || event.ctrlKey || event.metaKey);
  return [...parts, shifted ? "Shift" : "", key].filter(Boolean).join("+");
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement ||
      (target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit"].includes(target.type)))
  );
}

/** Runs the shortcut that was pressed. Plain keys are left to fields that are being typed in, and to open dialogs. */
export function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) {
    return;
  }
  const name = pressed(event);
  if (!name.includes("Mod+") && (isTyping(event.target) || document.querySelector("dialog[open]"))) {
    return;
  }
  for (const { current } of registered.peek().toReversed()) {
    const found = current().find(({ keys, when = true }) => keys === name && when);
    if (found) {
      event.preventDefault();
      found.run(event);
      return;
    }
  }
}

const SYMBOLS: Record<string, string> = { Enter: "↵", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };

/** The parts of `keys`, as they are printed on a keyboard. */
export function printed(keys: string): string[] {
  const mac = /Mac|iPhone|iPad/.test(navigator.userAgent);
  return keys.split("+").map((part) => {
    if (part === "Mod") {
      return mac ? "⌘" : "Ctrl";
    }
    return SYMBOLS[part] ?? (part.length === 1 && keys !== part ? part.toUpperCase() : part);
  });
}
