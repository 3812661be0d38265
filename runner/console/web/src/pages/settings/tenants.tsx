import { useSignal } from "@preact/signals";
import { api, ask, type Console } from "../../api/client";
import { usePages } from "../../api/pages";
import { changeTenant, session } from "../../api/session";
import { Dialog } from "../../components/dialog";
import { bound, Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { PageList } from "../../components/page_list";
import { Badge, Card, said, Time } from "../../components/parts";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";
import { Credentials, useNewCredentials } from "./credentials";

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
  const { made, error, submit } = useNewCredentials(() =>
    ask(api.POST("/console/api/tenants", { body: { id: id.value, name: name.value } })),
  );
  if (made) {
    return <Credentials of={made} onClose={onClose} />;
  }
  return (
    <Dialog title={words.add} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <Field label={words.id} hint={words.idHint} error={error}>
          {(ids) => (
            <input
              {...ids}
              required
              maxLength={63}
              spellcheck={false}
              pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
              {...bound(id)}
            />
          )}
        </Field>
        <Field label={words.name}>
          {(ids) => <input {...ids} maxLength={255} {...bound(name)} />}
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
