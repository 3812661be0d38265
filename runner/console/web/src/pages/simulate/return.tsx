/** What the user does where a flow waits: comes back from a site, submits a form, passes or enrols a factor. */
import { type Signal, useSignal } from "@preact/signals";
import type { Outcome, SimulatedReturn, Suspension } from "../../api/dev";
import { may } from "../../api/session";
import { bound, Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { texts } from "../../texts";
import { object, pairs, tokenClaims } from "./values";

interface Props {
  outcome: Outcome;
  suspension: Suspension;
  busy: boolean;
  onReturn: ((parts: SimulatedReturn) => void) | null;
}

type Parts = Partial<Omit<SimulatedReturn, "handle">>;

export function Return({ outcome, suspension, busy, onReturn }: Props) {
  const { kind, handle } = suspension;
  const submit = onReturn && ((parts: Parts) => onReturn({ handle, ...parts } as SimulatedReturn));
  return (
    <section class="return" aria-label={texts.simulate.waits[kind] ?? kind}>
      <h3>{texts.simulate.waits[kind] ?? kind}</h3>
      {kind === "redirect" && <Redirect url={suspension.url ?? ""} busy={busy} submit={submit} />}
      {kind === "prompt" && <Prompt outcome={outcome} busy={busy} submit={submit} />}
      {(kind === "challenge" || kind === "enroll") && <Factors outcome={outcome} kind={kind} busy={busy} submit={submit} />}
    </section>
  );
}

interface WayProps {
  busy: boolean;
  submit: ((parts: Parts) => void) | null;
}

function Redirect({ url, busy, submit }: WayProps & { url: string }) {
  const back = useSignal("");
  const body = useSignal("");
  const signs = useSignal(tokenClaims(url) !== null);
  const parameter = useSignal("session_token");
  const claims = useSignal("{}");
  const named = useSignal(may("update:actions"));
  const secret = useSignal("");
  const wrong = useSignal<string | null>(null);
  const told = tokenClaims(url);

  const send = (event: Event) => {
    event.preventDefault();
    const value = object(claims.value);
    wrong.value = signs.value && typeof value === "string" ? value : null;
    if (wrong.value !== null) {
      return;
    }
    const token = {
      ...(named.value ? { secret_name: secret.value.trim() } : { secret: secret.value }),
      parameter: parameter.value.trim(),
      claims: value as Record<string, unknown>,
    };
    submit?.({ query: pairs(back.value), body: pairs(body.value), ...(signs.value ? { token } : {}) } as Parts);
  };
  return (
    <form class="form" onSubmit={send}>
      <p>
        {texts.simulate.address}:{" "}
        <code>
          <Hostile text={url} limit={300} />
        </code>
      </p>
      {told !== null && (
        <details>
          <summary>{texts.simulate.claims}</summary>
          <Hostile text={JSON.stringify(told, null, 2)} block />
        </details>
      )}
      <div class="row">
        <Lines label={texts.simulate.query} hint={texts.simulate.queryHint} value={back} />
        <Lines label={texts.simulate.body} hint={texts.simulate.bodyHint} value={body} />
      </div>
      <label class="check">
        <input type="checkbox" checked={signs.value} onChange={(event) => (signs.value = event.currentTarget.checked)} />
        {texts.simulate.token}
      </label>
      {signs.value && (
        <>
          <div class="row">
            <Text label={texts.simulate.tokenName} value={parameter} />
            <Field label={texts.simulate.secretKind}>
              {(ids) => (
                <select {...ids} value={named.value ? "name" : "value"} onChange={(event) => (named.value = event.currentTarget.value === "name")}>
                  {may("update:actions") && <option value="name">{texts.simulate.secretName}</option>}
                  <option value="value">{texts.simulate.secretValue}</option>
                </select>
              )}
            </Field>
            <Text label={texts.simulate.secret} value={secret} required />
          </div>
          <Lines
            label={texts.simulate.tokenClaims}
            hint={texts.simulate.tokenClaimsHint}
            error={wrong.value === null ? null : `${texts.simulate.notJson} ${wrong.value}`}
            value={claims}
          />
        </>
      )}
      <Submit text={texts.simulate.resume} busy={busy} submit={submit} />
    </form>
  );
}

function Prompt({ outcome, busy, submit }: WayProps & { outcome: Outcome }) {
  const { prompt } = outcome.effects;
  const fields = useSignal(JSON.stringify(prompt?.fields ?? {}, null, 2));
  const vars = useSignal(JSON.stringify(prompt?.vars ?? {}, null, 2));
  const wrong = useSignal<{ fields: string | null; vars: string | null }>({ fields: null, vars: null });

  const send = (event: Event) => {
    event.preventDefault();
    const [one, two] = [object(fields.value), object(vars.value)];
    wrong.value = { fields: typeof one === "string" ? one : null, vars: typeof two === "string" ? two : null };
    if (typeof one !== "string" && typeof two !== "string") {
      submit?.({ prompt: { fields: one, vars: two } } as Parts);
    }
  };
  const error = (text: string | null) => (text === null ? null : `${texts.simulate.notJson} ${text}`);
  return (
    <form class="form" onSubmit={send}>
      <p>
        {texts.simulate.form}: <Hostile text={prompt?.id ?? ""} limit={200} brief />
      </p>
      <div class="row">
        <Lines label={texts.simulate.fields} hint={texts.simulate.fieldsHint} error={error(wrong.value.fields)} value={fields} />
        <Lines label={texts.simulate.vars} error={error(wrong.value.vars)} value={vars} />
      </div>
      <Submit text={texts.simulate.submit} busy={busy} submit={submit} />
    </form>
  );
}

function Factors({ outcome, kind, busy, submit }: WayProps & { outcome: Outcome; kind: "challenge" | "enroll" }) {
  const types = [...new Set(outcome.effects.steps.flatMap(({ factors }) => factors.map(({ type }) => String(type))))];
  const chosen = useSignal<readonly string[]>(types.slice(0, 1));
  const send = (event: Event) => {
    event.preventDefault();
    const factors = chosen.value;
    submit?.((kind === "challenge"
      ? { methods: factors.map((type) => ({ name: "mfa", type })) }
      : { enrolled: factors.map((type) => ({ type })) }) as Parts);
  };
  return (
    <form class="form" onSubmit={send}>
      <fieldset>
        <legend>{kind === "challenge" ? texts.simulate.factors : texts.simulate.newFactors}</legend>
        {types.map((type) => (
          <label key={type} class="check">
            <input
              type="checkbox"
              checked={chosen.value.includes(type)}
              onChange={(event) =>
                (chosen.value = event.currentTarget.checked ? [...chosen.value, type] : chosen.value.filter((other) => other !== type))
              }
            />
            <Hostile text={type} limit={100} brief />
          </label>
        ))}
      </fieldset>
      <Submit text={kind === "challenge" ? texts.simulate.pass : texts.simulate.enrol} busy={busy} submit={submit} />
    </form>
  );
}

function Submit({ text, busy, submit }: WayProps & { text: string }) {
  return submit ? (
    <div class="buttons">
      <button type="submit" class="primary" disabled={busy}>
        {text}
      </button>
    </div>
  ) : null;
}

function Text({ label, value, required = false }: { label: string; value: Signal<string>; required?: boolean }) {
  return (
    <Field label={label}>
      {(ids) => (
        <input
          {...ids}
          required={required}
          spellcheck={false}
          autocomplete="off"
          {...bound(value)}
        />
      )}
    </Field>
  );
}

function Lines({ label, hint, error, value }: { label: string; hint?: string; error?: string | null; value: Signal<string> }) {
  return (
    <Field label={label} {...(hint ? { hint } : {})} {...(error ? { error } : {})}>
      {(ids) => (
        <textarea
          {...ids}
          class="code"
          rows={3}
          spellcheck={false}
          {...bound(value)}
        />
      )}
    </Field>
  );
}
