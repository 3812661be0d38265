/** One leg of a simulated flow: what came of it, and what the user can do where it waits. */
import type { Simulated, SimulatedReturn } from "../../api/dev";
import { Hostile } from "../../components/hostile";
import { Card, DecisionBadge } from "../../components/parts";
import { Link } from "../../router/link";
import { to } from "../../router/router";
import { texts } from "../../texts";
import { Return } from "./return";

interface Props {
  leg: Simulated;
  number: number;
  busy: boolean;
  /** Null where the flow has gone on already. */
  onReturn: ((parts: SimulatedReturn) => void) | null;
}

export function Leg({ leg, number, busy, onReturn }: Props) {
  const { outcome } = leg;
  const filled = leg.filled_in?.length ?? 0;
  const logs = outcome?.actions.flatMap(({ name, logs: lines }) => lines.map(({ level, text }) => `${name} ${level} ${text}`)) ?? [];
  return (
    <Card
      title={
        <>
          {texts.simulate.leg(number)} <DecisionBadge decision={outcome?.decision ?? null} />
        </>
      }
      tools={<Link to={to`/executions/${leg.execution_id}`}>{texts.simulate.open}</Link>}
    >
      <div class="body form">
        {filled > 0 && <p class="small muted">{texts.simulate.filled(filled)}</p>}
        {!outcome && <p>{texts.simulate.later}</p>}
        {outcome?.failure && (
          <div class="note bad">
            <Hostile text={`${outcome.failure.message} ${outcome.failure.next_step ?? ""}`} />
          </div>
        )}
        {outcome && <Effects of={outcome.effects as unknown as Record<string, unknown>} />}
        {logs.length > 0 && (
          <section>
            <h3>{texts.simulate.logs}</h3>
            <Hostile text={logs.join("\n")} block />
          </section>
        )}
        {outcome?.suspension && <Return outcome={outcome} suspension={outcome.suspension} busy={busy} onReturn={onReturn} />}
      </div>
    </Card>
  );
}

/** What differs from a flow that asks for nothing. */
function Effects({ of }: { of: Record<string, unknown> }) {
  const shown = Object.entries(of).filter(([name, value]) => name !== "decision" && isSomething(value));
  return (
    <section>
      <h3>{texts.simulate.effects}</h3>
      {shown.length === 0 && <p class="muted">{texts.simulate.nothing}</p>}
      <dl class="effects">
        {shown.map(([name, value]) => (
          <div key={name}>
            <dt>{name.replaceAll("_", " ")}</dt>
            <dd>
              <Hostile text={typeof value === "string" ? value : JSON.stringify(value, null, 2)} block />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function isSomething(value: unknown): boolean {
  if (value === null || value === undefined) {
    return false;
  }
  if (typeof value === "object") {
    return Object.values(value).some(isSomething);
  }
  return true;
}
