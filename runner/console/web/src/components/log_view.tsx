import { useMemo, useState } from "preact/hooks";
import { texts } from "../texts";
import { prefix } from "./escape";
import { Hostile } from "./hostile";
import { VirtualList } from "./virtual_list";

export interface LogLine {
  /** Milliseconds from the start of the Action. */
  readonly at_ms: number;
  readonly level: string;
  readonly text: string;
  /** Bytes that the service cut from it. */
  readonly cut_bytes: number;
}

interface Row extends LogLine {
  readonly first: boolean;
}

const ROW = 20;
const LINE = 400;

/** What an Action wrote: one row a line, however many; the chosen line in full below. */
export function LogView({ lines, label }: { lines: readonly LogLine[]; label: string }) {
  const [chosen, setChosen] = useState<LogLine | null>(null);
  const rows = useMemo<Row[]>(
    () => lines.flatMap((line) => line.text.split("\n").map((text, index) => ({ ...line, text, first: index === 0 }))),
    [lines],
  );
  if (rows.length === 0) {
    return <p class="muted small log-none">{texts.logs.none}</p>;
  }
  return (
    <div class="log">
      <VirtualList
        label={label}
        class="log-lines"
        items={rows}
        row={ROW}
        keyOf={(_, index) => index}
        render={(row) => (
          <button
            type="button"
            class={`log-line ${LEVELS.has(row.level) ? row.level : ""}`}
            tabIndex={-1}
            onClick={() => setChosen(lines.find(({ at_ms, text }) => at_ms === row.at_ms && text.includes(row.text)) ?? row)}
          >
            <span class="log-at">{row.first ? row.at_ms.toFixed(1) : ""}</span>
            <Hostile text={prefix(row.text, LINE)} limit={LINE} brief />
          </button>
        )}
      />
      {chosen && (
        <div class="log-chosen">
          <Hostile text={chosen.text} block limit={4000} />
          {chosen.cut_bytes > 0 && <p class="small muted">{texts.logs.cut(chosen.cut_bytes)}</p>}
        </div>
      )}
    </div>
  );
}

const LEVELS = new Set(["debug", "info", "log", "warn", "error"]);
