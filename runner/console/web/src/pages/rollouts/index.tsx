import { useSignal } from "@preact/signals";
import { api, ask, type Management } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/session";
import { Dialog } from "../../components/dialog";
import { bound, Field } from "../../components/field";
import { plain } from "../../components/escape";
import { Hostile } from "../../components/hostile";
import { Badge, Card, Empty, Failed, PageHead, Ready, Time, type Tone } from "../../components/parts";
import { Link } from "../../router/link";
import { navigate, query, to } from "../../router/router";
import { texts } from "../../texts";
import { everyAction } from "../actions";

const words = texts.rollouts;
const ACTIONS = 200; // that are asked for their rollouts
const AT_ONCE = 6;

type Action = Management["Action"];
type Item = Management["RolloutItem"];

const TONES: Record<Item["state"], Tone> = {
  running: "info",
  paused: "warn",
  promoted: "good",
  rolled_back: "bad",
  aborted: "plain",
};

export function RolloutState({ state }: { state: Item["state"] }) {
  return <Badge tone={TONES[state]}>{state.replace("_", " ")}</Badge>;
}

/** Rollouts of one Action (`?action=`), or of all that are deployed: those that run first. */
async function load(only: string | null, signal: AbortSignal) {
  const actions = (await everyAction(signal)).filter((action) => action.deployed_version);
  const wanted = actions.filter((action) => !only || action.id === only).slice(0, ACTIONS);
  const found: { action: Action; rollout: Item }[] = [];
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const lists = await Promise.all(
      wanted.slice(at, at + AT_ONCE).map((action) =>
        ask(
          api.GET("/api/v2/actions/actions/{action_id}/rollouts", {
            params: { path: { action_id: action.id }, query: { per_page: only ? 50 : 5 } },
            signal,
          }),
        ).then(({ rollouts }) => rollouts.map((rollout) => ({ action, rollout }))),
      ),
    );
    found.push(...lists.flat());
  }
  const rank = ({ rollout }: { rollout: Item }) => (rollout.state === "running" ? 0 : rollout.state === "paused" ? 1 : 2);
  found.sort((one, other) => rank(one) - rank(other) || other.rollout.created_at.localeCompare(one.rollout.created_at));
  return { actions, found };
}

export default function RolloutsPage() {
  const only = query.value.get("action");
  const starting = useSignal(false);
  const { result, reload } = useLoad((signal) => load(only, signal), [only]);
  return (
    <>
      <PageHead title={words.title} about={words.about}>
        {may("create:actions") && (
          <button type="button" class="primary" onClick={() => (starting.value = true)}>
            {words.start}
          </button>
        )}
      </PageHead>
      <Ready of={result.value} retry={reload}>
        {({ actions, found }) => (
          <>
            <Card>
              {found.length === 0 ? <Empty title={words.none}>{words.noneAbout}</Empty> : <Rows found={found} />}
            </Card>
            {starting.value && <Start actions={actions} only={only} onClose={() => (starting.value = false)} />}
          </>
        )}
      </Ready>
    </>
  );
}

function Rows({ found }: { found: readonly { action: Action; rollout: Item }[] }) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th>{words.action}</th>
            <th>{words.state}</th>
            <th>{words.candidate}</th>
            <th>{texts.actions.updated}</th>
          </tr>
        </thead>
        <tbody>
          {found.map(({ action, rollout }) => (
            <tr key={rollout.id}>
              <td>
                <Link to={to`/rollouts/${action.id}/${rollout.id}`} aria-label={words.open(plain(action.name, 80))}>
                  <Hostile text={action.name} limit={80} brief />
                </Link>
              </td>
              <td>
                <RolloutState state={rollout.state} />{" "}
                {rollout.reason && (
                  <span class="muted">
                    <Hostile text={rollout.reason} limit={100} brief />
                  </span>
                )}
              </td>
              <td>{rollout.candidate.number && texts.actions.deployed(rollout.candidate.number)}</td>
              <td>
                <Time at={rollout.updated_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Start({ actions, only, onClose }: { actions: readonly Action[]; only: string | null; onClose: () => void }) {
  const action = useSignal(only ?? actions[0]?.id ?? "");
  const percent = useSignal("5");
  const events = useSignal("500");
  const shadow = useSignal("0");
  const failed = useSignal<unknown>(null);
  const start = async () => {
    failed.value = null;
    const shadowed = Number(shadow.value);
    try {
      const made = await ask(
        api.POST("/api/v2/actions/actions/{action_id}/rollouts", {
          params: { path: { action_id: action.value } },
          body: {
            stages: [
              ...(shadowed > 0 ? [{ shadow: { events: shadowed } }] : []),
              { canary: { percent: Number(percent.value), events: Number(events.value) } },
              { promote: true },
            ],
          } as never,
        }),
      );
      navigate(to`/rollouts/${action.value}/${made.id}`);
    } catch (error) {
      failed.value = error;
    }
  };
  const number = (label: string, value: typeof percent, limits: { min: number; max: number; step?: number }, hint?: string) => (
    <Field label={label} hint={hint}>
      {(ids) => (
        <input {...ids} {...limits} type="number" required {...bound(value)} />
      )}
    </Field>
  );
  return (
    <Dialog title={words.start} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <p class="muted">{words.startAbout}</p>
        <Field label={words.action}>
          {(ids) => (
            <select {...ids} value={action.value} onChange={(event) => (action.value = event.currentTarget.value)}>
              {actions.map((item) => (
                <option key={item.id} value={item.id}>
                  {plain(item.name, 80)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <div class="row">
          {number(words.percent, percent, { min: 0.1, max: 99.9, step: 0.1 })}
          {number(words.events, events, { min: 1, max: 1_000_000 })}
        </div>
        {number(words.shadow, shadow, { min: 0, max: 5000 }, words.shadowHint)}
        {failed.value !== null && <Failed error={failed.value} />}
        <footer>
          <button type="button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" class="primary" disabled={!action.value}>
            {words.start}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
