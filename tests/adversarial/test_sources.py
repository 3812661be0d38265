"""Hostile source texts (threat-model K7, U1 to U3): programs or typed refusals, and nobody else is harmed."""

from __future__ import annotations

import pytest

import sandbox
from sandbox.core.caps import MAX_SOURCE_BYTES, MAX_SOURCE_LINES
from sandbox.core.failure import BuildError, Failure
from sandbox.core.program import Language, Source
from tests.adversarial.arena import OURS, PATIENT, attack, canary, ended, printed, source

JS_END = "\nexports.onExecutePostLogin = (event, api) => { console.log('ran') };"
PY_END = "\ndef on_execute_post_login(event, api): print('ran')\n"


def built(language: Language, text: str, filename: str = "source") -> Failure | None:
    """Why `text` is refused; None when it builds. What must hold of every refusal is checked."""
    try:
        sandbox.build(Source(language, filename, text))
    except BuildError as error:
        failure = error.failure
        assert failure.message
        assert not any(mark in repr(failure) for mark in OURS), failure
        return failure
    return None


NESTED = {
    "parentheses": lambda n: "(" * n + "1" + ")" * n,
    "brackets": lambda n: "[" * n + "]" * n,
    "open parentheses": lambda n: "(" * n,
    "open brackets": lambda n: "[" * n,
    "braces": lambda n: "{" * n,
    "minus": lambda n: "- " * n + "1",
    "plus": lambda n: "+".join(["1"] * n),
    "comparisons": lambda n: "1" + "<1" * n,
    "powers": lambda n: "1" + "**1" * n,
    "attributes": lambda n: "x" + ".a" * n,
    "calls": lambda n: "x" + "()" * n,
    "subscripts": lambda n: "x" + "[0]" * n,
    "conditions in JavaScript": lambda n: "1 ? " * n + "1" + ": 1" * n,
    "conditions in Python": lambda n: "1 if 1 else " * n + "1",
    "and": lambda n: "1 and " * n + "1",
    "lambda": lambda n: "lambda: " * n + "1",
    "arrows": lambda n: "a => " * n + "1",
    "new": lambda n: "new " * n + "x",
    "objects": lambda n: "{'a':" * n + "1" + "}" * n,
    "templates": lambda n: "`${" * n + "1" + "}`" * n,
    "f-strings": lambda n: "f'{" * n + "1" + "}'" * n,
    "format specs": lambda n: "f'{1:" + "{1:" * n + "}" * n + "}'",
    "comprehensions": lambda n: "[1 for a in " * n + "x" + "]" * n,
    "strings side by side": lambda n: "'a' " * n,
    "backslashes": lambda n: "1" + "\\\n" * n,
    "semicolons": lambda n: "1;" * n,
}


@pytest.mark.parametrize("count", [2_000, 30_000])
@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize("language", Language)
def test_nesting(language: Language, name: str, count: int) -> None:
    body = NESTED[name](count)[: MAX_SOURCE_BYTES - 200]
    end = PY_END if language is Language.PYTHON else JS_END
    failure = built(language, f"x = {body}{end}")
    if failure is not None:
        assert str(failure.code) in {"syntax", "output", "timeout", "memory", "policy"}, failure


BOMBS_JS = {
    "else if": "if (0) {}" + "else if (0) {}" * 6_500,
    "functions": "function a(b){" * 6_500 + "}" * 6_500,
    "classes": "class A{static{" * 5_000 + "}}" * 5_000,
    "labels": "".join(f"a{n}:" for n in range(13_000)) + ";",
    "variables": ";".join(f"var a{n}" for n in range(10_000)),
    "private names": "class A {" + ";".join(f"#a{n}" for n in range(9_000)) + "}",
    "parameters": "function f(" + ",".join(f"a{n}" for n in range(13_000)) + "){}",
    "constant dictionary": "x = {" + ",".join(f'"a{n}":1' for n in range(9_000)) + "}",
    "patterns": "let " + "[" * 20_000 + "a" + "]" * 20_000 + " = 1",
    "groups": "x = /" + "(" * 30_000 + ")" * 30_000 + "/",
    "alternatives": "x = /" + "a|" * 40_000 + "/",
    "repetitions": "x = /(((a{1,1000}){1,1000}){1,1000}){1,1000}/",
    "decorators": "@a " * 30_000 + "class A {}",
    "comments": "/*" * 45_000,
    "cases": "switch (1) {" + "case 1:" * 13_000 + "}",
    "await": "async () => {" + "await " * 15_000 + "1 }",
}
BOMBS_PY = {
    "elif": "if 0: pass\n" + "elif 0: pass\n" * 7_000,
    "decorators": "@a\n" * 19_000 + "def f(): pass",
    "constant dictionary": "x = {" + ",".join(f'"a{n}": 1' for n in range(8_000)) + "}",
    "indentation": "".join(" " * n + "if 1:\n" for n in range(300)),
    "nested functions": "".join(" " * n + "def f():\n" for n in range(95)) + " " * 95 + "pass",
    "patterns": "match 1:\n  case " + "[" * 9_000 + "]" * 9_000 + ": pass",
    "alternatives": "match 1:\n  case " + "1|" * 30_000 + "1: pass",
    "with": "with " + ",".join(["a"] * 20_000) + ": pass",
    "loops": "x = [1 " + "for a in b " * 8_000 + "]",
    "parameters": "def f(" + ",".join(f"a{n}" for n in range(13_000)) + "): pass",
    "arguments": "f(" + ",".join(f"a{n}=1" for n in range(9_000)) + ")",
    "folded repetition": "x = 'a' * 10**9",
    "folded tuple": "x = (1,) * 10**8",
    "folded shift": "x = 1 << 10**9",
    "folded power": "x = 9**9**9**9",
    "integer": "x = " + "9" * 90_000,
    "float": "x = " + "9" * 90_000 + ".0",
    "imports": "import " + ",".join(["json"] * 13_000),
    "types": "type X = " + "list[" * 9_000 + "int" + "]" * 9_000,
    "refusals": "\n".join(["exec(1)"] * 10_000),
    "refusals in a line": ";".join(["a.__b__"] * 10_000),
    "f-string": "x = f'" + "{1}" * 30_000 + "'",
}


IN_TYPESCRIPT = ("else if", "private names", "patterns", "decorators")
"""Where the compiler of types has a part of its own; the rest is the same in both."""


@pytest.mark.parametrize(
    ("name", "filename"),
    [(name, "bomb.js") for name in BOMBS_JS] + [(name, "bomb.ts") for name in IN_TYPESCRIPT],
)
def test_javascript_bombs(name: str, filename: str) -> None:
    failure = built(Language.JAVASCRIPT, BOMBS_JS[name] + JS_END, filename)
    assert failure is None or str(failure.code) in {"syntax", "timeout", "memory", "output"}, failure


@pytest.mark.parametrize("name", BOMBS_PY)
def test_python_bombs(name: str) -> None:
    failure = built(Language.PYTHON, BOMBS_PY[name] + PY_END)
    assert failure is None or str(failure.code) in {"syntax", "policy", "timeout", "memory", "output"}, (
        failure
    )


def test_a_bystander_is_exact_after_bombs() -> None:
    for language, text in (
        (Language.JAVASCRIPT, NESTED["brackets"](40_000)),
        (Language.PYTHON, NESTED["brackets"](40_000)),
        (Language.PYTHON, BOMBS_PY["refusals"]),
        (Language.JAVASCRIPT, BOMBS_JS["private names"]),
    ):
        built(language, text)
        canary()


@pytest.mark.parametrize("language", Language)
def test_sizes_at_the_cap_and_one_above(language: Language) -> None:
    mark, end = ("#", PY_END) if language is Language.PYTHON else ("//", JS_END)
    body = mark.ljust(MAX_SOURCE_BYTES - len(end), "a")
    assert built(language, body + end) is None
    failure = built(language, body + "a" + end)
    assert failure is not None
    assert failure.code == "output"
    lines = "\n" * (MAX_SOURCE_LINES - 1 - end.count("\n"))
    assert built(language, lines + end) is None
    failure = built(language, lines + "\n" + end)
    assert failure is not None
    assert failure.code == "output"


BREAK_OUTS_JS = [
    "}); globalThis.out = 1; (function () {",
    "}}); ({m() {",
    "}); exports.x = 1; ({ m() {",
    "return;\n}}); ({m() {",
    "})\n})//",
    "*/ }); /*",
    "}\n}, function () {",
    "`",
    "/*",
    "'use strict'; with (a) {}",
    "let exports",
    "super.x",
    "new.target",
    "#!x\n#!y",
    "<!--\n-->\n}",
    "\u2028})",
    "async () => { }}",
    "return (",
    "class A { #a } }",
]


@pytest.mark.parametrize("text", BREAK_OUTS_JS)
def test_no_text_ends_the_wrapper(text: str) -> None:
    failure = built(Language.JAVASCRIPT, text)
    assert failure is not None
    assert failure.code == "syntax"


TAILS_JS = ["// end", "/* end */", "\n-->", "\n//", "\n#", "\n/*"]


@pytest.mark.parametrize("tail", TAILS_JS)
def test_what_stands_at_the_end_swallows_nothing(tail: str) -> None:
    text = JS_END + tail
    if tail in ("\n#", "\n/*"):
        assert built(Language.JAVASCRIPT, text) is not None
        return
    assert printed(attack(source(text, Language.JAVASCRIPT), limits=PATIENT)) == ["ran"]


CHARACTERS = {
    "NUL": ("x = '\0'", "syntax", "syntax"),
    "NUL alone": ("\0", "syntax", "syntax"),
    "high surrogate": ("x = '\ud800'", "syntax", "syntax"),
    "low surrogate": ("x = '\udfff'", "syntax", "syntax"),
    "byte order mark": ("\ufeffx = 1", None, None),
    "two byte order marks": ("\ufeff\ufeffx = 1", None, "syntax"),
    "zip": ("PK\x03\x04\x14\x00\x00\x00", "syntax", "syntax"),
    "zip without NUL": ("PK\x03\x04\x14", "syntax", "syntax"),
    "WebAssembly": ("\0asm\x01\0\0\0", "syntax", "syntax"),
    "bytecode of QuickJS": ("\x05\x02\x0eabc", "syntax", "syntax"),
    "ELF": ("\x7fELF\x02\x01\x01", "syntax", "syntax"),
    "gzip": ("\x1f\x8b\x08", "syntax", "syntax"),
    "control Z": ("x = 1\x1a", "syntax", "syntax"),
    "carriage returns": ("x = 1\rx = 2\r", None, None),
    "form feed": ("\fx = 1", None, None),
    "bidi": ("x = 'a\u202eb'", None, None),
}


@pytest.mark.parametrize("name", CHARACTERS)
@pytest.mark.parametrize("language", Language)
def test_odd_characters(language: Language, name: str) -> None:
    text, in_javascript, in_python = CHARACTERS[name]
    expected = in_python if language is Language.PYTHON else in_javascript
    failure = built(language, text + (PY_END if language is Language.PYTHON else JS_END))
    assert (None if failure is None else str(failure.code)) == expected


COMPATIBLE = {
    "exec": "ｅxec('1')",
    "import": "import oｓ",
    "dunder": "x = ().__ｄict__",
    "underscore": "x = ()._﹍dict__",
    "attribute of a call": "x = (lambda: 0).__ｇlobals__",
    "keyword": "ｉmport os",
    "cookie of another encoding": "# -*- coding: utf-7 -*-\nx = ().+AF8AXw-dict__",
    "cookie of rot13": "# coding: rot13\nvzcbeg bf",
}


@pytest.mark.parametrize("name", COMPATIBLE)
def test_names_are_judged_as_python_reads_them(name: str) -> None:
    failure = built(Language.PYTHON, COMPATIBLE[name] + PY_END)
    assert failure is not None
    assert str(failure.code) in {"policy", "syntax"}


def test_a_cookie_changes_nothing() -> None:
    for cookie in ("utf-7", "latin-1", "nope", "utf-16"):
        text = f"# coding: {cookie}\nx = 'é+AGEAYg-'{PY_END}"
        assert printed(attack(source(text, Language.PYTHON), limits=PATIENT)) == ["ran"]


def test_a_bad_source_in_a_flow_is_a_typed_failure() -> None:
    ended(attack(source("(" * 50_000, Language.JAVASCRIPT)), "syntax")
    ended(attack(source("(" * 50_000, Language.PYTHON)), "syntax")
    ended(attack(source("[" * 50_000, Language.JAVASCRIPT, "a.ts")), {"syntax", "memory", "timeout"})
