import { Card } from "../../components/parts";
import { HeatMap } from "../../pictures/heat";
import { Outcomes } from "../../pictures/outcomes";
import { texts } from "../../texts";
import { type Item, tookMs } from "./filters";

const words = texts.executions;

/** Outcomes and latency of the executions on the page. */
export function Charts({ items }: { items: readonly Item[] }) {
  const at = ({ created_at }: Item) => new Date(created_at).getTime();
  const timed = items.flatMap((item) => {
    const ms = tookMs(item);
    return ms === null ? [] : [{ at: at(item), ms }];
  });
  return (
    <div class="charts">
      <Card title={words.outcomes}>
        <div class="body">
          <Outcomes items={items.map((item) => ({ at: at(item), decision: item.decision }))} />
        </div>
      </Card>
      <Card title={words.latency}>
        <div class="body">
          <HeatMap items={timed} />
        </div>
      </Card>
    </div>
  );
}
