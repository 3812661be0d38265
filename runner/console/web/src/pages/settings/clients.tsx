import { useSignal } from "@preact/signals";
import { api, ask, type Console } from "../../api/client";
import { usePages } from "../../api/pages";
import { may, session } from "../../api/session";
import { Confirm, Dialog } from "../../components/dialog";
import { plain } from "../../components/escape";
import { bound, Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { PageList } from "../../components/page_list";
import { Badge, Card, said, Time } from "../../components/parts";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";
import { Credentials, useNewCredentials } from "./credentials";

type Client = Console["ListedClient"];

const words = texts.settings.clients;

/** API clients: what asks for tokens, and signs in with a secret. */
export function Clients() {
  const pages = usePages<Client>(async (from) => {
    const { clients, next } = await ask(api.GET("/console/api/clients", { params: { query: { from } } }));
    return { items: clients, next };
  }, []);
  const adding = useSignal(false);
  const revoking = useSignal<Client | null>(null);
  const revoke = async (client: Client) => {
    try {
      await ask(api.DELETE("/console/api/clients/{client_id}", { params: { path: { client_id: client.id } } }));
      toast(words.revoked);
    } catch (error) {
      toast(said(error), "bad");
    }
    pages.reload();
  };
  return (
    <Card
      title={words.title}
      tools={
        may("create:clients") && (
          <button type="button" onClick={() => (adding.value = true)}>
            {words.add}
          </button>
        )
      }
    >
      <PageList
        pages={pages}
        columns={[words.name, words.id, words.scopes, texts.settings.created, ""]}
        empty={words.empty}
        row={(client) => (
          <tr key={client.id}>
            <td>
              <Hostile text={client.name} limit={80} brief /> {client.revoked_at && <Badge tone="bad">{words.isRevoked}</Badge>}
            </td>
            <td class="mono">
              <Hostile text={client.id} limit={64} brief />
            </td>
            <td title={client.scopes.join(" ")}>{words.scopeCount(client.scopes.length)}</td>
            <td>
              <Time at={client.created_at} />
            </td>
            <td class="number">
              {!client.revoked_at && may("delete:clients") && (
                <button type="button" onClick={() => (revoking.value = client)}>
                  {words.revoke}
                </button>
              )}
            </td>
          </tr>
        )}
      />
      {adding.value && (
        <AddClient
          onClose={() => {
            adding.value = false;
            pages.reload();
          }}
        />
      )}
      {revoking.value && (
        <Confirm
          title={words.revoke}
          text={words.revokeAbout(plain(revoking.value.name, 60))}
          action={words.revoke}
          onConfirm={() => revoking.value && void revoke(revoking.value)}
          onClose={() => (revoking.value = null)}
        />
      )}
    </Card>
  );
}

function AddClient({ onClose }: { onClose: () => void }) {
  const mine = (session.value?.scopes ?? []).filter((scope) => scope !== "operate:tenants");
  const name = useSignal("");
  const chosen = useSignal<ReadonlySet<string>>(new Set(mine));
  const { made, error, submit } = useNewCredentials(() =>
    ask(api.POST("/console/api/clients", { body: { name: name.value, scopes: [...chosen.value].toSorted() } })),
  );
  if (made) {
    return <Credentials of={made} onClose={onClose} />;
  }
  return (
    <Dialog title={words.add} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <Field label={words.name} error={error}>
          {(ids) => (
            <input {...ids} required maxLength={255} {...bound(name)} />
          )}
        </Field>
        <fieldset>
          <legend>{words.scopes}</legend>
          <div class="buttons">
            <button type="button" class="inline" onClick={() => (chosen.value = new Set(mine))}>
              {words.all}
            </button>
            <button type="button" class="inline" onClick={() => (chosen.value = new Set())}>
              {texts.none}
            </button>
          </div>
          <div class="scopes">
            {mine.map((scope) => (
              <label key={scope} class="check mono">
                <input
                  type="checkbox"
                  checked={chosen.value.has(scope)}
                  onChange={() => (chosen.value = toggled(chosen.value, scope))}
                />
                {scope}
              </label>
            ))}
          </div>
        </fieldset>
        <footer class="buttons">
          <button type="submit" class="primary" disabled={chosen.value.size === 0}>
            {words.add}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function toggled(chosen: ReadonlySet<string>, scope: string): Set<string> {
  const next = new Set(chosen);
  if (!next.delete(scope)) {
    next.add(scope);
  }
  return next;
}
