import { useSignal } from "@preact/signals";
import { api, ask, type Management } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/session";
import { Dialog } from "../../components/dialog";
import { Badge, Empty, Failed, Ready, Time } from "../../components/parts";
import { Link } from "../../router/link";

import { toast } from "../../shell/toasts";
import { texts } from "../../texts";
import { type Draft, writtenOf } from "./draft";
import { Merge } from "./merge";

const words = texts.actions.versions;

type Version = Management["ActionVersion"];

/** What was deployed, newest first; each can be compared with the draft, taken into it, and deployed again. */
export function Versions({ draft }: { draft: Draft }) {
  const id = draft.action.value?.id ?? "";
  const compared = useSignal<Version | null>(null);
  const failed = useSignal<unknown>(null);
  const { result, reload } = useLoad(
    (signal) =>
      ask(
        api.GET("/api/v2/actions/actions/{action_id}/versions", {
          params: { path: { action_id: id }, query: { per_page: 50 } },
          signal,
        }),
      ),
    [id, draft.action.value?.deployed_version?.id],
  );
  const deploy = async (version: Version) => {
    failed.value = null;
    try {
      await ask(
        api.POST("/api/v2/actions/actions/{action_id}/versions/{version_id}/deploy", {
          params: { path: { action_id: id, version_id: version.id } },
          body: { update_draft: false },
        }),
      );
      toast(texts.actions.deployed(version.number));
      await draft.reload();
    } catch (error) {
      failed.value = error;
    }
  };
  return (
    <Ready of={result.value} retry={reload}>
      {({ versions }) => (
        <>
          <p>
            <Link to={`/rollouts?action=${id}`}>{words.rollouts}</Link>
          </p>
          {failed.value !== null && <Failed error={failed.value} />}
          {versions.length === 0 && <Empty title={words.none} />}
          <ul class="rows">
            {versions.map((version) => (
              <li key={version.id}>
                <span>
                  <b>{words.number(version.number)}</b> {version.deployed && <Badge tone="good">{words.current}</Badge>}{" "}
                  <span class="muted small">
                    <Time at={version.created_at} />
                  </span>
                </span>
                <span class="buttons">
                  <button type="button" onClick={() => (compared.value = version)}>
                    {words.compare}
                  </button>
                  {may("create:actions") && !version.deployed && (
                    <button type="button" onClick={() => void deploy(version)}>
                      {words.deploy}
                    </button>
                  )}
                </span>
              </li>
            ))}
          </ul>
          {compared.value && (
            <Compare draft={draft} version={compared.value} onClose={() => (compared.value = null)} />
          )}
        </>
      )}
    </Ready>
  );
}

function Compare({ draft, version, onClose }: { draft: Draft; version: Version; onClose: () => void }) {
  return (
    <Dialog title={words.compareTitle(version.number)} onClose={onClose} wide>
      <Merge
        before={version.code}
        after={draft.text.value}
        written={writtenOf(draft)}
        labels={[words.number(version.number), texts.actions.editor]}
      />
      <footer>
        {may("update:actions") && (
          <button
            type="button"
            onClick={() => {
              draft.replace(version.code);
              onClose();
            }}
          >
            {words.toDraft}
          </button>
        )}
        <button type="button" class="primary" onClick={onClose}>
          {texts.close}
        </button>
      </footer>
    </Dialog>
  );
}

