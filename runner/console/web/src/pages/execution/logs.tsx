import { Hostile } from "../../components/hostile";
import { Empty, duration } from "../../components/parts";
import { VirtualList } from "../../components/virtual_list";
import { texts } from "../../texts";

interface Line {
  readonly at_ms: number;
  readonly level: string;
  readonly text: string;
}

interface Props {
  results: readonly { readonly action_name: string; readonly logs: readonly Line[] }[];
}

/** Console output of all Actions, in order. */
export function Logs({ results }: Props) {
  const lines = results.flatMap((result) => result.logs.map((line) => ({ ...line, action: result.action_name })));
  if (lines.length === 0) {
    return <Empty title={texts.execution.noLogs} />;
  }
  return (
    <VirtualList
      class="logs"
      label={texts.execution.logs}
      items={lines}
      row={26}
      keyOf={(_, index) => index}
      render={(line) => (
        <div class={`log-line mono ${line.level}`}>
          <span class="number muted">{duration(line.at_ms)}</span>
          <Hostile text={line.text} limit={300} />
        </div>
      )}
    />
  );
}
