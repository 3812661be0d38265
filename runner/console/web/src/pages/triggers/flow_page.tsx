import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { ApiError } from "../../api/errors";
import { type Loaded, useLoad } from "../../api/load";
import { may } from "../../api/session";
import { plain } from "../../components/escape";
import { PageHead, Ready, said } from "../../components/parts";
import { Link } from "../../router/link";
import { leaving } from "../../router/router";
import { Icon } from "../../shell/icons";
import { useShortcuts } from "../../shell/keys";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";
import type { PageProps } from "..";
import { AddDialog } from "./add_dialog";
import { ChangedDialog } from "./changed_dialog";
import { applyFlow, type Flow, type Item, loadFlow, moved, sameFlow, type TriggerId } from "./flow";
import { ItemCard } from "./item_card";

const words = texts.triggers;

/** The flow of one trigger as a picture that is edited in place. */
export default function FlowPage({ params }: PageProps) {
  const trigger = params["id"] as TriggerId; // the service refuses others
  const { result, reload } = useLoad((signal) => loadFlow(trigger, signal), [trigger]);
  return (
    <>
      <p class="crumbs">
        <Link to="/triggers">{texts.navigation.triggers}</Link>
      </p>
      <Ready of={result.value as Loaded<Flow>} retry={reload}>
        {(flow) => <Editor key={trigger} trigger={trigger} stored={flow} />}
      </Ready>
    </>
  );
}

function Editor({ trigger, stored }: { trigger: TriggerId; stored: Flow }) {
  const base = useSignal(stored);
  const items = useSignal(stored.items);
  const selected = useSignal(stored.items.length > 0 ? 0 : -1);
  const adding = useSignal(false);
  const theirs = useSignal<Flow | null>(null);
  const busy = useSignal(false);
  const told = useSignal("");
  const list = useRef<HTMLOListElement>(null);
  const refocus = useRef(-1);
  const changed = !sameFlow(items.value, base.value.items);
  const editable = may("update:actions");

  const move = (from: number, to: number, focus: boolean) => {
    const next = moved(items.value, from, to);
    const item = items.value[from];
    if (next !== items.value && item) {
      items.value = next;
      selected.value = to;
      refocus.current = focus ? to : -1;
      told.value = words.movedTo(plain(item.name, 60), to + 1, next.length);
    }
  };
  const select = (index: number) => {
    if (items.value.length > 0) {
      selected.value = Math.max(0, Math.min(items.value.length - 1, index));
      cards(list.current)[selected.value]?.scrollIntoView({ block: "nearest" });
    }
  };
  const change = (index: number, item: Item | null) => {
    items.value = item ? items.value.with(index, item) : items.value.toSpliced(index, 1);
    selected.value = Math.min(selected.value, items.value.length - 1);
  };
  const apply = async (tag: string) => {
    busy.value = true;
    try {
      const flow = await applyFlow(trigger, items.value, tag);
      base.value = flow;
      items.value = flow.items;
      theirs.value = null;
      toast(words.applied);
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) {
        await loadFlow(trigger).then(
          (flow) => (theirs.value = flow),
          (failure: unknown) => toast(said(failure), "bad"),
        );
      } else {
        toast(said(error), "bad");
      }
    } finally {
      busy.value = false;
    }
  };
  useEffect(() => {
    leaving.allowed = () => sameFlow(items.value, base.value.items);
    return () => {
      leaving.allowed = null;
    };
  }, []);
  useEffect(() => {
    if (refocus.current >= 0) {
      cards(list.current)[refocus.current]?.querySelector<HTMLElement>(".handle")?.focus();
      refocus.current = -1;
    }
  }, [items.value]);
  useShortcuts(trigger, [
    { keys: "j", text: texts.keys.next, run: () => select(selected.value + 1) },
    { keys: "k", text: texts.keys.previous, run: () => select(selected.value - 1) },
    { keys: "Alt+ArrowUp", text: words.up, when: editable, run: () => move(selected.value, selected.value - 1, true) },
    { keys: "Alt+ArrowDown", text: words.down, when: editable, run: () => move(selected.value, selected.value + 1, true) },
    { keys: "a", text: words.add, when: editable, run: () => (adding.value = true) },
    { keys: "Mod+s", text: words.apply, when: editable && changed, run: () => void apply(base.value.tag) },
  ]);
  return (
    <>
      <PageHead title={trigger} about={words.purposes[trigger]}>
        {changed && (
          <button type="button" onClick={() => (items.value = base.value.items)}>
            {words.discard}
          </button>
        )}
        {editable && (
          <button type="button" class="primary" disabled={!changed || busy.value} onClick={() => void apply(base.value.tag)}>
            {words.apply}
          </button>
        )}
      </PageHead>
      {!editable && <p class="note">{texts.forbidden("update:actions")}</p>}
      <div class="flow">
        <p class="flow-end">{words.event}</p>
        <ol ref={list} aria-label={words.flowOf(trigger)}>
          {items.value.map((item, index) => (
            <ItemCard
              key={item.actionId}
              item={item}
              index={index}
              count={items.value.length}
              selected={selected.value === index}
              editable={editable}
              onSelect={() => (selected.value = index)}
              onMove={(to, focus) => move(index, to, focus)}
              onDrag={(y) => move(index, indexAt(list.current, y), false)}
              onChange={(next) => change(index, next)}
            />
          ))}
        </ol>
        {editable && (
          <button type="button" class="flow-add" onClick={() => (adding.value = true)}>
            <Icon name="plus" />
            {words.add}
          </button>
        )}
        <p class="flow-end">{items.value.length === 0 ? words.allowed : words.outcome}</p>
      </div>
      <p class="hidden-label" aria-live="assertive">
        {told.value}
      </p>
      {adding.value && (
        <AddDialog
          trigger={trigger}
          present={items.value}
          onAdd={(item) => {
            items.value = [...items.value, item];
            selected.value = items.value.length - 1;
            adding.value = false;
          }}
          onClose={() => (adding.value = false)}
        />
      )}
      {theirs.value && (
        <ChangedDialog
          mine={items.value}
          theirs={theirs.value}
          onTheirs={(flow) => {
            base.value = flow;
            items.value = flow.items;
            theirs.value = null;
          }}
          onMine={(flow) => void apply(flow.tag)}
          onClose={() => (theirs.value = null)}
        />
      )}
    </>
  );
}

function cards(list: HTMLOListElement | null): HTMLElement[] {
  return [...(list?.children ?? [])].filter((child) => child instanceof HTMLElement);
}

/** The place in the list at the height `y` of the window. */
function indexAt(list: HTMLOListElement | null, y: number): number {
  const boxes = cards(list).map((card) => card.getBoundingClientRect());
  const found = boxes.findIndex((box) => y < box.bottom);
  return found < 0 ? boxes.length - 1 : found;
}
