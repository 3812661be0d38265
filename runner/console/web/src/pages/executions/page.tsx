import { useEffect, useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { may } from "../../api/session";
import { Empty, Failed, PageHead } from "../../components/parts";
import { useNarrow } from "../../components/use_narrow";
import { VirtualList } from "../../components/virtual_list";
import { navigate, query, setQuery, to } from "../../router/router";
import { useShortcuts } from "../../shell/keys";
import { texts } from "../../texts";
import { Charts } from "./charts";
import { Detail } from "./detail";
import { Feed } from "./feed";
import { canFollow, filters } from "./filters";
import { FilterBar } from "./filter_bar";
import { Row } from "./row";
import { Tail } from "./tail";

const words = texts.executions;
const ROW = 36;
const NARROW_ROW = 58;

/** Executions: search, the live tail, and the chosen one beside the list. */
export default function ExecutionsPage() {
  const wanted = filters();
  const key = JSON.stringify(wanted);
  const feed = useMemo(() => new Feed(wanted), [key]);
  const live = query.value.get("live") === "1" && canFollow(wanted) && may("read:logs");
  const charts = query.value.get("charts") === "1";
  const narrow = useNarrow();
  const field = useSignal<HTMLInputElement | null>(null);
  useEffect(() => {
    void feed.load();
    return () => feed.close();
  }, [feed]);
  useEffect(() => {
    if (!live) {
      return undefined;
    }
    feed.follow();
    return () => feed.unfollow();
  }, [feed, live]);

  const items = feed.items.value;
  const at = query.value.get("at");
  const selected = at ? items.findIndex(({ id }) => id === at) : -1;
  const chosen = items[selected];
  const select = (index: number) => {
    const item = items[Math.max(0, Math.min(items.length - 1, index))];
    if (item) {
      setQuery({ at: item.id });
    }
  };
  useShortcuts(texts.navigation.executions, [
    { keys: "j", text: texts.keys.next, run: () => select(selected + 1) },
    { keys: "k", text: texts.keys.previous, run: () => select(selected - 1) },
    { keys: "Enter", text: texts.keys.open, when: !!chosen, run: () => chosen && navigate(to`/executions/${chosen.id}`) },
    { keys: "Escape", text: words.closeDetail, when: !!chosen, run: () => setQuery({ at: undefined }) },
    { keys: "/", text: texts.keys.search, run: () => field.value?.focus() },
    {
      keys: "p",
      text: words.pauseOrGoOn,
      when: live,
      run: () => (feed.paused.value ? feed.resume() : feed.pause()),
    },
  ]);
  return (
    <>
      <PageHead title={texts.navigation.executions}>
        <button
          type="button"
          aria-pressed={charts}
          onClick={() => setQuery({ charts: charts ? undefined : "1" })}
        >
          {words.charts}
        </button>
        <Tail feed={feed} live={live} possible={canFollow(wanted)} />
      </PageHead>
      <FilterBar wanted={wanted} field={field} />
      {wanted.user && <p class="small muted">{may("read:execution_data") ? words.ofUser : texts.forbidden("read:execution_data")}</p>}
      {feed.error.value !== null && <Failed error={feed.error.value} retry={() => void feed.load()} />}
      {charts && <Charts items={items} />}
      <div class={chosen ? "executions with-detail" : "executions"}>
        <div class="card execution-list">
          {items.length > 0 ? (
            <VirtualList
              label={texts.navigation.executions}
              class="execution-rows"
              items={items}
              row={narrow ? NARROW_ROW : ROW}
              selected={selected}
              keyOf={({ id }) => id}
              render={(item) => <Row item={item} selected={item.id === at} narrow={narrow} onSelect={() => setQuery({ at: item.id })} />}
              onEnd={() => {
                if (feed.hasMore.value && !feed.loading.value && feed.error.value === null) {
                  void feed.load();
                }
              }}
            />
          ) : feed.loading.value ? (
            <p class="loading" role="status">
              {texts.loading}
            </p>
          ) : (
            <Empty title={words.none}>{words.noneAbout}</Empty>
          )}
          {items.length > 0 && (
            <p class="list-foot small muted" role="status">
              {words.shown(items.length, feed.hasMore.value)}
            </p>
          )}
        </div>
        {chosen && <Detail key={chosen.id} item={chosen} />}
      </div>
    </>
  );
}
