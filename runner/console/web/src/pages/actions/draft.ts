/**
 * The draft of an Action while it is edited: kept in this browser at each key, saved at the service a moment after the
 * last one, and never written over what somebody else saved.
 */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, type Management } from "../../api/client";
import { ApiError, refusal } from "../../api/errors";
import { session } from "../../api/session";
import { leaving } from "../../router/router";
import type { Written } from "./editor";

export type Action = Management["Action"];
export type Fields = Management["UpdateAction"];

export type Saved = "saved" | "unsaved" | "saving";

export interface Draft {
  readonly action: Signal<Action | null>;
  readonly text: Signal<string>;
  readonly saved: Signal<Saved>;
  readonly failed: Signal<unknown>;
  /** What somebody else saved meanwhile. */
  readonly theirs: Signal<Action | null>;
  /** This browser kept text that was not saved. */
  readonly restored: Signal<boolean>;
  /** Counts texts that came from elsewhere than the editor. */
  readonly turn: Signal<number>;
  /** What the editor has now. */
  readonly edit: (text: string) => void;
  /** Puts another text into the editor. */
  readonly replace: (text: string) => void;
  /** Saves the text, and fields beside it. False when it was refused; `failed` or `theirs` says why. */
  readonly save: (fields?: Fields) => Promise<boolean>;
  /** Waits for the build of what is saved. */
  readonly built: () => Promise<boolean>;
  readonly reload: () => Promise<void>;
  /** Ends a conflict: with the own text, or with theirs. */
  readonly resolve: (text: string) => Promise<void>;
  readonly discard: () => void;
}

const AUTOSAVE_MS = 1500;
const POLL_MS = 400;
const PATIENCE_MS = 60_000;

interface Kept {
  readonly text: string;
  /** The code that it was written on. */
  readonly base: string;
}

function keyOf(id: string): string {
  return `actionbox draft ${session.value?.tenant.id ?? ""} ${id}`;
}

function keep(id: string, kept: Kept | null): void {
  try {
    if (kept) {
      localStorage.setItem(keyOf(id), JSON.stringify(kept));
    } else {
      localStorage.removeItem(keyOf(id));
    }
  } catch {
    // The browser keeps nothing, or has no room: the draft is saved at the service all the same.
  }
}

function keptOf(id: string): Kept | null {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(keyOf(id)) ?? "null");
    const { text, base } = (found ?? {}) as Partial<Kept>;
    return typeof text === "string" && typeof base === "string" ? { text, base } : null;
  } catch {
    return null;
  }
}

interface Tagged {
  action: Action;
  tag: string | null;
}

async function get(id: string): Promise<Tagged> {
  return tagged(await api.GET("/api/v2/actions/actions/{action_id}", { params: { path: { action_id: id } } }));
}

async function patch(id: string, fields: Fields, tag: string | null): Promise<Tagged> {
  const params = { path: { action_id: id }, header: tag ? { "If-Match": tag } : {} };
  return tagged(await api.PATCH("/api/v2/actions/actions/{action_id}", { params, body: fields }));
}

function tagged({ data, error, response }: { data?: Action; error?: unknown; response: Response }): Tagged {
  if (!response.ok || !data) {
    throw refusal(response.status, error);
  }
  return { action: data, tag: response.headers.get("ETag") };
}

export function useDraft(id: string): Draft {
  const action = useSignal<Action | null>(null);
  const text = useSignal("");
  const turn = useSignal(0);
  const saved = useSignal<Saved>("saved");
  const failed = useSignal<unknown>(null);
  const theirs = useSignal<Action | null>(null);
  const restored = useSignal(false);
  const state = useRef({ tag: null as string | null, timer: 0, busy: Promise.resolve(true), gone: false, newer: null as Tagged | null });

  const take = ({ action: found, tag }: Tagged) => {
    state.current.tag = tag;
    action.value = found;
  };

  const put = (next: string) => {
    text.value = next;
    turn.value += 1;
  };

  const reload = async () => {
    try {
      const found = await get(id);
      const before = action.value?.code;
      take(found);
      const kept = before === undefined ? keptOf(id) : null;
      if (kept && kept.text !== found.action.code) {
        put(kept.text);
        saved.value = "unsaved";
        restored.value = true;
        if (kept.base !== found.action.code) {
          state.current.newer = found;
          theirs.value = found.action;
        }
      } else if (saved.value === "saved") {
        put(found.action.code);
      }
    } catch (error) {
      failed.value = error;
    }
  };

  const write = async (fields: Fields): Promise<boolean> => {
    const code = text.value;
    saved.value = "saving";
    failed.value = null;
    try {
      take(await patch(id, { ...fields, code }, state.current.tag));
      restored.value = false;
      saved.value = text.value === code ? "saved" : "unsaved";
      if (saved.value === "saved") {
        keep(id, null);
      }
      return true;
    } catch (error) {
      saved.value = "unsaved";
      if (error instanceof ApiError && error.status === 412) {
        const found = await get(id).catch(() => null);
        if (found && found.action.code !== code) {
          state.current.newer = found;
          theirs.value = found.action;
        } else if (found) {
          take(found);
          return write(fields);
        }
      } else {
        failed.value = error;
      }
      return false;
    }
  };

  const save = (fields: Fields = {}): Promise<boolean> => {
    clearTimeout(state.current.timer);
    state.current.busy = state.current.busy.then(() => {
      const nothing = Object.keys(fields).length === 0 && text.value === action.value?.code;
      if (nothing) {
        saved.value = "saved";
        keep(id, null);
      }
      return theirs.value ? false : nothing || write(fields);
    });
    return state.current.busy;
  };

  const edit = (next: string) => {
    if (next === text.value) {
      return;
    }
    text.value = next;
    saved.value = "unsaved";
    keep(id, { text: next, base: action.value?.code ?? "" });
    clearTimeout(state.current.timer);
    if (!theirs.value) {
      state.current.timer = window.setTimeout(() => void save(), AUTOSAVE_MS);
    }
  };

  const built = async (): Promise<boolean> => {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const status = action.value?.status;
      if (status === "built" || status === "failed" || Date.now() > until || state.current.gone) {
        return status === "built";
      }
      await new Promise((done) => setTimeout(done, POLL_MS));
      take(await get(id));
    }
  };

  useEffect(() => {
    state.current.gone = false;
    void reload();
    leaving.allowed = () => saved.value === "saved" || text.value === action.value?.code;
    return () => {
      state.current.gone = true;
      clearTimeout(state.current.timer);
      leaving.allowed = null;
      if (saved.value === "unsaved" && !theirs.value) {
        void save();
      }
    };
  }, [id]);
  const status = action.value?.status;
  useEffect(() => {
    if (status && status !== "built" && status !== "failed") {
      built().catch((error: unknown) => (failed.value = error));
    }
  }, [status, action.value?.updated_at]);

  return {
    action,
    text,
    turn,
    saved,
    failed,
    theirs,
    restored,
    edit,
    replace(next) {
      edit(next);
      turn.value += 1;
    },
    save,
    built,
    reload,
    async resolve(chosen) {
      if (state.current.newer) {
        take(state.current.newer); // what was shown: somebody who saved after that is told of again
      }
      theirs.value = null;
      put(chosen);
      saved.value = "unsaved";
      await save();
    },
    discard() {
      clearTimeout(state.current.timer);
      put(action.value?.code ?? "");
      saved.value = "saved";
      restored.value = false;
      theirs.value = null;
      keep(id, null);
    },
  };
}

/** What the source is written in. */
export function writtenOf(draft: Draft): Written {
  return draft.action.value?.runtime === "python3" ? "python" : "javascript";
}
