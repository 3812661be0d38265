import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test } from "vitest";
import { api, ask, connected } from "../src/api/client";
import { sessionState } from "../src/api/session";
import { App } from "../src/app";
import { target } from "../src/pages/sign_in";
import { navigate, path, query } from "../src/router/router";
import { serve, session } from "./service";

const TRIGGERS = { "GET /api/v2/actions/triggers": { body: { triggers: [] } } };
const NOBODY = { body: { signed_in: false, ways: ["client", "link"] } };

beforeEach(() => {
  sessionState.value = { state: "unknown" };
  connected.value = true;
  navigate("/");
});
afterEach(cleanup);

test("whoever is not signed in is asked to, and gets where they wanted to go", async () => {
  const me = session("read:actions");
  const asked = serve({
    ...TRIGGERS,
    "GET /console/api/session": NOBODY,
    "POST /console/api/sign-in/client": { body: me },
  });
  navigate("/triggers?x=1");
  render(<App />);
  fireEvent.input(await screen.findByLabelText("Client id"), { target: { value: "id" } });
  expect(query.value.get("to")).toBe("/triggers?x=1");
  fireEvent.input(screen.getByLabelText("Client secret"), { target: { value: "secret" } });
  fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
  expect(await screen.findByRole("navigation", { name: "Main" })).not.toBeNull();
  expect(path.value).toBe("/triggers");
  expect(asked.find(({ method }) => method === "POST")?.body).toEqual({ client_id: "id", client_secret: "secret" });
});

test("a one-time link signs in, and its token leaves the address", async () => {
  const asked = serve({ ...TRIGGERS, "POST /console/api/sign-in/link": { body: session("read:actions") } });
  location.hash = "#link=t0ken";
  render(<App />);
  expect(await screen.findByRole("navigation", { name: "Main" })).not.toBeNull();
  expect(location.hash).toBe("");
  expect(asked[0]?.body).toEqual({ token: "t0ken" });
});

test("a link that was used leads to the other ways", async () => {
  serve({
    "POST /console/api/sign-in/link": { status: 401, body: { message: "used" } },
    "GET /console/api/session": NOBODY,
  });
  location.hash = "#link=old";
  render(<App />);
  expect(await screen.findByText(/This link was used already/)).not.toBeNull();
});

test("why the identity provider did not sign in is told as text", async () => {
  serve({ "GET /console/api/session": { body: { signed_in: false, ways: ["client", "link", "oidc"] } } });
  navigate("/triggers");
  location.hash = `#sign-in-failed=${encodeURIComponent("<b>no</b>\u202e group")}`;
  render(<App />);
  const told = await screen.findByRole("alert");
  expect(told.textContent).toContain("<b>no</b>\\u202e group");
  expect(location.hash).toBe("");
  expect(screen.getByText("Sign in with your account").getAttribute("href")).toBe(
    "/console/api/sign-in/oidc?to=%2Fconsole%2Ftriggers",
  );
});

test("a session that ends leaves the page, and signing in again goes on with it", async () => {
  const me = session("read:actions");
  serve({
    ...TRIGGERS,
    "GET /console/api/session": { body: me },
    "GET /runtime/v1/executions": { status: 401, body: { message: "ended" } },
    "POST /console/api/sign-in/client": { body: me },
  });
  render(<App />);
  const main = await screen.findByRole("main");
  await ask(api.GET("/runtime/v1/executions", {})).catch(() => undefined);
  expect(await screen.findByText("Your session has ended")).not.toBeNull();
  expect(screen.getByRole("main")).toBe(main);
  fireEvent.input(screen.getByLabelText("Client id"), { target: { value: "id" } });
  fireEvent.input(screen.getByLabelText("Client secret"), { target: { value: "secret" } });
  fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
  await waitFor(() => expect(screen.queryByText("Your session has ended")).toBeNull());
  expect(screen.getByRole("main")).toBe(main);
});

test("a lost connection is told", async () => {
  serve({ ...TRIGGERS, "GET /console/api/session": { body: session("read:actions") }, "GET /runtime/v1/executions": "lost" });
  render(<App />);
  await screen.findByRole("main");
  await ask(api.GET("/runtime/v1/executions", {})).catch(() => undefined);
  expect(await screen.findByText(/The connection to the service is lost/)).not.toBeNull();
});

test("? shows the keys that work, but not while something is typed", async () => {
  serve({ ...TRIGGERS, "GET /console/api/session": { body: session("read:actions") } });
  render(<App />);
  const select = await screen.findByLabelText("Theme");
  fireEvent.keyDown(select, { key: "?" });
  expect(screen.queryByText("Show the keys")).toBeNull();
  await waitFor(() => {
    fireEvent.keyDown(document.body, { key: "?", shiftKey: true });
    expect(screen.getByText("Show the keys")).not.toBeNull();
  });
});

test.each(["https://evil.example", "//evil.example", "/\\evil.example", "/sign-in?to=/", "javascript:alert(1)", ""])(
  "%j is no place to go after signing in",
  (to) => {
    navigate(`/sign-in?to=${encodeURIComponent(to)}`);
    expect(target()).toBe("/");
  },
);
