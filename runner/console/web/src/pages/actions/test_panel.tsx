import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, ask, type Management, type Runtime } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/session";
import { Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { LogView } from "../../components/log_view";
import { Badge, DecisionBadge, Empty, Failed, Ready, duration } from "../../components/parts";
import { isObject, type Json, parsed } from "../../json";
import { Link } from "../../router/link";
import { query, setQuery, to } from "../../router/router";
import { texts } from "../../texts";
import { OutcomeDifference, ReplayDifferences } from "../execution/outcome";
import { declarations } from "./declarations";
import type { Draft } from "./draft";

const words = texts.actions.test;

type Result =
  | { from: "event"; payload: Management["TestPayload"] }
  | { from: "execution"; replayed: Management["Replayed"] };

export interface TestRun {
  readonly running: Signal<boolean>;
  readonly failed: Signal<unknown>;
  readonly result: Signal<Result | null>;
  /** The event that the author wrote, as JSON. */
  readonly event: Signal<string>;
  readonly run: () => Promise<void>;
}

function eventOf(text: string): Json | null {
  const value = parsed(text || "{}");
  return isObject(value) ? value : null;
}

/** Saves the draft, waits for its build, and runs it on what is chosen. */
export function useTest(draft: Draft): TestRun {
  const running = useSignal(false);
  const failed = useSignal<unknown>(null);
  const result = useSignal<Result | null>(null);
  const event = useSignal("");
  const run = async () => {
    const id = draft.action.value?.id;
    const execution = query.value.get("on");
    const given = eventOf(event.value);
    if (!id || running.value || !given) {
      return;
    }
    running.value = true;
    failed.value = null;
    try {
      if (!(await draft.save()) || !(await draft.built())) {
        return;
      }
      if (execution) {
        const replayed = await ask(
          api.POST("/api/v2/actions/executions/{execution_id}/replay", {
            params: { path: { execution_id: execution } },
            body: { candidate: { action_id: id, draft: true }, answers: [] },
          }),
        );
        result.value = { from: "execution", replayed };
      } else {
        const { payload } = await ask(
          api.POST("/api/v2/actions/actions/{action_id}/test", {
            params: { path: { action_id: id } },
            body: { payload: { event: given } },
          }),
        );
        result.value = { from: "event", payload };
      }
    } catch (error) {
      failed.value = error;
    } finally {
      running.value = false;
    }
  };
  return { running, failed, result, event, run };
}

/** Where the event comes from, and what came of it. */
export function TestPanel({ draft, test }: { draft: Draft; test: TestRun }) {
  const action = draft.action.value;
  const trigger = action?.supported_triggers[0]?.id ?? "";
  const chosen = query.value.get("on");
  const source = useSignal<"event" | "execution">(chosen ? "execution" : "event");
  useEffect(() => {
    if (test.event.value === "" && trigger) {
      declarations(trigger, "javascript").then(
        ({ example }) => (test.event.value ||= JSON.stringify(example, null, 2)),
        () => undefined, // the field stays empty, and the example is filled in by the service
      );
    }
  }, [trigger]);
  return (
    <>
      <div class="segments" role="group" aria-label={words.from}>
        <button
          type="button"
          aria-pressed={source.value === "event"}
          onClick={() => {
            source.value = "event";
            setQuery({ on: undefined });
          }}
        >
          {words.example}
        </button>
        {may("read:execution_data") && may("read:executions") && (
          <button type="button" aria-pressed={source.value === "execution"} onClick={() => (source.value = "execution")}>
            {words.execution}
          </button>
        )}
      </div>
      {source.value === "event" ? (
        <Field label={words.json} hint={words.hint} error={eventOf(test.event.value) ? null : words.notJson}>
          {(ids) => (
            <textarea
              {...ids}
              class="mono event"
              rows={12}
              spellcheck={false}
              value={test.event.value}
              onInput={(event) => (test.event.value = event.currentTarget.value)}
            />
          )}
        </Field>
      ) : (
        <Choice trigger={trigger} chosen={chosen} />
      )}
      {test.failed.value !== null && <Failed error={test.failed.value} />}
      <div role="status">
        {test.running.value ? <p class="muted">{words.running}</p> : test.result.value && <Outcome result={test.result.value} />}
      </div>
    </>
  );
}

function Choice({ trigger, chosen }: { trigger: string; chosen: string | null }) {
  const { result, reload } = useLoad(
    (signal) => ask(api.GET("/runtime/v1/executions", { params: { query: { trigger, per_page: 50 } }, signal })),
    [trigger],
  );
  return (
    <Ready of={result.value} retry={reload}>
      {({ executions }) =>
        executions.length === 0 ? (
          <Empty title={words.noRecords} />
        ) : (
          <Field label={words.choose} hint={words.recordedAbout}>
            {(ids) => (
              <select {...ids} value={chosen ?? ""} onChange={(event) => setQuery({ on: event.currentTarget.value })}>
                <option value="">—</option>
                {chosen && !executions.some((item) => item.id === chosen) && <option value={chosen}>{chosen}</option>}
                {executions.map((item: Runtime["ExecutionItem"]) => (
                  <option key={item.id} value={item.id}>
                    {`${item.created_at.slice(0, 19).replace("T", " ")} · ${item.decision ?? texts.pending} · ${item.id}`}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )
      }
    </Ready>
  );
}

function Outcome({ result }: { result: Result }) {
  if (result.from === "event") {
    const { payload } = result;
    return (
      <div class="stack">
        <p>
          <DecisionBadge decision={payload.decision} /> {words.took(duration(payload.stats.action_duration_ms))}
          {payload.filled_in && <> · {words.filled(payload.filled_in.length)}</>}
        </p>
        {payload.error && (
          <p class="note bad">
            <Hostile text={payload.error.stack || payload.error.message} limit={1500} block />
          </p>
        )}
        <OutcomeDifference effects={payload.effects} event={null} />
        <LogView lines={payload.logs} label={words.logs} />
      </div>
    );
  }
  const { replayed } = result;
  return (
    <div class="stack">
      <p>
        {replayed.same ? <Badge tone="good">{texts.execution.same}</Badge> : <Badge tone="warn">{texts.execution.different}</Badge>}{" "}
        <Link to={`${to`/executions/${replayed.execution_id}`}`}>{words.open}</Link>
      </p>
      {replayed.legs.map((leg) => (
        <div key={leg.number} class="stack">
          {replayed.legs.length > 1 && <h3>{texts.execution.leg(leg.number)}</h3>}
          {leg.unanswered.map((item, index) => (
            <p key={index} class="note warn">
              <span>
                {texts.execution.unanswered} <Hostile text={item.what} limit={300} />
              </span>
            </p>
          ))}
          <ReplayDifferences differences={leg.differences} />
          <OutcomeDifference effects={leg.outcome["effects"]} event={null} />
          <LogView lines={logsOf(leg.outcome)} label={words.logs} />
        </div>
      ))}
    </div>
  );
}

/** What all Actions wrote; a replay has no times. */
function logsOf(outcome: Record<string, unknown>) {
  const actions = (Array.isArray(outcome["actions"]) ? outcome["actions"] : []) as {
    logs?: { level: string; text: string; cut_bytes?: number }[];
  }[];
  return actions.flatMap(({ logs }) => (logs ?? []).map((line) => ({ cut_bytes: 0, ...line, at_ms: 0 })));
}
