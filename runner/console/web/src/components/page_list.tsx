import type { ComponentChildren } from "preact";
import type { Pages } from "../api/pages";
import { texts } from "../texts";
import { Empty, Failed } from "./parts";

interface Props<T> {
  pages: Pages<T>;
  columns: readonly ComponentChildren[];
  empty: ComponentChildren;
  row: (item: T) => ComponentChildren;
}

/** A table of what comes in pages. */
export function PageList<T>({ pages, columns, empty, row }: Props<T>) {
  const { items, loading, error, more, next, reload } = pages;
  return (
    <div class="table">
      {error.value !== null && <Failed error={error.value} retry={reload} />}
      {items.value.length > 0 && (
        <table>
          <thead>
            <tr>
              {columns.map((column, index) => (
                <th key={index} scope="col">
                  {column || <span class="hidden-label">{texts.options}</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{items.value.map(row)}</tbody>
        </table>
      )}
      {loading.value && (
        <p class="loading" role="status">
          {texts.loading}
        </p>
      )}
      {!loading.value && error.value === null && items.value.length === 0 && <Empty title={texts.none}>{empty}</Empty>}
      {more.value && !loading.value && (
        <p class="list-foot">
          <button type="button" onClick={next}>
            {texts.older}
          </button>
        </p>
      )}
    </div>
  );
}
