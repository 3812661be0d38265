import { useSignal } from "@preact/signals";
import { api, ask, type Console } from "../../api/client";
import { usePages } from "../../api/pages";
import { changeTenant, session } from "../../api/session";
import { Dialog } from "../../components/dialog";
import { Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { PageList } from "../../components/page_list";
import { Badge, Card, said, Time } from "../../components/parts";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";
import { Credentials } from "./credentials";

const words = texts.settings.tenantList;

/** The tenants of the installation, for operators. */
export function Tenants() {
  const pages = usePages<Console["ListedTenant"]>(async (from) => {
    const { tenants, next } = await ask(api.GET("/console/api/tenants", { params: { query: { from } } }));
    return { items: tenants, next };
  }, []);
  const adding = useSignal(false);
  return (
    <Card
      title={words.title}
      tools={
        <button type="button" onClick={() => (adding.value = true)}>
          {words.add}
        </button>
      }
    >
      <PageList
        pages={pages}
        columns={[words.id, words.name, texts.settings.created, ""]}
        empty=""
        row={(tenant) => (
          <tr key={tenant.id}>
            <td class="mono">
              <Hostile text={tenant.id} limit={64} brief />
            </td>
            <td>
              <Hostile text={tenant.name} limit={80} brief />
            </td>
            <td>
              <Time at={tenant.created_at} />
            </td>
            <td class="number">
              {tenant.id === session.value?.tenant.id ? (
                <Badge tone="good">{words.current}</Badge>
              ) : (
                <button type="button" onClick={() => changeTenant(tenant.id).catch((error: unknown) => toast(said(error), "bad"))}>
                  {words.open}
                </button>
              )}
            </td>
          </tr>
        )}
      />
      {adding.value && (
        <AddTenant
          onClose={() => {
            adding.value = false;
            pages.reload();
          }}
        />
      )}
    </Card>
  );
}

function AddTenant({ onClose }: { onClose: () => void }) {
  const id = useSignal("");
  const name = useSignal("");
  const made = useSignal<Console["NewCredentials"] | null>(null);
  const error = useSignal<string | null>(null);
  const add = async (event: Event) => {
    event.preventDefault();
    try {
      made.value = await ask(api.POST("/console/api/tenants", { body: { id: id.value, name: name.value } }));
    } catch (failure) {
      error.value = said(failure);
    }
  };
  if (made.value) {
    return <Credentials of={made.value} onClose={onClose} />;
  }
  return (
    <Dialog title={words.add} onClose={onClose}>
      <form class="form" onSubmit={add}>
        <Field label={words.id} hint={words.idHint} error={error.value}>
          {(ids) => (
            <input
              {...ids}
              required
              maxLength={63}
              spellcheck={false}
              pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
              value={id.value}
              onInput={(event) => (id.value = event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={words.name}>
          {(ids) => <input {...ids} maxLength={255} value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />}
        </Field>
        <footer class="buttons">
          <button type="submit" class="primary">
            {words.add}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
