import { useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { may } from "../../api/session";
import { Hostile } from "../../components/hostile";
import { Badge, Card, Empty } from "../../components/parts";
import { query, setQuery } from "../../router/router";
import { useShortcuts } from "../../shell/keys";
import { texts } from "../../texts";
import { CallDetail } from "./call_detail";
import { type Call, type Journal, type Kind, KINDS, type Leg, calls } from "./journal";
import type { Replays } from "./replaying";
import { KindFilter, Timeline } from "./timeline";

interface Props {
  leg: Leg;
  /** Of the Actions of the flow. */
  names: readonly string[];
  replays: Replays;
}

const words = texts.execution;
const HIDDEN_AT_FIRST = "random,compute,wait";

/** The calls of one run of an Action: as recorded, or as the last replay made them. */
export function Run({ leg, names, replays }: Props) {
  const { done, others } = replays;
  const which = useSignal<"recorded" | "now">("recorded");
  const replayed = done.value?.replayed.legs.find((item) => item.number === leg.number);
  const isNow = which.value === "now" && replayed !== undefined;
  const executions = isNow ? replayed.executions : leg.executions;
  const index = Math.min(Number(query.value.get("run") ?? "1") - 1 || 0, executions.length - 1);
  const execution = executions[Math.max(0, index)];
  const all = useMemo(() => calls((execution?.journal ?? { entries: [], outcome: null }) as unknown as Journal), [execution]);
  const hidden = new Set((query.value.get("without") ?? HIDDEN_AT_FIRST).split(","));
  const onlyFailed = query.value.get("failed") === "1";
  const shown = all.filter((call) => !hidden.has(call.kind) && (!onlyFailed || call.failed));
  const selected = Number(query.value.get("call") ?? "0");
  const call = all.find((item) => item.sequence === selected);
  const select = (sequence: number | undefined) => setQuery({ call: sequence ? String(sequence) : undefined });
  const step = (by: 1 | -1) => {
    const at = shown.findIndex((item) => item.sequence === selected);
    select((shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : at + by] ?? shown[at])?.sequence);
  };
  useShortcuts(words.title, [
    { keys: "]", text: words.nextCall, run: () => step(1) },
    { keys: "[", text: words.previousCall, run: () => step(-1) },
  ]);
  const mine = others.value.filter((item) => item.leg === leg.number && item.execution === index);
  const change = (sequence: number, value: string | undefined) => {
    const rest = others.value.filter(
      (item) => item.leg !== leg.number || item.execution !== index || item.entry !== sequence,
    );
    const next = value === undefined ? rest : [...rest, { leg: leg.number, execution: index, entry: sequence, answer: value }];
    which.value = next.length > 0 ? "now" : "recorded";
    void replays.run(done.value?.candidate ?? null, next);
  };
  return (
    <Card
      title={words.timeline}
      tools={
        <>
          {replayed && (
            <div class="segments" role="group" aria-label={words.which}>
              {(["recorded", "now"] as const).map((name) => (
                <button key={name} type="button" aria-pressed={which.value === name} onClick={() => (which.value = name)}>
                  {words[name]}
                </button>
              ))}
            </div>
          )}
          {executions.length > 1 && (
            <label>
              <span class="hidden-label">{words.run}</span>
              <select value={String(index)} onChange={(event) => setQuery({ run: String(Number(event.currentTarget.value) + 1), call: undefined })}>
                {executions.map((item, position) => (
                  <option key={position} value={position}>
                    {position + 1} · {names[item.action] ?? item.action}
                  </option>
                ))}
              </select>
            </label>
          )}
        </>
      }
    >
      <KindFilter
        counts={countsOf(all)}
        hidden={hidden}
        onlyFailed={onlyFailed}
        onToggle={(kind) => {
          const next = new Set(hidden);
          if (!next.delete(kind)) {
            next.add(kind);
          }
          setQuery({ without: [...next].filter(Boolean).join(",") || "none" });
        }}
        onFailed={(only) => setQuery({ failed: only ? "1" : undefined })}
      />
      {all.length === 0 ? (
        <Empty title={words.noCalls}>{words.noCallsAbout}</Empty>
      ) : (
        <Timeline calls={shown} selected={selected} onSelect={select} changed={new Set(mine.map((item) => item.entry))} />
      )}
      {isNow && replays.done.value?.replayed.what_if && (
        <p class="body">
          <Badge tone="other">{words.whatIf}</Badge> {words.whatIfAbout(mine.length)}
        </p>
      )}
      {call && (
        <div class="body">
          <CallDetail
            call={call}
            calls={all}
            other={mine.find((item) => item.entry === call.sequence)?.answer}
            onChange={isNow || !may("create:actions") ? undefined : (value) => change(call.sequence, value)}
          />
        </div>
      )}
      {!call && all.length > 0 && (
        <p class="body muted small">
          {words.keys} <Hostile text={names[execution?.action ?? 0] ?? ""} limit={60} brief />
        </p>
      )}
    </Card>
  );
}

function countsOf(all: readonly Call[]): Map<Kind, number> {
  const counts = new Map<Kind, number>();
  for (const kind of KINDS) {
    const count = all.filter((call) => call.kind === kind).length;
    if (count > 0) {
      counts.set(kind, count);
    }
  }
  return counts;
}
