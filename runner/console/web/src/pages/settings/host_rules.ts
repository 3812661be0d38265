import type { Management } from "../../api/client";

type Rule = Management["EgressRule"];

/** A rule on one line: `GET,POST api.example /v1 /v2`. */
export function ruleText({ host, methods, path_prefixes }: Rule): string {
  return [(methods ?? []).join(","), host, ...(path_prefixes ?? [])].filter(Boolean).join(" ");
}

/** The rules of a text, one a line; or the line that is none. The service checks hosts and paths. */
export function parseRules(text: string): Management["AllowInput"][] | string {
  const rules: Management["AllowInput"][] = [];
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (!line) {
      continue;
    }
    const parts = line.split(/\s+/);
    const methods = /^[A-Z]+(,[A-Z]+)*$/.test(parts[0] ?? "") ? (parts.shift() ?? "").split(",") : [];
    const host = parts.shift();
    if (!host || host.startsWith("/") || parts.some((path) => !path.startsWith("/"))) {
      return line;
    }
    rules.push({ host, methods, path_prefixes: parts });
  }
  return rules;
}
