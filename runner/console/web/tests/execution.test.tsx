import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { CallDetail } from "../src/pages/execution/call_detail";
import { changes } from "../src/pages/execution/effects";
import { calls, changeable, decoded, type Entry, squeezed } from "../src/pages/execution/journal";
import { OutcomeDifference } from "../src/pages/execution/outcome";
import { stateAfter } from "../src/pages/execution/state";
import { Timeline } from "../src/pages/execution/timeline";

afterEach(cleanup);

const HOSTILE = "<img src=x onerror=alert(1)>\u202e\u0007";

function journal(...entries: Omit<Entry, "sequence">[]) {
  return { outcome: null, entries: entries.map((entry, index) => ({ ...entry, sequence: index + 1 })) };
}

function claim(name: string, value: unknown): Omit<Entry, "sequence"> {
  return {
    operation: "api",
    arguments: { path: "idToken.setCustomClaim", arguments: JSON.stringify([name, value]) },
    result: { reply: "{}", recorded: true },
  };
}

const FETCHED = journal(
  { operation: "log", arguments: { level: "log", text: "begin" }, result: { at_ms: 2, cut_bytes: 0 } },
  {
    operation: "start",
    arguments: { operation: "fetch", arguments: '{"url":"https://a.example/x","method":"POST"}' },
    result: { handle: 1 },
  },
  {
    operation: "wait",
    arguments: { handles: [1], timeout_ms: null },
    result: { answer: `{"id":1,"ok":{"status":503,"headers":[["a","b"]],"body":"${btoa("later")}"}}` },
  },
  { operation: "log", arguments: { level: "log", text: "end" }, result: { at_ms: 52, cut_bytes: 0 } },
  { operation: "wait", arguments: { handles: [], timeout_ms: 5000 }, result: { answer: "" } },
  claim("plan", "free"),
);

test("a request lasts until it is answered, and has failed when the answer says so", () => {
  const [, request, , end, , last] = calls(FETCHED);
  expect(request).toMatchObject({ kind: "request", title: "POST https://a.example/x", start: 2, end: 52, failed: true });
  expect(request?.answer).toEqual({ status: 503, headers: [["a", "b"]], body: "later" });
  expect(end?.start).toBe(52);
  expect(last?.start).toBe(5052);
});

test("idle time takes a sliver", () => {
  const scale = squeezed(calls(FETCHED));
  expect(scale.gaps).toEqual([{ start: 52, end: 5052 }]);
  const places = [0, 2, 52, 5052].map(scale.at);
  expect(places).toEqual(places.toSorted((one, other) => one - other));
  expect(scale.at(5052)).toBe(1);
});

test.each([[[]], [[journal().entries]]])("a scale of nothing is a scale", () => {
  expect(squeezed([]).at(7)).toBe(1);
  expect(calls(journal())).toEqual([]);
});

test("what a journal may hold is told, whatever it is", () => {
  const odd = calls(
    journal(
      { operation: "start", arguments: { operation: "fetch", arguments: "{" }, result: { handle: 9 } },
      { operation: "api", arguments: { path: "__proto__", arguments: "no json" }, result: { reply: '{"error":{}}', recorded: false } },
      { operation: "wait", arguments: { handles: [9], timeout_ms: null }, result: { answer: '{"id":9,"error":{"message":"x"}}' } },
      { operation: "unheard", arguments: {}, result: {} },
      { operation: "wall", arguments: {}, result: { ms: 9e99 } },
    ),
  );
  expect(odd.map(({ kind, failed }) => [kind, failed])).toEqual([
    ["request", true],
    ["api", true],
    ["wait", false],
    ["compute", false],
    ["clock", false],
  ]);
  expect(stateAfter(odd, 99)).toEqual([]);
  expect(decoded("!")).toBe("!");
});

test("only answers from outside can be others", () => {
  const all = calls(FETCHED);
  expect(all.map((call) => changeable(call) !== null)).toEqual([false, true, false, false, false, false]);
  expect(JSON.parse(changeable(all[1]!) ?? "")).toEqual({ status: 503, headers: { a: "b" }, body: "later" });
});

test("api holds what was said last under a name", () => {
  const all = calls(journal(claim("plan", "free"), claim("plan", "gold"), claim("__proto__", 1)));
  expect(stateAfter(all, 1).map(({ path, value }) => [path, value])).toEqual([["idToken.setCustomClaim plan", '"free"']]);
  expect(stateAfter(all, 9).map(({ value }) => value)).toEqual(['"gold"', "1"]);
});

test("an outcome is a difference to what was there", () => {
  const event = { user: { app_metadata: { plan: "free" } } };
  expect(changes({ decision: "allow", app_metadata: { plan: "gold", old: null }, scopes_added: [] }, event)).toEqual([
    { path: "app_metadata.plan", before: '"free"', after: '"gold"' },
  ]);
  expect(changes({ denial: { reason: "no" } }, null)).toEqual([{ path: "denial.reason", before: null, after: '"no"' }]);
  expect(changes(JSON.parse('{"app_metadata":{"__proto__":1}}'), event)).toEqual([
    { path: "app_metadata.__proto__", before: null, after: "1" },
  ]);
  expect(changes(null, undefined)).toEqual([]);
});

test("hostile calls and outcomes are text", () => {
  const all = calls(journal({ operation: "log", arguments: { level: HOSTILE, text: HOSTILE }, result: { at_ms: 1, cut_bytes: 0 } }));
  const { container } = render(
    <>
      <Timeline calls={all} selected={1} onSelect={() => undefined} />
      <CallDetail call={all[0]!} calls={all} other={undefined} />
      <OutcomeDifference effects={{ [HOSTILE]: HOSTILE }} event={null} />
    </>,
  );
  expect(container.querySelector("img")).toBeNull();
  expect(container.textContent).toContain("\\u202e");
  expect(container.textContent).not.toContain("\u202e");
});

test("an answer is changed only to JSON", () => {
  const all = calls(FETCHED);
  const onChange = vi.fn();
  render(<CallDetail call={all[1]!} calls={all} other={undefined} onChange={onChange} />);
  const field = screen.getByLabelText("Another answer");
  const go = screen.getByRole<HTMLButtonElement>("button", { name: "Change it and go on" });
  fireEvent.input(field, { target: { value: "{" } });
  expect(go.disabled).toBe(true);
  fireEvent.input(field, { target: { value: '{"error":"cut off"}' } });
  fireEvent.click(go);
  expect(onChange).toHaveBeenCalledWith('{"error":"cut off"}');
});
