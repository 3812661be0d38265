/** A whole operation by hand: an event, then each leg of the flow with what its user does. */
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { api, ask } from "../../api/client";
import { exampleEvent, type Simulated, simulate, type SimulatedReturn, simulateReturn } from "../../api/dev";
import { useLoad } from "../../api/load";
import { bound, Field, Options } from "../../components/field";
import { Card, Failed, PageHead, Ready } from "../../components/parts";
import { query, setQuery } from "../../router/router";
import { useShortcuts } from "../../shell/keys";
import { texts } from "../../texts";
import { Leg } from "./leg";
import { object } from "./values";

const FIRST = "post-login";

export default function Simulate() {
  const trigger = query.value.get("trigger") ?? FIRST;
  const triggers = useLoad((signal) => ask(api.GET("/api/v2/actions/triggers", { signal })), []).result;
  const event = useSignal("");
  const wrong = useSignal<string | null>(null);
  const failure = useSignal<unknown>(null);
  const busy = useSignal(false);
  const legs = useSignal<readonly Simulated[]>([]);

  useEffect(() => {
    const abort = new AbortController();
    legs.value = [];
    exampleEvent(trigger, abort.signal).then(
      (example) => (event.value = JSON.stringify(example.event, null, 2)),
      (error: unknown) => (failure.value = abort.signal.aborted ? null : error),
    );
    return () => abort.abort();
  }, [trigger]);

  const step = async (take: () => Promise<Simulated>, before: readonly Simulated[]) => {
    busy.value = true;
    failure.value = null;
    try {
      legs.value = [...before, await take()];
    } catch (error) {
      failure.value = error;
    } finally {
      busy.value = false;
    }
  };
  const run = () => {
    const value = object(event.value);
    wrong.value = typeof value === "string" ? value : null;
    if (typeof value !== "string") {
      void step(() => simulate(trigger, value), []);
    }
  };
  const comeBack = (parts: SimulatedReturn) => void step(() => simulateReturn(parts), legs.peek());
  useShortcuts(texts.simulate.title, [{ keys: "Mod+Enter", text: texts.simulate.run, run }]);

  return (
    <>
      <PageHead title={texts.simulate.title} about={texts.simulate.about} />
      <Card
        title={texts.simulate.event}
        tools={
          <button type="button" class="primary" disabled={busy.value} onClick={run}>
            {legs.value.length > 0 ? texts.simulate.again : texts.simulate.run}
          </button>
        }
      >
        <div class="body form">
          <Field label={texts.simulate.trigger}>
            {(ids) => (
              <Ready of={triggers.value}>
                {({ triggers: listed }) => (
                  <select {...ids} value={trigger} onChange={(change) => setQuery({ trigger: change.currentTarget.value })}>
                    <Options of={listed.map(({ id }) => id)} />
                  </select>
                )}
              </Ready>
            )}
          </Field>
          <Field
            label={texts.simulate.event}
            hint={texts.simulate.eventHint}
            error={wrong.value === null ? null : `${texts.simulate.notJson} ${wrong.value}`}
          >
            {(ids) => (
              <textarea
                {...ids}
                class="code"
                rows={12}
                spellcheck={false}
                {...bound(event)}
              />
            )}
          </Field>
        </div>
      </Card>
      {legs.value.map((leg, index) => (
        <Leg key={index} leg={leg} number={index + 1} busy={busy.value} onReturn={index === legs.value.length - 1 ? comeBack : null} />
      ))}
      {failure.value !== null && <Failed error={failure.value} />}
    </>
  );
}
