import { api, ask, type Console } from "../../api/client";
import { usePages } from "../../api/pages";
import { Hostile } from "../../components/hostile";
import { PageList } from "../../components/page_list";
import { Badge, Card, Time } from "../../components/parts";
import { query, setQuery } from "../../router/router";
import { texts } from "../../texts";

const words = texts.settings.auditTrail;
const FILTERS = ["actor", "operation", "object_id"] as const;
const REFUSED = 400;

/** Who did what; the filters live in the address. */
export function AuditTrail() {
  const wanted = FILTERS.map((name) => query.value.get(name)?.slice(0, 255) || undefined);
  const [actor, operation, object_id] = wanted;
  const pages = usePages<Console["AuditEntry"]>(async (from) => {
    const before = from === undefined ? undefined : Number(from);
    const parameters = { query: { actor, operation, object_id, before } };
    const { entries, next } = await ask(api.GET("/console/api/audit", { params: parameters }));
    return { items: entries, next: next === undefined ? undefined : `${next}` };
  }, wanted);
  return (
    <Card title={words.title}>
      <div class="filters body" role="search">
        {FILTERS.map((name, index) => (
          <input
            key={name}
            aria-label={words[name]}
            placeholder={words[name]}
            value={wanted[index] ?? ""}
            onChange={(event) => setQuery({ [name]: event.currentTarget.value.trim() })}
          />
        ))}
      </div>
      <PageList
        pages={pages}
        columns={[words.at, words.actor, words.operation, words.object_id]}
        empty={words.empty}
        row={(entry) => (
          <tr key={entry.id}>
            <td>
              <Time at={entry.at} />
            </td>
            <td>
              <Hostile text={entry.actor} limit={64} brief /> {entry.session_id && <Badge>{words.console}</Badge>}
            </td>
            <td class="mono">
              <Hostile text={entry.operation} limit={120} brief />{" "}
              {entry.status !== undefined && entry.status >= REFUSED && <Badge tone="bad">{entry.status}</Badge>}
            </td>
            <td class="mono">
              <Hostile text={entry.object_id} limit={64} brief />
              {entry.reason && (
                <p class="muted">
                  <Hostile text={entry.reason} limit={300} />
                </p>
              )}
            </td>
          </tr>
        )}
      />
    </Card>
  );
}
