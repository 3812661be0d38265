"""Handlers are found where Node finds them, at the call and at build time alike, with the right `this`."""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

import pytest

import sandbox
from sandbox import Limits
from sandbox.core.failure import FailureCode
from tests.sandbox.javascript.conftest import HANDLER, Run, compiled

METHOD = f"{HANDLER}(event, api) {{ api.access.deny(this.why); }}"
FOUND = {
    "property": f"exports.why = 'x'; exports.{HANDLER} = function (event, api) {{ api.access.deny(this.why); }};",
    "object with a method": f"module.exports = {{ why: 'x', {METHOD} }};",
    "instance of a class": f"class H {{ why = 'x'; {METHOD} }} module.exports = new H();",
    "private field": f"class H {{ #why = 'x'; async {HANDLER}(event, api) {{ api.access.deny(this.#why); }} }} module.exports = new H();",
    "inherited": f"class A {{ {METHOD} }} class B extends A {{ constructor() {{ super(); this.why = 'x'; }} }} module.exports = new B();",
    "overridden": f"class A {{ {HANDLER}() {{ return 'x'; }} }} class B extends A {{ {HANDLER}(event, api) {{ api.access.deny(super.{HANDLER}()); }} }} module.exports = new B();",
    "arrow in a field": f"class H {{ why = 'x'; {HANDLER} = (event, api) => {{ api.access.deny(this.why); }}; }} module.exports = new H();",
    "static": f"class H {{ static why = 'x'; static {METHOD} }} module.exports = H;",
    "inherited static": f"class A {{ static {METHOD} }} class B extends A {{ static why = 'x'; }} module.exports = B;",
    "old-style class": f"function H() {{ this.why = 'x'; }} H.prototype.{HANDLER} = function (event, api) {{ api.access.deny(this.why); }}; module.exports = new H();",
    "made from a prototype": f"module.exports = Object.create({{ {METHOD} }}, {{ why: {{ value: 'x' }} }});",
    "without a prototype": f"module.exports = Object.assign(Object.create(null), {{ why: 'x', {METHOD} }});",
    "getter": f"module.exports = {{ why: 'x', get {HANDLER}() {{ const {{ why }} = this; return (event, api) => {{ api.access.deny(why); }}; }} }};",
    "getter of a class": f"class H {{ get {HANDLER}() {{ return function (event, api) {{ api.access.deny(this.why); }}; }} }} module.exports = Object.assign(new H(), {{ why: 'x' }});",
    "not enumerable": f"Object.defineProperty(exports, '{HANDLER}', {{ value: (event, api) => {{ api.access.deny('x'); }} }});",
    "function with members": f"module.exports = () => {{}}; module.exports.why = 'x'; module.exports.{HANDLER} = function (event, api) {{ api.access.deny(this.why); }};",
    "bound": f"const h = {{ why: 'x', {METHOD} }}; exports.{HANDLER} = h.{HANDLER}.bind(h);",
    "proxy of a function": f"exports.{HANDLER} = new Proxy((event, api) => {{ api.access.deny('x'); }}, {{}});",
    "proxy of an object": f"module.exports = new Proxy({{ why: 'x', {METHOD} }}, {{}});",
    "emitter": f"class H extends require('events') {{ why = 'x'; {METHOD} }} module.exports = new H();",
    "frozen": f"module.exports = Object.freeze({{ why: 'x', {METHOD} }});",
    "array": f"module.exports = Object.assign([], {{ why: 'x', {METHOD} }});",
    "one of many": f"for (let n = 0; n < 500; n += 1) exports['helper' + n] = () => n; exports.{HANDLER} = (event, api) => {{ api.access.deny('x'); }};",
    "beside a broken getter": f"module.exports = {{ get a() {{ throw new Error('no'); }}, why: 'x', {METHOD} }};",
}
MODULES = {
    "named": f"export const {HANDLER} = async (event: any, api: any) => {{ api.access.deny('x'); }};",
    "named function": f"export async function {HANDLER}(event: any, api: any) {{ api.access.deny('x'); }}",
    "renamed": f"const handle = async (event: any, api: any) => {{ api.access.deny('x'); }}; export {{ handle as {HANDLER} }};",
    "default object": f"export default {{ why: 'x', {METHOD.replace('event, api', 'event: any, api: any')} }};",
    "default instance": f"class H {{ private why = 'x'; async {HANDLER}(event: any, api: any) {{ api.access.deny(this.why); }} }}\nexport default new H();",
    "default class": f"export default class {{ static why = 'x'; static {HANDLER}(event: any, api: any) {{ api.access.deny(this.why); }} }}",
    "default by name": f"const handlers = {{ why: 'x', {METHOD.replace('event, api', 'event: any, api: any')} }}; export {{ handlers as default }};",
    "export assignment": f"class H {{ static why = 'x'; static {HANDLER}(event: any, api: any) {{ api.access.deny(this.why); }} }}\nexport = H;",
}
COMPILED = {
    "default of a compiler": f"Object.defineProperty(exports, '__esModule', {{ value: true }}); exports.default = {{ why: 'x', {METHOD} }};",
}


@pytest.mark.parametrize("name", FOUND | COMPILED)
def test_a_handler_is_called_and_listed_wherever_it_is(succeed: Run, name: str) -> None:
    text = (FOUND | COMPILED)[name]
    assert succeed(text).commands == [("access.deny", ["x"])]
    assert HANDLER in sandbox.exports(compiled(text))


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("filename", ["action.ts", "action.mts"])
def test_handlers_of_modules(succeed: Run, name: str, filename: str) -> None:
    if (name, filename) == ("export assignment", "action.mts"):
        pytest.skip("no ES module has it")
    assert succeed(MODULES[name], filename=filename).commands == [("access.deny", ["x"])]
    assert HANDLER in sandbox.exports(compiled(MODULES[name], filename))


def test_handlers_of_a_javascript_module(succeed: Run) -> None:
    text = f"export default {{ why: 'x', {METHOD} }};"
    assert succeed(text).commands == [("access.deny", ["x"])]
    assert sandbox.exports(compiled(text)) == (HANDLER,)


def test_a_proxy_that_lists_nothing_is_called_all_the_same(succeed: Run) -> None:
    text = (
        "const handlers = { deny: (event, api) => { api.access.deny('x'); } };"
        "module.exports = new Proxy({}, { get: () => handlers.deny, ownKeys: () => [] });"
    )
    assert succeed(text).commands == [("access.deny", ["x"])]
    assert sandbox.exports(compiled(text)) == ()
    assert sandbox.exports(compiled(text), wanted=[HANDLER, "other"]) == (HANDLER, "other")


def test_wanted_names_are_told_once_and_only_where_they_are_functions() -> None:
    text = f"exports.a = () => {{}}; exports.{HANDLER} = () => {{}}; exports.b = 1; exports.get = null;"
    assert sandbox.exports(compiled(text), wanted=["b", HANDLER, "c"]) == (HANDLER, "a")


def test_a_named_export_comes_before_the_default(succeed: Run) -> None:
    text = (
        f"export default {{ {HANDLER}(event, api) {{ api.access.deny('default'); }} }};"
        f"export const {HANDLER} = (event, api) => {{ api.access.deny('named'); }};"
    )
    assert succeed(text).commands == [("access.deny", ["named"])]


def test_a_default_counts_only_of_modules(run: Run) -> None:
    failure = run(f"exports.default = {{ {METHOD} }};").failure
    assert failure.code is FailureCode.HANDLER


def test_a_getter_that_throws_fails_as_in_node(run: Run) -> None:
    failure = run(f"module.exports = {{\n  get {HANDLER}() {{ throw new TypeError('no'); }} }};").failure
    assert (failure.code, failure.error_name, failure.message) == (FailureCode.THROW, "TypeError", "no")
    assert failure.place is not None
    assert failure.place.line == 2


def test_a_class_is_no_handler(run: Run) -> None:
    failure = run(f"exports.{HANDLER} = class {{}};").failure
    assert (failure.code, failure.error_name) == (FailureCode.THROW, "TypeError")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("class H { b() {} static s() {} a = 1; c = () => {}; get d() { return 1; } get e() { return () => {}; } } module.exports = new H();", ("c", "b", "e")),
        ("class A { a() {} } class B extends A { b() {} a() {} } module.exports = new B();", ("b", "a")),
        ("module.exports = class { static s() {} };", ("s",)),
        ("module.exports = async () => {};", ()),
        ("module.exports = Object.create(null);", ()),
        ("module.exports = 'text';", ()),
        ("module.exports = null;", ()),
        ("exports[Symbol('s')] = () => {}; exports['x'.repeat(10_000)] = () => {}; exports.f = () => {};", ("f",)),
    ],
)  # fmt: skip
def test_functions_are_listed_by_name(text: str, names: tuple[str, ...]) -> None:
    assert sandbox.exports(compiled(text)) == names


HOSTILE = {
    "endless prototypes": "const p = () => new Proxy({}, { getPrototypeOf: p }); module.exports = p();",
    "own prototype": "const p = new Proxy({}, { getPrototypeOf: () => p }); module.exports = p;",
    "traps that throw": "const no = () => { throw 1; }; module.exports = new Proxy({}, { ownKeys: no, getPrototypeOf: no });",
    "many long names": "for (let n = 0; n < 50_000; n += 1) exports['é'.repeat(90) + n] = () => {};",
    "patched": "Object.keys = Reflect.ownKeys = Object.getPrototypeOf = () => { throw 1; }; Array.prototype.push = null;",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_exports_are_listed_or_not_but_break_nothing(run: Run, name: str) -> None:
    assert len(sandbox.exports(compiled(HOSTILE[name]), Limits())) <= 1_000
    failure = run(HOSTILE[name]).failure
    assert failure.code is FailureCode.HANDLER
    assert len(failure.message) < 10_000
