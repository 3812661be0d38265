import { beforeEach, expect, test, vi } from "vitest";
import { Feed, merged } from "../src/pages/executions/feed";
import { filters, type Item, matches, parameters } from "../src/pages/executions/filters";
import { navigate } from "../src/router/router";
import { serve } from "./service";

const item = (id: string, more: Partial<Item> = {}): Item => ({
  id,
  trigger_id: "post-login",
  status: "final",
  decision: "allow",
  results: [],
  created_at: "2026-12-01T10:00:00.000000Z",
  updated_at: "2026-12-01T10:00:00.000000Z",
  ...more,
});
const ids = (items: readonly Item[]) => items.map(({ id }) => id);

beforeEach(() => navigate("/executions"));

test("new executions come first, and one that is there is brought up to date in its place", () => {
  const present = [item("b"), item("a", { status: "pending" })];
  const shown = merged([item("c"), item("a", { status: "final" })], present, "newer");
  expect(ids(shown)).toEqual(["c", "b", "a"]);
  expect(shown[2]?.status).toBe("final");
});

test("older ones follow, without those that the tail brought already", () => {
  expect(ids(merged([item("b"), item("a")], [item("c"), item("b")], "older"))).toEqual(["c", "b", "a"]);
});

test("filters live in the address, and unknown values are none", () => {
  navigate("/executions?trigger=post-login&decision=maybe&status=final&span=15m&user=x");
  const wanted = filters();
  expect(wanted).toMatchObject({ trigger: "post-login", decision: "", status: "final", user: "x" });
  expect(parameters(wanted, new Date("2026-12-01T10:15:00Z"))).toEqual({
    trigger: "post-login",
    status: "final",
    user: "x",
    from: "2026-12-01T10:00:00.000Z",
  });
});

test("the tail shows only what matches", () => {
  navigate("/executions?decision=deny&action=guard");
  const ran = { action_name: "guard", action_id: "1" } as Item["results"][number];
  expect(matches(item("a", { decision: "deny", results: [ran] }), filters())).toBe(true);
  expect(matches(item("b", { decision: "deny" }), filters())).toBe(false);
  expect(matches(item("c", { results: [ran] }), filters())).toBe(false);
});

test("portions follow each other with the service's cursor", async () => {
  const asked = serve({
    "GET /runtime/v1/executions": ({ query }) =>
      query.get("after") === "n1"
        ? { body: { executions: [item("a")] } }
        : { body: { executions: [item("b")], next: "n1" } },
  });
  const feed = new Feed(filters());
  await feed.load();
  expect(feed.hasMore.value).toBe(true);
  await feed.load();
  expect(ids(feed.items.value)).toEqual(["b", "a"]);
  expect(feed.hasMore.value).toBe(false);
  expect(asked.map(({ query }) => query.get("after"))).toEqual([null, "n1"]);
});

/** A service with a stream that the test writes to. */
function stream() {
  let write: (text: string) => void = () => undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      write = (text) => controller.enqueue(new TextEncoder().encode(text));
    },
  });
  vi.stubGlobal("fetch", async () => new Response(body, { headers: { "Content-Type": "text/event-stream" } }));
  return (text: string) => write(text);
}

const event = (found: Item) => `id: ${found.id}\ndata: ${JSON.stringify(found)}\n\n`;

test("the tail shows what ends, newest first, and tells what the service left out", async () => {
  const write = stream();
  const feed = new Feed(filters());
  feed.follow();
  write(`: open\n\n${event(item("a"))}${event(item("b"))}: 7 executions were left out\n\n`);
  await vi.waitFor(() => expect(ids(feed.items.value)).toEqual(["b", "a"]));
  expect(feed.tail.value).toBe("open");
  expect(feed.dropped.value).toBe(7);
  feed.close();
});

test("while it is paused a bounded number waits, and what gave way is counted", async () => {
  const write = stream();
  const feed = new Feed(filters());
  feed.follow();
  feed.pause();
  write(Array.from({ length: 2500 }, (_, index) => event(item(`${index}`))).join(""));
  await vi.waitFor(() => expect(feed.waiting.value).toBe(1000));
  expect(feed.items.value).toHaveLength(0);
  expect(feed.dropped.value).toBe(1500);
  feed.resume();
  expect(feed.items.value).toHaveLength(1000);
  expect(feed.items.value[0]?.id).toBe("2499");
  feed.close();
});
