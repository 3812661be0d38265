import { api, ask, type Console } from "../../api/client";
import { usePages } from "../../api/pages";
import { may } from "../../api/session";
import { Hostile } from "../../components/hostile";
import { PageList } from "../../components/page_list";
import { Badge, Card, said, Time } from "../../components/parts";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";

const words = texts.settings.sessionList;

/** Who is signed in, and an end to it. */
export function Sessions() {
  const pages = usePages<Console["ListedSession"]>(async (from) => {
    const { sessions, next } = await ask(api.GET("/console/api/sessions", { params: { query: { from } } }));
    return { items: sessions, next };
  }, []);
  const end = async (id: string) => {
    try {
      await ask(api.DELETE("/console/api/sessions/{session_id}", { params: { path: { session_id: id } } }));
      toast(words.ended);
    } catch (error) {
      toast(said(error), "bad");
    }
    pages.reload();
  };
  return (
    <Card title={words.title}>
      <PageList
        pages={pages}
        columns={[words.who, words.from, words.browser, words.since, words.seen, ""]}
        empty=""
        row={(item) => (
          <tr key={item.id}>
            <td>
              <Hostile text={item.actor} limit={64} brief /> <Badge>{words.ways[item.way] ?? item.way}</Badge>{" "}
              {item.current && <Badge tone="good">{words.current}</Badge>}
            </td>
            <td class="mono">
              <Hostile text={item.address} limit={64} brief />
            </td>
            <td class="agent" title={item.agent}>
              <Hostile text={item.agent} limit={120} brief />
            </td>
            <td>
              <Time at={item.created_at} />
            </td>
            <td>
              <Time at={item.seen_at} />
            </td>
            <td class="number">
              {!item.current && may("delete:sessions") && (
                <button type="button" onClick={() => void end(item.id)}>
                  {words.end}
                </button>
              )}
            </td>
          </tr>
        )}
      />
    </Card>
  );
}
