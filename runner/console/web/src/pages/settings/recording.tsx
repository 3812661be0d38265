import { useSignal } from "@preact/signals";
import { api, ask, type Management } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/session";
import { Field } from "../../components/field";
import { bytes, Card, Ready, said } from "../../components/parts";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";
import { parsePolicy, policyText } from "./policy";

const words = texts.settings.recording;

/** Which executions are recorded, and for how long. */
export function Recording() {
  const { result, reload } = useLoad((signal) => ask(api.GET("/api/v2/record-policy", { signal })), []);
  return (
    <Ready of={result.value} retry={reload}>
      {(stored) => (
        <>
          <Card title={words.title}>
            <PolicyForm stored={stored} onSaved={reload} />
          </Card>
          <Card title={words.used}>
            <div class="body">
              <meter min={0} max={stored.quota_bytes} value={stored.used_bytes} aria-label={words.used} />
              <p class="muted small">{words.usage(stored.records, bytes(stored.used_bytes), bytes(stored.quota_bytes))}</p>
            </div>
          </Card>
        </>
      )}
    </Ready>
  );
}

function PolicyForm({ stored, onSaved }: { stored: Management["RecordPolicyItem"]; onSaved: () => void }) {
  const policy = useSignal(parsePolicy(stored.policy));
  const days = useSignal(stored.days);
  const editable = may("update:actions");
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      await ask(api.PATCH("/api/v2/record-policy", { body: { policy: policyText(policy.value), days: days.value } }));
      toast(texts.saved);
      onSaved();
    } catch (error) {
      toast(said(error), "bad");
    }
  };
  const box = (name: "failures" | "denials" | "all") => (
    <label class="check">
      <input
        type="checkbox"
        checked={policy.value[name]}
        disabled={!editable || (name !== "all" && policy.value.all)}
        onChange={(event) => (policy.value = { ...policy.value, [name]: event.currentTarget.checked })}
      />
      {words[name]}
    </label>
  );
  return (
    <form class="form body" onSubmit={save}>
      <fieldset class="checks" disabled={!editable}>
        <legend class="muted">{words.about}</legend>
        {box("all")}
        {box("failures")}
        {box("denials")}
      </fieldset>
      <div class="row">
        <Field label={words.sample} hint={words.sampleHint}>
          {(ids) => (
            <input
              {...ids}
              type="number"
              min={0}
              max={100}
              step="any"
              disabled={!editable || policy.value.all}
              value={policy.value.sample}
              onInput={(event) => (policy.value = { ...policy.value, sample: event.currentTarget.valueAsNumber || 0 })}
            />
          )}
        </Field>
        <Field label={words.days} hint={words.daysHint}>
          {(ids) => (
            <input
              {...ids}
              type="number"
              min={0.001}
              max={3650}
              step="any"
              required
              disabled={!editable}
              value={days.value}
              onInput={(event) => (days.value = event.currentTarget.valueAsNumber)}
            />
          )}
        </Field>
      </div>
      {editable && (
        <div class="buttons">
          <button type="submit" class="primary">
            {texts.save}
          </button>
          <code class="muted">{policyText(policy.value)}</code>
        </div>
      )}
    </form>
  );
}
