/** Small parts that all pages are made of. */
import type { ComponentChildren } from "preact";
import type { Loaded } from "../api/load";
import { ApiError, LostConnection } from "../api/errors";
import { texts } from "../texts";
import { Hostile } from "./hostile";

export type Tone = "good" | "warn" | "bad" | "info" | "other" | "plain";

/** A short word with a colour that says how it is. */
export function Badge({ tone = "plain", children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

const DECISIONS: Record<string, Tone> = {
  allow: "good",
  deny: "warn",
  challenge: "info",
  redirect: "info",
  render: "info",
  suspended: "info",
  failed: "bad",
  success: "good",
};

/** What a flow decided; null while it has not run. */
export function DecisionBadge({ decision }: { decision: string | null }) {
  const word = decision ?? texts.pending;
  return <Badge tone={DECISIONS[word] ?? "other"}>{word}</Badge>;
}

/** A title of a page with its buttons, and what the page is for. */
export function PageHead({ title, about, children }: { title: ComponentChildren; about?: string; children?: ComponentChildren }) {
  return (
    <div class="page-head">
      <div>
        <h1>{title}</h1>
        {about && <p class="muted">{about}</p>}
      </div>
      {children && <div class="buttons">{children}</div>}
    </div>
  );
}

/** A frame with a title and buttons. */
export function Card({ title, tools, children }: { title?: ComponentChildren; tools?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="card">
      {(title || tools) && (
        <header>
          {title ? <h2>{title}</h2> : <span />}
          {tools && <div class="buttons">{tools}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** In place of a list without rows: what would be there, and how it comes to be. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p class="muted">{children}</p>}
    </div>
  );
}

/** An error in words; the service's own words may be hostile. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div class="note bad" role="alert">
      <ErrorText error={error} />
      {retry && (
        <button type="button" onClick={retry}>
          {texts.retry}
        </button>
      )}
    </div>
  );
}

function ErrorText({ error }: { error: unknown }) {
  if (error instanceof LostConnection) {
    return <p>{texts.lost}</p>;
  }
  if (error instanceof ApiError) {
    return (
      <p>
        <Hostile text={error.message} />
      </p>
    );
  }
  return (
    <p>
      {texts.broken} <Hostile text={String(error)} limit={400} brief />
    </p>
  );
}

/** The message of an error, for a toast. */
export function said(error: unknown): string {
  if (error instanceof LostConnection) {
    return texts.lost;
  }
  return error instanceof ApiError ? error.message : `${texts.broken} ${String(error)}`;
}

/** What was loaded, or that it is loading, or why not. */
export function Ready<T>({ of, retry, children }: { of: Loaded<T>; retry?: () => void; children: (data: T) => ComponentChildren }) {
  if (of.state === "loading") {
    return (
      <p class="loading" role="status">
        {texts.loading}
      </p>
    );
  }
  return <>{of.state === "failed" ? <Failed error={of.error} retry={retry} /> : children(of.data)}</>;
}

const TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat("en-GB", { month: "short", day: "numeric" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** A time in the browser's zone: today's without the day; the whole of it as a title. */
export function Time({ at }: { at: string }) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) {
    return <Hostile text={at} limit={40} brief />;
  }
  const today = date.toDateString() === new Date().toDateString();
  return (
    <time dateTime={at} title={`${TIME.format(date)} (${at})`} class="nowrap">
      {!today && `${DAY.format(date)} `}
      {CLOCK.format(date)}
    </time>
  );
}

/** Milliseconds with their unit. */
export function duration(ms: number): string {
  if (ms < 10) {
    return `${ms.toFixed(1)} ms`;
  }
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Bytes with their unit. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(count, 1)) / 3)));
  const value = count / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[power]}`;
}
