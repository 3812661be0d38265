import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useDraft, type Draft } from "../src/pages/actions/draft";
import { type Asked, serve } from "./service";

beforeEach(() => localStorage.clear());
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function stored(code: string, revision: number) {
  return {
    body: { id: "a", name: "roles", code, status: "built", updated_at: String(revision), secrets: [], dependencies: [] },
    headers: { ETag: `"${revision}"` },
  };
}

let draft: Draft;

function Probe() {
  draft = useDraft("a");
  return (
    <>
      <output>{draft.text.value}</output>
      <p>{draft.theirs.value ? "conflict" : draft.saved.value}</p>
      <button type="button" onClick={() => void draft.save()}>
        save
      </button>
    </>
  );
}

test("what is typed is saved with the tag of what it was written on", async () => {
  let now = stored("old", 1);
  const asked = serve({
    "GET /api/v2/actions/actions/a": () => now,
    "PATCH /api/v2/actions/actions/a": ({ body }: Asked) => (now = stored((body as { code: string }).code, 2)),
  });
  render(<Probe />);
  await screen.findByText("old");
  draft.edit("new");
  expect(localStorage).toHaveLength(1);
  fireEvent.click(screen.getByRole("button"));
  await waitFor(() => expect(localStorage).toHaveLength(0));
  const patch = asked.find(({ method }) => method === "PATCH");
  expect(patch?.headers.get("If-Match")).toBe('"1"');
  expect(now.body.code).toBe("new");
});

test("what somebody else saved is shown beside mine, and neither is lost", async () => {
  let now = stored("theirs", 2);
  let first = true;
  serve({
    "GET /api/v2/actions/actions/a": () => {
      const found = first ? stored("old", 1) : now;
      first = false;
      return found;
    },
    "PATCH /api/v2/actions/actions/a": ({ headers, body }: Asked) => {
      if (headers.get("If-Match") !== now.headers.ETag) {
        return { status: 412, body: { message: "Somebody changed this." } };
      }
      now = stored((body as { code: string }).code, 3);
      return now;
    },
  });
  render(<Probe />);
  await screen.findByText("old");
  draft.edit("mine");
  fireEvent.click(screen.getByRole("button"));
  await screen.findByText("conflict");
  expect(draft.theirs.value?.code).toBe("theirs");
  expect(draft.text.value).toBe("mine");
  expect(now.body.code).toBe("theirs");
  await draft.resolve("both");
  await waitFor(() => expect(now.body.code).toBe("both"));
});

test("a browser gives back what it kept, and a lost connection loses nothing", async () => {
  let lost = true;
  serve({
    "GET /api/v2/actions/actions/a": stored("old", 1),
    "PATCH /api/v2/actions/actions/a": () => (lost ? "lost" : stored("mine", 2)),
  });
  const { unmount } = render(<Probe />);
  await screen.findByText("old");
  draft.edit("mine");
  fireEvent.click(screen.getByRole("button"));
  await waitFor(() => expect(draft.failed.value).not.toBeNull());
  unmount();
  render(<Probe />);
  await screen.findByText("mine");
  expect(draft.restored.value).toBe(true);
  lost = false;
  fireEvent.click(screen.getByRole("button"));
  await screen.findByText("saved");
});

test("typing does not count as a text from elsewhere", async () => {
  serve({ "GET /api/v2/actions/actions/a": stored("old", 1) });
  render(<Probe />);
  await screen.findByText("old");
  const before = draft.turn.value;
  draft.edit("o");
  expect(draft.turn.value).toBe(before);
  draft.replace("other");
  expect(draft.turn.value).toBe(before + 1);
  draft.discard();
  expect(draft.text.value).toBe("old");
});
