import { useSignal } from "@preact/signals";
import { api, ask, type Management } from "../../api/client";
import { usePages } from "../../api/pages";
import { may } from "../../api/session";
import { Hostile } from "../../components/hostile";
import { PageList } from "../../components/page_list";
import { Badge, Card } from "../../components/parts";
import { texts } from "../../texts";
import { AddHook } from "./add_hook";
import { HookDialog } from "./hook_dialog";

type Hook = Management["HookItem"];

const words = texts.settings.hookList;

/** Hooks of identity providers, which call Actions. */
export function Hooks() {
  const pages = usePages<Hook>(async (from) => {
    const answer = await ask(api.GET("/api/v2/identity-provider-hooks", { params: { query: { from } } }));
    return { items: answer.identity_provider_hooks, next: answer.next };
  }, []);
  const opened = useSignal<string | null>(null);
  const adding = useSignal(false);
  const hook = pages.items.value.find(({ id }) => id === opened.value);
  return (
    <Card
      title={words.title}
      tools={
        may("create:identity_provider_hooks") && (
          <button type="button" onClick={() => (adding.value = true)}>
            {words.add}
          </button>
        )
      }
    >
      <PageList
        pages={pages}
        columns={[words.provider, words.triggers, words.state, ""]}
        empty={words.empty}
        row={(item) => (
          <tr key={item.id}>
            <td>
              <strong>{item.provider}</strong> <Hostile text={item.hook} limit={64} brief />
            </td>
            <td class="mono">{item.triggers.join(", ")}</td>
            <td>
              <Badge tone={item.enabled ? "good" : "plain"}>{item.enabled ? words.enabled : words.disabled}</Badge>{" "}
              {item.secrets.length === 0 && <Badge tone="warn">{words.noSecret}</Badge>}
            </td>
            <td class="number">
              <button type="button" onClick={() => (opened.value = item.id)}>
                {words.open}
              </button>
            </td>
          </tr>
        )}
      />
      {hook && <HookDialog key={JSON.stringify(hook)} hook={hook} onChanged={pages.reload} onClose={() => (opened.value = null)} />}
      {adding.value && (
        <AddHook
          onAdded={(id) => {
            adding.value = false;
            opened.value = id;
            pages.reload();
          }}
          onClose={() => (adding.value = false)}
        />
      )}
    </Card>
  );
}
