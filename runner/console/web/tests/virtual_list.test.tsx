import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, test } from "vitest";
import { LogView } from "../src/components/log_view";

afterEach(cleanup);

test("of ten thousand lines only those that are seen are in the document", () => {
  const lines = Array.from({ length: 10_000 }, (_, index) => ({ at_ms: index, level: "log", text: `line ${index}`, cut_bytes: 0 }));
  const { container } = render(<LogView lines={lines} label="Output" />);
  expect(screen.getByText("line 0")).not.toBeNull();
  expect(container.querySelectorAll(".virtual-row").length).toBeLessThan(100);
  expect(container.querySelector("[aria-setsize]")?.getAttribute("aria-setsize")).toBe("10000");
});

test("a line with line ends takes several rows", () => {
  const { container } = render(
    <LogView lines={[{ at_ms: 1, level: "error", text: "one\ntwo\u202e", cut_bytes: 0 }]} label="Output" />,
  );
  expect(container.querySelectorAll(".log-line.error")).toHaveLength(2);
  expect(container.textContent).toContain("two\\u202e");
});
