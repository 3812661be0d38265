/** Replays of the execution that is shown: what to run in place of what ran, and with which other answers. */
import { type Signal, useSignal } from "@preact/signals";
import { api, ask, type Management } from "../../api/client";

export type Replayed = Management["Replayed"];

/** What takes the place of an Action: its draft; null for what ran. */
export interface Candidate {
  readonly actionId: string;
  readonly name: string;
}

/** Another answer: `answer` is JSON. */
export interface Other {
  readonly leg: number;
  readonly execution: number;
  readonly entry: number;
  readonly answer: string;
}

export interface Replays {
  readonly running: Signal<boolean>;
  readonly failed: Signal<unknown>;
  /** The last one, and what ran in it. */
  readonly done: Signal<{ replayed: Replayed; candidate: Candidate | null } | null>;
  readonly others: Signal<readonly Other[]>;
  readonly run: (candidate: Candidate | null, others: readonly Other[]) => Promise<void>;
}

/** `reason`: why the plain form is run; empty for the redacted one. */
export function useReplays(executionId: string, reason: string): Replays {
  const running = useSignal(false);
  const failed = useSignal<unknown>(null);
  const done = useSignal<{ replayed: Replayed; candidate: Candidate | null } | null>(null);
  const others = useSignal<readonly Other[]>([]);
  const run = async (candidate: Candidate | null, changed: readonly Other[]) => {
    running.value = true;
    failed.value = null;
    try {
      const replayed = await ask(
        api.POST("/api/v2/actions/executions/{execution_id}/replay", {
          params: {
            path: { execution_id: executionId },
            header: reason ? { "Reveal-Reason": encodeHeader(reason) } : {},
          },
          body: {
            candidate: candidate && { action_id: candidate.actionId, draft: true },
            answers: changed.map(({ answer, ...place }) => ({ ...place, answer: JSON.parse(answer) as unknown })),
          },
        }),
      );
      others.value = changed;
      done.value = { replayed, candidate };
    } catch (error) {
      failed.value = error;
    } finally {
      running.value = false;
    }
  };
  return { running, failed, done, others, run };
}

/** Header values hold Latin-1 only. */
export function encodeHeader(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 500);
}
