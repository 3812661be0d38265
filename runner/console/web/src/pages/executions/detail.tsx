import type { ComponentChildren } from "preact";
import { Hostile } from "../../components/hostile";
import { LogView } from "../../components/log_view";
import { plain } from "../../components/escape";
import { Badge, bytes, Card, DecisionBadge, duration, Time, type Tone } from "../../components/parts";
import { Link } from "../../router/link";
import { to } from "../../router/router";
import { texts } from "../../texts";
import type { Item } from "./filters";

const words = texts.executions;

/** An execution beside the list: what its Actions did and wrote. */
export function Detail({ item }: { item: Item }) {
  return (
    <Card
      title={
        <span class="mono">
          <Hostile text={item.id} limit={64} brief />
        </span>
      }
      tools={
        <Link class="button" to={to`/executions/${item.id}`}>
          {words.open}
        </Link>
      }
    >
      <dl class="facts">
        <Fact name={words.time}>
          <Time at={item.created_at} />
        </Fact>
        <Fact name={words.trigger}>
          <Hostile text={item.trigger_id} limit={64} brief />
        </Fact>
        <Fact name={words.decision}>
          <DecisionBadge decision={item.decision} />
        </Fact>
        <Fact name={words.status}>{item.status}</Fact>
        {item.hook && (
          <Fact name={words.hook}>
            <Hostile text={`${item.hook.provider} · ${item.hook.hook}`} limit={100} brief />
          </Fact>
        )}
      </dl>
      <ol class="results">
        {item.results.map((result, index) => (
          <li key={index}>
            <Result result={result} />
          </li>
        ))}
      </ol>
      {item.results.length === 0 && <p class="muted small results-none">{words.noActions}</p>}
    </Card>
  );
}

const TONES: Record<Item["results"][number]["status"], Tone> = {
  ran: "good",
  denied: "warn",
  suspended: "info",
  failed: "bad",
  skipped: "plain",
};

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Result({ result }: { result: Item["results"][number] }) {
  const { failure, error, statistics, status } = result;
  return (
    <>
      <header>
        <h3>
          <Link to={to`/actions/${result.action_id}`}>
            <Hostile text={result.action_name} limit={80} brief />
          </Link>
        </h3>
        {result.version_number !== undefined && <Badge>{texts.triggers.version(result.version_number)}</Badge>}
        {result.arm && <Badge tone="other">{result.arm}</Badge>}
        <Badge tone={TONES[status]}>{status}</Badge>
        {statistics && (
          <span class="muted small">
            {duration(statistics.wall_ms)} · {bytes(statistics.peak_memory_bytes)}
          </span>
        )}
      </header>
      {error && (
        <p class="note bad">
          <Hostile text={[error.msg, ...(failure?.stack ?? [])].join("\n")} limit={1000} block />
        </p>
      )}
      <LogView lines={result.logs} label={texts.logs.of(plain(result.action_name, 60))} />
    </>
  );
}
