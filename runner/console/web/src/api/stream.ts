/** Server-sent events. `EventSource` hides comments, in which the service says what it left out, and statuses. */
import { send } from "./client";
import { refusal } from "./errors";

export interface StreamEvent {
  readonly type: string;
  readonly id: string;
  readonly data: string;
}

export interface Listener {
  /** The stream is open, or will be tried again. */
  onState: (state: "open" | "lost") => void;
  onEvent: (event: StreamEvent) => void;
  onComment: (text: string) => void;
  /** The service refused: the stream is not tried again. */
  onRefused: (error: unknown) => void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const LONGEST_EVENT = 64_000_000;

/** Reads the stream at `path` until `signal` is aborted, and connects again when it breaks. */
export async function follow(path: string, signal: AbortSignal, listener: Listener): Promise<void> {
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    try {
      const request = new Request(new URL(path, location.origin), {
        headers: { Accept: "text/event-stream" },
        cache: "no-store",
        redirect: "error",
        signal,
      });
      const response = await send(request);
      if (!response.ok && response.status < 500 && response.status !== 429) {
        listener.onRefused(refusal(response.status, await response.json().catch(() => undefined)));
        return;
      }
      if (response.ok && response.body) {
        listener.onState("open");
        wait = FIRST_WAIT_MS;
        await read(response.body, listener);
      }
    } catch {
      // the connection broke, or it was aborted
    }
    if (!signal.aborted) {
      listener.onState("lost");
      await pause(wait, signal);
      wait = Math.min(LONGEST_WAIT_MS, wait * 2);
    }
  }
}

async function read(body: ReadableStream<BufferSource>, listener: Listener): Promise<void> {
  const parser = new Parser(listener);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    parser.take(value);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

/** Takes the text of a stream in pieces. */
export class Parser {
  private rest = "";
  private type = "message";
  private id = "";
  private data: string[] = [];

  constructor(private readonly listener: Pick<Listener, "onEvent" | "onComment">) {}

  take(text: string): void {
    this.rest += text;
    if (this.rest.length > LONGEST_EVENT) {
      throw new Error("an event is too long");
    }
    const lines = this.rest.split(/\r\n|\n|\r(?=[^\n])/);
    this.rest = lines.pop() ?? "";
    lines.forEach((line) => this.line(line));
  }

  private line(line: string): void {
    if (line === "") {
      this.dispatch();
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) {
      this.listener.onComment(line.slice(1).trim());
      return;
    }
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") {
      this.data.push(value);
    } else if (name === "event") {
      this.type = value;
    } else if (name === "id") {
      this.id = value;
    }
  }

  private dispatch(): void {
    if (this.data.length > 0) {
      this.listener.onEvent({ type: this.type, id: this.id, data: this.data.join("\n") });
    }
    this.data = [];
    this.type = "message";
  }
}
