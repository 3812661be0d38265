import { Dialog } from "../components/dialog";
import { texts } from "../texts";
import { printed, shortcuts } from "./keys";

/** All keys that work on the current page. */
export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={texts.keys.title} onClose={onClose}>
      <div class="help">
        {shortcuts().map(({ title, shortcuts: list }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {list
                .filter(({ when = true }) => when)
                .map(({ keys, text }) => (
                  <div key={keys}>
                    <dt>{text}</dt>
                    <dd>
                      {printed(keys).map((part) => (
                        <kbd key={part}>{part}</kbd>
                      ))}
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="small muted">{texts.keys.hint}</p>
    </Dialog>
  );
}
