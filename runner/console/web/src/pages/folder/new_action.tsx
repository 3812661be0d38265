/** The dialog that writes a first Action and its case. */
import { useSignal } from "@preact/signals";
import { api, ask } from "../../api/client";
import { makeAction } from "../../api/dev";
import { useLoad } from "../../api/load";
import { Dialog } from "../../components/dialog";
import { bound, Field, Options } from "../../components/field";
import { Failed, Ready } from "../../components/parts";
import { navigate, to } from "../../router/router";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";

type Language = "javascript" | "python";

export function NewAction({ onClose }: { onClose: () => void }) {
  const { result } = useLoad((signal) => ask(api.GET("/api/v2/actions/triggers", { signal })), []);
  const trigger = useSignal("post-login");
  const language = useSignal<Language>("javascript");
  const name = useSignal("");
  const busy = useSignal(false);
  const failure = useSignal<unknown>(null);

  const submit = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    failure.value = null;
    try {
      const wanted = name.value.trim();
      const made = await makeAction({
        trigger_id: trigger.value,
        language: language.value,
        ...(wanted === "" ? {} : { name: wanted }),
      });
      toast(texts.folder.made(`${made.file}, ${made.case_file}`));
      onClose();
      if (made.action_id !== null) {
        navigate(to`/actions/${made.action_id}`);
      }
    } catch (error) {
      failure.value = error;
    } finally {
      busy.value = false;
    }
  };
  return (
    <Dialog title={texts.folder.new} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        {failure.value !== null && <Failed error={failure.value} />}
        <Field label={texts.folder.trigger}>
          {(ids) => (
            <Ready of={result.value}>
              {({ triggers }) => (
                <select {...ids} value={trigger.value} onChange={(event) => (trigger.value = event.currentTarget.value)}>
                  <Options of={triggers.map(({ id }) => id)} />
                </select>
              )}
            </Ready>
          )}
        </Field>
        <div class="row">
          <Field label={texts.folder.language}>
            {(ids) => (
              <select {...ids} value={language.value} onChange={(event) => (language.value = event.currentTarget.value as Language)}>
                <option value="javascript">{texts.folder.languages.javascript}</option>
                <option value="python">{texts.folder.languages.python}</option>
              </select>
            )}
          </Field>
          <Field label={texts.folder.name} hint={texts.folder.nameHint}>
            {(ids) => (
              <input
                {...ids}
                pattern="[A-Za-z0-9][A-Za-z0-9_\-]*"
                maxLength={64}
                spellcheck={false}
                autocomplete="off"
                {...bound(name)}
              />
            )}
          </Field>
        </div>
        <footer>
          <button type="button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" class="primary" disabled={busy.value}>
            {texts.folder.make}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
