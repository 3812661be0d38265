/** Who is signed in. The tenant and the scopes come from the service; what is hidden here is refused there too. */
import { computed, signal } from "@preact/signals";
import { json, unauthorised } from "./client";

/** A tenant; its name is hostile. */
export interface Tenant {
  readonly id: string;
  readonly name: string;
}

export interface Session {
  readonly id: string;
  /** Who: a person's name or a client's id. Hostile. */
  readonly actor: string;
  readonly tenant: Tenant;
  /** Those that the session may change to; an operator's may change to any. */
  readonly tenants?: readonly Tenant[];
  readonly scopes: readonly string[];
  readonly expires_at: string;
  /** "dev": the console of `actionbox dev` on a folder. */
  readonly mode?: "service" | "dev";
}

/** A way to sign in that the service has. */
export type Way = "client" | "link" | "oidc";

export type SessionState =
  | { state: "unknown" }
  | { state: "none" }
  | { state: "active"; session: Session }
  /** It ended while a page was open: the page stays, and a dialog asks to sign in. */
  | { state: "ended"; session: Session };

type Answer = ({ signed_in: true } & Session & { ways: Way[] }) | { signed_in: false; ways: Way[] };

export const sessionState = signal<SessionState>({ state: "unknown" });

/** The ways to sign in; known with the session. */
export const ways = signal<readonly Way[]>([]);

/** The session, also when it has ended under an open page. */
export const session = computed(() => {
  const { value } = sessionState;
  return value.state === "active" || value.state === "ended" ? value.session : null;
});

/** Whether the session has this scope; to show or hide what needs it. */
export function may(scope: string): boolean {
  return session.value?.scopes.includes(scope) ?? false;
}

/** Whether the session is an operator's, who works in all tenants. */
export function isOperator(): boolean {
  return may("operate:tenants");
}

unauthorised.handler = () => {
  const { value } = sessionState;
  if (value.state === "active") {
    sessionState.value = { state: "ended", session: value.session };
  }
};

/** Asks the service who is signed in. */
export async function loadSession(): Promise<void> {
  take(await json<Answer>("GET", "/console/api/session"));
}

/** Signs in as a client with its secret. Failures are those of `json`. */
export async function signIn(clientId: string, clientSecret: string): Promise<void> {
  take(await json<Answer>("POST", "/console/api/sign-in/client", { client_id: clientId, client_secret: clientSecret }));
}

/** Uses a one-time link: its token works once. */
export async function openLink(token: string): Promise<void> {
  take(await json<Answer>("POST", "/console/api/sign-in/link", { token }));
}

/** Opens a session for another tenant in the place of this one, and loads the console anew. */
export async function changeTenant(tenant: string): Promise<void> {
  await json("POST", "/console/api/session/tenant", { tenant });
  location.assign("/console");
}

/** Where signing in with the identity provider begins. */
export const OIDC = "/console/api/sign-in/oidc";

/** Ends the session at the service. */
export async function signOut(): Promise<void> {
  await json("DELETE", "/console/api/session");
  sessionState.value = { state: "none" };
}

function take(answer: Answer): void {
  ways.value = answer.ways;
  if (answer.signed_in) {
    sessionState.value = { state: "active", session: answer };
  } else if (session.peek()) {
    unauthorised.handler();
  } else {
    sessionState.value = { state: "none" };
  }
}
