import { plain } from "../components/escape";
import { duration } from "../components/parts";
import { texts } from "../texts";

export interface Frame {
  /** Hostile. */
  readonly name: string;
  /** Milliseconds, its children included. */
  readonly ms: number;
  readonly children: readonly Frame[];
}

const WIDTH = 1000;
const ROW = 18;
const LEAST = 2; // pixels; narrower frames are left out
const LETTER = 6.2;

interface Placed {
  readonly frame: Frame;
  readonly x: number;
  readonly width: number;
  readonly depth: number;
}

/** The frames with their places: each as wide as its time, its children below it. */
export function placed(root: Frame): Placed[] {
  const found: Placed[] = [];
  const waiting: Placed[] = [{ frame: root, x: 0, width: WIDTH, depth: 0 }];
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    found.push(at);
    let { x } = at;
    const { frame, width, depth } = at;
    for (const child of frame.children) {
      const share = frame.ms > 0 ? (width * Math.min(child.ms, frame.ms)) / frame.ms : 0;
      if (share >= LEAST) {
        waiting.push({ frame: child, x, width: share, depth: depth + 1 });
      }
      x += share;
    }
  }
  return found;
}

/** A flame graph of a run. */
export function FlameGraph({ root }: { root: Frame }) {
  const frames = placed(root);
  const deepest = frames.reduce((most, { depth }) => Math.max(most, depth), 0);
  return (
    <svg
      class="flame"
      viewBox={`0 0 ${WIDTH} ${(deepest + 1) * ROW}`}
      role="img"
      aria-label={texts.pictures.flame(`${plain(root.name, 60)}, ${duration(root.ms)}`)}
    >
      {frames.map(({ frame, x, width, depth }, index) => (
        <g key={index}>
          <rect class={`frame tone${depth % 4}`} x={x} y={depth * ROW} width={Math.max(1, width - 1)} height={ROW - 1}>
            <title>{`${plain(frame.name, 120)} ${duration(frame.ms)}`}</title>
          </rect>
          {width > 40 && (
            <text x={x + 4} y={depth * ROW + 12}>
              {plain(frame.name, Math.floor((width - 8) / LETTER))}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}
