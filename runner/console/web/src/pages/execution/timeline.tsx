import { Hostile } from "../../components/hostile";
import { duration } from "../../components/parts";
import { VirtualList } from "../../components/virtual_list";
import { texts } from "../../texts";
import { type Call, type Kind, squeezed } from "./journal";

interface Props {
  calls: readonly Call[];
  /** Number of the chosen call; 0 for none. */
  selected: number;
  onSelect: (sequence: number) => void;
  /** Calls whose answers were changed. */
  changed?: ReadonlySet<number>;
}

const ROW = 28;
const WIDTH = 1000; // of a picture, in its own units
const LEAST = 6;

/** Host calls in order, each with its place in time; idle time is squeezed, and hatched where it was long. */
export function Timeline({ calls, selected, onSelect, changed }: Props) {
  const scale = squeezed(calls);
  const x = (ms: number) => scale.at(ms) * (WIDTH - LEAST);
  return (
    <VirtualList
      class="timeline"
      label={texts.execution.timeline}
      items={calls}
      row={ROW}
      keyOf={(call) => call.sequence}
      selected={calls.findIndex((call) => call.sequence === selected)}
      render={(call) => (
        <button
          type="button"
          class={`call k-${call.kind}${call.failed ? " failed" : ""}`}
          aria-pressed={call.sequence === selected}
          onClick={() => onSelect(call.sequence)}
        >
          <span class="number muted">{call.sequence}</span>
          <span class="hidden-label">{texts.execution.kinds[call.kind]}</span>
          <span class="name cut">
            {changed?.has(call.sequence) && <b class="mark">{texts.execution.changed} </b>}
            <Hostile text={call.title} limit={160} brief />
          </span>
          <span class="number muted">{call.end > call.start ? duration(call.end - call.start) : ""}</span>
          <svg class="bar" viewBox={`0 0 ${WIDTH} 12`} preserveAspectRatio="none" aria-hidden="true">
            {scale.gaps.map(({ start, end }) => (
              <rect key={start} class="gap" x={x(start)} y="0" width={Math.max(1, x(end) - x(start))} height="12" />
            ))}
            <rect
              class={"span"}
              x={x(call.start)}
              y="2"
              width={Math.max(LEAST, x(call.end) - x(call.start))}
              height="8"
            />
          </svg>
        </button>
      )}
    />
  );
}

interface FilterProps {
  /** How many calls there are of each kind. */
  counts: ReadonlyMap<Kind, number>;
  hidden: ReadonlySet<string>;
  onlyFailed: boolean;
  onToggle: (kind: Kind) => void;
  onFailed: (only: boolean) => void;
}

/** Which kinds of calls are shown. */
export function KindFilter({ counts, hidden, onlyFailed, onToggle, onFailed }: FilterProps) {
  return (
    <div class="kinds" role="group" aria-label={texts.execution.filter}>
      {[...counts].map(([kind, count]) => (
        <button key={kind} type="button" class={`kind k-${kind}`} aria-pressed={!hidden.has(kind)} onClick={() => onToggle(kind)}>
          <i aria-hidden="true" />
          {texts.execution.kinds[kind]} <span class="muted">{count}</span>
        </button>
      ))}
      <label class="check">
        <input type="checkbox" checked={onlyFailed} onChange={(event) => onFailed(event.currentTarget.checked)} />
        {texts.execution.onlyFailed}
      </label>
    </div>
  );
}
