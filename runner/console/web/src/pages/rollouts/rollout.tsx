import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { api, ask, type Management } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/session";
import { Confirm } from "../../components/dialog";
import { Hostile } from "../../components/hostile";
import { Badge, Card, Empty, PageHead, Ready, Time, said } from "../../components/parts";
import { EvidencePlot } from "../../pictures/evidence";
import { groups as byKey } from "../../pictures/scale";
import { Link } from "../../router/link";
import { to } from "../../router/router";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";
import type { PageProps } from "..";
import { RolloutState } from ".";
import { readings } from "./readings";

const words = texts.rollouts;
const POLL_MS = 3000;
const KEPT = 2000;

type Rollout = Management["Rollout"];
type Step = "pause" | "resume" | "abort" | "promote";

/** One rollout: its stages, counts, evidence and decisions, kept up to date while it runs. */
export default function RolloutPage({ params }: PageProps) {
  const place = { action_id: params["action"] ?? "", rollout_id: params["id"] ?? "" };
  const seen = useSignal<readonly { at: number; rollout: Rollout }[]>([]);
  const asking = useSignal<"abort" | "promote" | null>(null);
  const { result, reload } = useLoad(async (signal) => {
    const rollout = await ask(
      api.GET("/api/v2/actions/actions/{action_id}/rollouts/{rollout_id}", { params: { path: place }, signal }),
    );
    seen.value = [...seen.peek(), { at: Date.now(), rollout }].slice(-KEPT);
    return rollout;
  }, [place.action_id, place.rollout_id]);
  const state = result.value.state === "ready" ? result.value.data.state : "";
  useEffect(() => {
    if (state !== "running" && state !== "paused") {
      return undefined;
    }
    const timer = setInterval(() => {
      if (!document.hidden) {
        reload();
      }
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [state]);
  const act = async (step: Step) => {
    try {
      await ask(
        api.POST(`/api/v2/actions/actions/{action_id}/rollouts/{rollout_id}/${step}`, { params: { path: place } }),
      );
      toast(words.done);
    } catch (error) {
      toast(said(error), "bad");
    }
    reload();
  };
  return (
    <Ready of={result.value} retry={reload}>
      {(rollout) => (
        <>
          <Head rollout={rollout} onStep={(step) => void act(step)} onAsk={(step) => (asking.value = step)} />
          {rollout.watch.alarm && <Alarm alarm={rollout.watch.alarm} />}
          <Stages rollout={rollout} />
          <div class="columns even">
            <Arms rollout={rollout} />
            <Evidence rollout={rollout} seen={seen.value} />
          </div>
          <Differences place={place} rollout={rollout} />
          <Decisions rollout={rollout} />
          {asking.value && (
            <Confirm
              title={words[asking.value]}
              text={words.sure[asking.value]}
              action={words[asking.value]}
              onClose={() => (asking.value = null)}
              onConfirm={() => void act(asking.peek() ?? "abort")}
            />
          )}
        </>
      )}
    </Ready>
  );
}

interface HeadProps {
  rollout: Rollout;
  onStep: (step: Step) => void;
  onAsk: (step: "abort" | "promote") => void;
}

function Head({ rollout, onStep, onAsk }: HeadProps) {
  const active = rollout.state === "running" || rollout.state === "paused";
  return (
    <>
      <PageHead
        title={
          <>
            {words.title} <RolloutState state={rollout.state} />
          </>
        }
      >
        {active && may("create:actions") && (
          <>
            <button type="button" onClick={() => onStep(rollout.state === "paused" ? "resume" : "pause")}>
              {rollout.state === "paused" ? words.resume : words.pause}
            </button>
            <button type="button" onClick={() => onAsk("promote")}>
              {words.promote}
            </button>
            <button type="button" class="danger" onClick={() => onAsk("abort")}>
              {words.abort}
            </button>
          </>
        )}
      </PageHead>
      <p class="muted">
        <Link to={to`/actions/${rollout.action_id}`}>{words.action}</Link> · {rollout.trigger_id} · {rollout.control.number} →{" "}
        {rollout.candidate.number} · <Time at={rollout.created_at} />
        {rollout.reason && (
          <>
            {" · "}
            <Hostile text={rollout.reason} limit={300} />
          </>
        )}
      </p>
      {active && (
        <p class="note">
          <span>
            {words.next}: {rollout.next.step}, {words.waits} <Hostile text={rollout.next.waits} limit={200} />
          </span>
        </p>
      )}
    </>
  );
}

function Alarm({ alarm }: { alarm: Management["AlarmView"] }) {
  return (
    <div class="note bad" role="alert">
      <p>
        <b>{words.alarm}</b> <Hostile text={alarm.text} limit={300} />
      </p>
      <Link to={to`/executions/${alarm.execution_id}`}>{texts.execution.title}</Link>
    </div>
  );
}

function Stages({ rollout }: { rollout: Rollout }) {
  return (
    <ol class="stages" aria-label={words.stages}>
      {rollout.stages.map((stage, index) => {
        const share = stage.of ? Math.min(1, (stage.events ?? 0) / stage.of) : stage.state === "done" ? 1 : 0;
        return (
          <li key={index} class={`card stage ${stage.state}`} aria-current={index === rollout.stage ? "step" : undefined}>
            <div>
              <b>{words.stage[stage.kind]}</b> <Badge tone={stage.state === "done" ? "good" : "plain"}>{stage.state.replace("_", " ")}</Badge>
            </div>
            <div class="muted small">
              {stage.percent !== undefined && words.share(stage.percent)}{" "}
              {stage.of !== undefined && words.progress(stage.events ?? 0, stage.of)}
            </div>
            <svg class="progress" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
              <rect class="whole" width="100" height="4" />
              <rect class="part" width={share * 100} height="4" />
            </svg>
          </li>
        );
      })}
    </ol>
  );
}

const COUNTS = ["events", "failed", "denied", "suspended", "costly"] as const;

function Arms({ rollout }: { rollout: Rollout }) {
  return (
    <Card title={words.arms}>
      <div class="table">
        <table>
          <thead>
            <tr>
              <th>{words.group}</th>
              <th>{words.arm}</th>
              {COUNTS.map((name) => (
                <th key={name} class="number">
                  {words.columns[name]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rollout.arms.map((arm) => (
              <tr key={`${arm.group} ${arm.arm}`}>
                <td>
                  <Hostile text={arm.group} limit={70} brief />
                </td>
                <td>
                  <Badge tone={arm.arm === "canary" ? "other" : "plain"}>{arm.arm}</Badge>
                </td>
                {COUNTS.map((name) => (
                  <td key={name} class="number">
                    {arm[name].toLocaleString("en-GB")}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Evidence({ rollout, seen }: { rollout: Rollout; seen: readonly { at: number; rollout: Rollout }[] }) {
  const found = readings(rollout, seen);
  return (
    <Card title={words.evidence}>
      <div class="body stack">
        <p class="muted small">{words.evidenceAbout}</p>
        {rollout.evidence.length === 0 && <Empty title={words.noEvidence} />}
        {rollout.evidence.map((item) => (
          <div key={item.guard}>
            <h3>
              {item.guard} {item.regression && <Badge tone="bad">{words.alarm}</Badge>}{" "}
              <span class="muted small">
                {words.factor} {item.factor.toPrecision(3)} · {item.canary} / {item.control}
              </span>
            </h3>
            <EvidencePlot guard={item.guard} needed={item.needed} readings={found.get(item.guard) ?? []} />
          </div>
        ))}
      </div>
    </Card>
  );
}

function Differences({ place, rollout }: { place: { action_id: string; rollout_id: string }; rollout: Rollout }) {
  const shadowed = rollout.stages.some((stage) => stage.kind === "shadow");
  const { result, reload } = useLoad(
    async (signal) =>
      shadowed
        ? ask(
            api.GET("/api/v2/actions/actions/{action_id}/rollouts/{rollout_id}/differences", {
              params: { path: place },
              signal,
            }),
          )
        : { differences: [] },
    [place.rollout_id, rollout.stages[0]?.events],
  );
  if (!shadowed) {
    return null;
  }
  return (
    <Card title={words.differences}>
      <Ready of={result.value} retry={reload}>
        {({ differences }) =>
          differences.length === 0 ? (
            <Empty title={words.noDifferences}>{words.differencesAbout}</Empty>
          ) : (
            <DifferenceGroups groups={differences} />
          )
        }
      </Ready>
    </Card>
  );
}

/** Differences in groups of a cause and a path, with executions to open. */
export function DifferenceGroups({ groups }: { groups: readonly Management["ShadowGroup"][] }) {
  const causes = [...byKey(groups, (group) => group.cause)];
  return (
    <div class="body stack">
      {causes.map(([cause, inside]) => (
        <div key={cause}>
          <h3>
            {cause} <span class="muted">{inside.reduce((sum, group) => sum + group.count, 0)}</span>
          </h3>
          <ul class="rows">
            {inside.map((group) => (
              <li key={group.path}>
                <span class="mono">
                  <Hostile text={group.path} limit={160} brief /> <span class="muted">× {group.count}</span>
                </span>
                <span class="buttons small">
                  {group.executions.map((id) => (
                    <Link key={id} to={to`/executions/${id}`}>
                      <Hostile text={id.slice(0, 12)} limit={12} brief />
                    </Link>
                  ))}
                </span>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </div>
  );
}

function Decisions({ rollout }: { rollout: Rollout }) {
  return (
    <Card title={words.decisions}>
      <ul class="rows body">
        {rollout.decisions.map((decision) => (
          <li key={decision.id}>
            <span>
              <Time at={decision.at} /> <b>{decision.decision}</b> <Hostile text={decision.reason} limit={300} />
            </span>
            <span class="muted small">
              {words.by} <Hostile text={decision.by} limit={60} brief />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
