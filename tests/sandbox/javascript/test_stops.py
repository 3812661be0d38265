"""Every way to run on, to grow and to recurse ends, with the right name and in time."""

from __future__ import annotations

import pytest

from sandbox import Limits
from sandbox.core.caps import MIB
from sandbox.core.failure import FailureCode
from tests.sandbox.javascript.conftest import Run

LIMITS = Limits(wall_ms=100, memory_bytes=48 * MIB)
CEILING_MS = 10_000
"""By when a stop is one at all, on a machine however busy; how late stops are is measured by `make bench`."""

LOOPS = {
    "for": "for (;;);",
    "catch all": "for (;;) { try { for (;;) { try { throw 1 } catch {} } } catch {} finally {} }",
    "finally": "try { throw 1 } finally { for (;;); }",
    "generator": "const i = (function* () { try { yield } finally { for (;;); } })(); i.next(); i.throw()",
    "regular expression": "/^(a+)+$/.test('a'.repeat(40) + 'b')",
    "regular expression two": "/(x+x+)+y/.exec('x'.repeat(60))",
    "big integer product": "let x = 3n ** 2000000n; for (;;) x = x * x % 10n ** 1000000n",
    "big integer text": "for (;;) (3n ** 300000n).toString()",
    "sort comparator": "[3, 2, 1].sort(() => { for (;;); })",
    "sort": "for (;;) Array.from({ length: 1e5 }, () => Math.random()).sort()",
    "JSON": "const o = []; for (let i = 0; i < 1e4; i++) o.push({ a: i }); for (;;) JSON.stringify(o)",
    "repeat": "for (;;) 'x'.repeat(1e6).split('')",
    "sparse array": "const a = []; a[4294967294] = 1; a.indexOf(5)",
    "sparse reverse": "const a = { length: 2 ** 53 - 1 }; Array.prototype.reverse.call(a)",
    "replace": "const a = 'a'.repeat(1e6); for (;;) a.replaceAll('a', 'b')",
    "normalize": "for (;;) '\\u0344'.repeat(1e5).normalize('NFKD')",
    "awaits": "for (;;) await null",
    "promise jobs": "const f = () => Promise.resolve().then(f); await f()",
    "promise flood": "const p = Promise.resolve(), f = () => { p.then(f); p.then(f) }; f(); for (;;) await p",
    "thenable": "await { then(resolve) { resolve(this) } }",
    "timers": "const f = () => setTimeout(f, 0); f(); await new Promise(() => {})",
    "immediates": "const f = () => setImmediate(f); f(); await new Promise(() => {})",
    "interval": "setInterval(() => {}, 1); await new Promise(() => {})",
    "sleep": "await new Promise((resolve) => setTimeout(resolve, 1e6))",
    "loop in a timer": "setTimeout(() => { for (;;); }, 1); await new Promise(() => {})",
    "getter in an argument": "api.access.deny({ get a() { for (;;); } })",
    "toJSON": "api.access.deny({ toJSON() { for (;;); } })",
    "proxy keys": "api.access.deny(new Proxy({}, { ownKeys() { for (;;); } }))",
    "message getter": "throw Object.defineProperty(new Error(), 'message', { get() { for (;;); } })",
    "toString of a cause": "throw new Error('x', { cause: { get [Symbol.toStringTag]() { for (;;); } } })",
    "prepareStackTrace": "Error.prepareStackTrace = () => { for (;;); }; throw new Error('x')",
    "custom inspect": "console.log({ [Symbol.for('nodejs.util.inspect.custom')]() { for (;;); } })",
    "log flood": "for (;;) console.log('x'.repeat(100))",
    "eval": "eval('for (;;);')",
    "Function": "new Function('for (;;);')()",
    "clock": "for (;;) Date.now()",
    "digest": "const b = new Uint8Array(4e6); for (;;) require('crypto').hash('sha512', b)",
    "decoding": "const b = new Uint8Array(4e6); for (;;) new TextDecoder().decode(b)",
    "encoding": "const s = '€'.repeat(1e6); for (;;) new TextEncoder().encode(s)",
    "URL": "for (;;) new URL('https://a.example/' + 'x'.repeat(1e5))",
    "clone": "const o = {}; o.o = o; for (;;) structuredClone(o)",
    "iterator": "[...{ [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) }]; for (;;);",
}

GROWTH = {
    "arrays": "const a = []; for (;;) a.push(new Array(1000).fill(1))",
    "buffers": "const a = []; for (;;) a.push(new ArrayBuffer(1e6))",
    "one buffer": "new ArrayBuffer(1e9)",
    "fill": "new Array(1e8).fill(0)",
    "spread": "Math.max(...new Array(1e7).fill(1))",
    "strings": "const a = []; for (let i = 0; ; i++) a.push(('x' + i).repeat(1e5))",
    "map": "const m = new Map(); for (let i = 0; ; i++) m.set(i, {})",
    "typed array copies": "const a = [new Uint8Array(1e6)]; for (;;) a.push(a[0].slice())",
    "in the top level": "",
}

RECURSION = {
    "function": "const f = () => f() + 1; f()",
    "mutual": "const a = () => b(), b = () => a(); a()",
    "getter": "const o = { get x() { return this.x } }; o.x",
    "toString": "const o = { toString() { return '' + o } }; '' + o",
    "proxy": "const p = new Proxy({}, { get(t, k, r) { return r[k] } }); p.x",
    "JSON.parse": "JSON.parse('['.repeat(1e5))",
    "JSON.stringify": "let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; JSON.stringify(o)",
    "parser": "eval('('.repeat(50000))",
    "apply": "function f() { f.apply(null, []) } f()",
    "sort": "const f = () => [2, 1].sort(f); f()",
    "constructor": "class A { constructor() { new A() } } new A()",
    "async": "const f = async () => { await f() }; await f()",
    "generator": "function* g() { yield* g() } [...g()]",
    "replace": "const f = () => 'a'.replace('a', f); f()",
    "structuredClone": "let o = {}; for (let i = 0; i < 50000; i++) o = { o }; structuredClone(o)",
    "flat": "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; a.flat(Infinity)",
}


def action(body: str) -> str:
    return f"exports.onExecutePostLogin = async (event, api) => {{ {body} }};"


@pytest.mark.parametrize("name", LOOPS)
def test_running_on(run: Run, name: str) -> None:
    ran = run(action(LOOPS[name]), limits=LIMITS)
    assert ran.failure.code in {FailureCode.TIMEOUT, FailureCode.MEMORY, FailureCode.OUTPUT}, ran.failure
    assert ran.result.statistics.wall_ms < CEILING_MS


def test_running_on_at_the_top_level(run: Run) -> None:
    failure = run("for (;;);", limits=LIMITS).failure
    assert failure.code is FailureCode.TIMEOUT
    assert failure.message == "The Action ran longer than its limit of 100 ms."


def test_a_deny_before_a_timeout_does_not_count(run: Run) -> None:
    ran = run(action("api.access.deny('x'); for (;;);"), limits=LIMITS)
    assert ran.failure.code is FailureCode.TIMEOUT
    assert ran.commands == []


@pytest.mark.parametrize("name", GROWTH)
def test_growing(run: Run, name: str) -> None:
    limits = Limits(wall_ms=120_000, memory_bytes=48 * MIB)
    text = action(GROWTH[name]) if GROWTH[name] else "const a = []; for (;;) a.push(new Array(1000).fill(1));"
    ran = run(text, limits=limits)
    assert ran.failure.code is FailureCode.MEMORY, ran.failure
    assert "48 MiB" in ran.failure.message
    assert ran.result.statistics.peak_memory_bytes <= limits.memory_bytes


def test_memory_that_is_refused_can_be_caught(succeed: Run) -> None:
    ran = succeed(
        action("try { new ArrayBuffer(1e9) } catch (e) { console.log(e instanceof Error, e.message) }"),
        limits=Limits(wall_ms=120_000, memory_bytes=48 * MIB),
    )
    assert ran.log == ["true out of memory"]


def test_an_error_that_only_sounds_like_memory_is_a_throw(run: Run) -> None:
    assert run(action("throw new Error('out of memory')")).failure.code is FailureCode.THROW


@pytest.mark.parametrize("name", RECURSION)
def test_recursing(run: Run, name: str) -> None:
    ran = run(action(RECURSION[name]), limits=Limits(wall_ms=120_000))
    assert ran.failure.code is FailureCode.STACK, ran.failure


def test_recursion_is_a_range_error_to_the_guest(succeed: Run) -> None:
    ran = succeed(
        action(
            "try { (function f() { f() })() } catch (e) { console.log(e instanceof RangeError, e.message) }"
        )
    )
    assert ran.log == ["true Maximum call stack size exceeded"]


@pytest.mark.parametrize("memory", [32 * MIB, 64 * MIB])
def test_recursion_of_a_usual_depth_works(succeed: Run, memory: int) -> None:
    ran = succeed(
        action("const f = (n) => n ? f(n - 1) + 1 : 0; console.log(f(300))"),
        limits=Limits(memory_bytes=memory),
    )
    assert ran.log == ["300"]


def test_output_caps_of_the_port_stop_the_guest(run: Run) -> None:
    ran = run(
        action("for (;;) try { api.access.deny('x') } catch {}"), limits=Limits(wall_ms=120_000, commands=10)
    )
    assert ran.failure.code is FailureCode.OUTPUT
    assert len(ran.api.calls) <= 11


def test_an_execution_after_each_stop_is_exact(run: Run, succeed: Run) -> None:
    for body in (
        "for (;;);",
        "const f = () => f(); f()",
        "const a = []; for (;;) a.push(new Array(1e5).fill(1))",
    ):
        assert run(action(body), limits=LIMITS).failure is not None
        assert succeed(action("console.log('fine')")).log == ["fine"]


@pytest.mark.parametrize(
    "expression",
    [
        "/(?:a|b)*c/.test('ab'.repeat(5_000_000))",
        "/(.|\\n)*z/.test('a'.repeat(20_000_000))",
        "'a'.repeat(9_000_000).replace(/(a)(a)*/, '$1')",
        "'ab'.repeat(8_000_000).match(/((a)|(b))*c/)",
    ],
)
def test_a_regular_expression_that_takes_too_much_memory(run: Run, expression: str) -> None:
    failure = run(f"exports.onExecutePostLogin = () => {{ {expression}; }};").failure
    assert failure.code is FailureCode.MEMORY
    assert failure.detail["limit"] == "memory_bytes"


def test_an_action_that_says_so_has_not_run_out_of_memory(run: Run) -> None:
    text = "exports.onExecutePostLogin = () => { throw new SyntaxError('out of memory'); };"
    assert run(text).failure.code is FailureCode.THROW
