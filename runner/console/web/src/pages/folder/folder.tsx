/** The page of `actionbox dev`: what the folder holds, what is wrong with it, and what its cases say. */
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { type Folder as Contents, folder, watchFolder } from "../../api/dev";
import { plain } from "../../components/escape";
import { Hostile } from "../../components/hostile";
import { Badge, Card, Empty, PageHead } from "../../components/parts";
import { Link } from "../../router/link";
import { to } from "../../router/router";
import { texts } from "../../texts";
import { Cases } from "./cases";
import { NewAction } from "./new_action";

export default function Folder() {
  useEffect(watchFolder, []);
  const making = useSignal(false);
  const { value } = folder;
  if (value === null) {
    return (
      <p class="loading" role="status">
        {texts.loading}
      </p>
    );
  }
  const empty = value.actions.length === 0 && value.problems.length === 0;
  return (
    <>
      <PageHead title={texts.folder.title} about={texts.folder.about}>
        {!value.manifest && (
          <button type="button" class="primary" onClick={() => (making.value = true)}>
            {texts.folder.new}
          </button>
        )}
      </PageHead>
      <p class="muted">
        <code title={plain(value.folder)}>
          <Hostile text={value.folder.split("/").at(-1) ?? ""} limit={100} brief />
        </code>
      </p>
      {value.manifest && <p class="small muted">{texts.folder.manifest}</p>}
      <Problems of={value} />
      {empty ? <Empty title={texts.folder.empty}>{texts.folder.emptyAbout}</Empty> : <Actions of={value} />}
      <Cases generation={value.generation} />
      {making.value && <NewAction onClose={() => (making.value = false)} />}
    </>
  );
}

function Problems({ of }: { of: Contents }) {
  if (of.problems.length === 0) {
    return null;
  }
  return (
    <section class="note bad problems" role="alert" aria-label={texts.folder.problems}>
      <ul>
        {of.problems.map((problem, index) => (
          <li key={index}>
            {problem.file && (
              <strong>
                <Hostile text={problem.file} limit={200} brief />
                {problem.line && `, ${texts.folder.place(problem.line, problem.column)}`}
                {": "}
              </strong>
            )}
            <Hostile text={problem.message} /> <Hostile text={problem.next_step ?? ""} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Actions({ of }: { of: Contents }) {
  return (
    <Card title={texts.folder.actions}>
      <div class="table">
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.folder.name}</th>
              <th scope="col">{texts.folder.trigger}</th>
              <th scope="col">{texts.folder.file}</th>
              <th scope="col">{texts.folder.state}</th>
            </tr>
          </thead>
          <tbody>
            {of.actions.map((action) => (
              <tr key={action.id}>
                <td>
                  <Link to={to`/actions/${action.id}`}>
                    <Hostile text={action.name} limit={100} brief />
                  </Link>
                </td>
                <td>
                  <Link to={`/simulate?trigger=${encodeURIComponent(action.trigger_id)}`} title={texts.folder.tried(action.trigger_id)}>
                    {action.trigger_id}
                  </Link>
                </td>
                <td>
                  <code>
                    <Hostile text={action.file} limit={200} brief />
                  </code>
                </td>
                <td>
                  <Badge tone={action.deployed ? "good" : "warn"}>{action.deployed ? texts.folder.live : texts.folder.draft}</Badge>{" "}
                  {!action.writable && <Badge>{texts.folder.compiled}</Badge>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
