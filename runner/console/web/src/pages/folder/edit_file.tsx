/** A file of the folder in a dialog. What was changed outside meanwhile is neither lost nor written over. */
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { readFile, writeFile } from "../../api/dev";
import { ApiError } from "../../api/errors";
import { Dialog } from "../../components/dialog";
import { Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { Failed } from "../../components/parts";
import { useShortcuts } from "../../shell/keys";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";

const CHANGED = 412;

export function EditFile({ file, onClose }: { file: string; onClose: () => void }) {
  const text = useSignal<string | null>(null);
  const etag = useSignal<string | null>(null);
  const failure = useSignal<unknown>(null);
  const changed = useSignal(false);

  const load = async (abort?: AbortSignal) => {
    try {
      const stored = await readFile(file, abort);
      [text.value, etag.value, changed.value, failure.value] = [stored.text, stored.etag, false, null];
    } catch (error) {
      if (!abort?.aborted) {
        failure.value = error;
      }
    }
  };
  useEffect(() => {
    const abort = new AbortController();
    void load(abort.signal);
    return () => abort.abort();
  }, [file]);

  const save = async () => {
    if (text.value === null) {
      return;
    }
    failure.value = null;
    try {
      await writeFile(file, text.value, etag.value);
      toast(texts.saved);
      onClose();
    } catch (error) {
      changed.value = error instanceof ApiError && error.status === CHANGED;
      failure.value = changed.value ? null : error;
    }
  };
  useShortcuts(texts.folder.cases, [{ keys: "Mod+s", text: texts.save, run: () => void save() }]);

  return (
    <Dialog title={<Hostile text={file} limit={200} brief />} wide onClose={onClose}>
      {failure.value !== null && <Failed error={failure.value} />}
      {changed.value && (
        <div class="note warn" role="alert">
          {texts.folder.changed}
          <button type="button" onClick={() => void load()}>
            {texts.folder.takeOther}
          </button>
        </div>
      )}
      {text.value !== null && (
        <Field label={texts.folder.text(file)}>
          {(ids) => (
            <textarea
              {...ids}
              class="code"
              rows={24}
              spellcheck={false}
              value={text.value ?? ""}
              onInput={(event) => (text.value = event.currentTarget.value)}
            />
          )}
        </Field>
      )}
      <footer>
        <button type="button" onClick={onClose}>
          {texts.cancel}
        </button>
        <button type="button" class="primary" disabled={text.value === null} onClick={() => void save()}>
          {texts.save}
        </button>
      </footer>
    </Dialog>
  );
}
