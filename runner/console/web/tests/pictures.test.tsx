import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, test } from "vitest";
import { optionsAfter, problemsOf, type Declarations } from "../src/pages/actions/declarations";
import { readings } from "../src/pages/rollouts/readings";
import { EvidencePlot } from "../src/pictures/evidence";
import { FlameGraph, placed } from "../src/pictures/flame";
import { HeatMap } from "../src/pictures/heat";
import { Outcomes } from "../src/pictures/outcomes";
import { buckets, rowOf, ticks } from "../src/pictures/scale";

afterEach(cleanup);

test("axes end at round numbers above the most", () => {
  expect(ticks(7)).toEqual([0, 2, 4, 6, 8]);
  expect(ticks(0)).toEqual([0, 1]);
  expect(ticks(Number.NaN)).toEqual([0, 1]);
});

test("every item is in one bucket, and what has no time is in none", () => {
  const found = buckets([1, 5, 9, Number.NaN], (time) => time, 3);
  expect(found.flatMap(({ items }) => items)).toEqual([1, 5, 9]);
  expect(buckets([Number.NaN], (time) => time, 3)).toEqual([]);
  expect(rowOf(0)).toBe(0);
  expect(rowOf(1e9)).toBe(13);
});

test("outcomes and latencies say in words what they show", () => {
  const at = Date.parse("2026-12-01T10:00:00Z");
  render(<Outcomes items={[{ at, decision: "allow" }, { at: at + 5, decision: "deny" }, { at, decision: null }]} />);
  expect(screen.getByRole("img").getAttribute("aria-label")).toBe(
    "Outcomes over time of 3 executions: 1 allow, 1 deny, 1 pending",
  );
  cleanup();
  render(<HeatMap items={[{ at, ms: 3 }, { at: at + 9, ms: 12_000 }]} />);
  expect(screen.getByRole("img").getAttribute("aria-label")).toContain("at most 12.0 s");
  cleanup();
  render(<HeatMap items={[]} />);
  expect(screen.getByText("No times yet")).not.toBeNull();
});

test("frames of a flame graph are as wide as their time and lie within their parent", () => {
  const root = {
    name: "<b>root</b>\u202e",
    ms: 10,
    children: [
      { name: "a", ms: 5, children: [{ name: "b", ms: 50, children: [] }] },
      { name: "c", ms: 5, children: [] },
      { name: "small", ms: 0.001, children: [] },
    ],
  };
  const found = placed(root).map(({ frame, x, width, depth }) => [frame.name.slice(-4), x, width, depth]);
  expect(found).toContainEqual(["a", 0, 500, 1]);
  expect(found).toContainEqual(["b", 0, 500, 2]);
  expect(found).toContainEqual(["c", 500, 500, 1]);
  expect(found).toHaveLength(4);
  const { container } = render(<FlameGraph root={root} />);
  expect(container.querySelector("b")).toBeNull();
});

test("evidence comes from decisions and from what was seen", () => {
  const evidence = [{ guard: "failed", factor: 4, needed: 20 }];
  const rollout = {
    created_at: "2026-12-01T10:00:00Z",
    evidence,
    decisions: [{ at: "2026-12-01T11:00:00Z", evidence: { guards: [{ guard: "failed", factor: 2 }, 7, null] } }],
  } as never;
  const seen = [{ at: Date.parse("2026-12-01T12:00:00Z"), rollout }];
  const found = readings(rollout, seen).get("failed") ?? [];
  expect(found.map(({ factor }) => factor)).toEqual([1, 2, 4]);
  render(<EvidencePlot guard="failed" needed={20} readings={[...found, { at: 0, factor: Infinity }]} />);
  expect(screen.getByRole("img").querySelector("path")?.getAttribute("d")).not.toContain("NaN");
});

const KNOWN = {
  types: {
    Event: [{ name: "user", type: "User", about: "Who.", of: "User" }],
    User: [{ name: "email", type: "string", about: "", of: "" }],
  },
  api: [
    { path: "access.deny", signature: "deny(reason: string): API", about: "Deny." },
    { path: "idToken.setCustomClaim", signature: "setCustomClaim(key: string): API", about: "" },
  ],
} as unknown as Declarations;

test("completions follow the path", () => {
  const labels = (...path: string[]) => optionsAfter(KNOWN, path, ["KEY"]).map(({ label }) => label);
  expect(labels("event")).toEqual(["user"]);
  expect(labels("event", "user")).toEqual(["email"]);
  expect(labels("event", "secrets")).toEqual(["KEY"]);
  expect(labels("event", "user", "email")).toEqual([]);
  expect(labels("api")).toEqual(["access", "idToken"]);
  expect(labels("api", "access")).toEqual(["deny"]);
  expect(labels("api", "__proto__")).toEqual([]);
  expect(labels("event", "__proto__", "constructor")).toEqual([]);
  expect(optionsAfter(KNOWN, ["api", "access"], [])[0]?.detail).toBe("(reason: string): API");
});

test("errors of a build have their places", () => {
  expect(problemsOf([{ msg: "SyntaxError: unexpected token (a b.js:3:5) Mend it." }, { msg: "no package" }])).toEqual([
    { line: 3, column: 5, text: "SyntaxError: unexpected token (a b.js:3:5) Mend it." },
    { line: 1, column: 1, text: "no package" },
  ]);
});
