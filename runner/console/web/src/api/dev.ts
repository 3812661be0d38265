/** The folder of `actionbox dev`, and simulated operations. Everything in the answers is hostile. */
import { signal } from "@preact/signals";
import type { components } from "./schema/console";
import { json } from "./client";

export type Console = components["schemas"];
export type Folder = Console["Folder"];
export type CaseFile = Console["CaseFileSummary"];
export type CaseAnswer = Console["CaseAnswer"];
export type Simulated = Console["Simulated"];
export type Outcome = Console["FlowOutcome"];
export type Suspension = NonNullable<Outcome["suspension"]>;
export type SimulatedReturn = Console["SimulatedReturn"];

const FOLDER = "/console/api/dev";
const SIMULATIONS = "/console/api/simulations";

/** The folder as the service told it last; null before, and where there is none. */
export const folder = signal<Folder | null>(null);

/** Keeps `folder` as it is until the caller is done; the browser connects again by itself. */
export function watchFolder(): () => void {
  const events = new EventSource(`${FOLDER}/changes`);
  events.onmessage = ({ data }) => (folder.value = JSON.parse(String(data)) as Folder);
  return () => events.close();
}

/** The path of a file's route: each part of the name escaped. */
function fileRoute(name: string): string {
  return `${FOLDER}/files/${name.split("/").map(encodeURIComponent).join("/")}`;
}

export const makeAction = (body: Console["NewAction"]) => json<Console["MadeAction"]>("POST", `${FOLDER}/actions`, body);

export const readFile = (name: string, abort?: AbortSignal) =>
  json<Console["Stored"]>("GET", fileRoute(name), undefined, abort);

/** Writes a file; `etag`: of what it replaces, null for a new one. 412 when something else is there. */
export const writeFile = (name: string, text: string, etag: string | null) =>
  json<Console["Stored"]>("PUT", fileRoute(name), { text }, undefined, etag === null ? { "If-None-Match": "*" } : { "If-Match": `"${etag}"` });

export const listCases = (abort: AbortSignal) => json<Console["CaseFiles"]>("GET", `${FOLDER}/cases`, undefined, abort);

export const runCases = (file: string, name?: string) =>
  json<Console["CaseAnswers"]>("POST", `${FOLDER}/cases/run`, name === undefined ? { file } : { file, name });

export const exampleEvent = (trigger: string, abort: AbortSignal) =>
  json<Console["ExampleEvent"]>("GET", `${SIMULATIONS}/${encodeURIComponent(trigger)}/example`, undefined, abort);

export const simulate = (trigger_id: string, event: Record<string, unknown>) =>
  json<Simulated>("POST", SIMULATIONS, { trigger_id, event });

export const simulateReturn = (body: SimulatedReturn) => json<Simulated>("POST", `${SIMULATIONS}/resume`, body);
