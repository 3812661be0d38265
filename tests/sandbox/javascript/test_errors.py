"""What an Action throws, and what its author is told."""

from __future__ import annotations

import pytest

from sandbox.core.caps import MAX_ERROR_MESSAGE_BYTES, MAX_STACK_FRAMES
from sandbox.core.failure import FailureCode
from tests.sandbox.javascript.conftest import Run


def handler(body: str) -> str:
    return f"exports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};"


def test_an_error_in_the_handler_has_class_message_place_and_frames(run: Run) -> None:
    failure = run(
        "const check = (user) => {\n  return user.name.first;\n};\n"
        "exports.onExecutePostLogin = async (event) => {\n  await null;\n  check(event.user);\n};",
        {"user": {}},
    ).failure
    assert failure.code is FailureCode.THROW
    assert failure.error_name == "TypeError"
    assert failure.message == "Cannot read properties of undefined (reading 'first')"
    assert failure.place is not None
    assert (failure.place.line, failure.place.column) == (2, 20)
    assert failure.place.excerpt == "  return user.name.first;"
    assert [(frame.function, frame.line) for frame in failure.stack] == [("check", 2), ("<anonymous>", 6)]
    assert {frame.file for frame in failure.stack} == {"action.js"}


@pytest.mark.parametrize(("before", "units"), [("ä", 0), ("€€", 0), ("😀", 1)])
def test_columns_count_characters_whatever_they_are(run: Run, before: str, units: int) -> None:
    told = "console.log(e.stack.split('\\n')[1])"
    line = f"  const s = '{before}'; const e = new Error(s); {told}; event.a.nope.x(s);"
    ran = run(handler(line), {"a": {}})
    assert ran.log == [f"    at action.js:2:{line.index('new Error') + 1 + units}"]
    assert ran.failure.place is not None
    assert ran.failure.place.column == line.index("x(s)") + 1


def test_an_error_at_the_top_level(run: Run) -> None:
    failure = run("\nconst config = JSON.parse('{');").failure
    assert failure.code is FailureCode.THROW
    assert failure.error_name == "SyntaxError"
    assert failure.place is not None
    assert failure.place.line == 2


def test_an_error_in_a_timer_ends_the_execution(run: Run) -> None:
    failure = run(
        handler("setTimeout(() => { throw new RangeError('tick') }, 1); await new Promise(() => {});")
    ).failure
    assert (failure.code, failure.error_name, failure.message) == (FailureCode.THROW, "RangeError", "tick")


@pytest.mark.parametrize(
    ("thrown", "message"),
    [
        ("'just text'", "just text"),
        ("undefined", "undefined"),
        ("null", "null"),
        ("42", "42"),
        ("{ code: 'E', at: [1] }", "{ code: 'E', at: [ 1 ] }"),
        ("Symbol('s')", "Symbol(s)"),
        ("10n", "10n"),
        ("() => {}", "[Function (anonymous)]"),
        ("new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 1 }, ownKeys() { throw 1 } })", "{}"),
        ("Object.create(null)", "[Object: null prototype] {}"),
        ("{ toString() { throw 1 } }", "{ toString: [Function: toString] }"),
        ("{ [Symbol.for('nodejs.util.inspect.custom')]() { throw 1 } }", "[a value that cannot be shown]"),
    ],
)
def test_values_that_are_no_errors(run: Run, thrown: str, message: str) -> None:
    for statement in (f"throw ({thrown});", f"await Promise.reject({thrown});"):
        failure = run(handler(statement)).failure
        assert (failure.code, failure.error_name, failure.message) == (FailureCode.THROW, None, message)


@pytest.mark.parametrize(
    "hostile",
    [
        "Object.defineProperty(e, 'message', { get() { throw 1 } })",
        "Object.defineProperty(e, 'name', { get() { throw 1 } })",
        "Object.defineProperty(e, 'stack', { get() { throw 1 } })",
        "Object.defineProperty(e, 'cause', { get() { throw 1 } })",
        "Object.defineProperty(e, 'code', { get() { throw 1 } })",
        "e.message = { toString() { throw 1 } }",
        "e.name = Symbol('s')",
        "e.message = Symbol('s')",
        "e.message = null",
        "e.stack = 5",
        "e.cause = e",
        "Object.setPrototypeOf(e, null)",
        "Object.setPrototypeOf(e, new Proxy({}, { get() { throw 1 } }))",
        "Error.prepareStackTrace = () => { throw 1 }",
        "Error.prepareStackTrace = () => ({ evil: 1 }); e = new Error('m')",
        "Error.stackTraceLimit = -1; e = new Error('m')",
        "e.message = 'x'.repeat(10_000_000)",
        "e.message = '\\ud800 lone'",
        "e.message = '\"quotes\" \\u0000\\u2028 and \\n lines'",
    ],
)
def test_hostile_errors_are_clean_failures(run: Run, hostile: str) -> None:
    ran = run(handler(f"let e = new Error('m'); {hostile}; throw e;"))
    assert ran.failure.code is FailureCode.THROW
    assert len(ran.failure.message.encode()) <= MAX_ERROR_MESSAGE_BYTES
    assert "Traceback" not in ran.failure.message


def test_causes_are_told(run: Run) -> None:
    failure = run(handler("throw new Error('outer', { cause: new TypeError('inner') });")).failure
    assert failure.detail["cause"] == "TypeError: inner"


def test_error_codes_are_told(run: Run) -> None:
    failure = run(handler("const e = new Error('x'); e.code = 'E_QUOTA'; throw e;")).failure
    assert failure.detail["code"] == "E_QUOTA"


def test_frames_are_capped(run: Run) -> None:
    text = handler(
        "Error.stackTraceLimit = 99; const f = (n) => { if (n) f(n - 1); else throw Error('x') }; f(200)"
    )
    assert 10 < len(run(text).failure.stack) <= MAX_STACK_FRAMES


def test_stacks_in_the_guest_look_like_v8s_and_hide_ours(succeed: Run) -> None:
    ran = succeed(
        "function inner() { return new TypeError('bad'); }\n"
        "exports.onExecutePostLogin = async (event, api) => {\n"
        "  console.log(inner().stack);\n"
        "  [1].map(() => console.log(new Error('in map').stack));\n"
        "  const o = {}; Error.captureStackTrace(o); console.log(o.stack);\n"
        "};"
    )
    assert ran.log == [
        "TypeError: bad\n    at inner (action.js:1:27)\n    at action.js:3:15",
        "Error: in map\n    at action.js:4:29\n    at map (<anonymous>)\n    at action.js:4:7",
        "Error\n    at action.js:5:23",
    ]


def test_an_error_class_of_the_tenants_own(run: Run) -> None:
    failure = run(handler("class Denied extends Error { name = 'Denied' } throw new Denied('no');")).failure
    assert (failure.error_name, failure.message) == ("Denied", "no")


def test_errors_thrown_while_an_error_is_described_do_no_harm(run: Run) -> None:
    failure = run(
        handler("throw new Proxy(new Error('x'), { get() { throw new Error('trap') }, has() { throw 1 } });")
    ).failure
    assert failure.code is FailureCode.THROW


def test_aggregate_and_dom_exceptions(run: Run) -> None:
    assert run(handler("throw new AggregateError([1], 'many')")).failure.error_name == "AggregateError"
    failure = run(handler("throw new DOMException('late', 'TimeoutError')")).failure
    assert (failure.error_name, failure.message) == ("TimeoutError", "late")


@pytest.mark.parametrize("name", ["my action.js", "a:1:2.js", "ä/ö (1).js", "actionbox:evil.js"])
def test_a_filename_of_any_shape_maps_frames(run: Run, name: str) -> None:
    failure = run(handler("throw new Error('m');"), filename=name).failure
    assert failure.place is not None
    assert (failure.place.file, failure.place.line) == (name, 2)
    assert failure.stack[0].file == name


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("api.user.setRoles(['x'])", "api.user.setRoles is not a function"),
        ("await event.reload (1)", "event.reload is not a function"),
        ("let five = 5; five()", "five is not a function"),
        ("event?.reload()", "event?.reload is not a function"),
        ("new api.user.Role()", "api.user.Role is not a constructor"),
        ("[1].map(api.nope)", "not a function"),
        ("(1, api.nope)()", "(1 , api.nope) is not a function"),
        ("throw new TypeError('not a function')", "not a function"),
        ("throw Object.assign(new TypeError('not a function'), { stack: 'forged' })", "not a function"),
    ],
)
def test_what_is_called_and_is_no_function_has_a_name(run: Run, statement: str, message: str) -> None:
    failure = run(f"exports.onExecutePostLogin = async (event, api) => {{ {statement}; }};").failure
    assert (failure.error_name, failure.message) == ("TypeError", message)
