import { beforeEach, expect, test, vi } from "vitest";
import { leaving, match, navigate, path, query, setQuery, to } from "../src/router/router";

beforeEach(() => navigate("/"));

test("a pattern gives the parts of a path, decoded", () => {
  expect(match("/actions/:id", "/actions/a%2Fb%20c")).toEqual({ id: "a/b c" });
  expect(match("/actions/:id", "/actions/a/versions")).toBeNull();
  expect(match("/actions", "/executions")).toBeNull();
  expect(match("/actions/:id", "/actions/%E0%A4")).toBeNull();
});

test("parts of a path are escaped", () => {
  expect(to`/actions/${"a/../b?c#d"}`).toBe("/actions/a%2F..%2Fb%3Fc%23d");
});

test("filters live in the address", () => {
  navigate("/executions?status=final");
  setQuery({ trigger: "post-login", status: undefined });
  expect(location.pathname + location.search).toBe("/console/executions?trigger=post-login");
  expect(path.value).toBe("/executions");
  expect(query.value.get("trigger")).toBe("post-login");
});

test("a page with changes is left only when the user gives them up", () => {
  navigate("/triggers/post-login");
  leaving.allowed = () => false;
  const confirm = vi.fn(() => false);
  vi.stubGlobal("confirm", confirm);
  navigate("/executions");
  expect(path.value).toBe("/triggers/post-login");
  setQuery({ x: "1" });
  expect(confirm).toHaveBeenCalledTimes(1);
  confirm.mockReturnValue(true);
  navigate("/executions");
  expect(path.value).toBe("/executions");
  leaving.allowed = null;
});
