/** Members of event and api that the editor completes, and where a completion stands. */
import { api, ask, type Management } from "../../api/client";

export type Declarations = Management["Declarations"];
export type Member = Management["DeclaredMember"];

const kept = new Map<string, Promise<Declarations>>();

/** The declarations of a trigger; asked for once. */
export function declarations(trigger: string, language: "javascript" | "python"): Promise<Declarations> {
  const key = `${trigger} ${language}`;
  let found = kept.get(key);
  if (!found) {
    found = ask(
      api.GET("/api/v2/actions/triggers/{trigger_id}/declarations", {
        params: { path: { trigger_id: trigger }, query: { language } },
      }),
    );
    found.catch(() => kept.delete(key));
    kept.set(key, found);
  }
  return found;
}

export interface Option {
  readonly label: string;
  readonly detail: string;
  readonly info: string;
  readonly type: "property" | "method" | "variable";
}

/** What can stand behind `path`, as `event.user.` or `api.access.`. `secrets`: names of the Action's own. */
export function optionsAfter(known: Declarations, path: readonly string[], secrets: readonly string[]): Option[] {
  const [root, ...rest] = path;
  if (root === "event") {
    if (rest.length === 1 && rest[0] === "secrets") {
      return secrets.map((name) => ({ label: name, detail: "secret", info: "", type: "property" }));
    }
    let members: readonly Member[] | undefined = known.types["Event"];
    for (const part of rest) {
      const found: Member | undefined = members?.find((member) => member.name === part);
      members = found ? known.types[found.of] : undefined;
    }
    return (members ?? []).map(({ name, type, about }) => ({ label: name, detail: type, info: about, type: "property" }));
  }
  if (root !== "api") {
    return [];
  }
  const prefix = rest.map((part) => `${part}.`).join("");
  const options = new Map<string, Option>();
  for (const call of known.api) {
    if (!call.path.startsWith(prefix)) {
      continue;
    }
    const [name = "", more] = call.path.slice(prefix.length).split(".");
    options.set(
      name,
      more === undefined
        ? { label: name, detail: call.signature.slice(name.length), info: call.about, type: "method" }
        : { label: name, detail: "", info: "", type: "property" },
    );
  }
  return [...options.values()];
}

export interface Problem {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly text: string;
}

/** The errors of a build with their places: `… (roles.js:3:5) …`. Those without one stand in the first line. */
export function problemsOf(errors: readonly { readonly msg: string }[]): Problem[] {
  return errors.map(({ msg }) => {
    const place = /\([^()]+\.(?:js|mjs|ts|py):(\d+)(?::(\d+))?\)/.exec(msg);
    return { line: Number(place?.[1] ?? 1), column: Number(place?.[2] ?? 1), text: msg };
  });
}
