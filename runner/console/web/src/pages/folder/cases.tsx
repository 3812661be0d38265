/** The cases of the folder. They run again whenever a file was saved. */
import { useEffect } from "preact/hooks";
import { type Signal, useSignal } from "@preact/signals";
import { type CaseAnswer, type CaseFile, listCases, runCases } from "../../api/dev";
import { useLoad } from "../../api/load";
import { Hostile } from "../../components/hostile";
import { Badge, Card, duration, Empty, Ready, said, type Tone } from "../../components/parts";
import { toast } from "../../shell/toasts";
import { texts } from "../../texts";
import { EditFile } from "./edit_file";

const TONES: Record<CaseAnswer["status"], Tone> = { passed: "good", failed: "bad", unusable: "bad", skipped: "plain" };

type Results = ReadonlyMap<string, readonly CaseAnswer[]>;

/** `generation`: of the folder; a new one runs everything again. */
export function Cases({ generation }: { generation: number }) {
  const { result } = useLoad(listCases, [generation]);
  const results = useSignal<Results>(new Map());
  const running = useSignal(0);
  const editing = useSignal<string | null>(null);
  const files = result.value.state === "ready" ? result.value.data.files : null;

  const run = async (wanted: readonly CaseFile[]) => {
    running.value += 1;
    try {
      for (const { file, problem } of wanted) {
        const found = problem ? [] : (await runCases(file)).results;
        results.value = new Map(results.value).set(file, found);
      }
    } catch (error) {
      toast(said(error), "bad");
    } finally {
      running.value -= 1;
    }
  };
  useEffect(() => {
    if (files) {
      results.value = new Map();
      void run(files);
    }
  }, [files]);

  const all = [...results.value.values()].flat();
  const passed = all.filter(({ status }) => status === "passed").length;
  return (
    <Card
      title={texts.folder.cases}
      tools={
        <>
          <span class="small muted" role="status" data-running={running.value > 0}>
            {running.value > 0 ? texts.folder.running : all.length > 0 && texts.folder.summary(passed, all.length)}
          </span>
          {files && files.length > 0 && (
            <button type="button" disabled={running.value > 0} onClick={() => void run(files)}>
              {texts.folder.runAll}
            </button>
          )}
        </>
      }
    >
      <Ready of={result.value}>
        {({ files: listed }) =>
          listed.length === 0 ? (
            <Empty title={texts.folder.noCases}>{texts.folder.noCasesAbout}</Empty>
          ) : (
            <ul class="case-files">
              {listed.map((item) => (
                <FileCases key={item.file} item={item} results={results.value.get(item.file)} editing={editing} />
              ))}
            </ul>
          )
        }
      </Ready>
      {editing.value !== null && <EditFile file={editing.value} onClose={() => (editing.value = null)} />}
    </Card>
  );
}

interface FileProps {
  item: CaseFile;
  results: readonly CaseAnswer[] | undefined;
  editing: Signal<string | null>;
}

function FileCases({ item, results, editing }: FileProps) {
  return (
    <li>
      <div class="case-file">
        <code>
          <Hostile text={item.file} limit={200} brief />
        </code>
        <button type="button" class="inline" aria-label={texts.folder.edit(item.file)} onClick={() => (editing.value = item.file)}>
          {texts.folder.edit("")}
        </button>
      </div>
      {item.problem && (
        <div class="note bad">
          <Hostile text={[item.problem.message, item.problem.next_step].filter(Boolean).join(" ")} block />
        </div>
      )}
      <ul class="cases">
        {item.cases.map(({ name }, index) => (
          <CaseRow key={index} name={name} result={results?.[index]} />
        ))}
      </ul>
    </li>
  );
}

function CaseRow({ name, result }: { name: string; result: CaseAnswer | undefined }) {
  return (
    <li class="case">
      <div class="case-head">
        <Badge tone={result ? TONES[result.status] : "plain"}>{result ? texts.folder.status[result.status] : "…"}</Badge>
        <Hostile text={name} limit={300} />
        {result && <span class="small muted nowrap">{duration(result.ms)}</span>}
      </div>
      {result && result.status !== "passed" && <Differences of={result} />}
    </li>
  );
}

/** What came instead of what was expected, and what the Actions logged. */
function Differences({ of }: { of: CaseAnswer }) {
  const logs = of.outcome?.actions.flatMap(({ logs: lines }) => lines) ?? [];
  return (
    <div class="differences">
      {of.problem && (
        <p>
          <Hostile text={[of.problem.message, of.problem.next_step].filter(Boolean).join(" ")} block />
        </p>
      )}
      {of.outcome?.failure && (
        <p>
          <Hostile text={failureText(of.outcome.failure)} block />
        </p>
      )}
      {of.differences.length > 0 && of.step > 1 && <p>{texts.folder.step(of.step)}</p>}
      {of.differences.length > 0 && (
        <div class="table">
          <table>
            <thead>
              <tr>
                <th scope="col">{texts.folder.where}</th>
                <th scope="col">{texts.folder.expected}</th>
                <th scope="col">{texts.folder.found}</th>
              </tr>
            </thead>
            <tbody>
              {of.differences.map((difference, index) => (
                <tr key={index}>
                  <td>
                    <code>
                      <Hostile text={difference.path} limit={300} />
                    </code>
                  </td>
                  <td class="expected">
                    <Hostile text={difference.expected} limit={600} />
                  </td>
                  <td class="found">
                    <Hostile text={difference.found} limit={600} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {logs.length > 0 && (
        <details>
          <summary>{texts.folder.logs}</summary>
          <Hostile text={logs.map(({ level, text }) => `${level} ${text}`).join("\n")} block />
        </details>
      )}
    </div>
  );
}

function failureText(failure: NonNullable<NonNullable<CaseAnswer["outcome"]>["failure"]>): string {
  const place = failure.place ? ` (${failure.place.file}:${failure.place.line})` : "";
  return `${failure.message}${place} ${failure.next_step ?? ""}`;
}
