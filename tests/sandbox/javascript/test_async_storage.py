"""AsyncLocalStorage beside the Node that comes with us: one program, run in both."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from sandbox import Limits
from sandbox.javascript import toolchain
from tests.sandbox.javascript.conftest import Run

PROGRAM = Path(__file__).with_name("async_storage.js")


def in_node() -> list[str]:
    script = f"require({json.dumps(str(PROGRAM))}).program().then((lines) => console.log(lines.join('\\n')))"
    ran = subprocess.run(
        [str(toolchain.node()), "-e", script], capture_output=True, text=True, timeout=60, check=True
    )
    return ran.stdout.rstrip("\n").split("\n")


def test_every_continuation_has_the_store_that_it_has_in_node(succeed: Run) -> None:
    text = PROGRAM.read_text() + (
        "exports.onExecutePostLogin = async () => {\n"
        "  for (const line of await exports.program()) console.log(line); };"
    )
    ours = succeed(text, limits=Limits(wall_ms=60_000)).log
    assert ours == in_node()
    assert len(ours) > 80


def test_what_a_handler_enters_ends_with_it(succeed: Run) -> None:
    """`enterWith` lasts for the code that follows and what that leaves for later, not for other callbacks."""
    ran = succeed(
        "const { AsyncLocalStorage } = require('async_hooks'), store = new AsyncLocalStorage();\n"
        "store.enterWith('module');\n"
        "exports.onExecutePostLogin = async () => {\n"
        "  console.log(store.getStore());\n"
        "  setTimeout(() => { store.enterWith('timer'); }, 1);\n"
        "  setTimeout(() => console.log(store.getStore()), 2);\n"
        "  await new Promise((done) => setTimeout(done, 5));\n"
        "  console.log(store.getStore()); };"
    )
    assert ran.log == ["module", "module", "module"]


def test_a_recursion_in_continuations_is_a_range_error(succeed: Run) -> None:
    ran = succeed(
        "const { AsyncLocalStorage } = require('async_hooks'), store = new AsyncLocalStorage();\n"
        "exports.onExecutePostLogin = () => store.run(1, async () => {\n"
        "  const deep = async () => { await deep(); };\n"
        "  try { await deep(); } catch (e) { console.log(e instanceof RangeError, store.getStore()); }\n"
        "  const thenable = { then(ok) { ok(thenable.n-- ? thenable : 'end'); }, n: 1000 };\n"
        "  console.log(await thenable, store.getStore()); });"
    )
    assert ran.log == ["true 1", "end 1"]
