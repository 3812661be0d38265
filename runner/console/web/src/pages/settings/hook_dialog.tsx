import { useSignal } from "@preact/signals";
import { api, ask, type Management } from "../../api/client";
import { may } from "../../api/session";
import { Dialog } from "../../components/dialog";
import { bound, Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { Badge, said, Time } from "../../components/parts";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";
import { Value } from "./credentials";

type Hook = Management["HookItem"];
type Result = Management["runner__hooks__management__bodies__TestResult"];

const words = texts.settings.hookList;

/** One hook: its address, secrets, what it does when something cannot be carried over, and a try. */
export function HookDialog({ hook, onChanged, onClose }: { hook: Hook; onChanged: () => void; onClose: () => void }) {
  const path = { hook_id: hook.id };
  const editable = may("update:identity_provider_hooks");
  const tried = useSignal<Result | null>(null);
  const deleting = useSignal(false);
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await work();
      onChanged();
    } catch (error) {
      toast(said(error), "bad");
    }
  };
  const change = (body: Partial<Management["UpdateHook"]>) =>
    attempt(() =>
      ask(
        api.PATCH("/api/v2/identity-provider-hooks/{hook_id}", {
          params: { path },
          body: body as Management["UpdateHook"], // only what is there is changed
        }),
      ),
    );
  const test = async () => {
    try {
      tried.value = await ask(api.POST("/api/v2/identity-provider-hooks/{hook_id}/test", { params: { path }, body: {} }));
    } catch (error) {
      toast(said(error), "bad");
    }
  };
  return (
    <Dialog title={`${hook.provider} · ${hook.hook}`} onClose={onClose}>
      <dl class="secrets">
        <Value name={words.url} value={hook.url} />
      </dl>
      <label class="check">
        <input type="checkbox" checked={hook.enabled} disabled={!editable} onChange={(event) => void change({ enabled: event.currentTarget.checked })} />
        {words.enabledLabel}
      </label>
      <Field label={words.uncarried} hint={words.uncarriedHint}>
        {(ids) => (
          <select
            {...ids}
            disabled={!editable}
            value={hook.on_uncarried}
            onChange={(event) => void change({ on_uncarried: event.currentTarget.value as Hook["on_uncarried"] })}
          >
            <option value="deny">{words.deny}</option>
            <option value="allow">{words.allow}</option>
          </select>
        )}
      </Field>
      <Secrets hook={hook} editable={editable} attempt={attempt} />
      {tried.value && <Tried result={tried.value} />}
      <footer>
        {may("delete:identity_provider_hooks") && !deleting.value && (
          <button type="button" onClick={() => (deleting.value = true)}>
            {texts.remove}
          </button>
        )}
        {deleting.value && (
          <button
            type="button"
            class="danger"
            onClick={() =>
              void attempt(async () => {
                await ask(api.DELETE("/api/v2/identity-provider-hooks/{hook_id}", { params: { path } }));
                onClose();
              })
            }
          >
            {words.removeSurely}
          </button>
        )}
        {editable && (
          <button type="button" class="primary" onClick={() => void test()}>
            {words.test}
          </button>
        )}
      </footer>
    </Dialog>
  );
}

interface SecretsProps {
  hook: Hook;
  editable: boolean;
  attempt: (work: () => Promise<unknown>) => Promise<void>;
}

/** The secrets, without their values; a new one can be given, or made by the service, which shows it once. */
function Secrets({ hook, editable, attempt }: SecretsProps) {
  const value = useSignal("");
  const made = useSignal<string | null>(null);
  const add = (event: Event) => {
    event.preventDefault();
    void (async () => {
      try {
        const secret = await ask(
          api.POST("/api/v2/identity-provider-hooks/{hook_id}/secrets", {
            params: { path: { hook_id: hook.id } },
            body: { use: "verify", value: value.value || null },
          }),
        );
        made.value = secret.value ?? null;
        value.value = "";
        if (made.value === null) {
          await attempt(() => Promise.resolve());
        }
      } catch (error) {
        toast(said(error), "bad");
      }
    })();
  };
  return (
    <section class="form">
      <h3>{words.secrets}</h3>
      {hook.secrets.length === 0 && made.value === null && <p class="small muted">{words.noSecretAbout}</p>}
      <ul class="secret-list">
        {hook.secrets.map(({ id, use, created_at }) => (
          <li key={id}>
            <span class="mono">{id}</span> <Badge>{use}</Badge> <Time at={created_at} />
            {editable && (
              <button
                type="button"
                class="inline"
                onClick={() =>
                  void attempt(() =>
                    ask(
                      api.DELETE("/api/v2/identity-provider-hooks/{hook_id}/secrets/{secret_id}", {
                        params: { path: { hook_id: hook.id, secret_id: id } },
                      }),
                    ),
                  )
                }
              >
                {texts.remove}
              </button>
            )}
          </li>
        ))}
      </ul>
      {made.value !== null && (
        <>
          <p>{words.madeSecret}</p>
          <dl class="secrets">
            <Value name={words.secret} value={made.value} />
          </dl>
        </>
      )}
      {editable && (
        <form class="with-button" onSubmit={add}>
          <Field label={words.newSecret} hint={words.newSecretHint}>
            {(ids) => (
              <input
                {...ids}
                type="password"
                autocomplete="off"
                minLength={8}
                maxLength={16_384}
                {...bound(value)}
              />
            )}
          </Field>
          <button type="submit">{words.addSecret}</button>
        </form>
      )}
    </section>
  );
}

function Tried({ result }: { result: Result }) {
  return (
    <section class="form" aria-live="polite">
      <p class={result.goes_on ? "note good" : "note warn"}>{result.goes_on ? words.goesOn : words.stops}</p>
      <pre class="log-chosen mono">
        <Hostile text={JSON.stringify({ answer: result.answer, dropped: result.dropped }, null, 2)} block limit={4000} />
      </pre>
    </section>
  );
}
