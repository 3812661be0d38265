import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";

const KEY = "actionbox-theme";

/** "auto" follows the system. */
export const theme = signal<Theme>(stored());

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto"; // storage is off
  }
}

effect(() => {
  const { value } = theme;
  if (value === "auto") {
    delete document.documentElement.dataset["theme"];
  } else {
    document.documentElement.dataset["theme"] = value;
  }
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // as above
  }
});
