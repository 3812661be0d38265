import { Empty } from "../components/parts";
import { texts } from "../texts";
import { buckets, groups, ticks } from "./scale";

interface Item {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly decision: string | null;
}

const WIDTH = 420;
const HEIGHT = 110;
const LEFT = 28;
const BOTTOM = 16;
const BARS = 30;
const ORDER = ["allow", "suspended", "deny", "failed", "pending"];

/** The name of a class for what was decided. */
function toneOf(decision: string): string {
  return ORDER.includes(decision) ? decision : "suspended";
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** Outcomes over time, by decision, as stacked bars. */
export function Outcomes({ items }: { items: readonly Item[] }) {
  const bars = buckets(items, (item) => item.at, Math.min(BARS, Math.max(1, items.length)));
  if (bars.length === 0) {
    return <Empty title={texts.pictures.noTimes} />;
  }
  const counts = groups(items, (item) => toneOf(item.decision ?? "pending"));
  const decisions = ORDER.filter((name) => counts.has(name));
  const most = Math.max(...bars.map((bar) => bar.items.length));
  const axis = ticks(most);
  const top = axis.at(-1) ?? 1;
  const y = (count: number) => 4 + (HEIGHT - BOTTOM - 4) * (1 - count / top);
  const step = (WIDTH - LEFT) / bars.length;
  const told = decisions.map((name) => `${counts.get(name)?.length ?? 0} ${name}`).join(", ");
  return (
    <figure class="picture">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={texts.pictures.outcomes(items.length, told)}>
        <Axis marks={axis} y={y} width={WIDTH} left={LEFT} text={(mark) => String(mark)} />
        {bars.map((bar, index) => {
          let below = 0;
          return decisions.map((name) => {
            const count = bar.items.filter((item) => toneOf(item.decision ?? "pending") === name).length;
            below += count;
            return count === 0 ? null : (
              <rect
                key={`${index} ${name}`}
                class={`fill ${name}`}
                x={LEFT + index * step + 1}
                y={y(below)}
                width={Math.max(1, step - 2)}
                height={y(below - count) - y(below)}
              >
                <title>{`${CLOCK.format(bar.start)}: ${count} ${name}`}</title>
              </rect>
            );
          });
        })}
        <TimeAxis from={bars[0]?.start ?? 0} to={bars.at(-1)?.start ?? 0} width={WIDTH} left={LEFT} y={HEIGHT - 3} />
      </svg>
      <figcaption class="legend small">
        {decisions.map((name) => (
          <span key={name}>
            <i class={`fill ${name}`} aria-hidden="true" /> {name} {counts.get(name)?.length}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

interface AxisProps {
  marks: readonly number[];
  y: (mark: number) => number;
  width: number;
  left: number;
  text: (mark: number) => string;
}

/** Horizontal lines with their values. */
export function Axis({ marks, y, width, left, text }: AxisProps) {
  return (
    <g class="axis">
      {marks.map((mark) => (
        <g key={mark}>
          <line x1={left} x2={width} y1={y(mark)} y2={y(mark)} />
          <text x={left - 4} y={y(mark) + 3} text-anchor="end">
            {text(mark)}
          </text>
        </g>
      ))}
    </g>
  );
}

/** First and last moment. */
export function TimeAxis({ from, to, width, left, y }: { from: number; to: number; width: number; left: number; y: number }) {
  return (
    <g class="axis">
      <text x={left} y={y}>
        {CLOCK.format(from)}
      </text>
      {to > from && (
        <text x={width} y={y} text-anchor="end">
          {CLOCK.format(to)}
        </text>
      )}
    </g>
  );
}
