import { useSignal } from "@preact/signals";
import { api, ask } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/session";
import { plain } from "../../components/escape";
import { bound, Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { texts } from "../../texts";
import type { Draft } from "./draft";

const words = texts.actions.packages;

/** Packages, shared modules and hosts of the draft. */
export function Packages({ draft }: { draft: Draft }) {
  return (
    <>
      <Dependencies draft={draft} />
      <Modules draft={draft} />
      <Hosts draft={draft} />
    </>
  );
}

function Dependencies({ draft }: { draft: Draft }) {
  const name = useSignal("");
  const version = useSignal("latest");
  const known = (draft.action.value?.dependencies ?? []).map((item) => ({ name: item.name, version: item.version }));
  const put = (dependencies: typeof known) => draft.save({ dependencies });
  return (
    <>
      <p class="muted">{words.about}</p>
      {known.length === 0 && <p class="muted">{words.none}</p>}
      <ul class="rows">
        {known.map((item) => (
          <li key={item.name}>
            <span class="mono">
              <Hostile text={item.name} limit={120} brief /> <span class="muted">{plain(item.version, 60)}</span>
            </span>
            {may("update:actions") && (
              <button
                type="button"
                class="quiet"
                aria-label={words.removeLabel(plain(item.name, 60))}
                onClick={() => void put(known.filter((other) => other.name !== item.name))}
              >
                {texts.remove}
              </button>
            )}
          </li>
        ))}
      </ul>
      {may("update:actions") && (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            const wanted = { name: name.value.trim(), version: version.value.trim() };
            void put([...known.filter((other) => other.name !== wanted.name), wanted]).then((ok) => {
              if (ok) {
                name.value = "";
              }
            });
          }}
        >
          <div class="row">
            <Field label={words.name}>
              {(ids) => (
                <input {...ids} class="mono" required {...bound(name)} />
              )}
            </Field>
            <Field label={words.version}>
              {(ids) => (
                <input {...ids} class="mono" required {...bound(version)} />
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

function Modules({ draft }: { draft: Draft }) {
  const chosen = useSignal("");
  const { result } = useLoad(
    (signal) => ask(api.GET("/api/v2/actions/modules", { params: { query: { per_page: 100 } }, signal })),
    [],
  );
  const used = draft.action.value?.modules ?? [];
  const all = result.value.state === "ready" ? result.value.data.modules : [];
  const free = all.filter(
    (module) => module.latest_version_number !== undefined && !used.some((item) => item.module_id === module.id),
  );
  const references = used.map((item) => ({ module_id: item.module_id, module_version_id: item.module_version_id }));
  return (
    <>
      <h3>{words.modules}</h3>
      <p class="muted">{words.moduleAbout}</p>
      {used.length === 0 && <p class="muted">{words.noModules}</p>}
      <ul class="rows">
        {used.map((item) => (
          <li key={item.module_id}>
            <span class="mono">
              <Hostile text={`actions:${item.module_name ?? item.module_id}`} limit={120} brief />{" "}
              <span class="muted">{item.module_version_number}</span>
            </span>
            {may("update:actions") && (
              <button
                type="button"
                class="quiet"
                aria-label={words.removeLabel(plain(item.module_name ?? "", 60))}
                onClick={() => void draft.save({ modules: references.filter((other) => other.module_id !== item.module_id) })}
              >
                {texts.remove}
              </button>
            )}
          </li>
        ))}
      </ul>
      {may("update:actions") && free.length > 0 && (
        <form
          class="buttons"
          onSubmit={(event) => {
            event.preventDefault();
            const module = free.find((item) => item.id === chosen.value) ?? free[0];
            if (module) {
              const added = { module_id: module.id, module_version_number: module.latest_version_number };
              void draft.save({ modules: [...references, added] });
            }
          }}
        >
          <select aria-label={words.module} value={chosen.value} onChange={(event) => (chosen.value = event.currentTarget.value)}>
            {free.map((module) => (
              <option key={module.id} value={module.id}>
                {plain(module.name, 80)}
              </option>
            ))}
          </select>
          <button type="submit">{words.addModule}</button>
        </form>
      )}
    </>
  );
}

function Hosts({ draft }: { draft: Draft }) {
  const rules = draft.action.value?.egress;
  const listed = (rules ?? []).map((rule) => rule.host).join("\n");
  const text = useSignal<string | null>(null);
  const save = () => {
    const hosts = (text.value ?? "").split(/\s+/).filter(Boolean);
    const egress = hosts.map((host) => rules?.find((rule) => rule.host === host) ?? { host });
    void draft.save({ egress: hosts.length > 0 ? (egress as never) : null }).then((ok) => {
      if (ok) {
        text.value = null;
      }
    });
  };
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <Field label={words.hosts} hint={words.hostsAbout}>
        {(ids) => (
          <textarea
            {...ids}
            class="mono"
            rows={3}
            placeholder={words.unlimited}
            disabled={!may("update:actions")}
            value={text.value ?? listed}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="buttons">
        <button type="submit" disabled={text.value === null || text.value === listed}>
          {texts.save}
        </button>
      </div>
    </form>
  );
}
