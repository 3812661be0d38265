/**
 * The service's HTTP APIs, typed by their descriptions (`npm run types`).
 *
 * The browser holds no token: the session's cookie goes along by itself. `ask` gives the data or throws.
 */
import createClient from "openapi-fetch";
import { signal } from "@preact/signals";
import type { components as ConsoleParts, paths as ConsolePaths } from "./schema/console";
import type { components as ManagementParts, paths as ManagementPaths } from "./schema/management";
import type { components as RuntimeParts, paths as RuntimePaths } from "./schema/runtime";
import { LostConnection, refusal } from "./errors";

export type Management = ManagementParts["schemas"];
export type Console = ConsoleParts["schemas"];
export type Runtime = RuntimeParts["schemas"];

/** False from a request that got no answer until one gets through. */
export const connected = signal(true);

/** Called when the service no longer knows the session; the page stays as it is, with its drafts. */
export const unauthorised: { handler: () => void } = { handler: () => undefined };

/** As `fetch`, and keeps `connected`; only the sign-in routes may answer 401 without ending the session. */
export async function send(request: Request): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (request.signal.aborted) {
      throw error;
    }
    connected.value = false;
    throw new LostConnection();
  }
  connected.value = true;
  if (response.status === 401 && !new URL(request.url).pathname.startsWith("/console/api/sign-in")) {
    unauthorised.handler();
  }
  return response;
}

/** `api.GET("/runtime/v1/executions", { params: { query: { … } } })`: use it through `ask`. */
export const api = createClient<ConsolePaths & ManagementPaths & RuntimePaths>({
  baseUrl: location.origin,
  credentials: "same-origin",
  redirect: "error",
  fetch: send,
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/**
 * The data of an answer.
 *
 * @throws {ApiError} The service refused.
 * @throws {LostConnection} No answer came.
 */
export async function ask<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) {
    throw refusal(response.status, error);
  }
  return data as T;
}

/**
 * A JSON request to a route that has no generated type.
 *
 * @throws {ApiError} The service refused.
 * @throws {LostConnection} No answer came.
 */
export async function json<T>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  more: Record<string, string> = {},
): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", ...more };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  const response = await send(
    new Request(new URL(path, location.origin), {
      method,
      headers,
      credentials: "same-origin",
      redirect: "error",
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    }),
  );
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = text === "" ? undefined : JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (!response.ok) {
    throw refusal(response.status, parsed);
  }
  return parsed as T;
}
