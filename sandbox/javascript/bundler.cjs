// Bundles the packages of one Action version. Run by bundle.py under Node; no code of a package runs here.
//
// Standard input: {esbuild, root, scopes: [{name, folder, specifiers}], builtins, substitutes: {package: file}}.
// Standard output: {code, errors, warnings, missing, native}.

const fs = require('fs');
const path = require('path');

const job = JSON.parse(fs.readFileSync(0, 'utf8'));
const esbuild = require(job.esbuild);
const builtins = new Set(job.builtins);
const LOOKED_UP = Symbol('looked up');
const missing = [];
const native = [];

/** Where a file of a package is, for messages: `axios/lib/core.js`. */
function placed(file) {
  const parts = path.relative(job.root, file).split(path.sep);
  return parts.slice(parts.lastIndexOf('node_modules') + 1).join('/');
}

const resolve = {
  name: 'actionbox',
  setup(build) {
    build.onResolve({ filter: /.*/ }, async (args) => {
      if (args.pluginData === LOOKED_UP || args.kind === 'entry-point') return undefined;
      const bare = args.path.startsWith('node:') ? args.path.slice(5) : args.path;
      if (builtins.has(bare)) return { path: bare, external: true, sideEffects: false };
      if (Object.hasOwn(job.substitutes, bare)) return { path: job.substitutes[bare] };
      if (/^(?:https?|data|file):/.test(args.path)) return { path: args.path, external: true };
      const found = await build.resolve(args.path, {
        kind: args.kind, importer: args.importer, resolveDir: args.resolveDir, pluginData: LOOKED_UP,
      });
      if (found.errors.length > 0) {
        // As in Node, only who runs the line gets the error.
        missing.push({ specifier: args.path, from: placed(args.importer) });
        return { path: args.path, external: true };
      }
      if (found.path.endsWith('.node')) native.push(placed(found.path));
      if (!found.external && !found.path.startsWith(job.root + path.sep)) {
        return { errors: [{ text: `${args.path} lies outside the packages` }] };
      }
      return found;
    });
  },
};

function entry() {
  const lines = job.scopes.map(({ name, folder, specifiers }) => {
    const file = path.join(folder, 'actionbox-entry.cjs');
    const members = specifiers.map((item) => `${JSON.stringify(item)}: () => require(${JSON.stringify(item)})`);
    fs.writeFileSync(file, `module.exports = { __proto__: null, ${members.join(', ')} };`);
    return `${JSON.stringify(name)}: require(${JSON.stringify(file)})`;
  });
  const main = path.join(job.root, 'actionbox-main.cjs');
  fs.writeFileSync(main, `module.exports = { __proto__: null, ${lines.join(', ')} };`);
  return main;
}

const told = (messages) => messages.map(({ text, location }) => ({
  text,
  file: location ? placed(path.resolve(job.root, location.file)) : null,
  line: location ? location.line : null,
}));

async function main() {
  const options = {
    entryPoints: [entry()],
    absWorkingDir: job.root,
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'browser',
    mainFields: ['browser', 'main', 'module'],
    conditions: ['node', 'module-sync', 'browser'],
    target: 'es2023',
    supported: { 'dynamic-import': false },
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'silent',
    keepNames: true,
    minifySyntax: true,
    minifyWhitespace: true,
    define: {
      'process.env.NODE_ENV': '"production"',
      'import.meta.url': '"file:///actionbox/packages.js"',
    },
    tsconfigRaw: '{}',
    plugins: [resolve],
  };
  try {
    const done = await esbuild.build(options);
    return { code: done.outputFiles[0].text, errors: [], warnings: told(done.warnings) };
  } catch (error) {
    if (!error.errors) throw error;
    return { code: '', errors: told(error.errors), warnings: told(error.warnings) };
  }
}

main().then((result) => {
  process.stdout.write(JSON.stringify({ ...result, missing, native }), () => process.exit(0));
});
