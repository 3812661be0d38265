import { useSignal } from "@preact/signals";
import { api, ask, type Management } from "../../api/client";
import { usePages } from "../../api/pages";
import { may } from "../../api/session";
import { Dialog } from "../../components/dialog";
import { bound, Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { PageList } from "../../components/page_list";
import { Card, said } from "../../components/parts";
import { Link } from "../../router/link";
import { to } from "../../router/router";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";
import { parseRules, ruleText } from "./host_rules";

type Action = Management["Action"];

const words = texts.settings.hosts;
const TAKE = 50;

/** Which hosts each Action may reach. */
export function Hosts() {
  const pages = usePages<Action>(async (from) => {
    const page = Number(from ?? 0);
    const query = { page, per_page: TAKE };
    const { actions } = await ask(api.GET("/api/v2/actions/actions", { params: { query } }));
    return { items: actions, next: actions.length === TAKE ? `${page + 1}` : undefined };
  }, []);
  const editing = useSignal<Action | null>(null);
  return (
    <Card title={words.title}>
      <p class="body muted">{words.about}</p>
      <PageList
        pages={pages}
        columns={[words.action, words.hosts, ""]}
        empty={words.none}
        row={(action) => (
          <tr key={action.id}>
            <td>
              <Link to={to`/actions/${action.id}`}>
                <Hostile text={action.name} limit={80} brief />
              </Link>
            </td>
            <td>
              {action.egress ? (
                <ul class="hosts">
                  {action.egress.map((rule, index) => (
                    <li key={index} class="mono">
                      <Hostile text={ruleText(rule)} limit={200} brief />
                    </li>
                  ))}
                  {action.egress.length === 0 && <li>{words.nothing}</li>}
                </ul>
              ) : (
                <span class="muted">{words.any}</span>
              )}
            </td>
            <td class="number">
              {may("update:actions") && (
                <button type="button" onClick={() => (editing.value = action)}>
                  {words.edit}
                </button>
              )}
            </td>
          </tr>
        )}
      />
      {editing.value && (
        <HostDialog
          action={editing.value}
          onClose={() => (editing.value = null)}
          onSaved={() => {
            editing.value = null;
            pages.reload();
          }}
        />
      )}
    </Card>
  );
}

function HostDialog({ action, onClose, onSaved }: { action: Action; onClose: () => void; onSaved: () => void }) {
  const limited = useSignal(action.egress !== undefined);
  const text = useSignal((action.egress ?? []).map(ruleText).join("\n"));
  const error = useSignal<string | null>(null);
  const save = async (event: Event) => {
    event.preventDefault();
    const egress = limited.value ? parseRules(text.value) : null;
    if (typeof egress === "string") {
      error.value = words.wrong(egress);
      return;
    }
    try {
      await ask(api.PATCH("/api/v2/actions/actions/{action_id}", { params: { path: { action_id: action.id } }, body: { egress } }));
      toast(words.saved);
      onSaved();
    } catch (failure) {
      error.value = said(failure);
    }
  };
  return (
    <Dialog title={<Hostile text={action.name} limit={80} brief />} onClose={onClose}>
      <form class="form" onSubmit={save}>
        <fieldset class="checks">
          <legend class="hidden-label">{words.hosts}</legend>
          <label class="check">
            <input type="radio" name="limited" checked={!limited.value} onChange={() => (limited.value = false)} />
            {words.any}
          </label>
          <label class="check">
            <input type="radio" name="limited" checked={limited.value} onChange={() => (limited.value = true)} />
            {words.only}
          </label>
        </fieldset>
        {limited.value && (
          <Field label={words.rules} hint={words.rulesHint} error={error.value}>
            {(ids) => (
              <textarea
                {...ids}
                class="mono"
                rows={6}
                spellcheck={false}
                {...bound(text)}
              />
            )}
          </Field>
        )}
        {!limited.value && error.value && <p class="error">{error.value}</p>}
        <p class="small muted">{words.draft}</p>
        <footer class="buttons">
          <button type="submit" class="primary">
            {texts.save}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
