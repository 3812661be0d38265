import { expect, test } from "vitest";
import { pieces, plain, prefix } from "../src/components/escape";

const shown = (text: string) => pieces(text).map((piece) => (piece.escaped ? `[${piece.text}]` : piece.text)).join("");

test.each([
  ["plain text, with <b>markup</b> & entities", "plain text, with <b>markup</b> & entities"],
  ["user\u202egnp.exe", "user[\\u202e]gnp.exe"],
  ["a\u0000b\u001b[31m", "a[\\u0000]b[\\u001b][31m"],
  ["line\r\nnext\tcolumn", "line[\\u000d]\nnext\tcolumn"],
  ["zero\u200bwidth\ufeff", "zero[\\u200b]width[\\ufeff]"],
  ["half \ud800 pair", "half [\\ud800] pair"],
  ["tag \u{e0041}", "tag [\\u{e0041}]"],
  ["\u2028\u2029\u0085", "[\\u2028][\\u2029][\\u0085]"],
  ["\u2066isolate\u2069 \u061c", "[\\u2066]isolate[\\u2069] [\\u061c]"],
  ["blank\u3164filler", "blank[\\u3164]filler"],
  ["family 👨‍👩‍👧 and ❤️‍🔥", "family 👨‍👩‍👧 and ❤️‍🔥"],
  ["joiner\u200dbetween letters", "joiner[\\u200d]between letters"],
  ["Ünïcödé 漢字 العربية 🙂", "Ünïcödé 漢字 العربية 🙂"],
  ["", ""],
])("%j is shown as %j", (text, expected) => {
  expect(shown(text)).toBe(expected);
});

test("a prefix does not end within a pair", () => {
  expect(prefix("ab🙂", 3)).toBe("ab");
  expect(prefix("ab🙂", 4)).toBe("ab🙂");
});

test("text for attributes is escaped and cut", () => {
  expect(plain("a\u202eb")).toBe("a\\u202eb");
  expect(plain("x".repeat(300), 10)).toBe(`${"x".repeat(10)}…`);
});
