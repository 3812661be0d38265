"""What Node puts around a module of a package: `module`, `require`, its own files."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sandbox
from sandbox.action_build import Build, BuildState, Module, Wanted
from sandbox.core.failure import FailureCode
from sandbox.core.program import Dependencies, Language, Source
from sandbox.javascript import toolchain
from sandbox.javascript.packages import calls
from sandbox.javascript.packages import files as package_files
from sandbox.javascript.packages.files import PackageFiles, Packer
from tests.sandbox.javascript.test_dependencies import Make, handler, logged
from tests.sandbox.javascript.test_dependencies import make as make
from tests.sandbox.packages.npm.tarballs import Shelf, tarball

PROBE = Path(__file__).with_name("probe_package")
DESK = """
const out = require("probe");
out.later().then((later) => console.log(JSON.stringify({ ...out, later })));
"""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    shelf = Shelf(tmp_path_factory.mktemp("npm") / "shelf")
    files = {path.relative_to(PROBE).as_posix(): path for path in PROBE.rglob("*") if path.is_file()}
    shelf.put("probe-1.0.0.tgz", tarball({name: path.read_bytes() for name, path in files.items()}))
    return shelf


@pytest.fixture(scope="module")
def in_node() -> dict[str, Any]:
    """What the same package finds in a real Node."""
    folder = Path(tempfile.mkdtemp(prefix="actionbox-test-")).resolve()
    try:
        shutil.copytree(PROBE, folder / "node_modules/probe")
        (folder / "desk.js").write_text(DESK)
        command = [str(toolchain.node()), str(folder / "desk.js")]
        done = subprocess.run(command, capture_output=True, check=True)
    finally:
        shutil.rmtree(folder)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_package_finds_what_it_finds_in_node(make: Make, in_node: dict[str, Any]) -> None:
    body = "const out = require('probe'); console.log(JSON.stringify({ ...out, later: await out.later() }))"
    ours = json.loads(logged(make(handler(body), "probe"))[0])
    assert len(ours) > 60
    assert {name: ours[name] for name in in_node} == in_node


def test_what_an_action_finds_of_itself(make: Make) -> None:
    body = """
      const Module = require('module');
      console.log(require.main === module, Boolean(module.parent), module.parent === require.main, module.id);
      console.log(__filename, __dirname, module.filename, module.path, module.paths.join(), module.loaded);
      console.log(module instanceof Module, require.resolve('fs'), require.resolve('probe'));
      console.log(typeof require.cache, require('probe') === module.require('probe'), this === undefined);
      console.log(require(require.resolve('probe')) === require('probe'), require('probe').parent);
      console.log(Module.createRequire(__filename)('probe') === require('probe'));
    """
    lines = [
        "false true true /action.js",
        "/action.js / /action.js / /node_modules true",
        "true fs /node_modules/probe/index.js",
        "object true false",
        "true undefined",
        "true",
    ]
    assert logged(make(handler(body), "probe")) == lines
    plain = handler(body.replace("probe", "path").replace("require.resolve('path')", "'path'"))
    assert logged(make(plain))[:2] == lines[:2]


def test_what_stands_for_the_desk_does_not_run(make: Make) -> None:
    text = handler("console.log('handler')") + "\nif (require.main === module) throw new Error('at a desk');"
    assert logged(make(text)) == ["handler"]
    text = handler("console.log('handler')") + "\nif (!module.parent) throw new Error('at a desk');"
    assert logged(make(text)) == ["handler"]


def test_shared_modules_have_surroundings_and_packages_of_their_own(make: Make) -> None:
    module = Module(
        "desk",
        "desk.js",
        "module.exports = [require.main === module, __filename, __dirname, module.id, module.paths[0],\n"
        "  require.resolve('probe'), require('probe').read];",
        (Wanted("probe"),),
    )
    build = make(handler("console.log(JSON.stringify(require('actions:desk')))"), modules=(module,))
    at = "/modules/desk"
    assert json.loads(logged(build)[0]) == [
        False, f"{at}/index.js", at, f"{at}/index.js", f"{at}/node_modules",
        f"{at}/node_modules/probe/index.js", "hello",
    ]  # fmt: skip


WRITES = {
    "writeFileSync": "[here, 'x']",
    "appendFileSync": "[here, 'x']",
    "mkdirSync": "['/new']",
    "mkdtempSync": "['/tmp/x']",
    "rmSync": "[here]",
    "rmdirSync": "['/x']",
    "unlinkSync": "[here]",
    "renameSync": "[here, '/new']",
    "copyFileSync": "[here, '/new']",
    "cpSync": "[here, '/new']",
    "symlinkSync": "[here, '/new']",
    "chmodSync": "[here, 0]",
    "truncateSync": "[here]",
    "utimesSync": "[here, 0, 0]",
    "openSync": "[here, 'w']",
}


def test_nothing_can_be_written(make: Make, shelf: Shelf) -> None:
    calls = "".join(
        f"try {{ fs.{name}(...{arguments}); out.push('{name} wrote'); }}"
        f" catch (e) {{ if (e.code !== 'EROFS' || e.errno !== -30) out.push(`{name}: ${{e}}`); }}\n"
        for name, arguments in WRITES.items()
    )
    code = f"""const fs = require('fs'), here = __filename; exports.run = async () => {{ const out = []; {calls}
      await fs.promises.writeFile(here, 'x').catch((e) => out.push(e.message));
      await new Promise((done) => fs.writeFile(here, 'x', (e) => {{ out.push(e.syscall); done(); }}));
      await new Promise((done) => fs.createWriteStream(here).on('error', (e) => {{ out.push(e.code); done(); }}));
      return out; }};"""
    shelf.add("writer", code=code)
    build = make(handler("console.log(JSON.stringify(await require('writer').run()))"), "writer")
    file = "/node_modules/writer/index.js"
    assert json.loads(logged(build)[0]) == [f"EROFS: read-only file system, open '{file}'", "open", "EROFS"]


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../../../../etc/passwd", "/proc/self/environ", "/node_modules/../etc/passwd", "/x"],
)
def test_there_are_no_other_files(make: Make, shelf: Shelf, path: str) -> None:
    shelf.add("reader", code="exports.read = (path) => require('fs').readFileSync(path, 'utf8');")
    body = f"try {{ require('reader').read({path!r}) }} catch (e) {{ console.log(e.code) }}"
    assert logged(make(handler(body), "reader")) == ["ENOENT"]


def test_what_one_execution_reads_is_bounded(
    make: Make, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MAX_PACKAGE_READ_BYTES", 1_000)
    monkeypatch.setattr(calls, "MAX_PACKAGE_READS", 200)
    shelf.add(
        "greedy",
        code="const fs = require('fs'); exports.read = () => fs.readFileSync(__dirname + '/data.txt').length;\n"
        "exports.look = () => fs.existsSync(__dirname);",
        files={"data.txt": "x" * 400},
    )
    body = (
        "const { read, look } = require('greedy'); console.log(read(), read());"
        "try { read() } catch (e) { console.log(e.code) }"
        "let count = 0; while (look() && count < 1e6) count += 1; console.log(count < 200);"
    )
    assert logged(make(handler(body), "greedy")) == ["400 400", "EMFILE", "true"]


MOMENTLIKE = """
const aliasedRequire = require;
exports.words = { en: 'hello' };
exports.say = (name) => {
  if (!exports.words[name]) try { aliasedRequire('./locale/' + name); } catch (error) { exports.words[name] = exports.words.en; }
  return exports.words[name];
};
exports.other = (name) => require('./other/' + name + '.mjs').default;
"""


def test_locales_are_found_by_name_and_only_when_they_are_asked_for(make: Make, shelf: Shelf) -> None:
    locales = {
        f"locale/l{number}.js": f"const core = require('..'); core.words.l{number} = 'l{number}';"
        for number in range(50)
    }
    modules = {f"other/l{number}.mjs": f"import core from '../index.js'; export default [core.say('l{number}')]"
               for number in range(3)}  # fmt: skip
    shelf.add("tongues", code=MOMENTLIKE, files={**locales, **modules, "locale/broken.js": "const ="})
    body = """
      const t = require('tongues'), name = 'l7';
      console.log(t.say('en'), t.say(name), t.say('nope'), t.say('broken'), t.other('l2')[0]);
      require('tongues/locale/l' + String(9)); console.log(t.words.l9, Object.keys(require.cache).length);
    """
    build = make(handler(body), "tongues")
    assert logged(build) == ["hello l7 hello hello l2", "l9 5"]
    assert build.program is not None
    assert build.program.source.dependencies is not None
    files = PackageFiles(base64.b64decode(build.program.source.dependencies.archive))
    assert files.eager == ("/node_modules/tongues/index.js",)


def test_subpaths_that_are_computed_go_by_exports(make: Make, shelf: Shelf) -> None:
    exports = {
        ".": "./index.js",
        "./locale/*": {"require": "./cjs/*.js", "import": "./esm/*.js"},
        "./x": None,
    }
    shelf.add(
        "mapped", exports=exports, imports={"#inner": "./cjs/de.js"}, code="exports.inner = require('#' + 'inner');",
        files={"cjs/de.js": "module.exports = 'Tag'", "esm/de.js": "export default 1", "esm/fr.js": "export default 2"},
    )  # fmt: skip
    body = """
      const name = (n) => 'mapped/' + n, tell = (task) => { try { return task(); } catch (e) { return `${e.code} ${e.message}`; } };
      console.log(require(name('locale/de')), require('mapped').inner, require.resolve('mapped/locale/de'));
      console.log(tell(() => require(name('cjs/de.js'))));
      console.log(tell(() => require(name('locale/none'))));
      console.log(tell(() => require('map' + 'ped2')));
    """
    assert logged(make(handler(body), "mapped")) == [
        "Tag Tag /node_modules/mapped/cjs/de.js",
        "ERR_PACKAGE_PATH_NOT_EXPORTED Package subpath './cjs/de.js' is not defined by \"exports\" in "
        "/node_modules/mapped/package.json of version 1.0.0",
        "ERR_PACKAGE_PATH_NOT_EXPORTED Package subpath './locale/none' is not defined by \"exports\" in "
        "/node_modules/mapped/package.json of version 1.0.0",
        "MODULE_NOT_FOUND Cannot find module 'mapped2'\nAdd mapped2 to the dependencies of the Action: in package.json "
        "beside it, or in the service.",
    ]


def test_es_modules_find_their_files(make: Make, shelf: Shelf) -> None:
    code = """
      import fs from 'node:fs'; import { fileURLToPath } from 'url'; import path from 'path'; import { createRequire } from 'module';
      import data from './data.json' with { type: 'json' };
      const __filename = fileURLToPath(import.meta.url), __dirname = path.dirname(__filename);
      const require = createRequire(import.meta.url);
      export const read = () => fs.readFileSync(new URL('./data.json', import.meta.url), 'utf8');
      export const all = [data.k, require('./data.json').k, __filename, import.meta.dirname === __dirname, import.meta.filename];
      export const load = async (name) => (await import(`./lang/${name}.js`)).default;
      export const strict = (function () { return this === undefined; })();
      export { all as default };
    """
    shelf.add(
        "esm", type="module", code=code,
        files={"data.json": '{"k": 4}', "lang/de.js": "import { strict } from '../index.js'; export default ['de', strict];"},
    )  # fmt: skip
    body = """
      const e = require('esm'), name = 'de';
      console.log(JSON.stringify([e.read(), e.all, e.default === e.all, await e.load(name), e.strict]));
      console.log(await e.load('xx').catch((error) => error.code));
    """
    file = "/node_modules/esm/index.js"
    answer, missing = logged(make(handler(body), "esm"))
    assert json.loads(answer) == ['{"k": 4}', [4, 4, file, True, file], True, ["de", True], True]
    assert missing == "MODULE_NOT_FOUND"


class TestExports:
    """Packages whose `exports` name no file."""

    @pytest.mark.parametrize(
        ("exports", "text", "says"),
        [
            ("./gone.js", "require('bare')", "bare cannot be required: bare@1.0.0 has no such file, because its "
             "`exports` name './gone.js', which is not in its archive."),
            ({".": {"types": "./index.d.ts"}}, "require('bare')", "its `exports` have nothing for '.' that Node "
             "could load."),
            ({".": {"browser": "./index.js"}}, "", "its `exports` have nothing for '.'"),
            ({"./sub": "./index.js"}, "require('bare')", "its `exports` have nothing for '.'"),
            ({".": "./index.js", "./sub": "./gone.js"}, "require('bare/sub')", "bare/sub cannot be required: "),
            ({".": "./index.js"}, "require('bare/index.js')", "its `exports` have nothing for './index.js'"),
            ({".": ["./gone.js", {"node": "./away.js"}]}, "require('bare')", "name './gone.js'"),
        ],
    )  # fmt: skip
    def test_fail_the_build(self, make: Make, shelf: Shelf, exports: Any, text: str, says: str) -> None:
        shelf.add("bare", exports=exports, code="module.exports = 1")
        build = make(handler(text), "bare")
        assert build.state is BuildState.FAILED
        assert build.failure is not None
        assert build.failure.code is FailureCode.DEPENDENCY
        assert says in build.failure.message
        assert build.failure.detail == {"rule": "exports", "package": "bare"}
        assert "another version" in build.failure.next_step

    def test_what_it_exports_is_named(self, make: Make, shelf: Shelf) -> None:
        shelf.add("bare", exports={"./one": "./index.js", "./two": "./index.js"}, code="module.exports = 1")
        failure = make(handler("require('bare')"), "bare").failure
        assert failure is not None
        assert failure.next_step == (
            "Require what it exports (bare/one, bare/two), or use another version of the package."
        )

    @pytest.mark.parametrize(
        ("exports", "text"),
        [
            ({"./sub": "./index.js"}, "console.log(require('bare/sub'))"),
            ({"./sub/*": "./*.js"}, "console.log(require('bare/sub/index'))"),
            ({"import": "./index.js"}, "console.log(require('bare'))"),
        ],
    )
    def test_that_name_one_work(self, make: Make, shelf: Shelf, exports: Any, text: str) -> None:
        shelf.add("bare", exports=exports, code="module.exports = 1")
        assert logged(make(handler(text), "bare")) == ["1"]

    def test_types_alone_may_be_declared(self, make: Make, shelf: Shelf) -> None:
        shelf.put(
            "types-1.0.0.tgz",
            tarball({"package.json": '{"name": "types", "version": "1.0.0"}', "a.d.ts": ""}),
        )
        assert make(handler(""), "types").state is BuildState.BUILT


def test_versions_from_before_there_were_files_still_run() -> None:
    """Their bundle is kept in the store of a service."""
    script = "(function (require) { return { '': { __proto__: null, old: () => ({ path: require('path').sep }) } } })"
    dependencies = Dependencies("of old", bundle=script, entries=(("", "old"),))
    text = handler("console.log(require('old').path)")
    program = sandbox.build(Source(Language.JAVASCRIPT, "action.js", text, dependencies))
    assert logged(Build(program=program)) == ["/"]


def test_frames_of_packages_name_their_files(make: Make, shelf: Shelf) -> None:
    shelf.add(
        "thrower", code="\n// a comment\nexports.go = function go() { throw new TypeError('inside'); };"
    )
    body = "try { require('thrower').go(); } catch (e) { console.log(e.stack.split('\\n')[1]); }"
    line = logged(make(handler(body), "thrower"))[0]
    assert line.startswith("    at go (/node_modules/thrower/index.js:3:")


def test_files_are_packed_within_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_files, "MAX_PACKAGE_FILES", 3)
    packer = Packer()
    for path in ("/a/package.json", "/a/readme.md", "/a/data.txt", "/a/main.js", "/a/more.js"):
        packer.add(path, path.encode())
    links = {"/": {"a": "/a/main.js"}}
    found = PackageFiles(packer.pack(["/a/main.js"], links, {}, {"": {"at": "/", "names": ["a"]}}))
    assert (found.left_out, found.eager, found.link("/", "a")) == (2, ("/a/main.js",), "/a/main.js")
    assert found.names("/a") == [("data.txt", False), ("main.js", False), ("package.json", False)]
    assert found.names("/a/main.js") is None
    assert [found.kind(path) for path in ("/a/main.js", "/a", "/", "/a/readme.md")] == [10, -1, -1, -2]
    monkeypatch.setattr(package_files, "MAX_PACKAGE_ARCHIVE_BYTES", 0)
    assert PackageFiles(packer.pack(["/a/main.js"], links, {}, {})).names("/a") == [
        ("main.js", False), ("package.json", False),
    ]  # fmt: skip


@given(
    st.dictionaries(st.from_regex(r"(/[a-c]{1,2}){1,4}", fullmatch=True), st.binary(max_size=50), max_size=12)
)
def test_what_is_packed_is_read_back(contents: dict[str, bytes]) -> None:
    contents = {path: data for path, data in contents.items() if not any(
        other.startswith(path + "/") for other in contents
    )}  # fmt: skip
    packer = Packer()
    for path, data in contents.items():
        packer.add(path, data)
    found = PackageFiles(packer.pack([], {}, {}, {}))
    assert {path: found.content(path) for path in contents} == contents

    def walk(folder: str) -> set[str]:
        files = set()
        for name, is_folder in found.names(folder) or []:
            path = folder.rstrip("/") + "/" + name
            files |= walk(path) if is_folder else {path}
        return files

    assert walk("/") == set(contents)
