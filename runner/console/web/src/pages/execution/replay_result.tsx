import { Hostile } from "../../components/hostile";
import { Badge, Card, Failed } from "../../components/parts";
import { texts } from "../../texts";
import { OutcomeDifference, ReplayDifferences } from "./outcome";
import type { Replays } from "./replaying";

const words = texts.execution;

interface Props {
  replays: Replays;
  /** Number of the leg that is shown. */
  leg: number;
  names: readonly string[];
}

/** What the last replay came to. */
export function ReplayResult({ replays, leg: number, names }: Props) {
  const { running, failed, done } = replays;
  if (running.value) {
    return (
      <p class="loading" role="status">
        {words.replaying}
      </p>
    );
  }
  if (failed.value !== null) {
    return <Failed error={failed.value} />;
  }
  if (!done.value) {
    return null;
  }
  const { replayed, candidate } = done.value;
  const leg = replayed.legs.find((item) => item.number === number) ?? replayed.legs[0];
  return (
    <Card
      title={
        <>
          {candidate ? words.draftOf : words.replayed} {candidate && <Hostile text={candidate.name} limit={60} brief />}{" "}
          {replayed.same ? <Badge tone="good">{words.same}</Badge> : <Badge tone="warn">{words.different}</Badge>}{" "}
          {replayed.what_if && <Badge tone="other">{words.whatIf}</Badge>}
        </>
      }
      tools={
        <button type="button" class="quiet" onClick={() => (done.value = null)}>
          {texts.close}
        </button>
      }
    >
      <div class="body stack" role="status">
        {leg?.incomparable && <p class="note">{words.incomparable(leg.incomparable)}</p>}
        {!candidate && !replayed.what_if && !replayed.same && replayed.form === "redacted" && <p class="note">{words.pseudonyms}</p>}
        {leg?.unanswered.map((item, index) => (
          <p key={index} class="note warn">
            <span>
              {words.unanswered} <Hostile text={`${names[item.action] ?? ""} ${item.what}`} limit={300} />
            </span>
          </p>
        ))}
        {leg && leg.differences.length > 0 && <ReplayDifferences differences={leg.differences} />}
        {leg && (
          <details>
            <summary>{words.newOutcome}</summary>
            <OutcomeDifference effects={leg.outcome["effects"]} event={null} />
          </details>
        )}
      </div>
    </Card>
  );
}
