import { useEffect, useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { api, ask } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/session";
import { Dialog } from "../../components/dialog";
import { bound, Field } from "../../components/field";
import { plain } from "../../components/escape";
import { Hostile } from "../../components/hostile";
import { LogView } from "../../components/log_view";
import { Badge, Card, DecisionBadge, PageHead, Ready, Time, duration } from "../../components/parts";
import { FlowPicture } from "../../pictures/flow";
import { query, setQuery, to } from "../../router/router";
import { texts } from "../../texts";
import type { PageProps } from "..";
import type { Runtime } from "../../api/client";
import type { Leg } from "./journal";
import { OutcomeDifference } from "./outcome";
import { Run } from "./run";
import { ReplayResult } from "./replay_result";
import { type Candidate, encodeHeader, useReplays } from "./replaying";

type Stored = Runtime["StoredExecution"];

const words = texts.execution;

export default function ExecutionPage({ params }: PageProps) {
  const id = params["id"] ?? "";
  const reason = useSignal("");
  const asking = useSignal(false);
  const stored = useLoad(
    (signal) => ask(api.GET("/runtime/v1/executions/{execution_id}", { params: { path: { execution_id: id } }, signal })),
    [id],
  );
  const record = useLoad(
    async (signal) => {
      if (!may("read:execution_data")) {
        return null;
      }
      const header = reason.value ? { "Reveal-Reason": encodeHeader(reason.value) } : {};
      return ask(
        api.GET("/runtime/v1/executions/{execution_id}/record", { params: { path: { execution_id: id }, header }, signal }),
      );
    },
    [id, reason.value],
  );
  const legs: readonly Leg[] = record.result.value.state === "ready" ? (record.result.value.data?.legs ?? []) : [];
  const found = legs[Number(query.value.get("leg") ?? "1") - 1] ?? legs[0];
  return (
    <Ready of={stored.result.value} retry={stored.reload}>
      {(execution) => (
        <>
          <Head execution={execution} />
          <Failure execution={execution} />
          <FlowPicture
            label={words.flow}
            steps={stepsOf(execution)}
            end={<DecisionBadge decision={execution.decision} />}
          />
          {legs.length > 1 && <Legs legs={legs} current={found?.number ?? 1} />}
          {record.result.value.state === "failed" && (
            <div class="note">
              <p>
                {words.noRecord} <Hostile text={String((record.result.value.error as Error).message)} limit={400} />
              </p>
            </div>
          )}
          {!may("read:execution_data") && <p class="note">{texts.forbidden("read:execution_data")}</p>}
          {found ? (
            <Recorded
              key={`${id} ${reason.value} ${found.number}`}
              execution={execution}
              leg={found}
              reason={reason.value}
              onReveal={() => (asking.value = true)}
            />
          ) : record.result.value.state === "loading" ? (
            <p class="loading" role="status">
              {texts.loading}
            </p>
          ) : (
            <WithoutRecord execution={execution} />
          )}
          {asking.value && (
            <RevealDialog
              onClose={() => (asking.value = false)}
              onReveal={(why) => {
                reason.value = why;
                asking.value = false;
              }}
            />
          )}
        </>
      )}
    </Ready>
  );
}

function Head({ execution }: { execution: Stored }) {
  return (
    <PageHead title={<>{words.title} <DecisionBadge decision={execution.decision} /></>}>
      <p class="muted">
        {execution.trigger_id} · <Time at={execution.created_at} /> · <code>{execution.id}</code>
        {execution.hook && (
          <>
            {" · "}
            <Hostile text={`${execution.hook.provider} ${execution.hook.hook}`} limit={80} brief />
          </>
        )}
      </p>
    </PageHead>
  );
}

function Failure({ execution }: { execution: Stored }) {
  const failure = execution.outcome?.failure;
  if (!failure) {
    return null;
  }
  const place = failure.place ? ` (${failure.place.file}:${failure.place.line})` : "";
  return (
    <div class="note bad" role="alert">
      <p>
        <b>{failure.code}</b> <Hostile text={`${failure.message}${place}`} limit={600} />
        {failure.next_step && (
          <>
            <br />
            <Hostile text={failure.next_step} limit={300} />
          </>
        )}
      </p>
    </div>
  );
}

function stepsOf(execution: Stored) {
  return execution.results.map((result) => ({
    id: result.action_id,
    name: result.action_name,
    to: to`/actions/${result.action_id}`,
    about: result.statistics ? duration(result.statistics.wall_ms) : result.status,
    status: result.failure || result.error ? ("failed" as const) : ("ran" as const),
  }));
}

function Legs({ legs, current }: { legs: readonly Leg[]; current: number }) {
  return (
    <nav class="tabs" aria-label={words.legs}>
      {legs.map((leg, index) => (
        <button
          key={leg.number}
          type="button"
          aria-selected={leg.number === current}
          onClick={() => setQuery({ leg: index === 0 ? undefined : String(index + 1), run: undefined, call: undefined })}
        >
          {words.leg(leg.number)} · {String(leg.outcome["decision"])}
        </button>
      ))}
    </nav>
  );
}

interface RecordedProps {
  execution: Stored;
  leg: Leg;
  reason: string;
  onReveal: () => void;
}

function Recorded({ execution, leg, reason, onReveal }: RecordedProps) {
  const replays = useReplays(execution.id, reason);
  const names = useMemo(() => leg.actions.map((action) => action.name), [leg]);
  const candidates: Candidate[] = execution.results
    .map((result) => ({ actionId: result.action_id, name: result.action_name }))
    .filter((item, index, all) => all.findIndex((other) => other.actionId === item.actionId) === index);
  const { done } = replays;
  const wanted = query.value.get("draft");
  useEffect(() => {
    const candidate = candidates.find((item) => item.actionId === wanted);
    if (candidate && !done.value && may("create:actions")) {
      void replays.run(candidate, []);
    }
  }, [wanted]);
  const event = (leg.state as { event?: unknown } | null)?.event;
  return (
    <>
      <div class="toolbar">
        <Badge tone={reason ? "warn" : "plain"}>{reason ? words.plain : words.redacted}</Badge>
        {!reason && may("reveal:execution_data") && (
          <button type="button" onClick={onReveal}>
            {words.reveal}
          </button>
        )}
        <span class="grow" />
        {may("create:actions") && (
          <>
            <button type="button" disabled={replays.running.value} onClick={() => void replays.run(null, [])}>
              {words.replay}
            </button>
            {candidates.map((candidate) => (
              <button
                key={candidate.actionId}
                type="button"
                class="primary"
                disabled={replays.running.value}
                onClick={() => void replays.run(candidate, replays.others.value)}
              >
                {words.tryDraft} <Hostile text={candidate.name} limit={30} brief />
              </button>
            ))}
          </>
        )}
        <a
          class="button"
          download={`${execution.id}.json`}
          href={`/runtime/v1/executions/${encodeURIComponent(execution.id)}/record${reason ? `?reason=${encodeURIComponent(reason)}` : ""}`}
          title={words.saveAbout}
        >
          {words.save}
        </a>
      </div>
      <ReplayResult replays={replays} leg={leg.number} names={names} />
      <div class="columns">
        <Run leg={leg} names={names} replays={replays} />
        <Card title={words.outcome}>
          <OutcomeDifference effects={leg.outcome["effects"]} event={event} />
        </Card>
      </div>
      <Card title={words.event}>
        <details class="body">
          <summary>{words.showEvent}</summary>
          <pre class="source">
            <Hostile text={JSON.stringify(event, null, 2) ?? ""} block limit={20_000} />
          </pre>
        </details>
      </Card>
    </>
  );
}

function WithoutRecord({ execution }: { execution: Stored }) {
  return (
    <div class="columns">
      <Card title={words.logs}>
        {execution.results.map((result, index) => (
          <LogView key={index} lines={result.logs} label={texts.logs.of(plain(result.action_name, 60))} />
        ))}
      </Card>
      <Card title={words.outcome}>
        <OutcomeDifference effects={execution.outcome?.effects} event={null} />
      </Card>
    </div>
  );
}

function RevealDialog({ onClose, onReveal }: { onClose: () => void; onReveal: (reason: string) => void }) {
  const why = useSignal("");
  return (
    <Dialog title={words.reveal} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          onReveal(why.value.trim());
        }}
      >
        <p>{words.revealAbout}</p>
        <Field label={words.reason}>
          {(ids) => (
            <input {...ids} required maxLength={500} {...bound(why)} />
          )}
        </Field>
        <footer>
          <button type="button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" class="primary" disabled={!why.value.trim()}>
            {words.reveal}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

