import { Component, type ComponentChildren, type ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { Empty, Failed } from "../components/parts";
import { type PageProps, pages } from "../pages";
import { Link } from "../router/link";
import { match, path } from "../router/router";
import { HOME } from "../pages";
import { texts } from "../texts";

const loaded = new Map<string, ComponentType<PageProps>>();

/** The page of the current address. Its code is loaded when it is first needed. */
export function Outlet() {
  const failed = useSignal<{ pattern: string; error: unknown } | null>(null);
  const there = useSignal(0);
  for (const { pattern, load } of pages) {
    const params = match(pattern, path.value);
    if (!params) {
      continue;
    }
    const PageComponent = loaded.get(pattern);
    if (PageComponent) {
      return (
        <Boundary key={path.value}>
          <PageComponent params={params} />
        </Boundary>
      );
    }
    if (failed.value?.pattern === pattern) {
      return <Failed error={failed.value.error} retry={() => location.reload()} />;
    }
    return (
      <Loading
        key={pattern}
        load={async () => {
          try {
            loaded.set(pattern, (await load()).default);
            there.value += 1;
          } catch (error) {
            failed.value = { pattern, error };
          }
        }}
        turn={there.value}
      />
    );
  }
  return (
    <Empty title={texts.notFound.title}>
      {texts.notFound.about} <Link to={HOME}>{texts.notFound.back}</Link>
    </Empty>
  );
}

function Loading({ load }: { load: () => Promise<void>; turn: number }) {
  useEffect(() => void load(), []);
  return (
    <p class="loading" role="status">
      {texts.loading}
    </p>
  );
}

/** Shows a fault of a page in its place; the shell stays usable. */
class Boundary extends Component<{ children: ComponentChildren }, { error: unknown }> {
  override state = { error: null as unknown };

  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    return this.state.error ? (
      <Failed error={this.state.error} retry={() => this.setState({ error: null })} />
    ) : (
      this.props.children
    );
  }
}
