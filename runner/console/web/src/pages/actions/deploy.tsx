import { useSignal } from "@preact/signals";
import { api, ask } from "../../api/client";
import { ApiError } from "../../api/errors";
import { Dialog } from "../../components/dialog";
import { bound, Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { Failed } from "../../components/parts";
import { Link } from "../../router/link";
import { to } from "../../router/router";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";
import { type Draft, writtenOf } from "./draft";
import { Merge } from "./merge";

const words = texts.actions;

interface Report {
  readonly logins?: readonly { readonly execution_id: string; readonly now: string }[];
}

/** Shows what a deploy changes, and deploys. */
export function Deploy({ draft, onClose }: { draft: Draft; onClose: () => void }) {
  const busy = useSignal(false);
  const failed = useSignal<unknown>(null);
  const reason = useSignal("");
  const action = draft.action.value;
  const before = action?.deployed_version?.code;
  const locked = failed.value instanceof ApiError && failed.value.code === "would_lock_out";
  const deploy = async () => {
    busy.value = true;
    failed.value = null;
    try {
      if (!(await draft.built())) {
        onClose(); // its errors stand beside the source
        return;
      }
      const version = await ask(
        api.POST("/api/v2/actions/actions/{action_id}/deploy", {
          params: { path: { action_id: action?.id ?? "" }, query: reason.value ? { force: reason.value } : {} },
        }),
      );
      toast(words.deployed1((version as { number: number }).number));
      await draft.reload();
      onClose();
    } catch (error) {
      failed.value = error;
    } finally {
      busy.value = false;
    }
  };
  return (
    <Dialog title={words.deployTitle} onClose={onClose} wide>
      <p>{before === undefined ? words.deployFirst : words.deployAbout}</p>
      {before !== undefined && (
        <Merge
          before={before}
          after={draft.text.value}
          written={writtenOf(draft)}
          labels={[words.versions.current, words.editor]}
        />
      )}
      {failed.value !== null && <Failed error={failed.value} />}
      {locked && <LockedOut report={((failed.value as ApiError).body as { report?: Report }).report} />}
      {locked && (
        <Field label={words.force} hint={words.forceHint}>
          {(ids) => (
            <input {...ids} maxLength={500} {...bound(reason)} />
          )}
        </Field>
      )}
      <footer>
        <button type="button" onClick={onClose}>
          {texts.cancel}
        </button>
        <button type="button" class="primary" disabled={busy.value || (locked && !reason.value.trim())} onClick={() => void deploy()}>
          {words.deploy}
        </button>
      </footer>
    </Dialog>
  );
}

function LockedOut({ report }: { report: Report | undefined }) {
  return (
    <div>
      <p>{words.lockedOut}</p>
      <ul class="mono small">
        {report?.logins?.map((login) => (
          <li key={login.execution_id}>
            <Link to={to`/executions/${login.execution_id}`}>
              <Hostile text={login.execution_id} limit={64} brief />
            </Link>{" "}
            <Hostile text={login.now} limit={20} brief />
          </li>
        ))}
      </ul>
    </div>
  );
}
