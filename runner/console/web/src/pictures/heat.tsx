import { Empty, duration } from "../components/parts";
import { texts } from "../texts";
import { TimeAxis } from "./outcomes";
import { buckets, groups, LATENCIES, rowOf } from "./scale";

interface Item {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ms: number;
}

const WIDTH = 420;
const LEFT = 48;
const ROW = 12;
const BOTTOM = 16;
const COLUMNS = 30;

/** Latency over time as a heat map: the darker a cell, the more runs took so long. Rows grow by thirds of a decade. */
export function HeatMap({ items }: { items: readonly Item[] }) {
  const columns = buckets(items, (item) => item.at, Math.min(COLUMNS, Math.max(1, items.length)));
  if (columns.length === 0) {
    return <Empty title={texts.pictures.noTimes} />;
  }
  const rows = items.map((item) => rowOf(item.ms));
  const low = Math.min(...rows);
  const high = Math.max(...rows);
  const cells = columns.flatMap((column, index) =>
    [...groups(column.items, (item) => rowOf(item.ms))].map(([row, inside]) => ({ index, row, count: inside.length })),
  );
  const most = Math.max(...cells.map((cell) => cell.count));
  const height = (high - low + 1) * ROW + BOTTOM;
  const step = (WIDTH - LEFT) / columns.length;
  const longest = items.reduce((ms, item) => Math.max(ms, item.ms), 0);
  return (
    <figure class="picture">
      <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={texts.pictures.latency(items.length, duration(longest))}>
        <g class="axis">
          {Array.from({ length: high - low + 1 }, (_, offset) => (
            <text key={offset} x={LEFT - 4} y={height - BOTTOM - offset * ROW - 2} text-anchor="end">
              {nameOf(low + offset)}
            </text>
          ))}
        </g>
        {cells.map(({ index, row, count }) => (
          <rect
            key={`${index} ${row}`}
            class="heat"
            opacity={0.2 + (0.8 * count) / most}
            x={LEFT + index * step}
            y={height - BOTTOM - (row - low + 1) * ROW}
            width={Math.max(1, step - 1)}
            height={ROW - 1}
          >
            <title>{`${nameOf(row)}: ${count}`}</title>
          </rect>
        ))}
        <TimeAxis from={columns[0]?.start ?? 0} to={columns.at(-1)?.start ?? 0} width={WIDTH} left={LEFT} y={height - 3} />
      </svg>
    </figure>
  );
}

function nameOf(row: number): string {
  const end = LATENCIES[row] ?? Infinity;
  return Number.isFinite(end) ? `< ${end < 1000 ? `${end} ms` : `${end / 1000} s`}` : "≥ 10 s";
}
