"""npm packages and shared modules inside Actions."""

from __future__ import annotations

import gc
import json
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sandbox
from sandbox.action_build import Build, BuildState, Module, Wanted, build_action
from sandbox.core.failure import Failure, FailureCode
from sandbox.core.program import Language, Request, Source
from sandbox.egress.none import NoEgress
from sandbox.javascript import engine as engine_module
from sandbox.javascript.engine import JavaScriptEngine
from sandbox.javascript.image import notes_of
from sandbox.packages.npm.folder import FolderOrigin
from sandbox.packages.npm.store import TarballStore
from sandbox.port.live import LivePort
from tests.sandbox.javascript.conftest import Ran
from tests.sandbox.packages.npm.tarballs import Shelf
from tests.sandbox.ports import FakeApi

Make = Callable[..., Build]
MATHS = {"lib/double.js": "exports.double = (n) => n * 2;"}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    shelf = Shelf(tmp_path_factory.mktemp("npm") / "shelf")
    shelf.add("maths", code="exports.add = (a, b) => a + b; exports.state = { count: 0 };", files=MATHS)
    shelf.add("@scope/esm", type="module", code="export const hello = () => 'hello'; export default 7;")
    shelf.add(
        "dual",
        main="index.js",
        exports={"require": "./index.js", "import": "./gone.mjs"},
        code="module.exports = 'cjs'",
    )
    shelf.add("seeded", code="exports.first = Math.random(); exports.id = crypto.randomUUID();")
    shelf.add(
        "touchy",
        code="const net = require('net'); exports.ok = 1; exports.dial = () => net.connect(1);\n"
        "const fs = require('fs'); exports.read = async () => [fs.existsSync('x'), fs.constants.R_OK,\n"
        "  await fs.promises.readFile('x').catch((e) => e.code), await new Promise((done) =>\n"
        "  fs.createReadStream('x').on('error', (e) => done(e.message))), typeof fs.watch];",
    )
    shelf.add(
        "lacking", code="exports.go = () => require('not-brought'); try { require('nor-this') } catch {}"
    )
    shelf.add("broken", code="throw new TypeError('cannot load')")
    shelf.add("clumsy", code="const x = ;")
    shelf.add(
        "picky",
        browser="browser.js",
        code="module.exports = 'node'",
        files={"browser.js": "module.exports = 'browser'"},
    )
    return shelf


@pytest.fixture(scope="module")
def make(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Make:
    store = TarballStore(tmp_path_factory.mktemp("npm") / "store")

    def build(text: str, *names: str, modules: tuple[Module, ...] = (), **options: Any) -> Build:
        wanted = [Wanted(name) for name in names]
        source = Source(Language.JAVASCRIPT, options.pop("filename", "action.js"), text)
        origin = lambda: FolderOrigin(shelf.folder)  # noqa: E731
        return build_action(source, wanted, origin=origin, modules=modules, store=store, **options)

    return build


def execute(build: Build, secrets: dict[str, Any] | None = None, **limited: int) -> Ran:
    assert build.program is not None, build.failure
    limits = sandbox.Limits(**{"wall_ms": 5_000, **limited})
    api = FakeApi()
    request = Request("onExecutePostLogin", "{}", "{}", json.dumps(secrets) if secrets else "")
    return Ran(sandbox.run(build.program, request, limits, LivePort(api, NoEgress(), limits)), api)


def logged(build: Build, secrets: dict[str, Any] | None = None) -> list[str]:
    ran = execute(build, secrets)
    assert ran.result.failure is None, ran.result.failure
    return ran.log


def handler(body: str, before: str = "") -> str:
    return f"{before}\nexports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};"


def failed(build: Build) -> Failure:
    assert build.state is BuildState.FAILED
    assert build.failure is not None
    return build.failure


class TestRequire:
    def test_by_name_at_the_top_and_inside_the_handler(self, make: Make) -> None:
        text = handler(
            "console.log(add(1, 2), require('maths').add === add)", "const { add } = require('maths')"
        )
        assert logged(make(text, "maths")) == ["3 true"]

    def test_subpaths_and_versions_in_the_name(self, make: Make) -> None:
        body = "console.log(require('maths/lib/double').double(4), require('maths@1.0.0').add(1, 1))"
        assert logged(make(handler(body), "maths")) == ["8 2"]

    def test_es_module_packages(self, make: Make) -> None:
        body = "const m = require('@scope/esm'); console.log(m.hello(), m.default, require('dual'))"
        assert logged(make(handler(body), "@scope/esm", "dual")) == ["hello 7 cjs"]

    def test_imports_of_es_module_and_typescript_actions(self, make: Make) -> None:
        text = (
            "import { add } from 'maths';\nimport seven, { hello } from '@scope/esm';\n"
            "export const onExecutePostLogin = async (event: object): Promise<void> => "
            "console.log(add(1, 2), hello(), seven);"
        )
        assert logged(make(text, "maths", "@scope/esm", filename="action.ts")) == ["3 hello 7"]

    def test_the_build_for_node_is_taken(self, make: Make) -> None:
        assert logged(make(handler("console.log(require('picky'))"), "picky")) == ["node"]

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("undeclared", "Add undeclared to the dependencies"),
            ("@a/b/c", "Add @a/b to the dependencies"),
            ("./file", "An Action is one file"),
            ("maths/nothing", "The package maths has no such file"),
            ("actions:none", "The Action has no module of this name"),
        ],
    )
    def test_what_is_not_there(self, make: Make, name: str, says: str) -> None:
        failure = execute(make(handler(f"require({name!r})"), "maths")).failure
        assert failure.message.startswith(f"Cannot find module '{name}'\n")
        assert says in failure.message
        assert failure.detail["code"] == "MODULE_NOT_FOUND"
        assert failure.place is not None
        assert failure.place.line == 3

    def test_node_modules_that_reach_outside(self, make: Make) -> None:
        failure = execute(make(handler("require('node:fs')"), "maths")).failure
        assert failure.message == "Cannot use module 'node:fs' in an Action: there are no files."

    def test_packages_may_load_what_they_do_not_use(self, make: Make) -> None:
        build = make(handler("const t = require('touchy'); console.log(t.ok); t.dial()"), "touchy")
        ran = execute(build)
        assert ran.log == ["1"]
        assert ran.failure.message.startswith("Cannot use module 'net' in an Action: there are no sockets")

    def test_packages_find_their_own_files_alone(self, make: Make) -> None:
        build = make(handler("console.log(JSON.stringify(await require('touchy').read()))"), "touchy")
        assert logged(build) == [
            '[false,4,"ENOENT","ENOENT: no such file or directory, open \'x\'","function"]'
        ]

    def test_what_a_package_lacks_fails_when_it_is_reached(self, make: Make) -> None:
        build = make(handler("const l = require('lacking'); console.log('loaded'); l.go()"), "lacking")
        assert any("requires not-brought" in line.text for line in build.log)
        ran = execute(build)
        assert ran.log == ["loaded"]
        assert ran.failure.message.startswith("Cannot find module 'not-brought'")


class TestImage:
    def test_nothing_is_kept_between_executions(self, make: Make) -> None:
        build = make(handler("console.log(++require('maths').state.count)"), "maths")
        assert [logged(build) for _ in range(3)] == [["1"]] * 3

    def test_randomness_is_fresh_in_each_execution(self, make: Make) -> None:
        build = make(
            handler("const s = require('seeded'); console.log(s.first); console.log(s.id)"), "seeded"
        )
        runs = [logged(build) for _ in range(3)]
        assert len({line for lines in runs for line in lines}) == 6

    def test_a_package_that_throws_while_it_loads(self, make: Make) -> None:
        build = make(
            handler("try { require('broken') } catch (e) { console.log(e.message) } require('broken')"),
            "broken",
        )
        ran = execute(build)
        assert ran.log == ["cannot load"]
        assert (ran.failure.error_name, ran.failure.message) == ("TypeError", "cannot load")

    def test_the_log_of_the_build_tells_what_is_loaded_anew(self, make: Make) -> None:
        """Also where the image comes from the cache; nothing is said of packages in the image."""
        text = handler("require('seeded'); require('maths'); require('broken')")
        for _ in range(2):
            build = make(text, "seeded", "maths", "broken")
            assert [line.text for line in build.log if "loaded anew" in line.text] == [
                "broken is loaded anew in every execution, which takes time, because it fails "
                "(TypeError: cannot load) while it loads",
                "seeded is loaded anew in every execution, which takes time, because it draws random numbers "
                "while it loads",
            ]
        assert build.program is not None
        assert make(handler("require('maths')"), "maths").program.notes == ()

    def test_notes_of_what_is_no_image(self) -> None:
        header = b'{"notes": ["a", 5], "x": 1}'
        assert notes_of(len(header).to_bytes(4, "little") + header + b"module") == ("a", "5")
        for blob in (b"", b"\xff\xff\xff\xff", b"\x02\0\0\0{}", b"\x02\0\0\0[]", b"\x02\0\0\0\xff\xff"):
            assert notes_of(blob) == ()

    def test_a_program_is_found_again(self, make: Make) -> None:
        text = handler("console.log(require('maths').add(2, 2))")
        first, second = make(text, "maths"), make(text, "maths")
        assert first.program == second.program
        assert logged(second) == ["4"]


class TestBuilds:
    def test_states_and_log(self, make: Make) -> None:
        seen: list[Build] = []
        build = make(handler(""), "maths", report=seen.append)
        states = list(dict.fromkeys(item.state.value for item in seen))
        assert states == ["pending", "building", "packaged", "built"]
        assert any("resolved maths@1.0.0; 1 packages in all" in line.text for line in build.log)
        assert build.lock.versions == {"maths": "1.0.0"}

    def test_a_lock_is_kept_to(self, make: Make, shelf: Shelf) -> None:
        lock = make(handler(""), "maths").lock
        shelf.add("maths", "2.0.0", "exports.add = () => 'two'")
        try:
            body = handler("console.log(require('maths').add(1, 1))")
            assert logged(make(body, "maths", lock=lock)) == ["2"]
            assert logged(make(body, "maths")) == ["two"]
        finally:
            (shelf.folder / "maths-2.0.0.tgz").unlink()

    def test_no_such_package(self, make: Make) -> None:
        failure = failed(make(handler(""), "no-such"))
        assert failure.code is FailureCode.DEPENDENCY
        assert failure.detail == {"rule": "not-found", "package": "no-such"}

    def test_a_package_that_does_not_parse(self, make: Make) -> None:
        failure = failed(make(handler("require('clumsy')"), "clumsy"))
        assert failure.detail["rule"] == "bundle"
        assert "clumsy/index.js, line 1" in failure.message

    def test_an_error_in_the_action_itself(self, make: Make) -> None:
        assert failed(make("const x = ;", "maths")).code is FailureCode.SYNTAX


class TestModules:
    def test_exports_secrets_and_own_dependencies(self, make: Make) -> None:
        module = Module(
            "greeter", "greeter.js",
            "const { double } = require('maths/lib/double');\n"
            "module.exports = { greet: () => `${actions.secrets.WORD} ${double(21)}` };",
            (Wanted("maths"),),
        )  # fmt: skip
        text = handler("console.log(require('actions:greeter').greet(), typeof actions, typeof require)")
        build = make(text, modules=(module,))
        assert logged(build, {"greeter": {"WORD": "hi"}}) == ["hi 42 undefined function"]

    def test_dependencies_of_a_module_are_not_the_actions(self, make: Make) -> None:
        module = Module("m", "m.js", "exports.ok = require('maths').add(1, 1)", (Wanted("maths"),))
        ran = execute(
            make(handler("console.log(require('actions:m').ok); require('maths')"), modules=(module,))
        )
        assert ran.log == ["2"]
        assert ran.failure.message.startswith("Cannot find module 'maths'")

    def test_loaded_once_and_when_first_required(self, make: Make) -> None:
        module = Module("m", "m.js", "console.log('loading'); exports.list = [];")
        body = "console.log('start'); require('actions:m').list.push(1);" + (
            "console.log(require('actions:m').list.length)"
        )
        assert logged(make(handler(body), modules=(module,))) == ["start", "loading", "1"]

    def test_its_error_is_kept_and_placed_in_it(self, make: Make) -> None:
        module = Module(
            "m", "m.ts", "const n: number = 1;\nconsole.log('once');\nthrow new Error('no luck' + n);"
        )
        body = (
            "for (const i of [1, 2]) try { require('actions:m') } catch (e) { console.log(e.message) }\n"
            + ("require('actions:m')")
        )
        ran = execute(make(handler(body), modules=(module,)))
        assert ran.log == ["once", "no luck1", "no luck1"]
        assert ran.failure.place is not None
        assert (ran.failure.place.file, ran.failure.place.line) == ("actions:m.ts", 3)
        assert ran.failure.place.excerpt == "throw new Error('no luck' + n);"

    def test_modules_cannot_use_modules(self, make: Make) -> None:
        modules = (Module("a", "a.js", "require('actions:b')"), Module("b", "b.js", ""))
        failure = execute(make(handler("require('actions:a')"), modules=modules)).failure
        assert "A module cannot use other modules." in failure.message

    def test_a_module_that_does_not_parse(self, make: Make) -> None:
        failure = failed(make(handler(""), modules=(Module("m", "m.js", "}"),)))
        assert failure.code is FailureCode.SYNTAX
        assert failure.place is not None
        assert failure.place.file == "actions:m"

    def test_without_secrets_the_object_is_empty(self, make: Make) -> None:
        module = Module("m", "m.js", "module.exports = Object.keys(actions.secrets).length;")
        assert logged(make(handler("console.log(require('actions:m'))"), modules=(module,))) == ["0"]


def test_an_action_without_dependencies_is_the_plain_program(make: Make, tmp_path: Path) -> None:
    text = handler("")
    build = make(text)
    assert build.program == sandbox.build(Source(Language.JAVASCRIPT, "action.js", text))


def test_images_of_versions_that_are_not_used_are_freed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "_MAX_EQUIPPED", 1)
    engine = JavaScriptEngine()
    builds = [make(handler(f"console.log({n})"), name) for n, name in enumerate(("maths", "dual"))]
    images = []
    for build in builds:
        assert build.program is not None, build.failure
        opened = engine._opened(build.program)
        assert opened is not None
        images.append(weakref.ref(opened.image.memories))
        del opened
    gc.collect()
    assert images[0]() is None
    assert images[1]() is not None
    assert logged(builds[0]) == ["0"]


ENDLESS = {
    "loop": ("timeout", "for (;;) {}"),
    "loop-that-catches": ("timeout", "for (;;) { try { for (;;) {} } catch {} finally {} }"),
    "expression": ("timeout", "/^(a+)+$/.test('a'.repeat(40) + 'b')"),
    "promises": ("timeout", "const next = () => Promise.resolve().then(next); next();"),
    "generator": ("timeout", "function* all() { for (;;) yield 1; } for (const one of all());"),
    "logs": ("timeout", "for (;;) console.log('x');"),
    "randoms": ("timeout", "for (;;) Math.random();"),
    "getter": ("timeout", "Object.defineProperty(module, 'exports', { get() { for (;;); } });"),
    "throws-a-loop": ("timeout", "throw { get name() { for (;;); } };"),
    "memory": ("memory", "const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1));"),
    "texts": ("memory", "let text = 'x'; for (;;) text = [text, text].join('');"),
    "objects": ("memory", "let all = []; for (;;) all = [all, { all }];"),
    "keeps": ("memory", "exports.kept = new Uint8Array(60 << 20).fill(1);"),
    "recursion": ("stack", "const next = () => next() + 1; next();"),
}
ENDING = {
    "long-message": ("throw new Error('x'.repeat(100_000))", "fails (an error with a long message)"),
    "waits": ("const end = Date.now() + 5; while (Date.now() < end); exports.x = 1;", "waits for the clock"),
    "gives-back": (
        "let all = []; try { for (;;) all.push(new Uint8Array(1 << 20).fill(1)) } catch {} all = null;",
        "",
    ),
}


class TestLoading:
    @pytest.fixture(autouse=True)
    def _soon(self, monkeypatch: pytest.MonkeyPatch, shelf: Shelf) -> None:
        monkeypatch.setattr("sandbox.javascript.dependency_image._LOAD_SECONDS", 0.5)
        stamp = time.time_ns()
        for name, (_, code) in ENDLESS.items():
            shelf.add(name, code=f"{code}\n// {stamp}")
        for name, (code, _) in ENDING.items():
            shelf.add(name, code=f"{code}\n// {stamp}")

    @pytest.mark.parametrize("name", ENDLESS)
    def test_what_never_ends_fails_with_the_name_of_the_package(self, make: Make, name: str) -> None:
        found = failed(make(handler(f"require('{name}')"), name))
        code = ENDLESS[name][0]
        # A slow machine may run out of time before it runs out of memory.
        assert found.code == code or (code == "memory" and found.code == "timeout"), found
        assert found.message.startswith(f"The package {name} ")
        assert found.detail["package"] == name

    @pytest.mark.parametrize("name", ENDING)
    def test_what_ends_is_built(self, make: Make, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sandbox.javascript.dependency_image._LOAD_SECONDS", 10.0)
        build = make(handler(f"require('{name}')"), name)
        assert build.failure is None, build.failure
        anew = [line.text for line in build.log if "anew" in line.text]
        assert all(f"because it {ENDING[name][1]} while it loads" in text for text in anew)
        assert len(anew) == bool(ENDING[name][1])

    def test_an_image_that_is_larger_than_the_limit_does_not_run(
        self, make: Make, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A package that took much memory while it was loaded, and gave it back: the guest still has it."""
        monkeypatch.setattr("sandbox.javascript.dependency_image._LOAD_SECONDS", 10.0)
        takes = "let all = []; while (all.length < 60) all.push(new Uint8Array(1 << 20).fill(1)); all = null;"
        shelf.add("takes", code=f"{takes}\n// {time.time_ns()}")
        build = make(handler("console.log(1)", "require('takes')"), "takes")
        found = execute(build, memory_bytes=40 << 20).result.failure
        assert found is not None
        assert found.code is FailureCode.MEMORY
        assert logged(build) == ["1"]

    def test_what_the_engine_cannot_compile(self, make: Make, shelf: Shelf) -> None:
        shelf.add("nested", code=f"exports.x = {'[' * 20_000}{']' * 20_000};")
        found = failed(make(handler("require('nested')"), "nested"))
        assert (found.code, found.detail) == ("dependency", {"rule": "load"})
        assert "cannot be compiled" in found.message

    def test_a_package_of_a_module_is_named_with_it(self, make: Make) -> None:
        module = Module("m", "m.js", "require('loop')", (Wanted("loop"),))
        found = failed(make(handler("require('actions:m')"), modules=(module,)))
        assert found.code == "timeout"
        assert found.message.startswith("The package loop of actions:m does not finish loading")
