"""Versions are built by the pool: packages by the parent, tenants' text in workers only."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from runner.workers import BuildCall
from sandbox.action_build import Build, BuildState, Module, Wanted
from sandbox.core.caps import MAX_SOURCE_BYTES
from sandbox.core.program import Language, Source
from sandbox.packages.npm.folder import FolderOrigin
from tests.sandbox.packages.npm.tarballs import Shelf
from tests.workers.pools import EVENT, LivePool, javascript, pool, python

WHOLE = [BuildState.PENDING, BuildState.BUILDING, BuildState.PACKAGED, BuildState.BUILT]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    shelf = Shelf(tmp_path_factory.mktemp("npm") / "shelf")
    # A name of this run's own, so that no image of it is cached yet.
    stamp = f"{os.getpid()}-{time.time_ns()}"
    shelf.add("maths", code=f"exports.add = (a, b) => a + b; exports.stamp = '{stamp}';")
    shelf.add("seeded", code=f"exports.first = Math.random(); exports.stamp = '{stamp}';")
    shelf.add("broken", code="const x = ;")
    return shelf


@pytest.fixture(scope="module")
def builders(shelf: Shelf) -> Iterator[LivePool]:
    with pool(workers=2, origin=lambda: FolderOrigin(shelf.folder)) as live:
        yield live


def build(live: LivePool, call: BuildCall) -> tuple[Build, list[BuildState]]:
    states: list[BuildState] = []

    def report(item: Build) -> None:
        """May write to a database, for which no event loop waits."""
        assert asyncio._get_running_loop() is None
        states.append(item.state)

    made = live.wait(live.pool.build("harbor", call, report), 170)
    live.until(lambda: bool(states) and states[-1] is made.state)
    return made, list(dict.fromkeys(states))


def lines(outcome: Any) -> list[str]:
    assert outcome.failure is None, outcome.failure
    return [line.text for line in outcome.actions[0].logs]


@pytest.mark.parametrize("source", [javascript("").source, python("pass").source], ids=["js", "py"])
def test_a_source_that_compiles(builders: LivePool, source: Source) -> None:
    made, states = build(builders, BuildCall(source=source))
    assert states == WHOLE
    assert made.program is not None
    assert made.program.source is source
    assert made.program.code == b"", "no machine code leaves a worker"


@pytest.mark.parametrize(
    ("filename", "text", "code", "line"),
    [
        ("a.js", "exports.x = ;", "syntax", 1),
        ("a.py", "import os", "policy", 1),
        ("a.ts", "const x: number = ;", "syntax", 1),
        ("a.js", "x" * (MAX_SOURCE_BYTES + 1), "output", None),
        ("a.js", "(" * 50_000, "syntax", None),
        ("a.py", "(" * 50_000, "syntax", None),
        ("a.js", "\0", "syntax", 1),
    ],
)
def test_a_source_that_does_not(
    builders: LivePool, filename: str, text: str, code: str, line: int | None
) -> None:
    language = Language.PYTHON if filename.endswith(".py") else Language.JAVASCRIPT
    made, states = build(builders, BuildCall(source=Source(language, filename, text)))
    assert states[-1] is BuildState.FAILED
    assert made.failure is not None
    assert made.failure.code == code, made.failure
    if line is not None:
        assert made.failure.place is not None
        assert made.failure.place.line == line
    assert builders.pool.stats().restarts == {}


def test_typescript_and_modules_are_compiled_though_workers_start_no_process(builders: LivePool) -> None:
    typed = Source(
        Language.JAVASCRIPT,
        "t.ts",
        "interface A { b: number }\n"
        "export const onExecutePostLogin = async (event: any, api: any): Promise<void> => {\n"
        "  const a: A = { b: 4 };\n  console.log(a.b);\n  throw new Error('here');\n};\n",
    )
    made, _ = build(builders, BuildCall(source=typed))
    assert made.state is BuildState.BUILT
    for _ in range(3):
        outcome = builders.run(replace(javascript(""), source=typed))
        assert outcome.actions[0].logs[0].text == "4"
        assert outcome.failure is not None
        assert outcome.failure.place is not None
        assert outcome.failure.place.line == 5


def test_packages_and_modules(builders: LivePool) -> None:
    text = """
      const { add, stamp } = require("maths"), shared = require("actions:shared");
      exports.onExecutePostLogin = async (event) => {
        console.log(add(1, 2), shared.twice(4), shared.secret());
      };
    """
    module = Module(
        "shared",
        "shared.ts",
        "export const twice = (n: number): number => n * 2;\n"
        "export const secret = () => actions.secrets.KEY;",
    )
    call = BuildCall(
        source=Source(Language.JAVASCRIPT, "d.js", text), wanted=(Wanted("maths"),), modules=(module,)
    )
    made, states = build(builders, call)
    assert made.failure is None, (made.failure, made.log)
    assert states == WHOLE
    assert made.lock.versions == {"maths": "1.0.0"}
    assert made.program is not None
    source = made.program.source
    action = replace(javascript(""), source=source, module_secrets={"shared": {"KEY": "of the module"}})
    for _ in range(4):  # both workers
        assert lines(builders.run(action)) == ["3 8 [secret actions:shared.KEY]"]
    again, _ = build(builders, call.model_copy(update={"lock": made.lock}))
    assert again.program is not None
    assert again.program.source == source

    suspends = replace(action, source=replace(source, text=SUSPENDS))
    first = builders.run(suspends)
    assert first.suspension is not None, first.failure

    # A worker that starts later gets the image from the parent as well.
    for pid in builders.pids():
        os.kill(pid, 9)
    builders.until(lambda: builders.pool.stats().restarts.get("died", 0) >= 2 and builders.healthy())
    request = {**EVENT["request"], "query": {"state": first.suspension.state}}
    secrets = {suspends.name: {"actions:shared": {"KEY": "of the module"}}}
    resumed = builders.resume(first.suspension.handle, request=request, secrets=secrets)
    assert lines(resumed) == ["3 [secret actions:shared.KEY]"]
    assert lines(builders.run(action)) == ["3 8 [secret actions:shared.KEY]"]


SUSPENDS = """
const { add } = require("maths"), shared = require("actions:shared");
exports.onExecutePostLogin = async (event, api) => api.redirect.sendUserTo("https://x.example/");
exports.onContinuePostLogin = async () => console.log(add(1, 2), shared.secret());
"""


def test_packages_that_cannot_be_had_or_bundled(builders: LivePool) -> None:
    source = Source(Language.JAVASCRIPT, "d.js", "require('x')")
    absent, _ = build(builders, BuildCall(source=source, wanted=(Wanted("absent"),)))
    assert absent.failure is not None
    assert (absent.failure.code, absent.failure.detail["rule"]) == ("dependency", "not-found")
    broken, _ = build(builders, BuildCall(source=source, wanted=(Wanted("broken"),)))
    assert broken.failure is not None
    assert broken.failure.code == "dependency"


def test_a_module_that_does_not_compile_is_told_with_its_place(builders: LivePool) -> None:
    call = BuildCall(
        source=Source(Language.JAVASCRIPT, "d.js", "require('actions:m')"),
        modules=(Module("m", "m.js", "\nexports.x = ;"),),
    )
    made, _ = build(builders, call)
    assert made.failure is not None
    assert made.failure.code == "syntax"
    assert made.failure.place is not None
    assert (made.failure.place.file, made.failure.place.line) == ("actions:m", 2)


def test_the_parent_opens_no_engine() -> None:
    """The API process never compiles a tenant's text (threat-model, principal decision 4)."""
    import subprocess
    import sys

    code = (
        "import asyncio, sandbox, json\n"
        "from runner.workers import *\n"
        "from sandbox.core.program import Source, Language\n"
        "source = Source(Language.JAVASCRIPT, 'a.ts', 'let x: 1 = 1')\n"
        "async def main():\n"
        "    pool = WorkerPool(PoolSettings(workers=1))\n"
        "    await pool.start()\n"
        "    made = await pool.build('t', BuildCall(source=source))\n"
        "    assert made.failure is None, made.failure\n"
        "    await pool.stop(1)\n"
        "    print(len(sandbox._engines))\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.stdout == "0\n", done.stderr


def test_the_log_tells_what_is_loaded_anew(builders: LivePool) -> None:
    source = javascript("require('seeded')").source
    made, _ = build(builders, BuildCall(source=source, wanted=(Wanted("seeded", ""),)))
    assert made.failure is None, made.failure
    told = [line.text for line in made.log if "loaded anew" in line.text]
    assert told == [
        "seeded is loaded anew in every execution, which takes time, because it draws random numbers "
        "while it loads"
    ]
