import { Dialog } from "../../components/dialog";
import { Hostile } from "../../components/hostile";
import { texts } from "../../texts";
import type { Flow, Item } from "./flow";

interface Props {
  mine: readonly Item[];
  theirs: Flow;
  onMine: (theirs: Flow) => void;
  onTheirs: (theirs: Flow) => void;
  onClose: () => void;
}

const words = texts.triggers.changed;

/** Somebody else changed the flow meanwhile: both side by side, and which of them to keep. */
export function ChangedDialog({ mine, theirs, onMine, onTheirs, onClose }: Props) {
  return (
    <Dialog title={words.title} onClose={onClose}>
      <p>{words.about}</p>
      <div class="two-flows">
        <Names title={words.theirs} items={theirs.items} />
        <Names title={words.mine} items={mine} />
      </div>
      <footer>
        <button type="button" onClick={() => onTheirs(theirs)}>
          {words.takeTheirs}
        </button>
        <button type="button" class="primary" onClick={() => onMine(theirs)}>
          {words.keepMine}
        </button>
      </footer>
    </Dialog>
  );
}

function Names({ title, items }: { title: string; items: readonly Item[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <ol>
        {items.map((item) => (
          <li key={item.actionId} class="chip">
            <Hostile text={item.name} limit={60} brief />
          </li>
        ))}
      </ol>
      {items.length === 0 && <p class="muted">{texts.triggers.empty}</p>}
    </section>
  );
}
