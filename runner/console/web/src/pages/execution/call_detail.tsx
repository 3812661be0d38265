import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { bound, Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { Badge, duration } from "../../components/parts";
import { texts } from "../../texts";
import { type Answer, type Call, changeable } from "./journal";
import { stateAfter } from "./state";

interface Props {
  call: Call;
  /** All calls of the execution. */
  calls: readonly Call[];
  /** What was put in place of its answer, as JSON; undefined while it is as recorded. */
  other: string | undefined;
  /** Sets or takes away another answer; missing where no answer can be changed. */
  onChange?: (value: string | undefined) => void;
}

const words = texts.execution;

/** One call: what was asked and answered, what api holds after it, and another answer in its place. */
export function CallDetail({ call, calls, other, onChange }: Props) {
  const { entry } = call;
  return (
    <div class="call-detail">
      <p>
        <Badge>{words.kinds[call.kind]}</Badge> {words.at(duration(call.start))}
        {call.end > call.start && <> · {words.took(duration(call.end - call.start))}</>}
        {(entry.repeat ?? 1) > 1 && <> · {words.repeated(entry.repeat ?? 1)}</>}
      </p>
      <p class="mono">
        <Hostile text={call.title} block />
      </p>
      {call.kind === "request" && call.answer ? <AnswerView answer={call.answer} /> : <Raw call={call} />}
      {onChange && changeable(call) !== null && (
        <Change key={call.sequence} call={call} other={other} onChange={onChange} />
      )}
      <State call={call} calls={calls} />
    </div>
  );
}

function AnswerView({ answer }: { answer: Answer }) {
  if (answer.error !== undefined) {
    return (
      <p class="note bad">
        <Hostile text={answer.error} />
      </p>
    );
  }
  return (
    <>
      <h3>
        {words.answer} <Badge tone={(answer.status ?? 0) >= 400 ? "bad" : "good"}>{answer.status}</Badge>
      </h3>
      <details>
        <summary>{words.headers(answer.headers?.length ?? 0)}</summary>
        <dl class="pairs mono">
          {answer.headers?.map(([name, value], index) => (
            <div key={index}>
              <dt>
                <Hostile text={name} limit={80} brief />
              </dt>
              <dd>
                <Hostile text={value} limit={300} />
              </dd>
            </div>
          ))}
        </dl>
      </details>
      <pre class="source">
        <Hostile text={pretty(answer.body ?? "")} block />
      </pre>
    </>
  );
}

/** JSON with line ends; other text as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function Raw({ call }: { call: Call }) {
  const parts = [
    [words.given, call.entry.arguments],
    [words.got, call.entry.result],
  ] as const;
  return (
    <>
      {parts.map(([title, value]) =>
        Object.keys(value).length === 0 ? null : (
          <div key={title}>
            <h3>{title}</h3>
            <dl class="pairs mono">
              {Object.entries(value).map(([name, item]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>
                    <Hostile text={typeof item === "string" ? pretty(item) : JSON.stringify(item)} block limit={1500} />
                  </dd>
                </div>
              ))}
            </dl>
          </div>
        ),
      )}
    </>
  );
}

function State({ call, calls }: { call: Call; calls: readonly Call[] }) {
  const lines = stateAfter(calls, call.sequence);
  return (
    <div>
      <h3>{words.state}</h3>
      {lines.length === 0 && <p class="muted">{words.noState}</p>}
      <ul class="api-state mono">
        {lines.map((line) => (
          <li key={line.path} class={line.sequence === call.sequence ? "new" : ""}>
            <Hostile text={`api.${line.path}`} limit={160} brief /> <span class="muted">←</span>{" "}
            <Hostile text={line.value} limit={300} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Change({ call, other, onChange }: Required<Pick<Props, "call" | "onChange">> & { other: string | undefined }) {
  const recorded = changeable(call) ?? "";
  const value = useSignal(other ?? recorded);
  useEffect(() => {
    value.value = other ?? recorded;
  }, [call.sequence, other]);
  let wrong: string | null = null;
  try {
    JSON.parse(value.value);
  } catch {
    wrong = words.notJson;
  }
  const isOther = value.value !== recorded;
  return (
    <form
      class="form what-if"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) {
          onChange(isOther ? value.value : undefined);
        }
      }}
    >
      <Field label={words.change} hint={words.changeHint} error={wrong}>
        {(ids) => (
          <textarea
            {...ids}
            class="mono"
            rows={Math.min(14, value.value.split("\n").length + 1)}
            spellcheck={false}
            {...bound(value)}
          />
        )}
      </Field>
      <div class="buttons">
        <button type="submit" class="primary" disabled={wrong !== null || !isOther}>
          {words.goOn}
        </button>
        {other !== undefined && (
          <button type="button" onClick={() => onChange(undefined)}>
            {words.asRecorded}
          </button>
        )}
      </div>
    </form>
  );
}
