/** Who is signed in. The tenant and the scopes come from the service; what is hidden here is refused there too. */
import { computed, signal } from "@preact/signals";
import { json, unauthorised } from "./client";
import { ApiError } from "./errors";

export interface Session {
  readonly tenant: { readonly id: string; readonly name: string };
  /** Who, in words: a person's name or a client's id. Hostile. */
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly expires_at: string;
  /** "dev": the console of `actionbox dev` on a folder. */
  readonly mode: "service" | "dev";
  /** May see and change tenants. */
  readonly operator: boolean;
}

export type SessionState =
  | { state: "unknown" }
  | { state: "none" }
  | { state: "active"; session: Session }
  /** It ended while a page was open: the page stays, and a dialog asks to sign in. */
  | { state: "ended"; session: Session };

export const sessionState = signal<SessionState>({ state: "unknown" });

/** The session, also when it has ended under an open page. */
export const session = computed(() => {
  const { value } = sessionState;
  return value.state === "active" || value.state === "ended" ? value.session : null;
});

/** Whether the session has this scope; to show or hide what needs it. */
export function may(scope: string): boolean {
  return session.value?.scopes.includes(scope) ?? false;
}

unauthorised.handler = () => {
  const { value } = sessionState;
  if (value.state === "active") {
    sessionState.value = { state: "ended", session: value.session };
  }
};

/** Asks the service who is signed in. */
export async function loadSession(): Promise<void> {
  try {
    sessionState.value = { state: "active", session: await json<Session>("GET", "/console/api/session") };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) {
      throw error;
    }
    if (sessionState.value.state !== "ended") {
      sessionState.value = { state: "none" };
    }
  }
}

/** Ends the session at the service. */
export async function signOut(): Promise<void> {
  await json("DELETE", "/console/api/session");
  sessionState.value = { state: "none" };
}
