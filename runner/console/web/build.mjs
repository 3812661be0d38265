// `node build.mjs OUTDIR`: bundles the console into OUTDIR: index.html, and assets/ with hashed names.
//
// Packages are found in NODE_PATH, or in node_modules beside this file. In index.html the service replaces
// __CSP_NONCE__ with the nonce of its Content-Security-Policy. The build fails above BUDGET.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET = 300_000; // bytes, all assets compressed with gzip -9
const BASE = "/console/assets/";
const HERE = dirname(fileURLToPath(import.meta.url));

const out = process.argv[2];
if (!out) {
  console.error("usage: node build.mjs OUTDIR");
  process.exit(2);
}
const assets = join(out, "assets");
rmSync(assets, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });

const esbuild = createRequire(import.meta.url)("esbuild"); // `require` looks in NODE_PATH, `import` does not
const { metafile } = await esbuild.build({
  absWorkingDir: HERE,
  entryPoints: ["src/main.tsx"],
  outdir: assets,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2023"],
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  nodePaths: (process.env.NODE_PATH ?? "").split(process.platform === "win32" ? ";" : ":").filter(Boolean),
  logLevel: "warning",
});

const entry = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === "src/main.tsx");
const [script, { cssBundle }] = entry;
const image = readFileSync(join(HERE, "icon.svg"));
const icon = `icon-${createHash("sha256").update(image).digest("hex").slice(0, 8)}.svg`;
writeFileSync(join(assets, icon), image);
const page = readFileSync(join(HERE, "index.html"), "utf8")
  .replace("{{icon}}", BASE + icon)
  .replace("{{script}}", BASE + basename(script))
  .replace("{{style}}", BASE + basename(cssBundle));
writeFileSync(join(out, "index.html"), page);

const sizes = readdirSync(assets).map((name) => [name, gzipSync(readFileSync(join(assets, name)), { level: 9 }).length]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);
const first = sizes.filter(([name]) => needed([script, cssBundle]).some((path) => basename(path) === name));
const kilobytes = (size) => `${(size / 1000).toFixed(1)} kB`;
console.log(
  `console: ${kilobytes(total)} compressed in ${sizes.length} files (at most ${kilobytes(BUDGET)}); ` +
    `${kilobytes(first.reduce((sum, [, size]) => sum + size, 0))} before the first page`,
);
if (total > BUDGET) {
  for (const [name, size] of sizes.toSorted((one, other) => other[1] - one[1])) {
    console.error(`  ${kilobytes(size).padStart(10)}  ${name}`);
  }
  console.error(`console: the bundle is larger than ${kilobytes(BUDGET)}; import less, or import it where it is used`);
  process.exit(1);
}

/** Outputs that are loaded with these, through imports that do not wait for a page. */
function needed(paths) {
  const found = new Set(paths);
  for (const path of found) {
    for (const { path: imported, kind } of metafile.outputs[path]?.imports ?? []) {
      if (kind === "import-statement") {
        found.add(imported);
      }
    }
  }
  return [...found];
}
