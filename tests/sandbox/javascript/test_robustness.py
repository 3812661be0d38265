"""A tenant may break every built-in; what they asked the host for stays what it was."""

from __future__ import annotations

import pytest

from sandbox.core.failure import FailureCode
from tests.sandbox.javascript.conftest import Evaluate, Run
from tests.sandbox.ports import FakeApi

SABOTAGE = [
    "JSON.stringify = () => '[]'",
    "JSON.parse = () => ({})",
    "Promise = function () { throw 1 }",
    "Promise.prototype.then = function () { throw 1 }",
    "Promise.resolve = () => { throw 1 }",
    "Object.defineProperty(Promise.prototype, 'constructor', { get() { throw 1 } })",
    "Array.prototype.push = () => { throw 1 }",
    "Array.prototype.map = () => { throw 1 }",
    "Array.prototype.toJSON = () => ['allow']",
    "Object.prototype.toJSON = () => ['allow']",
    "String.prototype.toJSON = () => 'allow'",
    "Array.prototype[Symbol.iterator] = () => { throw 1 }",
    "Object.defineProperty = () => { throw 1 }",
    "Object.keys = () => []",
    "Reflect.apply = () => { throw 1 }",
    "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw 1 }",
    "Map.prototype.get = Map.prototype.set = WeakMap.prototype.get = () => { throw 1 }",
    "WeakSet.prototype.has = () => true",
    "String.prototype.slice = String.prototype.toWellFormed = () => ''",
    "String.prototype.split = () => []",
    "Number.prototype.toString = () => 'x'",
    "Object.defineProperty(Array.prototype, '0', { set(v) { throw 1 }, get() { return 'allow' } })",
    "Object.defineProperty(Object.prototype, 'value', { set(v) { throw 1 }, get() { return 'evil' } })",
    "Object.defineProperty(Object.prototype, 'get', { value: () => 'evil', configurable: true })",
    "Object.defineProperty(Object.prototype, 'error', { get() { throw 1 } })",
    "Object.defineProperty(Object.prototype, 'event', { get() { throw 1 } })",
    "Object.defineProperty(Object.prototype, 'room', { set(v) { throw 1 } })",
    "Object.freeze(Object.prototype)",
    "Error = function () { throw 1 }; TypeError = RangeError = null",
    "Error.prototype.toString = () => { throw 1 }; Error.prepareStackTrace = () => { throw 1 }",
    "String = Number = Boolean = BigInt = Symbol = Object = Array = null",
    "Array.isArray = () => { throw 1 }",
    "for (const k of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[k] } catch {}",
    "Object.setPrototypeOf(globalThis, null)",
    "Object.setPrototypeOf(Function.prototype, {})",
    "RegExp.prototype.exec = () => { throw 1 }",
    "Date.now = Math.random = () => { throw 1 }; Date = null",
    "Date.prototype.toISOString = Date.prototype.toJSON = () => 'x'",
    "Object.getPrototypeOf(async function () {}).then = 1",
    "console = process = null; setTimeout = queueMicrotask = () => { throw 1 }",
]


@pytest.mark.parametrize("sabotage", SABOTAGE)
@pytest.mark.parametrize("where", ["top level", "handler"])
def test_a_deny_stays_a_deny(succeed: Run, sabotage: str, where: str) -> None:
    top, inside = (sabotage, "") if where == "top level" else ("", sabotage)
    ran = succeed(
        f"""{top};
        exports.onExecutePostLogin = async (event, api) => {{ {inside};
          await null;
          api.access.deny('reason', {{ a: [1, 'x', null, true], d: {{ q: 1 }} }});
        }};""",
        api=FakeApi(access__deny={"recorded": True, "event": [(["user", "x"], {"y": 1})]}),
    )
    assert ran.commands == [("access.deny", ["reason", {"a": [1, "x", None, True], "d": {"q": 1}}])]


@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_a_failure_stays_a_failure(run: Run, sabotage: str) -> None:
    ran = run(f"exports.onExecutePostLogin = (event, api) => {{ {sabotage}; event.user.name.first; }};")
    assert ran.failure.code is FailureCode.THROW


@pytest.mark.parametrize(
    "handler",
    [
        "() => ({ then() {} })",
        "() => ({ then(resolve) { resolve({ then() {} }) } })",
        "() => Object.defineProperty(Promise.reject(new Error('x')), 'then', { value(f) { f() } })",
        "() => { Promise.prototype.then = (f) => f(); return Promise.reject(new Error('x')) }",
        "async () => { Promise.prototype.then = (f) => f(); throw new Error('x') }",
        "async () => { await { then(resolve, reject) { reject(new Error('x')) } } }",
        "async () => { try { return 1 } finally { throw new Error('x') } }",
    ],
)
def test_no_pretended_completion(run: Run, handler: str) -> None:
    ran = run(f"exports.onExecutePostLogin = {handler};")
    assert ran.failure.code in {FailureCode.THROW, FailureCode.UNSETTLED}


@pytest.mark.parametrize(
    "handler",
    [
        "function* (event, api) { api.access.deny('never') }",
        "async function* (event, api) { api.access.deny('never') }",
        "(event, api) => (function* () { api.access.deny('never') })()",
    ],
)
def test_a_handler_that_is_a_generator_does_not_pass_for_one_that_ran(run: Run, handler: str) -> None:
    failure = run(f"exports.onExecutePostLogin = {handler};").failure
    assert failure.code is FailureCode.HANDLER
    assert "generator" in failure.message


def test_thenables_are_awaited(succeed: Run) -> None:
    ran = succeed(
        """exports.onExecutePostLogin = (event, api) => ({
          then(resolve) { setTimeout(() => { api.access.deny('later'); resolve(); }, 1) },
        });"""
    )
    assert ran.commands == [("access.deny", ["later"])]


def test_the_host_function_is_nowhere_to_be_found(evaluate: Evaluate) -> None:
    found = evaluate(
        """(() => {
          const seen = new Set(), hits = [];
          const visit = (value, path) => {
            if (Object(value) !== value || seen.has(value)) return;
            seen.add(value);
            if (typeof value === 'function' && value.name === 'host') hits.push(path);
            for (const key of Reflect.ownKeys(value)) {
              const d = Object.getOwnPropertyDescriptor(value, key);
              for (const part of [d.value, d.get, d.set]) visit(part, path + '.' + String(key));
            }
            visit(Object.getPrototypeOf(value), path + '.[[Prototype]]');
          };
          visit(globalThis, 'globalThis'); visit(api, 'api'); visit(require, 'require');
          return [hits, seen.size > 1000];
        })()"""
    )
    assert found == [[], True]


@pytest.mark.parametrize(
    "name", ["SharedArrayBuffer", "Atomics", "WebAssembly", "Worker", "InternalError", "details"]
)
def test_what_must_not_exist(evaluate: Evaluate, name: str) -> None:
    assert evaluate(f"typeof {name} + ' in ' + ({name!r} in globalThis)") == "undefined in false"


def test_the_prelude_shows_no_source(evaluate: Evaluate) -> None:
    assert "native code" in str(evaluate("fetch.toString()"))


def test_eval_and_the_function_constructor_stay_inside(evaluate: Evaluate) -> None:
    assert evaluate(
        "[eval('1 + 1'), new Function('a', 'return a * 2')(4), typeof eval('globalThis.host')]"
    ) == [
        2,
        8,
        "undefined",
    ]


def test_dynamic_import_finds_what_require_finds(run: Run) -> None:
    text = (
        "exports.onExecutePostLogin = async () => {\n"
        "  const crypto = await import('node:crypto'); const name = 'cryp' + 'to';\n"
        "  console.log(crypto.createHash === require('crypto').createHash,\n"
        "    typeof crypto.default.createHash);\n"
        "  console.log((await import(name)).createHash === crypto.createHash);\n"
        "  await import('absent').catch((e) => console.log(e.code));\n"
        "  await import('fs');\n};"
    )
    ran = run(text)
    assert ran.log == ["true function", "true", "MODULE_NOT_FOUND"]
    assert ran.failure.code is FailureCode.THROW
    assert ran.failure.message == "Cannot use module 'fs' in an Action: there are no files."
    assert ran.failure.place is not None
    assert ran.failure.place.line == 7


def test_secrets_of_an_execution_reach_no_other(run: Run) -> None:
    run(
        "globalThis.leak = 1; exports.onExecutePostLogin = (e) => { Object.prototype.leak = e.secret }",
        {"secret": "s"},
    )
    after = run("exports.onExecutePostLogin = () => console.log(typeof leak, ({}).leak)")
    assert after.log == ["undefined undefined"]


@pytest.mark.parametrize(
    ("name", "expression", "expected"),
    [
        ("Buffer", "require('stream/consumers').text(require('stream').Readable.from(['a']))", "a"),
        ("Blob", "(await require('stream/consumers').blob(require('stream').Readable.from(['a']))).size", 1),
        ("AbortController", "require('util').transferableAbortController().signal.aborted", False),
        ("AbortSignal", "typeof require('events').addAbortListener(signal, () => {})", "object"),
        ("URL", "typeof require('module').createRequire('file:///action.js')", "function"),
    ],
)
def test_modules_of_node_need_no_global_that_an_action_may_replace(
    evaluate: Evaluate, name: str, expression: str, expected: object
) -> None:
    before = f"const {{ signal }} = new AbortController(); globalThis.{name} = undefined;"
    assert evaluate(expression, before) == expected
