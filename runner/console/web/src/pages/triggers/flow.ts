/** The Actions that are bound to a trigger, as they are edited: all changes are kept here until they are applied. */
import { api, ask, type Management } from "../../api/client";
import { refusal } from "../../api/errors";

export type TriggerId = Management["Trigger"]["id"];
export type FailPolicy = NonNullable<Management["Binding"]["fail_policy"]>;

/** One Action of a flow. Names are hostile. */
export interface Item {
  readonly actionId: string;
  /** Of a binding that is stored; a new one has none. */
  readonly bindingId?: string;
  readonly name: string;
  readonly version?: number;
  /** The draft is what is deployed. */
  readonly deployed: boolean;
  /** Undefined: as the service does by itself. */
  readonly failPolicy?: FailPolicy;
  readonly wallMs?: number;
  readonly memoryMb?: number;
}

export interface Flow {
  readonly items: readonly Item[];
  /** What the service has stored, for `If-Match`. */
  readonly tag: string;
}

/** The flow of a trigger. Failures are those of `ask`. */
export async function loadFlow(trigger: TriggerId, signal?: AbortSignal): Promise<Flow> {
  const { data, error, response } = await api.GET("/api/v2/actions/triggers/{trigger_id}/bindings", {
    params: { path: { trigger_id: trigger }, query: { per_page: 100 } },
    signal: signal ?? null,
  });
  if (!data) {
    throw refusal(response.status, error);
  }
  return { items: data.bindings.map(item), tag: response.headers.get("ETag") ?? "" };
}

/** Replaces the flow, unless somebody else changed it since `tag`: `ApiError` 412. Failures are those of `ask`. */
export async function applyFlow(trigger: TriggerId, items: readonly Item[], tag: string): Promise<Flow> {
  const { data, error, response } = await api.PATCH("/api/v2/actions/triggers/{trigger_id}/bindings", {
    params: { path: { trigger_id: trigger }, header: { "If-Match": tag } },
    body: { bindings: items.map(input) },
  });
  if (!data) {
    throw refusal(response.status, error);
  }
  return { items: data.bindings.map(item), tag: response.headers.get("ETag") ?? "" };
}

/** The Actions of a trigger that are deployed, as items that could be added. Failures are those of `ask`. */
export async function loadCandidates(trigger: TriggerId, signal: AbortSignal): Promise<Item[]> {
  const found: Item[] = [];
  for (let page = 0; ; page += 1) {
    const answer = await ask(
      api.GET("/api/v2/actions/actions", {
        params: { query: { triggerId: trigger, deployed: true, page, per_page: 100 } },
        signal,
      }),
    );
    for (const action of answer.actions) {
      found.push({
        actionId: action.id,
        name: action.name,
        version: action.deployed_version?.number,
        deployed: action.all_changes_deployed,
      });
    }
    if (answer.actions.length < 100) {
      return found;
    }
  }
}

function item(binding: Management["Binding"]): Item {
  return {
    actionId: binding.action.id,
    bindingId: binding.id,
    name: binding.display_name,
    version: binding.action.deployed_version?.number,
    deployed: binding.action.all_changes_deployed,
    failPolicy: binding.fail_policy,
    wallMs: binding.limits?.wall_ms,
    memoryMb: binding.limits?.memory_mb,
  };
}

function input(one: Item): Management["BindingInput"] {
  const { wallMs, memoryMb } = one;
  const limited = wallMs !== undefined || memoryMb !== undefined;
  return {
    ref: one.bindingId
      ? { type: "binding_id", value: one.bindingId }
      : { type: "action_id", value: one.actionId },
    fail_policy: one.failPolicy ?? null,
    limits: limited ? { wall_ms: wallMs ?? null, memory_mb: memoryMb ?? null } : null,
    secrets: [],
  };
}

/** `items` with the one at `from` moved to `to`; the same list where there is no such place. */
export function moved(items: readonly Item[], from: number, to: number): readonly Item[] {
  const one = items[from];
  if (!one || from === to || to < 0 || to >= items.length) {
    return items;
  }
  return items.toSpliced(from, 1).toSpliced(to, 0, one);
}

/** Whether both are the same flow. */
export function sameFlow(one: readonly Item[], other: readonly Item[]): boolean {
  const facts = (items: readonly Item[]) =>
    JSON.stringify(items.map((entry) => [entry.actionId, entry.failPolicy, entry.wallMs, entry.memoryMb]));
  return facts(one) === facts(other);
}
