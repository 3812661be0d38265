import { useSignal } from "@preact/signals";
import { api, ask, type Management } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/session";
import { Dialog } from "../../components/dialog";
import { bound, Field, Options } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { Badge, Card, Empty, Failed, PageHead, Ready, Time } from "../../components/parts";
import { Link } from "../../router/link";
import { navigate, query, setQuery, to } from "../../router/router";
import { useShortcuts } from "../../shell/keys";
import { texts } from "../../texts";

const words = texts.actions;
const PAGE = 100;

type Action = Management["Action"];

/** All Actions of the tenant. */
export default function ActionsPage() {
  const creating = useSignal(false);
  const name = query.value.get("name") ?? "";
  const { result, reload } = useLoad((signal) => everyAction(signal), []);
  useShortcuts(words.title, [
    { keys: "/", text: texts.keys.search, run: () => document.getElementById("action-search")?.focus() },
    { keys: "n", text: words.create, run: () => (creating.value = may("create:actions")) },
  ]);
  return (
    <>
      <PageHead title={words.title} about={words.about}>
        {may("create:actions") && (
          <button type="button" class="primary" onClick={() => (creating.value = true)}>
            {words.create}
          </button>
        )}
      </PageHead>
      <Ready of={result.value} retry={reload}>
        {(actions) => {
          const shown = actions.filter((action) => action.name.toLowerCase().includes(name.toLowerCase()));
          return (
            <Card
              tools={
                <label class="search">
                  <span class="hidden-label">{words.search}</span>
                  <input
                    id="action-search"
                    type="search"
                    placeholder={words.search}
                    value={name}
                    onInput={(event) => setQuery({ name: event.currentTarget.value })}
                  />
                </label>
              }
            >
              {shown.length === 0 ? <Empty title={words.none}>{words.noneAbout}</Empty> : <Rows actions={shown} />}
            </Card>
          );
        }}
      </Ready>
      {creating.value && <Create onClose={() => (creating.value = false)} />}
    </>
  );
}

/** Every Action, page by page. */
export async function everyAction(signal?: AbortSignal): Promise<Action[]> {
  const found: Action[] = [];
  for (let page = 0; ; page++) {
    const { actions, total = 0 } = await ask(
      api.GET("/api/v2/actions/actions", { params: { query: { page, per_page: PAGE } }, signal: signal ?? null }),
    );
    found.push(...actions);
    if (actions.length < PAGE || found.length >= total) {
      return found;
    }
  }
}

function Rows({ actions }: { actions: readonly Action[] }) {
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th>{words.name}</th>
            <th>{words.trigger}</th>
            <th>{words.runtime}</th>
            <th>{texts.rollouts.state}</th>
            <th>{words.updated}</th>
          </tr>
        </thead>
        <tbody>
          {actions.map((action) => (
            <tr key={action.id}>
              <td>
                <Link to={to`/actions/${action.id}`}>
                  <Hostile text={action.name} limit={80} brief />
                </Link>
              </td>
              <td class="nowrap">{action.supported_triggers[0]?.id}</td>
              <td>{action.runtime}</td>
              <td>
                <Status action={action} />
              </td>
              <td>
                <Time at={action.updated_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What is deployed, and how the draft is. */
export function Status({ action }: { action: Action }) {
  const deployed = action.deployed_version;
  return (
    <span class="badges">
      <Badge tone={deployed ? "good" : "plain"}>{deployed ? words.deployed(deployed.number) : words.notDeployed}</Badge>
      {action.status === "failed" && <Badge tone="bad">{words.failed}</Badge>}
      {action.status !== "failed" && action.status !== "built" && <Badge tone="info">{words.building}</Badge>}
      {deployed && !action.all_changes_deployed && <Badge tone="warn">{words.changed}</Badge>}
    </span>
  );
}

function Create({ onClose }: { onClose: () => void }) {
  const name = useSignal("");
  const trigger = useSignal("post-login");
  const runtime = useSignal<Action["runtime"]>("node22");
  const failed = useSignal<unknown>(null);
  const triggers = useLoad((signal) => ask(api.GET("/api/v2/actions/triggers", { signal })), []);
  const ids =
    triggers.result.value.state === "ready"
      ? [...new Set(triggers.result.value.data.triggers.filter(({ status }) => status === "CURRENT").map(({ id }) => id))]
      : [trigger.value];
  const create = async () => {
    failed.value = null;
    try {
      const made = await ask(
        api.POST("/api/v2/actions/actions", {
          body: {
            name: name.value.trim(),
            runtime: runtime.value,
            supported_triggers: [{ id: trigger.value }],
            ...(await template(trigger.value, runtime.value)),
          } as Management["CreateAction"],
        }),
      );
      navigate(to`/actions/${made.id}`);
    } catch (error) {
      failed.value = error;
    }
  };
  return (
    <Dialog title={words.create} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Field label={words.name}>
          {(given) => (
            <input {...given} required maxLength={255} {...bound(name)} />
          )}
        </Field>
        <Field label={words.trigger}>
          {(given) => (
            <select {...given} value={trigger.value} onChange={(event) => (trigger.value = event.currentTarget.value)}>
              <Options of={ids} />
            </select>
          )}
        </Field>
        <Field label={words.runtime}>
          {(given) => (
            <select {...given} value={runtime.value} onChange={(event) => (runtime.value = event.currentTarget.value as Action["runtime"])}>
              <option value="node22">JavaScript, TypeScript</option>
              <option value="python3">Python</option>
            </select>
          )}
        </Field>
        {failed.value !== null && <Failed error={failed.value} />}
        <footer>
          <button type="button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" class="primary" disabled={!name.value.trim()}>
            {words.create}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** A handler that does nothing, for the trigger. */
async function template(trigger: string, runtime: Action["runtime"]): Promise<{ code?: string }> {
  if (runtime === "python3") {
    return {}; // the service has one
  }
  const known = await ask(
    api.GET("/api/v2/actions/triggers/{trigger_id}/declarations", {
      params: { path: { trigger_id: trigger }, query: { language: "javascript" } },
    }),
  );
  return { code: `// ${known.summary}\nexports.${known.handlers[0]} = async (event, api) => {\n};\n` };
}
