import { texts } from "../texts";
import { Axis, TimeAxis } from "./outcomes";

export interface Reading {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly factor: number;
}

const WIDTH = 420;
const HEIGHT = 130;
const LEFT = 40;
const BOTTOM = 16;
const MARKS = [0.01, 0.1, 1, 10, 100, 1000, 10_000];

/** The evidence of one guard over time, on a logarithmic scale, with the line at which it is a regression. */
export function EvidencePlot({ guard, needed, readings }: { guard: string; needed: number; readings: readonly Reading[] }) {
  const usable = readings.filter(({ factor }) => Number.isFinite(factor));
  const low = 0.01;
  const high = Math.max(needed * 3, ...usable.map(({ factor }) => factor));
  const log = (factor: number) => Math.log10(Math.min(Math.max(factor, low), high) / low) / Math.log10(high / low);
  const y = (factor: number) => (HEIGHT - BOTTOM) * (1 - log(factor)) + 2;
  const from = usable[0]?.at ?? 0;
  const to = usable.at(-1)?.at ?? from;
  const x = (at: number) => LEFT + (to > from ? ((at - from) / (to - from)) * (WIDTH - LEFT - 6) : WIDTH - LEFT - 6);
  const path = usable.map(({ at, factor }, index) => `${index === 0 ? "M" : "L"}${x(at).toFixed(1)} ${y(factor).toFixed(1)}`).join("");
  const last = usable.at(-1);
  return (
    <svg
      class="picture"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={texts.pictures.evidence(guard, last ? last.factor.toPrecision(3) : texts.none)}
    >
      <Axis marks={MARKS.filter((mark) => mark <= high)} y={y} width={WIDTH} left={LEFT} text={String} />
      <line class="limit" x1={LEFT} x2={WIDTH} y1={y(needed)} y2={y(needed)} />
      <text class="limit-text" x={WIDTH - 2} y={y(needed) - 4} text-anchor="end">
        {`${texts.rollouts.needed} ${Number(needed.toPrecision(3))}`}
      </text>
      <path class="line" d={path} />
      {last && <circle class="point" cx={x(last.at)} cy={y(last.factor)} r="3.5" />}
      {usable.length > 0 && <TimeAxis from={from} to={to} width={WIDTH} left={LEFT} y={HEIGHT - 2} />}
    </svg>
  );
}
