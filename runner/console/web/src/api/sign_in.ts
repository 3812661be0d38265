import { json } from "./client";

export interface SignInMethods {
  /** The provider's name for people; null without one. Set by the operator. */
  readonly oidc: { readonly name: string } | null;
}

/** How one can sign in here. */
export function signInMethods(): Promise<SignInMethods> {
  return json("GET", "/console/api/sign-in");
}

/** Signs in as a client with its secret: the answer sets the session's cookie. */
export async function signIn(clientId: string, clientSecret: string): Promise<void> {
  await json("POST", "/console/api/sign-in/client", { client_id: clientId, client_secret: clientSecret });
}

/** Uses a one-time link: its code works once. */
export async function useLink(code: string): Promise<void> {
  await json("POST", "/console/api/sign-in/link", { code });
}
