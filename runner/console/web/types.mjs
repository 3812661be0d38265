// `node types.mjs OUTDIR [DOCUMENTS]`: types of the HTTP APIs, from the descriptions in docs/openapi.

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [out, documents = join(dirname(fileURLToPath(import.meta.url)), "../../../docs/openapi")] = process.argv.slice(2);
if (!out) {
  console.error("usage: node types.mjs OUTDIR [DOCUMENTS]");
  process.exit(2);
}
const { default: generate, astToString } = createRequire(import.meta.url)("openapi-typescript");
mkdirSync(out, { recursive: true });
for (const name of readdirSync(documents).filter((file) => file.endsWith(".json"))) {
  const tree = await generate(JSON.parse(readFileSync(join(documents, name), "utf8")), { alphabetize: true });
  writeFileSync(join(out, name.replace(/json$/, "d.ts")), astToString(tree));
}
