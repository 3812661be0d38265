"""Recursion of every kind goes deep enough for parsers and walkers of trees, and ends as a RangeError."""

from __future__ import annotations

import pytest

from tests.sandbox.javascript.conftest import Run

LOCALS = "".join(f"let v{i} = n; " for i in range(300))
CALLS = {
    "function": ("const f = () => { n++; f(); }", 4_000),
    "three arguments": ("function f(a, b, c) { n++; return f(a, b, c) + 1; }", 3_700),
    "method": ("class A { m(x) { n++; let y = x + 1, z = [y]; return this.m(y) + z[0]; } }\n"
               "const a = new A(), f = () => a.m(1);", 3_500),
    "map": ("const f = () => { n++; return [1].map(f); }", 1_600),
    "apply": ("function f(a) { n++; return f.apply(null, [a]); }", 1_600),
    "getter": ("const o = { get x() { n++; return this.x; } }, f = () => o.x;", 3_000),
    "toString": ("const t = { toString() { n++; return `${t}`; } }, f = () => `${t}`;", 1_600),
    "replace": ("const f = () => { n++; return 'a'.replace(/a/, f); }", 900),
    "toJSON": ("const f = () => { n++; return JSON.stringify({ toJSON: f }); }", 1_000),
    "sort": ("const f = () => { n++; return [2, 1].sort(f); }", 800),
    "constructor": ("class B { constructor() { n++; new B(); } }\nconst f = () => new B();", 3_700),
    "spread": ("const f = (...a) => { n++; return f(...a); }", 3_300),
    "async": ("const f = async () => { n++; await f(); }", 1_900),
    "async generator": ("async function* g() { n++; for await (const x of g()) yield x; }\n"
                        "const f = async () => { for await (const x of g()); }", 1_500),
    "generator": ("function* g() { n++; yield* g(); }\nconst f = () => [...g()];", 1_800),
    "proxy": ("const p = new Proxy({}, { get(t, k, r) { n++; return r.x; } }), f = () => p.x;", 2_400),
    "Reflect.apply": ("const f = () => { n++; return Reflect.apply(f, null, []); }", 1_600),
    "bound": ("let f = (function () { n++; return f(); }).bind(null);", 2_000),
    "inspect": ("const { inspect } = require('util');\n"
                "const o = { [inspect.custom]() { n++; return inspect(o); } }, f = () => inspect(o);", 500),
    "reviver": ("const f = () => { n++; return JSON.parse('[1]', f); }", 700),
    "many locals": (f"function f() {{ n++; {LOCALS} return f() + v299; }}", 350),
}  # fmt: skip
"""A function `f` that counts its calls in `n`, and how many there are at least."""

NESTED = {
    "JSON.parse": "JSON.parse('['.repeat(depth) + ']'.repeat(depth))",
    "JSON.parse of objects": "JSON.parse('{\"a\":'.repeat(depth) + 1 + '}'.repeat(depth))",
    "JSON.stringify": "let v = []; for (let i = 0; i < depth; i++) v = [v]; JSON.stringify(v)",
    "JSON.stringify of objects": "let v = {}; for (let i = 0; i < depth; i++) v = { v }; JSON.stringify(v)",
    "structuredClone": "let v = []; for (let i = 0; i < depth; i++) v = [v]; structuredClone(v)",
    "flat": "let v = []; for (let i = 0; i < depth; i++) v = [v]; v.flat(Infinity)",
    "join": "let v = []; for (let i = 0; i < depth; i++) v = [v]; String(v)",
    "brackets": "Function('return ' + '('.repeat(depth) + 1 + ')'.repeat(depth))",
    "arrays": "Function('return ' + '['.repeat(depth) + ']'.repeat(depth))",
    "operators": "Function('return ' + '- '.repeat(depth) + 1)",
    "arrows": "Function('return ' + '()=>('.repeat(depth) + 1 + ')'.repeat(depth))",
    "templates": "Function('return ' + '`${'.repeat(depth) + 1 + '}`'.repeat(depth))",
    "blocks": "Function('{'.repeat(depth) + '}'.repeat(depth))",
    "conditionals": "Function('return ' + 'a?b:'.repeat(depth) + 1)",
}
"""What the engine itself recurses through, by `depth`."""


def reached(succeed: Run, body: str) -> list[str]:
    text = f"exports.onExecutePostLogin = async () => {{ let n = 0;\n{body}\n }}"
    return succeed(text).log


@pytest.mark.parametrize("name", CALLS)
def test_calls(succeed: Run, name: str) -> None:
    define, least = CALLS[name]
    body = (
        f"{define}\ntry {{ await f(); }} catch (e) {{ console.log(e instanceof RangeError, e.message, n); }}"
    )
    (line,) = reached(succeed, body)
    message, count = line.rsplit(" ", 1)
    assert message == "true Maximum call stack size exceeded"
    assert int(count) >= least


@pytest.mark.parametrize("name", NESTED)
def test_what_is_nested(succeed: Run, name: str) -> None:
    """1,000 levels work (of functions 300); without end, it is a RangeError, and the Action goes on."""
    body = "".join(
        f"try {{ const depth = {depth}; {NESTED[name]}; console.log('fine'); }}"
        " catch (e) { console.log(e instanceof RangeError, e.message); }\n"
        for depth in (300 if name == "arrows" else 1_000, 60_000)
    )
    assert reached(succeed, body) == ["fine", "true Maximum call stack size exceeded"]


def test_deep_json_of_the_size_that_v8_takes(succeed: Run) -> None:
    assert reached(succeed, "console.log(JSON.parse('['.repeat(15e3) + ']'.repeat(15e3)).length)") == ["1"]
