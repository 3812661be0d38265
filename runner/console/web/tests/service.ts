/** A service of a test: answers by method and path, and remembers what it was asked. */
import { vi } from "vitest";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: unknown;
}

export type Answer = { status?: number; body?: unknown; headers?: Record<string, string> } | "lost";

/** `answers`: by `GET /path`; a function is asked each time. What is not there is answered 404. */
export function serve(answers: Record<string, Answer | ((asked: Asked) => Answer)>): Asked[] {
  const requests: Asked[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const url = new URL(request.url);
    const text = await request.text();
    const asked: Asked = {
      method: request.method,
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: text ? JSON.parse(text) : undefined,
    };
    requests.push(asked);
    const found = answers[`${asked.method} ${asked.path}`] ?? { status: 404, body: { message: "no such thing" } };
    const answer = typeof found === "function" ? found(asked) : found;
    if (answer === "lost") {
      throw new TypeError("Failed to fetch");
    }
    const { status = 200, body, headers = {} } = answer;
    return new Response(body === undefined ? null : JSON.stringify(body), {
      status,
      headers: { "Content-Type": "application/json", ...headers },
    });
  });
  return requests;
}

/** A session with these scopes, as the service answers it. */
export function session(...scopes: string[]) {
  return {
    signed_in: true,
    ways: ["client", "link"],
    id: "ses_1",
    actor: "ada",
    tenant: { id: "main", name: "Main" },
    tenants: [],
    scopes,
    expires_at: "2030-01-01T00:00:00.000000Z",
  };
}
