import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sessionState } from "../src/api/session";
import FlowPage from "../src/pages/triggers/flow_page";
import { type Answer, serve, session } from "./service";

const PATH = "/api/v2/actions/triggers/post-login/bindings";

const binding = (name: string) => ({
  id: `b-${name}`,
  trigger_id: "post-login",
  display_name: name,
  created_at: "2026-12-01T10:00:00Z",
  updated_at: "2026-12-01T10:00:00Z",
  action: { id: `a-${name}`, name, all_changes_deployed: true, deployed_version: { number: 3 } },
});

const stored = (tag: string, ...names: string[]): Answer => ({
  headers: { ETag: tag },
  body: { per_page: 100, bindings: names.map(binding) },
});

const names = () => screen.getAllByRole("link").map((link) => link.textContent).filter((text) => text !== "Triggers");

beforeEach(() => {
  const { signed_in: _, ways: __, ...mine } = session("read:actions", "update:actions");
  sessionState.value = { state: "active", session: mine };
});
afterEach(cleanup);

test("the arrow keys on a handle reorder the flow, and it is applied as a whole", async () => {
  const asked = serve({ [`GET ${PATH}`]: stored('"1"', "one", "two"), [`PATCH ${PATH}`]: stored('"2"', "two", "one") });
  render(<FlowPage params={{ id: "post-login" }} />);
  fireEvent.keyDown(await screen.findByRole("button", { name: /^Move two: drag/ }), { key: "ArrowUp" });
  await waitFor(() => expect(names()).toEqual(["two", "one"]));
  expect(screen.getByText("two is now 1 of 2.")).not.toBeNull();

  fireEvent.click(screen.getByRole("button", { name: "Apply" }));
  await waitFor(() => expect(asked.at(-1)?.method).toBe("PATCH"));
  expect(asked.at(-1)?.headers.get("If-Match")).toBe('"1"');
  expect(asked.at(-1)?.body).toEqual({
    bindings: ["two", "one"].map((name) => ({
      ref: { type: "binding_id", value: `b-${name}` },
      fail_policy: null,
      limits: null,
      secrets: [],
    })),
  });
  await waitFor(() => expect((screen.getByRole("button", { name: "Apply" }) as HTMLButtonElement).disabled).toBe(true));
});

test("policy and limits are set on the spot", async () => {
  const asked = serve({ [`GET ${PATH}`]: stored('"1"', "one"), [`PATCH ${PATH}`]: stored('"2"', "one") });
  render(<FlowPage params={{ id: "post-login" }} />);
  fireEvent.change(await screen.findByLabelText("If it fails"), { target: { value: "fail_open" } });
  fireEvent.change(screen.getByLabelText("Time, ms"), { target: { value: "250" } });
  fireEvent.click(screen.getByRole("button", { name: "Apply" }));
  await waitFor(() => expect(asked.at(-1)?.method).toBe("PATCH"));
  expect(asked.at(-1)?.body).toMatchObject({
    bindings: [{ fail_policy: "fail_open", limits: { wall_ms: 250, memory_mb: null } }],
  });
});

test("what somebody else changed meanwhile is shown, and mine is kept until I choose", async () => {
  let turn = 0;
  const asked = serve({
    [`GET ${PATH}`]: () => (turn++ === 0 ? stored('"1"', "one", "two") : stored('"9"', "two", "theirs")),
    [`PATCH ${PATH}`]: ({ headers }) =>
      headers.get("If-Match") === '"9"' ? stored('"10"', "one") : { status: 412, body: { message: "changed" } },
  });
  render(<FlowPage params={{ id: "post-login" }} />);
  fireEvent.click(await screen.findByRole("button", { name: "Take two out of the flow" }));
  fireEvent.click(screen.getByRole("button", { name: "Apply" }));
  expect(await screen.findByText("Somebody else changed this flow")).not.toBeNull();
  expect(screen.getByText("theirs")).not.toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Apply mine over it" }));
  await waitFor(() => expect(asked.at(-1)?.headers.get("If-Match")).toBe('"9"'));
  await waitFor(() => expect(screen.queryByText("Somebody else changed this flow")).toBeNull());
});

test("without the scope nothing can be changed", async () => {
  const { signed_in: _, ways: __, ...mine } = session("read:actions");
  sessionState.value = { state: "active", session: mine };
  serve({ [`GET ${PATH}`]: stored('"1"', "one") });
  render(<FlowPage params={{ id: "post-login" }} />);
  expect(((await screen.findByLabelText("If it fails")) as HTMLSelectElement).disabled).toBe(true);
  expect(screen.queryByRole("button")).toBeNull();
});
