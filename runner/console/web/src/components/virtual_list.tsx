import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";

interface Props<T> {
  items: readonly T[];
  /** Pixels, of every row. */
  row: number;
  render: (item: T, index: number) => ComponentChildren;
  keyOf: (item: T, index: number) => string | number;
  /** Scrolled into view when it changes; -1 for none. */
  selected?: number;
  /** Stays at the end while rows come in, until the user scrolls up. */
  follow?: boolean;
  label: string;
  class?: string;
  /** Called when the end comes into view. */
  onEnd?: () => void;
}

const SPARE = 8; // rows above and below what is seen

/** A list that has only the rows that are seen in the document. Scrolls by itself: give its class a height. */
export function VirtualList<T>(props: Props<T>) {
  const { items, row, render, keyOf, selected = -1, follow = false, label, onEnd } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const atEnd = useRef(true);

  const measure = () => {
    const element = box.current;
    if (element) {
      atEnd.current = element.scrollTop + element.clientHeight >= element.scrollHeight - row;
      setView({ top: element.scrollTop, height: element.clientHeight || 600 });
    }
  };
  useLayoutEffect(() => {
    measure();
    if (typeof ResizeObserver === "undefined" || !box.current) {
      return undefined;
    }
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (follow && atEnd.current && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [items, follow]);
  useEffect(() => {
    const element = box.current;
    if (!element || selected < 0) {
      return;
    }
    if (selected * row < element.scrollTop) {
      element.scrollTop = selected * row;
    } else if ((selected + 1) * row > element.scrollTop + element.clientHeight) {
      element.scrollTop = (selected + 1) * row - element.clientHeight;
    }
  }, [selected]);

  const first = Math.max(0, Math.floor(view.top / row) - SPARE);
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / row) + SPARE);
  useEffect(() => {
    if (onEnd && items.length > 0 && last >= items.length) {
      onEnd();
    }
  }, [last, items.length]);
  return (
    <div
      ref={box}
      class={`virtual ${props.class ?? ""}`}
      role="list"
      aria-label={label}
      tabIndex={0}
      onScroll={measure}
    >
      <div class="virtual-space" style={{ height: `${items.length * row}px` }}>
        {items.slice(first, last).map((item, offset) => (
          <div
            key={keyOf(item, first + offset)}
            class="virtual-row"
            role="listitem"
            aria-setsize={items.length}
            aria-posinset={first + offset + 1}
            style={{ height: `${row}px`, transform: `translateY(${(first + offset) * row}px)` }}
          >
            {render(item, first + offset)}
          </div>
        ))}
      </div>
    </div>
  );
}
