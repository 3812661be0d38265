import type { Console } from "../../api/client";
import { Dialog } from "../../components/dialog";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";

const words = texts.settings.credentials;

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
