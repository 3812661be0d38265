import { useSignal } from "@preact/signals";
import { useLoad } from "../../api/load";
import { Dialog } from "../../components/dialog";
import { bound } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { Badge, Empty, Ready } from "../../components/parts";
import { texts } from "../../texts";
import { type Item, loadCandidates, type TriggerId } from "./flow";

interface Props {
  trigger: TriggerId;
  present: readonly Item[];
  onAdd: (item: Item) => void;
  onClose: () => void;
}

const words = texts.triggers;
const SHOWN = 50;

/** Which deployed Action to add. */
export function AddDialog({ trigger, present, onAdd, onClose }: Props) {
  const { result, reload } = useLoad((signal) => loadCandidates(trigger, signal), [trigger]);
  const wanted = useSignal("");
  const taken = new Set(present.map(({ actionId }) => actionId));
  return (
    <Dialog title={words.add} onClose={onClose}>
      <Ready of={result.value} retry={reload}>
        {(all) => {
          const text = wanted.value.toLowerCase();
          const free = all.filter(({ actionId }) => !taken.has(actionId));
          const found = free.filter(({ name }) => name.toLowerCase().includes(text));
          return free.length === 0 ? (
            <Empty title={words.noneToAdd}>{words.noneToAddAbout}</Empty>
          ) : (
            <>
              <input
                type="search"
                aria-label={texts.keys.search}
                placeholder={texts.keys.search}
                autofocus
                {...bound(wanted)}
              />
              <ul class="choices">
                {found.slice(0, SHOWN).map((item) => (
                  <li key={item.actionId}>
                    <button type="button" class="quiet" onClick={() => onAdd(item)}>
                      <Hostile text={item.name} limit={80} brief />
                      {item.version !== undefined && <Badge>{words.version(item.version)}</Badge>}
                    </button>
                  </li>
                ))}
              </ul>
              {found.length > SHOWN && <p class="small muted">{words.narrow(found.length - SHOWN)}</p>}
            </>
          );
        }}
      </Ready>
    </Dialog>
  );
}
