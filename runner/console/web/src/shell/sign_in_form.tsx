import { useSignal } from "@preact/signals";
import { ApiError } from "../api/errors";
import { OIDC, signIn, ways } from "../api/session";
import { bound, Field } from "../components/field";
import { Hostile } from "../components/hostile";
import { said } from "../components/parts";
import { BASE } from "../router/router";
import { texts } from "../texts";

interface Props {
  /** Where the identity provider leads back to, under /console; left out, it opens beside the page. */
  to?: string;
  /** There is a session. */
  onDone: () => void;
}

/** What to sign in with; also in the dialog over a page whose session has ended. */
export function SignInForm({ to, onDone }: Props) {
  const id = useSignal("");
  const secret = useSignal("");
  const busy = useSignal(false);
  const failure = useSignal<string | null>(null);

  const submit = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    failure.value = null;
    try {
      await signIn(id.value.trim(), secret.value);
      secret.value = "";
      onDone();
    } catch (error) {
      failure.value = error instanceof ApiError && error.status === 401 ? texts.signIn.failed : said(error);
    } finally {
      busy.value = false;
    }
  };
  const oidc = ways.value.includes("oidc");
  return (
    <div class="sign-in-form">
      {failure.value && (
        <div class="note bad" role="alert">
          <Hostile text={failure.value} limit={500} />
        </div>
      )}
      {oidc && (
        <>
          <a class="button primary" href={`${OIDC}?to=${encodeURIComponent(BASE + (to ?? ""))}`} target={to === undefined ? "_blank" : undefined}>
            {texts.signIn.oidc}
          </a>
          <p class="divider">{texts.signIn.or}</p>
        </>
      )}
      <form onSubmit={submit}>
        <Field label={texts.signIn.client.id}>
          {(ids) => (
            <input
              {...ids}
              name="client_id"
              autocomplete="username"
              spellcheck={false}
              required
              maxLength={255}
              {...bound(id)}
            />
          )}
        </Field>
        <Field label={texts.signIn.client.secret}>
          {(ids) => (
            <input
              {...ids}
              name="client_secret"
              type="password"
              autocomplete="current-password"
              required
              maxLength={1024}
              {...bound(secret)}
            />
          )}
        </Field>
        <button type="submit" class={oidc ? "" : "primary"} disabled={busy.value}>
          {texts.signIn.client.submit}
        </button>
      </form>
      <p class="small muted">
        {texts.signIn.link.about} <code>{texts.signIn.link.command}</code>.
      </p>
    </div>
  );
}
