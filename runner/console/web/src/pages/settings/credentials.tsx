import { useSignal } from "@preact/signals";
import type { Console } from "../../api/client";
import { Dialog } from "../../components/dialog";
import { said } from "../../components/parts";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";

const words = texts.settings.credentials;

/** A form that makes something with credentials: what was made, what went wrong, and what to do when it is sent. */
export function useNewCredentials(make: () => Promise<Console["NewCredentials"]>) {
  const made = useSignal<Console["NewCredentials"] | null>(null);
  const error = useSignal<string | null>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      made.value = await make();
    } catch (failure) {
      error.value = said(failure);
    }
  };
  return { made: made.value, error: error.value, submit };
}

/** New credentials: they are shown this once. */
export function Credentials({ of, onClose }: { of: Console["NewCredentials"]; onClose: () => void }) {
  return (
    <Dialog title={words.title} onClose={onClose}>
      <p>{words.about}</p>
      <dl class="secrets">
        <Value name={words.id} value={of.client_id} />
        <Value name={words.secret} value={of.client_secret} />
      </dl>
      <footer>
        <button type="button" class="primary" onClick={onClose}>
          {words.done}
        </button>
      </footer>
    </Dialog>
  );
}

/** A value to copy. */
export function Value({ name, value }: { name: string; value: string }) {
  const copy = () => {
    navigator.clipboard.writeText(value).then(
      () => toast(words.copied),
      () => toast(words.notCopied, "bad"),
    );
  };
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <code>{value}</code>
        <button type="button" class="inline" onClick={copy}>
          {words.copy}
        </button>
      </dd>
    </div>
  );
}
