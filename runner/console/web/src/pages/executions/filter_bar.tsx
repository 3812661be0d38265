import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import { api, ask } from "../../api/client";
import { useLoad } from "../../api/load";
import { Options } from "../../components/field";
import { navigate, setQuery, to } from "../../router/router";
import { texts } from "../../texts";
import { DECISIONS, type Filters, SPANS, STATUSES } from "./filters";

const words = texts.executions;
const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;

/** The filters; each change is in the address at once. */
export function FilterBar({ wanted, field }: { wanted: Filters; field: Signal<HTMLInputElement | null> }) {
  const choices = useLoad(loadChoices, []).result.value;
  const { triggers, actions } = choices.state === "ready" ? choices.data : { triggers: [], actions: [] };
  const anything = Object.values(wanted).some((value) => value !== "");
  return (
    <div class="filters" role="search">
      <SearchField wanted={wanted} field={field} />
      <Choice name="trigger" label={words.trigger} value={wanted.trigger} options={triggers} />
      <input
        list="action-names"
        aria-label={words.action}
        placeholder={words.action}
        value={wanted.action}
        onChange={(event) => setQuery({ action: event.currentTarget.value.trim(), at: undefined })}
      />
      <datalist id="action-names">
        {actions.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <Choice name="decision" label={words.decision} value={wanted.decision} options={DECISIONS} />
      <Choice name="status" label={words.status} value={wanted.status} options={STATUSES} />
      <select
        aria-label={words.when}
        value={wanted.span}
        onChange={(event) => setQuery({ span: event.currentTarget.value, from: undefined, to: undefined, at: undefined })}
      >
        <option value="">{words.anyTime}</option>
        {Object.keys(SPANS).map((span) => (
          <option key={span} value={span}>
            {words.spans[span]}
          </option>
        ))}
        <option value="custom">{words.spans["custom"]}</option>
      </select>
      {wanted.span === "custom" && <Instant name="from" label={words.from} value={wanted.from} />}
      {wanted.span === "custom" && <Instant name="to" label={words.to} value={wanted.to} />}
      {anything && (
        <button
          type="button"
          class="quiet"
          onClick={() => setQuery(Object.fromEntries([...Object.keys(wanted), "at"].map((name) => [name, undefined])))}
        >
          {words.clear}
        </button>
      )}
    </div>
  );
}

async function loadChoices(signal: AbortSignal): Promise<{ triggers: string[]; actions: string[] }> {
  const [{ triggers }, { actions }] = await Promise.all([
    ask(api.GET("/api/v2/actions/triggers", { signal })),
    ask(api.GET("/api/v2/actions/actions", { params: { query: { per_page: 100 } }, signal })),
  ]);
  return { triggers: [...new Set(triggers.map(({ id }) => id))], actions: actions.map(({ name }) => name) };
}

/** An id opens its execution; anything else is a user. */
function SearchField({ wanted, field }: { wanted: Filters; field: Signal<HTMLInputElement | null> }) {
  const text = useSignal(wanted.user);
  const search = (event: Event) => {
    event.preventDefault();
    const value = text.value.trim();
    if (ID.test(value)) {
      navigate(to`/executions/${value}`);
    } else {
      setQuery({ user: value, at: undefined });
    }
  };
  return (
    <form onSubmit={search}>
      <input
        type="search"
        ref={(element) => {
          field.value = element;
        }}
        aria-label={words.search}
        placeholder={words.search}
        spellcheck={false}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          if (text.value === "") {
            setQuery({ user: undefined });
          }
        }}
      />
    </form>
  );
}

interface ChoiceProps {
  name: string;
  label: string;
  value: string;
  options: readonly string[];
}

function Choice({ name, label, value, options }: ChoiceProps) {
  const all = value && !options.includes(value) ? [value, ...options] : options;
  return (
    <select
      aria-label={label}
      class={value ? "set" : ""}
      value={value}
      onChange={(event) => setQuery({ [name]: event.currentTarget.value, at: undefined })}
    >
      <option value="">{label}</option>
      <Options of={all} />
    </select>
  );
}

function Instant({ name, label, value }: { name: string; label: string; value: string }) {
  return (
    <input
      type="datetime-local"
      step={1}
      aria-label={label}
      value={value}
      onChange={(event) => setQuery({ [name]: event.currentTarget.value, at: undefined })}
    />
  );
}
