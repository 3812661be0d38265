import { useSignal } from "@preact/signals";
import { api, ask, type Management } from "../../api/client";
import { Dialog } from "../../components/dialog";
import { Field, Options } from "../../components/field";
import { said } from "../../components/parts";
import { texts } from "../../texts";

type Provider = Management["CreateHook"]["provider"];

const words = texts.settings.hookList;

/** What each provider calls; the service refuses others. */
const HOOKS: Record<Provider, readonly string[]> = {
  firebase: ["beforeCreate", "beforeSignIn"],
  hydra: ["token", "refresh"],
  kratos: ["login", "registration", "registered", "settings", "recovery", "sms", "email"],
  okta: ["token", "saml", "registration", "telephony"],
  supabase: [
    "customize-access-token",
    "before-user-created",
    "after-user-created",
    "send-sms",
    "send-email",
    "password-verification",
    "mfa-verification",
  ],
  wso2: ["pre-issue-access-token", "pre-issue-id-token", "pre-update-password"],
  zitadel: ["preaccesstoken", "preuserinfo", "presamlresponse", "request", "event", "sms", "email"],
};

/** Which hook of which provider to add. */
export function AddHook({ onAdded, onClose }: { onAdded: (id: string) => void; onClose: () => void }) {
  const provider = useSignal<Provider>("zitadel");
  const hook = useSignal("preaccesstoken");
  const error = useSignal<string | null>(null);
  const add = async (event: Event) => {
    event.preventDefault();
    try {
      const body = { provider: provider.value, hook: hook.value } as Management["CreateHook"]; // the rest has defaults
      onAdded((await ask(api.POST("/api/v2/identity-provider-hooks", { body }))).id);
    } catch (failure) {
      error.value = said(failure);
    }
  };
  return (
    <Dialog title={words.add} onClose={onClose}>
      <form class="form" onSubmit={add}>
        <Field label={words.provider}>
          {(ids) => (
            <select
              {...ids}
              value={provider.value}
              onChange={(event) => {
                provider.value = event.currentTarget.value as Provider;
                hook.value = HOOKS[provider.value][0] ?? "";
              }}
            >
              <Options of={Object.keys(HOOKS)} />
            </select>
          )}
        </Field>
        <Field label={words.hook} error={error.value}>
          {(ids) => (
            <select {...ids} value={hook.value} onChange={(event) => (hook.value = event.currentTarget.value)}>
              <Options of={HOOKS[provider.value]} />
            </select>
          )}
        </Field>
        <footer class="buttons">
          <button type="submit" class="primary">
            {words.add}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
