import { Hostile } from "../../components/hostile";
import { DecisionBadge, Empty } from "../../components/parts";
import type { Management } from "../../api/client";
import { texts } from "../../texts";
import { changes } from "./effects";

const words = texts.execution;

/** What an outcome changes, as a difference: claims, metadata, scopes and everything else. */
export function OutcomeDifference({ effects, event }: { effects: unknown; event: unknown }) {
  const found = changes(effects, event);
  if (found.length === 0) {
    return <Empty title={words.noEffects}>{words.noEffectsAbout}</Empty>;
  }
  return (
    <ul class="difference mono">
      {found.map(({ path, before, after }) => (
        <li key={path}>
          <div class="path">
            <Hostile text={path} limit={200} brief />
          </div>
          {before !== null && <Side sign="−" text={before} />}
          {after !== null && <Side sign="+" text={after} />}
        </li>
      ))}
    </ul>
  );
}

function Side({ sign, text }: { sign: "+" | "−"; text: string }) {
  return (
    <div class={sign === "+" ? "added" : "removed"}>
      <span aria-label={sign === "+" ? words.after : words.before}>{sign}</span> <Hostile text={text} limit={600} />
    </div>
  );
}

type Difference = Management["ReplayDifference"];

/** What a replay did otherwise. */
export function ReplayDifferences({ differences }: { differences: readonly Difference[] }) {
  return (
    <ul class="difference mono">
      {differences.map((item, index) => (
        <li key={index}>
          <div class="path">
            {item.cause === "decision" ? <DecisionBadge decision={item.now} /> : <b>{item.cause}</b>}{" "}
            <Hostile text={item.path} limit={200} brief />
            {!item.proof && <span class="muted"> · {words.noProof}</span>}
          </div>
          {item.recorded && <Side sign="−" text={item.recorded} />}
          {item.now && <Side sign="+" text={item.now} />}
        </li>
      ))}
    </ul>
  );
}
