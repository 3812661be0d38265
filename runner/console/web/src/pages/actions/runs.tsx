import { api, ask, type Runtime } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/session";
import { DecisionBadge, Empty, Ready, Time, duration } from "../../components/parts";
import { HeatMap } from "../../pictures/heat";
import { Outcomes } from "../../pictures/outcomes";
import { Link } from "../../router/link";
import { setQuery, to } from "../../router/router";
import { texts } from "../../texts";
import type { Draft } from "./draft";

const words = texts.actions.runs;
const LAST = 50;

/** The last real runs, and how they came out. */
export function Runs({ draft }: { draft: Draft }) {
  const action = draft.action.value;
  const { result, reload } = useLoad(
    (signal) =>
      ask(api.GET("/runtime/v1/executions", { params: { query: { action: action?.name ?? "", per_page: LAST } }, signal })),
    [action?.name],
  );
  if (!may("read:executions")) {
    return <p class="note">{texts.forbidden("read:executions")}</p>;
  }
  return (
    <Ready of={result.value} retry={reload}>
      {({ executions }) =>
        executions.length === 0 ? (
          <Empty title={words.none} />
        ) : (
          <>
            <h3>{words.outcomes}</h3>
            <Outcomes items={executions.map((item) => ({ at: Date.parse(item.created_at), decision: item.decision }))} />
            <h3>{words.latency}</h3>
            <HeatMap items={executions.flatMap((item) => latencies(item, action?.id ?? ""))} />
            <h3>{words.over(executions.length)}</h3>
            <ul class="rows">
              {executions.map((item) => (
                <li key={item.id}>
                  <Link to={to`/executions/${item.id}`}>
                    <Time at={item.created_at} /> <DecisionBadge decision={item.decision} />
                  </Link>
                  <span class="muted small">{took(item, action?.id ?? "")}</span>
                  {may("read:execution_data") && may("create:actions") && (
                    <button
                      type="button"
                      aria-label={words.tryLabel(item.id)}
                      onClick={() => setQuery({ tab: undefined, on: item.id }, { push: true })}
                    >
                      {words.try}
                    </button>
                  )}
                </li>
              ))}
            </ul>
          </>
        )
      }
    </Ready>
  );
}

type Item = Runtime["ExecutionItem"];

function latencies(item: Item, actionId: string) {
  const at = Date.parse(item.created_at);
  return item.results.flatMap((result) =>
    result.action_id === actionId && result.statistics ? [{ at, ms: result.statistics.wall_ms }] : [],
  );
}

function took(item: Item, actionId: string): string {
  const found = latencies(item, actionId);
  return found.length > 0 ? duration(found.reduce((sum, { ms }) => sum + ms, 0)) : "";
}
