import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test } from "vitest";
import { Hostile } from "../src/components/hostile";

afterEach(cleanup);

test.each(["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "__proto__", "javascript:alert(1)"])(
  "%j is text",
  (text) => {
    const { container } = render(<Hostile text={text} />);
    expect(container.textContent).toBe(text);
    expect(container.querySelectorAll("img, script, a")).toHaveLength(0);
  },
);

test("what cannot be seen is marked", () => {
  const { container } = render(<Hostile text={"a\u202eb"} />);
  expect(container.querySelector(".escaped")?.textContent).toBe("\\u202e");
  expect(container.querySelector("bdi")).not.toBeNull();
});

test("a megabyte in one line is cut, and the rest is there on request", () => {
  const { container } = render(<Hostile text={"x".repeat(1_000_000)} limit={500} />);
  expect(container.textContent?.length).toBeLessThan(600);
  fireEvent.click(screen.getByRole("button", { name: "Show more (999,500 characters)" }));
  expect(container.textContent?.length).toBeGreaterThan(15_000);
});

test("a brief text has no button", () => {
  render(<Hostile text={"x".repeat(100)} limit={10} brief />);
  expect(screen.queryByRole("button")).toBeNull();
  expect(screen.getByText("xxxxxxxxxx…")).not.toBeNull();
});
