"""From source to program: what is refused, and where."""

from __future__ import annotations

import contextlib

import pytest

import sandbox
from sandbox import BuildError, Language, Limits, Program, Request, Source
from sandbox.core.caps import MAX_SOURCE_BYTES, MAX_SOURCE_LINES
from sandbox.core.failure import Failure, FailureCode
from sandbox.egress.none import NoEgress
from sandbox.port.live import LivePort
from tests.sandbox.javascript.conftest import HANDLER, Run, compiled
from tests.sandbox.ports import FakeApi

OK = f"exports.{HANDLER} = () => {{}};"


def refused(text: str) -> Failure:
    with pytest.raises(BuildError) as caught:
        compiled(text)
    return caught.value.failure


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("let a = ;", 1, 9),
        ("\n\n  if (", 3, 7),
        ("const x = 1;\nconst x = 2;", 2, 9),
        ("`abc", 1, 1),
        ("x = {a: 1,, b}", 1, 11),
        ("'use strict'; with ({}) {}", 1, 15),
        ("function f() {\n  return 1 +\n}", 3, 1),
        ("let module = 1;", 1, 12),
        ("return 5; }", 1, 2),
    ],
)
def test_a_syntax_error_has_line_column_and_excerpt(text: str, line: int, column: int) -> None:
    failure = refused(text)
    assert (failure.code, failure.error_name) == (FailureCode.SYNTAX, "SyntaxError")
    assert failure.place is not None
    assert failure.place.line == line
    assert failure.place.column is not None
    assert abs(failure.place.column - column) <= 1
    assert failure.place.excerpt == text.split("\n")[line - 1]
    assert failure.place.file == "action.js"


@pytest.mark.parametrize(
    "text",
    [
        "}); evil(); (function () {",
        "x = 1; }); (function () {",
        "}, function () {",
        "} + function () { ;",
        "} /* */ ) ; ({ m() {",
        "return; }); (function () { return",
        "return 1 } , x = function () {",
        "*/ evil() /*",
        "${evil()}",
        "\\u007d); evil(); (function () {",
        "if (1) return; }, m2() {",
    ],
)
def test_no_text_leaves_its_function(text: str) -> None:
    assert refused(text).code is FailureCode.SYNTAX


@pytest.mark.parametrize(
    "text",
    [
        OK + " // trailing comment",
        OK + " /* trailing */",
        OK + "\n<!-- html comment",
        "#!/usr/bin/env node\n" + OK,
        "\ufeff" + OK,
        "'use strict';\n" + OK,
        "with ({}) {}\n010;\n" + OK,
        "if (true) { " + OK + " return; }\nthrow new Error('not reached');",
        OK.replace("\n", "\r\n"),
        "module.exports = { onExecutePostLogin() {} };",
        "const exportsName = 'onExecutePostLogin'; this[exportsName] = () => {};",
        "const { onExecutePostLogin: f } = { onExecutePostLogin() {} }; exports.onExecutePostLogin = f;",
        "var console = 1, fetch = 2, URL = 3, process = 4; let crypto = 5, Buffer = 6; " + OK,
        "class A { #p = 1; static { this.x = 1 } get y() { return this.#p ?? this?.x } }\n" + OK,
        "label: for (const [a, ...b] of [[1]]) { for await_ of [] ; }".replace(
            "for await_ of [] ;", "continue label;"
        )
        + OK,
    ],
)
def test_sources_that_work(succeed: Run, text: str) -> None:
    assert succeed(text).result.failure is None


def test_strictness_is_the_sources_own(succeed: Run) -> None:
    text = "exports.onExecutePostLogin = () => console.log((function () { return this === undefined })());"
    assert succeed(text).log == ["false"]
    assert succeed("'use strict'; " + text).log == ["true"]


def test_await_at_the_top_level_is_refused_with_what_to_do() -> None:
    failure = refused("const x = await fetch('https://a.example');\n" + OK)
    assert "await" in failure.message
    assert "handler" in failure.next_step


@pytest.mark.parametrize("text", ["const a = 'äö€😀'; b c", "\n'äö€'; b c"])
def test_columns_of_syntax_errors_count_characters(text: str) -> None:
    failure = refused(text)
    assert failure.place is not None
    assert failure.place.column == len(text.strip())


@pytest.mark.parametrize(
    ("text", "column"), [("var a = '\0';", 10), ("var a = '\ud800';", 10), ("PK\x03\x04\x00", 5)]
)
def test_characters_that_no_source_has(text: str, column: int) -> None:
    failure = refused(text)
    assert failure.code is FailureCode.SYNTAX
    assert failure.place is not None
    assert failure.place.column == column


def test_size_caps() -> None:
    assert compiled(OK + " " * (MAX_SOURCE_BYTES - len(OK)))
    assert refused(OK + " " * (MAX_SOURCE_BYTES - len(OK) + 1)).code is FailureCode.OUTPUT
    assert compiled("\n" * (MAX_SOURCE_LINES - 1) + OK)
    assert refused("\n" * MAX_SOURCE_LINES + OK).code is FailureCode.OUTPUT


@pytest.mark.parametrize(
    "bomb",
    [
        "(" * 50_000,
        "[" * 50_000 + "]" * 49_000,
        "a?" * 30_000,
        "-" * 90_000 + "1",
        "x=>" * 30_000 + "1",
        "{" * 45_000 + "}" * 45_000,
        "`${" * 30_000,
        "function f(){" * 7_000 + "}" * 7_000,
        "if(1)" * 19_000 + ";",
        "a." * 45_000 + "b",
        "/" + "(" * 45_000 + ")" * 45_000 + "/",
        "var " + ",".join(f"a{n}" for n in range(15_000)),
        "x = [" + "{}," * 30_000 + "]",
        "class A{" + "a(){}" * 15_000 + "}",
    ],
)
def test_source_bombs_end_in_a_program_or_a_typed_failure(bomb: str) -> None:
    with contextlib.suppress(BuildError):
        compiled(bomb)
        return
    assert refused(bomb).code in {
        FailureCode.SYNTAX,
        FailureCode.TIMEOUT,
        FailureCode.MEMORY,
    }


@pytest.mark.parametrize("text", ["for (;;);", "throw new Error('at load');"])
def test_building_runs_nothing(text: str) -> None:
    assert compiled(text).source.text == text


def test_exports_lists_functions_found_by_running() -> None:
    program = compiled(
        "exports.a = () => {}; exports.b = 1; exports.c = async function () {}; console.log('x')"
    )
    assert sandbox.exports(program) == ("a", "c")


def test_exports_reports_a_top_level_that_fails() -> None:
    with pytest.raises(BuildError) as caught:
        sandbox.exports(compiled("\nthrow new TypeError('early');"))
    assert caught.value.failure.message == "early"
    assert caught.value.failure.place is not None
    assert caught.value.failure.place.line == 2
    with pytest.raises(BuildError) as caught:
        sandbox.exports(compiled("for (;;);"), Limits(wall_ms=50))
    assert caught.value.failure.code is FailureCode.TIMEOUT


def test_a_program_of_another_image_is_refused() -> None:
    program = compiled(OK)
    foreign = Program(source=program.source, code=program.code, image="other")
    port = LivePort(FakeApi(), NoEgress(), Limits())
    result = sandbox.run(foreign, Request(HANDLER, "{}", "{}"), Limits(), port)
    assert result.failure is not None
    assert result.failure.code is FailureCode.INTERNAL


def test_the_filename_is_shown_as_given() -> None:
    source = Source(Language.JAVASCRIPT, "sub dir/my (1) äction.js", "let a = ;")
    with pytest.raises(BuildError) as caught:
        sandbox.build(source)
    assert caught.value.failure.place is not None
    assert caught.value.failure.place.file == "sub dir/my (1) äction.js"
