/** Addresses of the console: paths under /console and their query, kept in signals. */
import { computed, signal } from "@preact/signals";
import { texts } from "../texts";

export const BASE = "/console";

const address = signal(read());

function read(): { path: string; query: URLSearchParams } {
  const path = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : "";
  return { path: path.replace(/\/+$/, "") || "/", query: new URLSearchParams(location.search) };
}

/** The path under /console, as `/executions`. */
export const path = computed(() => address.value.path);

/** The query; change it with `setQuery`. */
export const query = computed(() => address.value.query);

/** Asks before a page with unsaved changes is left; set by the page, and unset when it goes. */
export const leaving: { allowed: (() => boolean) | null } = { allowed: null };

/** Whether the page may be left: it has no changes, or the user gives them up. */
function mayLeave(): boolean {
  return !leaving.allowed || leaving.allowed() || confirm(texts.shell.leave);
}

addEventListener("popstate", () => {
  const next = read();
  if (next.path === address.value.path || mayLeave()) {
    address.value = next;
  } else {
    history.pushState(null, "", whole(address.value)); // stay
  }
});

function whole({ path: under, query: parameters }: { path: string; query: URLSearchParams }): string {
  return BASE + under + (parameters.size > 0 ? `?${parameters}` : "");
}

addEventListener("beforeunload", (event) => {
  if (leaving.allowed && !leaving.allowed()) {
    event.preventDefault();
  }
});

/** Goes to `to`, a path under /console with its query, as `/executions?status=final`. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  const target = new URL(BASE + to, location.origin).pathname;
  if (target !== BASE + address.value.path && !mayLeave()) {
    return;
  }
  history[options.replace ? "replaceState" : "pushState"](null, "", BASE + to);
  const before = address.value.path;
  address.value = read();
  if (before !== address.value.path) {
    scrollTo(0, 0);
  }
}

/** Sets parameters of the query in place; an empty or missing value takes one away. */
export function setQuery(values: Record<string, string | undefined>, options: { push?: boolean } = {}): void {
  const next = new URLSearchParams(address.value.query);
  for (const [name, value] of Object.entries(values)) {
    if (value) {
      next.set(name, value);
    } else {
      next.delete(name);
    }
  }
  const text = next.toString();
  navigate(address.value.path + (text && `?${text}`), { replace: !options.push });
}

/** The parameters of `pattern` (`/actions/:id`) in a path; null if it is another. A part that is no URL text is another. */
export function match(pattern: string, found: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const parts = found.split("/");
  if (wanted.length !== parts.length) {
    return null;
  }
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = parts[index] ?? "";
    if (!part.startsWith(":")) {
      if (part !== value) {
        return null;
      }
      continue;
    }
    try {
      params[part.slice(1)] = decodeURIComponent(value);
    } catch {
      return null;
    }
  }
  return params;
}

/** A path with its parts escaped: to`/actions/${id}`. */
export function to(strings: TemplateStringsArray, ...parts: string[]): string {
  return strings.reduce((text, string, index) => text + encodeURIComponent(parts[index - 1] ?? "") + string);
}
