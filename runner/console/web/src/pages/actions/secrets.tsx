import { useSignal } from "@preact/signals";
import { may } from "../../api/session";
import { plain } from "../../components/escape";
import { bound, Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { Time } from "../../components/parts";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";
import type { Draft, Fields } from "./draft";

const words = texts.actions.secrets;

/** Names of secrets; their values can be written, and never read. */
export function Secrets({ draft }: { draft: Draft }) {
  const name = useSignal("");
  const value = useSignal("");
  const known = draft.action.value?.secrets ?? [];
  const put = async (secrets: NonNullable<Fields["secrets"]>, done: string) => {
    if (await draft.save({ secrets })) {
      toast(done);
    }
  };
  const others = (without: string) => known.filter((item) => item.name !== without).map((item) => ({ name: item.name }));
  const writes = may("update:actions");
  return (
    <>
      <p class="muted">{words.about}</p>
      {known.length === 0 && <p class="muted">{words.none}</p>}
      <ul class="rows">
        {known.map((secret) => (
          <li key={secret.name}>
            <div>
              <span class="mono">
                <Hostile text={secret.name} limit={120} brief />
              </span>{" "}
              <span class="muted small">
                <Time at={secret.updated_at} />
              </span>
            </div>
            {writes && (
              <SetValue
                name={secret.name}
                onSet={(text) => void put([...others(secret.name), { name: secret.name, value: text }], words.changed)}
                onRemove={() => void put(others(secret.name), words.removed)}
              />
            )}
          </li>
        ))}
      </ul>
      {writes && (
        <form
          class="form"
          autocomplete="off"
          onSubmit={(event) => {
            event.preventDefault();
            void put([...others(name.value), { name: name.value, value: value.value }], words.changed).then(() => {
              name.value = "";
              value.value = "";
            });
          }}
        >
          <div class="row">
            <Field label={words.name}>
              {(ids) => (
                <input {...ids} class="mono" required maxLength={128} {...bound(name)} />
              )}
            </Field>
            <Field label={words.value}>
              {(ids) => (
                <input
                  {...ids}
                  type="password"
                  autocomplete="new-password"
                  required
                  {...bound(value)}
                />
              )}
            </Field>
          </div>
          <div class="buttons">
            <button type="submit">{words.add}</button>
          </div>
        </form>
      )}
    </>
  );
}

function SetValue({ name, onSet, onRemove }: { name: string; onSet: (text: string) => void; onRemove: () => void }) {
  const value = useSignal("");
  return (
    <form
      class="buttons"
      autocomplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        onSet(value.value);
        value.value = "";
      }}
    >
      <input
        type="password"
        class="short"
        autocomplete="new-password"
        aria-label={words.label(plain(name, 60))}
        placeholder={words.set}
        {...bound(value)}
      />
      <button type="submit" disabled={!value.value}>
        {texts.save}
      </button>
      <button type="button" class="quiet" aria-label={words.removeLabel(plain(name, 60))} onClick={onRemove}>
        {texts.remove}
      </button>
    </form>
  );
}
