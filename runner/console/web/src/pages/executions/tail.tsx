import { may } from "../../api/session";
import { Badge, type Tone } from "../../components/parts";
import { setQuery } from "../../router/router";
import { Icon } from "../../shell/icons";
import { texts } from "../../texts";
import type { Feed, TailState } from "./feed";

const words = texts.executions.tail;
const TONES: Record<TailState, Tone> = { off: "plain", connecting: "info", open: "good", lost: "bad" };

/** The switches of the live tail, and how it is doing. */
export function Tail({ feed, live, possible }: { feed: Feed; live: boolean; possible: boolean }) {
  if (!may("read:logs")) {
    return <span class="muted small">{texts.forbidden("read:logs")}</span>;
  }
  const paused = feed.paused.value;
  return (
    <>
      {live && (
        <span role="status" class="tail-state">
          <Badge tone={TONES[feed.tail.value]}>
            <span class={feed.tail.value === "open" && !paused ? "dot beating" : "dot"} />
            {words[feed.tail.value]}
          </Badge>
          {feed.dropped.value > 0 && <Badge tone="warn">{words.dropped(feed.dropped.value)}</Badge>}
        </span>
      )}
      {live && (
        <button type="button" onClick={() => (paused ? feed.resume() : feed.pause())}>
          <Icon name={paused ? "play" : "pause"} />
          {paused ? words.resume(feed.waiting.value) : words.pause}
        </button>
      )}
      <button
        type="button"
        aria-pressed={live}
        disabled={!possible}
        title={possible ? undefined : words.impossible}
        onClick={() => setQuery({ live: live ? undefined : "1" })}
      >
        {words.live}
      </button>
    </>
  );
}
