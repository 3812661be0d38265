"""What the engine says of errors, beside the Node that comes with us."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Language, Source
from sandbox.core.program import Program
from sandbox.javascript import toolchain
from sandbox.javascript.errors import error_expression
from sandbox.javascript.errors.tokens import offset
from sandbox.javascript.errors.v8_messages import in_v8s_words
from tests.drawn import examples
from tests.sandbox.javascript.conftest import Run

PROGRAM = Path(__file__).with_name("messages.js")
KNOWN = json.loads(Path(__file__).with_name("messages_known.json").read_text())
"""Names of the errors whose message is another than Node's. Shorten it when one is mended."""


def handler(body: str) -> str:
    return f"exports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};"


def caught(statement: str) -> str:
    return f"try {{ {statement} }} catch (e) {{ console.log(e.message); }}"


def test_every_error_speaks_as_in_node(succeed: Run) -> None:
    script = f"console.log(JSON.stringify(require({json.dumps(str(PROGRAM))}).messages()))"
    ran = subprocess.run([str(toolchain.node()), "-e", script], capture_output=True, timeout=60, check=True)
    node = json.loads(ran.stdout)
    tell = "for (const one of Object.entries(exports.messages())) console.log(JSON.stringify(one));"
    ours = dict(json.loads(line) for line in succeed(PROGRAM.read_text() + handler(tell)).log)
    assert set(ours) == set(node)
    assert sorted(name for name in node if node[name] != ours[name]) == KNOWN
    assert len(node) > 280


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("event.user.app.plan", "Cannot read properties of undefined (reading 'plan')"),
        ("event.roles.includes('a')", "Cannot read properties of undefined (reading 'includes')"),
        ("event.user.tags.map((x) => x)", "Cannot read properties of undefined (reading 'map')"),
        ("for (const role of event.roles);", "event.roles is not iterable"),
        ("const { plan } = event.user.app;",
         "Cannot destructure property 'plan' of 'event.user.app' as it is undefined."),
        ("const { name } = event.nothing;",
         "Cannot destructure property 'name' of 'event.nothing' as it is null."),
        ("const { user } = event; const { plan } = user.app;",
         "Cannot destructure property 'plan' of 'user.app' as it is undefined."),
        ("api.accessToken.setClaim('a', 1)", "Cannot read properties of undefined (reading 'setClaim')"),
        ("api.user.setNothing('a')", "api.user.setNothing is not a function"),
        ("require('util').nope()", "require(...).nope is not a function"),
        ("event.user\n  .nope()", "event.user.nope is not a function"),
        ("const limit = 1; limit = 2;", "Assignment to constant variable."),
        ("JSON.stringify({ n: 1n })", "Do not know how to serialize a BigInt"),
        ("new Map([1]).get(1).x.y", "not an object"),
    ],
)  # fmt: skip
def test_what_scripts_meet(succeed: Run, statement: str, message: str) -> None:
    ran = succeed(handler(caught(statement)), {"user": {}, "nothing": None})
    assert ran.log == [message]


@pytest.mark.parametrize(
    ("filename", "text"),
    [
        ("action.ts", "const f = (x: any): void => { x.user.nope(); };\n"),
        ("action.mjs", "import util from 'util';\nconst f = (x) => { x.user.nope(); };\n"),
    ],
)
def test_compiled_sources(succeed: Run, filename: str, text: str) -> None:
    export = "export const onExecutePostLogin = async (event) => {"
    ran = succeed(text + export + caught("f({ user: {} })") + "};", filename=filename)
    assert ran.log == ["x.user.nope is not a function"]


def test_an_error_of_the_action_keeps_its_words(succeed: Run) -> None:
    ran = succeed(handler(caught("throw new TypeError('not a function')")))
    assert ran.log == ["not a function"]


def test_what_an_action_does_to_built_ins_does_not_matter(succeed: Run) -> None:
    body = (
        "String.prototype.slice = String.prototype.indexOf = () => { throw 1 };\n"
        "Object.defineProperty = Object.getOwnPropertyDescriptor = () => { throw 2 };\n"
        "Object.defineProperty(Object.prototype, 'value', { get() { throw 3 } });\n"
    )
    body = body.replace("Object.defineProperty(Object", "Reflect.defineProperty(Object")
    ran = succeed(handler(body + caught("undefined.x")))
    assert ran.log == ["Cannot read properties of undefined (reading 'x')"]


def test_the_stack_says_the_same(succeed: Run) -> None:
    ran = succeed(handler("try { event.a.b } catch (e) { console.log(e.stack.split('\\n')[0]) }"))
    assert ran.log == ["TypeError: Cannot read properties of undefined (reading 'b')"]


def test_errors_of_jobs_and_of_callbacks(succeed: Run) -> None:
    body = (
        "await Promise.resolve().then(() => undefined.a).catch((e) => console.log(e.message));\n"
        "const late = () => { try { null.b } catch (e) { console.log(e.message); } };\n"
        "await new Promise((done) => setTimeout(() => { late(); done(); }));\n"
        "[1].forEach(() => { try { event.c.d } catch (e) { console.log(e.message) } });"
    )
    assert succeed(handler(body)).log == [
        "Cannot read properties of undefined (reading 'a')",
        "Cannot read properties of null (reading 'b')",
        "Cannot read properties of undefined (reading 'd')",
    ]


def test_many_errors_are_no_burden(succeed: Run) -> None:
    ran = succeed(
        handler("let n = 0; for (let i = 0; i < 2000; i++) try { event.a.b } catch { n++ } console.log(n);")
    )
    assert ran.log == ["2000"]


PIECES = st.lists(
    st.sampled_from(
        [
            *"()[]{}.,;:=`'\"\\/#$\n ",
            "...",
            "?.",
            "=>",
            "new ",
            "const ",
            "of ",
            "await ",
            "delete ",
            "a",
            "b1",
            "'x'",
            "0",
        ]
    ),
    max_size=60,
).map("".join)


@examples(300)
@given(text=PIECES, place=st.integers(0, 200), message=st.sampled_from([
    "not a function", "not a constructor", "value is not iterable",
    "Cannot convert undefined or null to object",
    "'a' is read-only", "object is not extensible", "could not delete property", "no setter for property",
    "cannot read property 'Symbol.iterator' of undefined", "private class field '#a' does not exist",
]))  # fmt: skip
def test_no_text_is_too_strange(text: str, place: int, message: str) -> None:
    program = Program(Source(Language.JAVASCRIPT, "a.js", text), b"", "")
    words = in_v8s_words(message, f"    at f (a.js:1:{place + 1})", program, null=False)
    assert words is None or isinstance(words, str)


def test_deep_nesting_is_looked_at_once() -> None:
    for text in ("a[" * 5_000, "{" * 5_000, "(" * 5_000, "f(" * 2_000 + ")(" * 2_000, "const {" * 1_000):
        for at in (0, 900, 1_800):
            found = (
                error_expression.called(text, at, constructor=False),
                error_expression.iterated(text, at),
                error_expression.destructured(text, at, "null"),
                error_expression.deleted_member(text, at),
            )
            assert all(shown is None or len(shown) < 1_000 for shown in found)


def test_offsets() -> None:
    assert offset("a😀b\n", 1, 4) == 2
    assert [offset("ab\ncd", *place) for place in ((1, 1), (2, 2), (2, 3), (3, 1), (1, None))] == [
        0,
        4,
        None,
        None,
        None,
    ]
