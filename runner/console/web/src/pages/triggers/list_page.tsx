import { useSignal } from "@preact/signals";
import { api, ask } from "../../api/client";
import { useLoad } from "../../api/load";
import { Hostile } from "../../components/hostile";
import { Badge, Card, PageHead, Ready } from "../../components/parts";
import { Link } from "../../router/link";
import { navigate, to } from "../../router/router";
import { useShortcuts } from "../../shell/keys";
import { texts } from "../../texts";
import { type Item, loadFlow, type TriggerId } from "./flow";

interface Row {
  readonly id: TriggerId;
  readonly version: string;
  /** Null: bound to entities, such as event streams. */
  readonly items: readonly Item[] | null;
}

/** All triggers with their flows; those that have Actions come first. */
export default function TriggersPage() {
  const { result, reload } = useLoad(loadRows, []);
  const selected = useSignal(-1);
  const rows = result.value.state === "ready" ? result.value.data : [];
  const select = (index: number) => {
    selected.value = Math.max(0, Math.min(rows.length - 1, index));
    document.getElementById(`trigger-${selected.value}`)?.scrollIntoView({ block: "nearest" });
  };
  useShortcuts(texts.navigation.triggers, [
    { keys: "j", text: texts.keys.next, run: () => select(selected.value + 1) },
    { keys: "k", text: texts.keys.previous, run: () => select(selected.value - 1) },
    {
      keys: "Enter",
      text: texts.keys.open,
      when: selected.value >= 0,
      run: () => navigate(to`/triggers/${rows[selected.value]?.id ?? ""}`),
    },
  ]);
  return (
    <>
      <PageHead title={texts.navigation.triggers} about={texts.triggers.about} />
      <Ready of={result.value} retry={reload}>
        {(found) => (
          <Card>
            <ol class="trigger-list">
              {found.map((row, index) => (
                <li key={row.id} id={`trigger-${index}`} class={selected.value === index ? "selected" : ""}>
                  <Summary row={row} />
                </li>
              ))}
            </ol>
          </Card>
        )}
      </Ready>
    </>
  );
}

async function loadRows(signal: AbortSignal): Promise<Row[]> {
  const { triggers } = await ask(api.GET("/api/v2/actions/triggers", { signal }));
  const current = triggers.filter(({ status }) => status === "CURRENT");
  const rows = await Promise.all(
    current.map(async ({ id, version, binding_policy }) => ({
      id,
      version,
      items: binding_policy === "trigger-bound" ? (await loadFlow(id, signal)).items : null,
    })),
  );
  const filled = ({ items }: Row) => (items && items.length > 0 ? 0 : items ? 1 : 2);
  return rows.toSorted((one, other) => filled(one) - filled(other));
}

function Summary({ row: { id, version, items } }: { row: Row }) {
  return (
    <>
      <div class="trigger-name">
        <h2>{items ? <Link to={to`/triggers/${id}`}>{id}</Link> : id}</h2>
        <p class="muted small">{texts.triggers.purposes[id]}</p>
      </div>
      <div class="flow-line">
        <Badge>{version}</Badge>
        {!items && <span class="muted small">{texts.triggers.entityBound}</span>}
        {items?.length === 0 && <span class="muted small">{texts.triggers.empty}</span>}
        {items && items.length > 0 && (
          <ol aria-label={texts.triggers.flowOf(id)}>
            {items.map((item) => (
              <li key={item.actionId} class={item.deployed ? "chip" : "chip changed"}>
                <Hostile text={item.name} limit={60} brief />
              </li>
            ))}
          </ol>
        )}
      </div>
    </>
  );
}
