import { useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { may } from "../../api/session";
import { Hostile } from "../../components/hostile";
import { plain } from "../../components/escape";
import { Failed, PageHead } from "../../components/parts";
import { query, setQuery } from "../../router/router";
import { useShortcuts } from "../../shell/keys";
import { texts } from "../../texts";
import type { PageProps } from "..";
import { declarations, problemsOf } from "./declarations";
import { Deploy } from "./deploy";
import { type Draft, useDraft, writtenOf } from "./draft";
import { Editor, type Written } from "./editor";
import { Merge } from "./merge";
import { Packages } from "./packages";
import { Runs } from "./runs";
import { Secrets } from "./secrets";
import { Status } from ".";
import { TestPanel, type TestRun, useTest } from "./test_panel";
import { Versions } from "./versions";

const words = texts.actions;
const TABS = ["test", "secrets", "packages", "versions", "runs"] as const;
type Tab = (typeof TABS)[number];

/** One Action: its source, its test, and all that belongs to it. */
export default function ActionPage({ params }: PageProps) {
  const draft = useDraft(params["id"] ?? "");
  const test = useTest(draft);
  const deploying = useSignal(false);
  const action = draft.action.value;
  const writes = may("update:actions");
  const deploy = () => {
    void draft.save().then((ok) => (deploying.value = ok));
  };
  useShortcuts(action ? plain(action.name, 40) : words.title, [
    { keys: "Mod+s", text: words.keys.save, run: () => void draft.save(), when: writes },
    { keys: "Mod+Enter", text: words.keys.run, run: () => void test.run(), when: may("create:actions") },
    { keys: "Mod+Shift+Enter", text: words.keys.deploy, run: deploy, when: may("create:actions") },
  ]);
  if (!action) {
    return draft.failed.value === null ? (
      <p class="loading" role="status">
        {texts.loading}
      </p>
    ) : (
      <Failed error={draft.failed.value} retry={() => void draft.reload()} />
    );
  }
  return (
    <>
      <PageHead title={<Hostile text={action.name} limit={120} brief />}>
        <span class="muted" role="status">
          {draft.saved.value === "saving" ? words.saving : draft.saved.value === "saved" ? words.savedAt : words.unsaved}
        </span>
        {writes && (
          <button type="button" disabled={draft.saved.value === "saved"} onClick={() => void draft.save()}>
            {words.save}
          </button>
        )}
        {may("create:actions") && (
          <>
            <button type="button" disabled={test.running.value} onClick={() => void test.run()}>
              {words.run}
            </button>
            <button type="button" class="primary" onClick={deploy}>
              {words.deploy}
            </button>
          </>
        )}
      </PageHead>
      <p class="muted">
        {action.supported_triggers[0]?.id} · {action.runtime} · <Status action={action} />
      </p>
      {draft.failed.value !== null && <Failed error={draft.failed.value} />}
      {draft.restored.value && !draft.theirs.value && (
        <div class="note warn">
          <p>{words.restored}</p>
          <button type="button" onClick={draft.discard}>
            {words.discard}
          </button>
        </div>
      )}
      {draft.theirs.value ? (
        <Conflict draft={draft} written={writtenOf(draft)} />
      ) : (
        <div class="workbench">
          <Source draft={draft} readOnly={!writes} />
          <Side draft={draft} test={test} />
        </div>
      )}
      {deploying.value && <Deploy draft={draft} onClose={() => (deploying.value = false)} />}
    </>
  );
}

function Source({ draft, readOnly }: { draft: Draft; readOnly: boolean }) {
  const action = draft.action.value;
  const errors = action?.errors;
  const problems = useMemo(() => problemsOf(errors ?? []), [errors]);
  const language = action?.runtime === "python3" ? "python" : "javascript";
  const trigger = action?.supported_triggers[0]?.id ?? "";
  return (
    <section class="card source-card">
      <header>
        <h2>{words.editor}</h2>
        <span class="muted small">{texts.keys.hint}</span>
      </header>
      <Editor
        text={draft.text.value}
        turn={draft.turn.value}
        written={writtenOf(draft)}
        label={words.editorOf(plain(action?.name ?? "", 80))}
        onChange={draft.edit}
        problems={problems}
        declarations={() => declarations(trigger, language)}
        secrets={action?.secrets.map((secret) => secret.name) ?? []}
        readOnly={readOnly}
      />
      {errors?.map((error, index) => (
        <p key={index} class="note bad" role="alert">
          <Hostile text={error.msg} limit={600} block />
        </p>
      ))}
    </section>
  );
}

function Side({ draft, test }: { draft: Draft; test: TestRun }) {
  const wanted = query.value.get("tab") as Tab | null;
  const tab = wanted && TABS.includes(wanted) ? wanted : "test";
  return (
    <section class="card side">
      <div class="tabs" role="tablist">
        {TABS.map((name) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={tab === name}
            aria-controls="tab-panel"
            onClick={() => setQuery({ tab: name === "test" ? undefined : name })}
          >
            {words.tabs[name]}
          </button>
        ))}
      </div>
      <div id="tab-panel" class="body stack" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "test" && <TestPanel draft={draft} test={test} />}
        {tab === "secrets" && <Secrets draft={draft} />}
        {tab === "packages" && <Packages draft={draft} />}
        {tab === "versions" && <Versions draft={draft} />}
        {tab === "runs" && <Runs draft={draft} />}
      </div>
    </section>
  );
}

function Conflict({ draft, written }: { draft: Draft; written: Written }) {
  const mine = useSignal(draft.text.value);
  const theirs = draft.theirs.value?.code ?? "";
  return (
    <section class="card">
      <header>
        <h2>{words.conflict}</h2>
        <div class="buttons">
          <button type="button" onClick={() => void draft.resolve(theirs)}>
            {words.takeTheirs}
          </button>
          <button type="button" class="primary" onClick={() => void draft.resolve(mine.value)}>
            {words.keepMine}
          </button>
        </div>
      </header>
      <p class="body">{words.conflictAbout}</p>
      <Merge
        before={theirs}
        after={draft.text.value}
        written={written}
        labels={[words.takeTheirs, words.keepMine]}
        onChange={(text) => (mine.value = text)}
      />
    </section>
  );
}
