import { objectOf } from "../json";

/** An answer of the service that is not a success. `message` comes from the service: show it with `<Hostile>`. */
export class ApiError extends Error {
  override name = "ApiError";

  /** `body` is the parsed answer: a refusal may carry more, as `report` of a deploy. */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly body: unknown = undefined,
  ) {
    super(message);
  }
}

/** No answer came: the service or the network is down. */
export class LostConnection extends Error {
  override name = "LostConnection";
}

/** The error that an answer with this status and body is. */
export function refusal(status: number, body: unknown): ApiError {
  const said = objectOf(body);
  const text = (name: string): string => (typeof said[name] === "string" ? said[name] : "");
  return new ApiError(status, text("errorCode") || text("error"), text("message") || text("error") || `${status}`, body);
}
