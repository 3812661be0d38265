// Finds which files of the packages of one Action version are loaded, and makes CommonJS of those that are not.
// Run by bundle.py under Node; no code of a package runs here.
//
// Standard input: {esbuild, root, scopes: [{name, folder, at, specifiers}], builtins, substitutes: {package: file}};
//   programs see `at`, which ends with a slash, in place of `folder`.
// Standard output: {eager, links, code, unresolved, missing, native, errors}, with paths as programs see them:
//   eager: scripts that some line requires by name, in the order in which they were found
//   links: file to the names that it requires to the files that they mean; what an Action requires is under `at`
//   code: file to {text, module, declared}, its CommonJS where the file itself is none; `module`: it was an ES
//     module, and `declared` as one by its name or its package
//   unresolved: {scope, specifier, text} of what an Action requires and nothing serves

const fs = require('fs');
const path = require('path');

const job = JSON.parse(fs.readFileSync(0, 'utf8'));
const esbuild = require(job.esbuild);
const builtins = new Set(job.builtins);
const LOOKED_UP = Symbol('looked up');
const SUBSTITUTES = '/actionbox/';
const AT_ONCE = 500;
/** What only a converted script can do here, beside modules. */
const OTHERWISE = /\bimport\s*\(|\bprocess\.env\.NODE_ENV\b|\busing\s+[\w$]/;
const MODULE_SYNTAX = /^\s*(?:import\b\s*[\w$*{'"]|export\b\s*(?:[*{]|default\b|const\b|let\b|var\b|class\b|function\b|async\b))/m;
/** Scripts that nobody requires by name: how many bytes of them are converted at most. */
const MAX_UNLISTED_BYTES = 8 * 2 ** 20;

const missing = [];
const native = [];
const unresolved = [];
const links = {};
const eager = [];
/** Files that were found, and those among them that are ES modules. */
const known = new Set();
const modules = new Set();
const queue = [];

const PARSED = {
  charset: 'utf8', logLevel: 'silent', platform: 'neutral', target: 'es2023', supported: { 'dynamic-import': false }, tsconfigRaw: '{}',
};
const numbered = (files) => files.map((file, index) => ({ in: file, out: String(index) }));

/** Where programs see a file. */
function seen(file) {
  const scope = job.scopes.find(({ folder }) => file.startsWith(folder + path.sep));
  if (scope === undefined) return SUBSTITUTES + path.basename(file);
  return scope.at + path.relative(scope.folder, file).split(path.sep).join('/');
}

/** Where a file of a package is, for messages: `axios/lib/core.js`. */
function placed(file) {
  const parts = seen(file).split('/');
  return parts.slice(parts.lastIndexOf('node_modules') + 1).join('/');
}

function found(file) {
  if (known.has(file)) return;
  known.add(file);
  if (file.endsWith('.node')) native.push(placed(file));
  else if (!file.endsWith('.json')) queue.push(file);
}

/** A plugin that notes what each name means, and lets nothing be bundled.
 *  @param scopes entry files to the scopes whose specifiers they require */
function lookUp(wave, scopes) {
  const entries = new Set(wave);
  return { name: 'actionbox', setup(build) {
    build.onResolve({ filter: /.*/ }, async (args) => {
      if (args.pluginData === LOOKED_UP || args.kind === 'entry-point') return undefined;
      const external = { path: args.path, external: true };
      const bare = args.path.startsWith('node:') ? args.path.slice(5) : args.path;
      if (builtins.has(bare) || /^(?:https?|data|file):/.test(args.path)) return external;
      const scope = scopes.get(args.importer);
      const target = await resolved(build, args, bare, scope);
      if (target.errors.length > 0) {
        // As in Node, only who runs the line gets the error.
        if (scope === undefined) missing.push({ specifier: args.path, from: placed(args.importer) });
        else unresolved.push({ scope: scope.name, specifier: args.path });
      } else if (!target.external && target.namespace === 'file') {
        if (!target.path.startsWith(job.root + path.sep) && target.path !== job.substitutes[bare]) {
          return { errors: [{ text: `${args.path} lies outside the packages` }] };
        }
        found(target.path);
        (links[scope === undefined ? seen(args.importer) : scope.at] ??= {})[args.path] = seen(target.path);
      }
      return external;
    });
    // The others are those that a pattern in `require` matches.
    build.onLoad({ filter: /.*/ }, ({ path: file }) => (entries.has(file) ? undefined : { contents: '', loader: 'js' }));
  } };
}

async function resolved(build, args, bare, scope) {
  if (Object.hasOwn(job.substitutes, bare)) return { path: job.substitutes[bare], namespace: 'file', errors: [] };
  const { importer, resolveDir } = args;
  const file = /^\.\.?\//.test(args.path) ? beside(path.resolve(resolveDir, args.path), args.path) : undefined;
  if (file !== undefined) return { path: file, namespace: 'file', errors: [] };
  const find = (kind) => {
    const key = JSON.stringify([args.path, kind, args.path.startsWith('.') ? resolveDir : lookedUpFrom(resolveDir)]);
    if (!answers.has(key)) answers.set(key, build.resolve(args.path, { kind, importer, resolveDir, pluginData: LOOKED_UP }));
    return answers.get(key);
  };
  const target = await find(args.kind);
  return target.errors.length > 0 && scope !== undefined ? find('import-statement') : target;
}

// The bundler reads all folders on the way anew for each question of a plugin: milliseconds, for thousands of names.

const answers = new Map();
const folders = new Map();

/** The names in a folder, and whether each is a folder itself; undefined when it is none or no package's. */
function entriesOf(folder) {
  if (!folders.has(folder)) {
    const isOurs = folder === job.root || folder.startsWith(job.root + path.sep);
    const found = isOurs && fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory();
    const entries = found ? fs.readdirSync(folder, { withFileTypes: true }) : undefined;
    folders.set(folder, entries && new Map(entries.map((entry) => [entry.name, entry.isDirectory()])));
  }
  return folders.get(folder);
}

/** The file that a relative name means, where that is plain; only endings that are unpacked are looked for. */
function beside(target, name) {
  if (/\/\.{0,2}$/.test(name)) return undefined;
  const entries = entriesOf(path.dirname(target));
  for (const ending of ['', '.js', '.json']) {
    if (entries?.get(path.basename(target) + ending) === false) return target + ending;
  }
  const inside = entries?.get(path.basename(target)) ? entriesOf(target) : undefined;
  return inside?.get('index.js') === false && !inside.has('package.json') ? path.join(target, 'index.js') : undefined;
}

/** The folder from which on the look-up of a package's name is the same: it has packages, or a package's names. */
function lookedUpFrom(folder) {
  const entries = entriesOf(folder);
  const decides = entries === undefined || entries.has('package.json') || entries.has('node_modules');
  return decides || folder === job.root ? folder : lookedUpFrom(path.dirname(folder));
}

/** Note what the files of `wave` require. */
async function look(wave, scopes) {
  for (let at = 0; at < wave.length; at += AT_ONCE) {
    const files = wave.slice(at, at + AT_ONCE);
    const done = await esbuild.build({
      ...PARSED, bundle: true, entryPoints: numbered(files), absWorkingDir: job.root, outdir: path.join(job.root, 'out'),
      write: false, metafile: true, format: 'cjs', loader: { '': 'js' },
      // The build for Node, which Actions are written for, and never the one for browsers.
      mainFields: ['main', 'module'], conditions: ['node', 'module-sync'], plugins: [lookUp(files, scopes)],
    });
    for (const [name, { format }] of Object.entries(done.metafile.inputs)) {
      if (format === 'esm') modules.add(path.join(job.root, name));
    }
  }
}

async function lookAll() {
  const scopes = new Map(job.scopes.map((scope) => [path.join(scope.folder, 'actionbox-entry.cjs'), scope]));
  for (const [file, { specifiers }] of scopes) {
    fs.writeFileSync(file, specifiers.map((item) => `require(${JSON.stringify(item)});`).join('\n'));
  }
  await look([...scopes.keys()], scopes);
  while (queue.length > 0) {
    const wave = queue.splice(0);
    await look(wave, scopes);
    eager.push(...wave);
  }
  for (const file of scopes.keys()) fs.unlinkSync(file);
}

const types = new Map();

/** What the package.json says that a folder is in: `module` for ES modules. */
function typeOf(folder) {
  if (!types.has(folder)) types.set(folder, readType(folder));
  return types.get(folder);
}

function readType(folder) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).type;
  } catch {
    return folder === job.root || path.dirname(folder) === folder ? undefined : typeOf(path.dirname(folder));
  }
}

/** Whether Node takes a file for an ES module without looking into it. */
const isDeclared = (file) => file.endsWith('.mjs') || (file.endsWith('.js') && typeOf(path.dirname(file)) === 'module');

/** Scripts below `folder` that no line requires by name and that cannot run as they are. */
function unlisted(folder, room) {
  const files = [];
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      files.push(...unlisted(file, room));
    } else if (/\.[cm]?js$/.test(file) && !known.has(file)) {
      const text = fs.readFileSync(file, 'utf8');
      const isModule = isDeclared(file) || (file.endsWith('.js') && MODULE_SYNTAX.test(text));
      if (room.left < text.length || !(isModule || OTHERWISE.test(text))) continue;
      room.left -= text.length;
      if (isModule) modules.add(file);
      files.push(file);
    }
  }
  return files;
}

const CONVERTED = { ...PARSED, loader: 'js', format: 'cjs', minifySyntax: true, legalComments: 'none' };
/** For files that may name them: the bundler makes a table of all names that it knows for each file otherwise. */
const DEFINED = {
  'process.env.NODE_ENV': '"production"',
  ...Object.fromEntries(['url', 'filename', 'dirname', 'resolve'].map((name) => [`import.meta.${name}`, `importMeta.${name}`])),
};
const MAY_NAME = /NODE_ENV|\bmeta\b/;

/** File to its CommonJS. What does not parse is left out. */
async function convert(files) {
  const code = {};
  for (let at = 0; at < files.length; at += AT_ONCE) {
    await Promise.all(files.slice(at, at + AT_ONCE).map(async (file) => {
      try {
        const source = fs.readFileSync(file, 'utf8');
        const { code: text } = await esbuild.transform(source, MAY_NAME.test(source) ? { ...CONVERTED, define: DEFINED } : CONVERTED);
        code[seen(file)] = { text, module: modules.has(file), declared: isDeclared(file) };
      } catch (error) {
        if (!error.errors) throw error;
      }
    }));
  }
  return code;
}

const told = (messages) => messages.map(({ text, location }) => ({
  text,
  file: location ? placed(path.resolve(job.root, location.file)) : null,
  line: location ? location.line : null,
}));

async function main() {
  try {
    await lookAll();
    const others = eager.filter((file) => modules.has(file) || OTHERWISE.test(fs.readFileSync(file, 'utf8')));
    const room = { left: MAX_UNLISTED_BYTES };
    const rest = job.scopes.flatMap(({ folder }) => unlisted(folder, room));
    return { eager: eager.map(seen), links, code: await convert([...others, ...rest]), errors: [] };
  } catch (error) {
    if (!error.errors) throw error;
    return { eager: [], links: {}, code: {}, errors: told(error.errors) };
  }
}

main().then((result) => {
  process.stdout.write(JSON.stringify({ ...result, missing, native, unresolved }), () => process.exit(0));
});
