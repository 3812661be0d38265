"""Values on their way to the host: a clean error, or the conversion that the docs name."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.core.caps import MAX_API_ARGUMENT_BYTES, MAX_JSON_DEPTH
from sandbox.core.failure import FailureCode
from tests.sandbox.javascript.conftest import Run


def sent(succeed: Run, expression: str) -> Any:
    ran = succeed(f"exports.onExecutePostLogin = (event, api) => {{ api.user.deep.er({expression}); }};")
    return ran.api.calls[-1][1]


@pytest.mark.parametrize(
    ("expression", "arguments"),
    [
        ("1, 'two', true, null", [1, "two", True, None]),
        ("undefined", []),
        ("1, undefined, undefined", [1]),
        ("undefined, 1", [None, 1]),
        ("1, () => {}", [1]),
        ("Symbol('s'), undefined, { toJSON() {} }", []),
        ("() => {}, 1, class {}", [None, 1]),
        ("[undefined, () => {}, Symbol('s')]", [[None, None, None]]),
        ("{ a: undefined, b: () => {}, c: Symbol('s'), d: 1, [Symbol('k')]: 2 }", [{"d": 1}]),
        ("NaN, Infinity, -Infinity, -0", [None, None, None, 0]),
        ("1e21, 1.5, 9007199254740993", [1e21, 1.5, 9007199254740992]),
        ("new Date(0), new Date(NaN)", ["1970-01-01T00:00:00.000Z", None]),
        ("new String('s'), new Number(5), new Boolean(false)", ["s", 5, False]),
        ("{ toJSON(key) { return ['j', key] } }", [["j", "0"]]),
        ("new Map([[1, 2]]), new Set([1])", [{}, {}]),
        ("new (class { a = 1; #b = 2; get c() { return 3 } })()", [{"a": 1}]),
        ("{ get a() { return 'got' } }", [{"a": "got"}]),
        ("'\\ud800', { '\\udc00': 1 }", ["\ufffd", {"\ufffd": 1}]),
        ("'\\u0000\\u2028\\u{1F600}\"\\\\'", ['\0\u2028\U0001f600"\\']),
        ("new Uint8Array([1, 2])", [{"0": 1, "1": 2}]),
        ("[1, , 3]", [[1, None, 3]]),
        ("new URL('https://a.example/')", ["https://a.example/"]),
        ("Buffer.from('hi')", [{"type": "Buffer", "data": [104, 105]}]),
        ("Object.assign(Object.create({ inherited: 1 }), { own: 1 })", [{"own": 1}]),
        ("(() => { const o = {}; return [o, o] })()", [[{}, {}]]),
        ("new Proxy({ a: 1 }, {})", [{"a": 1}]),
        ("new Error('hidden')", [{}]),
    ],
)
def test_conversions(succeed: Run, expression: str, arguments: list[Any]) -> None:
    assert sent(succeed, expression) == arguments


SPOKEN = {
    "a": {"b": ["void", ["code", "reason"], None, ["reason"]]},
    "c": {"d": ["void", [], ["reason", "other"], ["reason"]], "e": ["promise", ["x"], ["y"], ["x", "y"]]},
}
OLD = "Object.assign(Object.create(Error.prototype), { message: 'm' })"


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("a.b(1, new Error('m'))", [1, "m"]),
        ("a.b(1, new (class Own extends RangeError {})('m'), 3)", [1, "m", 3]),
        ("a.b(new Error('m'), new Error('n'), new Error('o'))", [{}, "n", {}]),
        (f"a.b(1, {OLD})", [1, "m"]),
        ("a.b(1, new DOMException('m', 'AbortError'))", [1, "m"]),
        ("a.b(1, new AggregateError([new Error('inner')], 'm'))", [1, "m"]),
        ("a.b(1, new TypeError())", [1, "TypeError"]),
        ("a.b(1, Object.assign(new Error('m'), { toJSON() { return { secret: 1 } } }))", [1, "m"]),
        ("a.b(1, Object.assign(new Error('m'), { message: { deep: 1 } }))", [1, {"deep": 1}]),
        ("a.b(1, new Proxy(new Error('m'), {}))", [1, "m"]),
        ("a.b(1, { message: 'no error' })", [1, {"message": "no error"}]),
        ("a.b(1, 'text')", [1, "text"]),
        ("c.d({ reason: new Error('m'), other: new Error('n') })", [{"reason": "m", "other": {}}]),
        ("c.d({ other: { reason: new Error('m') } })", [{"other": {"reason": {}}}]),
        ("c.d(new Error('m'))", ["m"]),
        ("c.d({ get reason() { n += 1; return new Error('m' + n); } })", [{"reason": "m1"}]),
        ("c.e(new Error('m'), { y: new Error('n') })", ["m", {"y": "n"}]),
        ("a.b(1, Object.defineProperty(new Error('x'), 'message', { get() { throw 1 } }))", [1, {}]),
    ],
)
def test_an_error_stands_for_its_message_where_one_is_wanted(
    succeed: Run, call: str, arguments: list[Any]
) -> None:
    text = f"let n = 0; exports.onExecutePostLogin = async (event, api) => {{ await api.{call}; }};"
    assert succeed(text, surface=SPOKEN).api.calls[-1][1] == arguments


CAPS = ("levels deep", "256 KiB", "arguments")
"""How refusals begin that are about size."""


@pytest.mark.parametrize(
    ("expression", "name", "message"),
    [
        ("10n", "TypeError", "BigInt"),
        ("Object(10n)", "TypeError", "BigInt"),
        ("(() => { const o = {}; o.o = o; return o })()", "TypeError", "circular"),
        ("(() => { const a = []; a.push([a]); return a })()", "TypeError", "circular"),
        (
            f"JSON.parse('['.repeat({MAX_JSON_DEPTH}) + ']'.repeat({MAX_JSON_DEPTH}))",
            "RangeError",
            "levels deep",
        ),
        (f"'x'.repeat({MAX_API_ARGUMENT_BYTES})", "RangeError", "256 KiB"),
        ("Array.from({ length: 200_000 }, () => 'ab')", "RangeError", "256 KiB"),
        ("new Proxy({}, { ownKeys() { throw new TypeError('trap') } })", "TypeError", "trap"),
        ("{ get a() { throw new RangeError('getter') } }", "RangeError", "getter"),
        ("{ toJSON() { throw new RangeError('toJSON') } }", "RangeError", "toJSON"),
        (
            "(() => { let o = {}; for (let i = 0; i < 40; i++) o = { a: o, b: o }; return o })()",
            "RangeError",
            "256 KiB",
        ),
        ("'€'.repeat(150_000)", "RangeError", "arguments"),
    ],
)
def test_refusals_are_errors_in_the_guest(run: Run, expression: str, name: str, message: str) -> None:
    ran = run(f"exports.onExecutePostLogin = (event, api) => {{ api.user.deep.er({expression}); }};")
    assert (ran.failure.code, ran.failure.error_name) in {
        (FailureCode.THROW, name),
        (FailureCode.OUTPUT, name),
    }
    assert (ran.failure.code is FailureCode.OUTPUT) is (message in CAPS)
    assert message in ran.failure.message
    assert ran.api.calls == []


def test_nesting_at_the_cap_passes(succeed: Run) -> None:
    depth = MAX_JSON_DEPTH - 1
    expression = f"JSON.parse('['.repeat({depth}) + ']'.repeat({depth}))"
    value = sent(succeed, expression)[0]
    for _ in range(depth - 1):
        (value,) = value
    assert value == []


def test_each_getter_and_trap_is_asked_once(succeed: Run) -> None:
    ran = succeed(
        """exports.onExecutePostLogin = (event, api) => {
          let reads = 0, keys = 0;
          const o = new Proxy({ a: 1 }, {
            get(t, k) { if (k === 'a') reads++; return t[k]; },
            ownKeys(t) { keys++; return Reflect.ownKeys(t); },
          });
          api.user.deep.er(o);
          console.log(reads, keys);
        };"""
    )
    assert ran.log == ["1 1"]


def test_an_argument_that_answers_differently_each_time_is_taken_once(succeed: Run) -> None:
    ran = succeed(
        """exports.onExecutePostLogin = (event, api) => {
          let n = 0;
          api.access.deny({ get reason() { return ++n; } });
        };"""
    )
    assert ran.commands == [("access.deny", [{"reason": 1}])]


def test_the_event_arrives_as_it_is(succeed: Run) -> None:
    event = {
        "text": 'é\u2028\U0001f600"\\\0',
        "n": [1, 1.5, -0.0, 1e300],
        "deep": {"__proto__": {"x": 1}, "": None},
    }
    ran = succeed(
        """exports.onExecutePostLogin = (event, api) => {
          api.user.deep.er(event);
          console.log(event.absent, event.deep.absent?.more, Object.keys(event.deep).join());
        };""",
        event,
    )
    assert ran.api.calls[-1][1] == [event]
    assert ran.log == ["undefined undefined __proto__,"]
