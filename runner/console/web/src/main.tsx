import { render } from "preact";
import "./styles/index.css";
import { App } from "./app";
import { texts } from "./texts";

/** What the console uses that browsers of the last years may lack. */
const NEEDED: Record<string, () => boolean> = {
  "light-dark() of CSS": () => CSS.supports("color", "light-dark(red, red)"),
  "Array.toSorted": () => "toSorted" in Array.prototype,
  "<dialog>": () => "HTMLDialogElement" in globalThis,
};

const root = document.getElementById("root");
const missing = Object.entries(NEEDED).filter(([, isThere]) => !isThere()).map(([name]) => name);
if (root && missing.length > 0) {
  root.textContent = texts.missing(missing.join(", "));
} else if (root) {
  render(<App />, root);
}
