import { Hostile } from "../../components/hostile";
import { Badge, DecisionBadge, duration, Time } from "../../components/parts";
import { texts } from "../../texts";
import { type Item, tookMs } from "./filters";

interface Props {
  item: Item;
  selected: boolean;
  narrow: boolean;
  onSelect: () => void;
}

/** One execution in the list. */
export function Row({ item, selected, narrow, onSelect }: Props) {
  const failed = item.results.find(({ error, failure }) => error || failure);
  const names = item.results.map(({ action_name }) => action_name).join(" → ");
  const took = tookMs(item);
  return (
    <button
      type="button"
      tabIndex={-1}
      class={`execution-row ${narrow ? "narrow" : ""} ${selected ? "selected" : ""}`}
      aria-current={selected ? "true" : undefined}
      onClick={onSelect}
    >
      <Time at={item.created_at} />
      <DecisionBadge decision={item.decision} />
      <span class="execution-trigger">
        <Hostile text={item.trigger_id} limit={64} brief />
        {item.hook && <Badge>{texts.executions.hooked}</Badge>}
      </span>
      <span class={failed ? "execution-what bad" : "execution-what"}>
        <Hostile
          text={failed?.error ? `${failed.action_name}: ${failed.error.msg}` : names || texts.executions.noActions}
          limit={160}
          brief
        />
      </span>
      <span class="execution-took muted">{took === null ? "" : duration(took)}</span>
    </button>
  );
}
