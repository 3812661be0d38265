import type { ComponentChildren } from "preact";
import { Hostile } from "../components/hostile";
import { Link } from "../router/link";
import { texts } from "../texts";

export interface FlowStep {
  readonly id: string;
  /** Hostile. */
  readonly name: string;
  readonly to: string;
  readonly about: string;
  readonly status: "ran" | "failed" | "skipped";
}

/** The Actions of a flow in order, from the event to what was decided. */
export function FlowPicture({ label, steps, end }: { label: string; steps: readonly FlowStep[]; end: ComponentChildren }) {
  return (
    <ol class="flow-picture" aria-label={label}>
      <li class="end">{texts.pictures.event}</li>
      {steps.map((step, index) => (
        <li key={`${step.id} ${index}`}>
          <Arrow />
          <Link class={`step ${step.status}`} to={step.to}>
            <Hostile text={step.name} limit={40} brief />
            <span class="small muted">{step.about}</span>
          </Link>
        </li>
      ))}
      <li>
        <Arrow />
        {end}
      </li>
    </ol>
  );
}

function Arrow() {
  return (
    <svg class="arrow" width="28" height="12" viewBox="0 0 28 12" aria-hidden="true">
      <path d="M0 6h24M20 2l4 4-4 4" />
    </svg>
  );
}
