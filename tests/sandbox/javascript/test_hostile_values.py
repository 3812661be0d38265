"""Values that are hard to show: `console` never throws, and `util.inspect` only where Node's does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from sandbox import Limits
from sandbox.core.caps import MIB
from sandbox.javascript import toolchain
from tests.sandbox.javascript.conftest import Run

VALUES = Path(__file__).with_name("hostile.js")
UP_TO_NODE_22 = {"errMsgThrows", "errStackThrows", "tagThrows"}
"""Getters that throw, of a tag and of an error's message and stack: Node 24 shows these."""
LIMITS = Limits(wall_ms=300_000, memory_bytes=256 * MIB, log_bytes=16 * MIB)


def test_inspect_throws_only_where_nodes_does(succeed: Run) -> None:
    script = f"console.log(JSON.stringify(require({json.dumps(str(VALUES))}).throwing()))"
    ran = subprocess.run([str(toolchain.node()), "-e", script], capture_output=True, timeout=60, check=True)
    tell = "exports.onExecutePostLogin = () => console.log(JSON.stringify(exports.throwing()))"
    ours = json.loads(succeed(VALUES.read_text() + tell, limits=LIMITS).log[0])
    more = set(ours) - set(json.loads(ran.stdout))
    assert {name.split()[0] for name in more} <= UP_TO_NODE_22
    assert "customThrows inspect" in ours  # the value's own error, as in Node


def test_console_never_throws(succeed: Run) -> None:
    ran = succeed(
        VALUES.read_text() + "exports.onExecutePostLogin = () => {\n"
        "  const formats = ['%s', '%d', '%i', '%f', '%j', '%o', '%O', '%c'];\n"
        "  for (const [name, make] of Object.entries(exports.values)) {\n"
        "    if (/^(huge|deep|globalThis)/.test(name)) continue;\n"
        "    try {\n"
        "      const value = make();\n"
        "      for (const format of formats) console.log(format, value);\n"
        "      for (const method of ['log', 'error', 'dir', 'table', 'trace', 'group', 'count',\n"
        "        'countReset', 'time', 'timeLog', 'timeEnd']) console[method](value);\n"
        "      console.groupEnd(); console.assert(false, value); console.dir(value, { showHidden: true });\n"
        "      console.table([value, { value }]);\n"
        "    } catch (error) { process.stdout.write('THROWN ' + name); }\n"
        "  }\n"
        "  console.log('end'); };",
        limits=LIMITS,
    )
    assert [line for line in ran.log if line.startswith("THROWN")] == []
    assert ran.log[-1] == "end"
    assert len(ran.log) > 3_000


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("(() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy; })()", "<Revoked Proxy>"),
        ("Uint8Array.prototype", "TypedArray {}"),
        ("Object.getPrototypeOf(Uint8Array)", "[Function: TypedArray]"),
        ("Object.setPrototypeOf(new Uint8Array(2), null)", "[Uint8Array(2): null prototype] [ 0, 0 ]"),
        ("Object.setPrototypeOf(Promise.resolve(1), null)", "[Promise: null prototype] { 1 }"),
        ("{ [Symbol.toStringTag]: 'Map' }", "{ [Symbol(Symbol.toStringTag)]: 'Map' }"),
        ("Object.assign([1, 2], { x: 1 })", "[ 1, 2, x: 1 ]"),
        ("Object.assign(new Uint8Array(1), { x: 1 })", "Uint8Array(1) [ 0, x: 1 ]"),
        ("class Date { getTime() { throw 1 } }", "[class Date]"),
        ("new (class Map { has() { return 1 } })()", "Map {}"),
    ],
)
def test_shown_as_in_node(succeed: Run, expression: str, shown: str) -> None:
    text = f"exports.onExecutePostLogin = () => {{ const value = {expression}; console.log(value); }}"
    if expression.startswith("class"):
        text = f"exports.onExecutePostLogin = () => {{ {expression} console.log(Date); }}"
    assert succeed(text).log == [shown]


def test_what_cannot_be_formatted_is_shown_value_by_value(succeed: Run) -> None:
    ran = succeed(
        "exports.onExecutePostLogin = () => {\n"
        "  console.log('%d logins of', Object.create(null), { a: 1 });\n"
        "  console.log({ [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('mine') } }, 5); };"
    )
    assert ran.log == [
        "%d logins of [Object: null prototype] {} { a: 1 }",
        "[a value that cannot be shown] 5",
    ]


def test_a_large_array_is_shown_in_a_moment(succeed: Run) -> None:
    """Only what is shown is looked at; the limit is some hundred times what it takes, and what it took."""
    text = "exports.onExecutePostLogin = () => { console.log(new Array(2e5).fill(7)); };"
    (line,) = succeed(text, limits=Limits(wall_ms=20_000)).log
    assert line.endswith("... 199900 more items\n]")
