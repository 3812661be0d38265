"""Commands and completions (threat-model K1 to K6): the host's list is what counts, whatever the guest does to
itself, and success is only what the host saw end well."""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

import json
import logging

import pytest

from runner.flow.runner import Runner
from runner.model.outcome import Decision
from sandbox.core.caps import Limits
from sandbox.core.program import Language, Request, Source
from sandbox.egress import NoEgress
from sandbox.execution import execute
from sandbox.port.live import LivePort
from sandbox.python.engine import PythonEngine
from tests.adversarial.arena import PATIENT, attack, commands, ended, printed, source
from tests.flow.actions import javascript, python
from tests.sandbox.javascript.test_robustness import SABOTAGE
from triggers import ActionSession, MemoryCache, Services, all_triggers, begin, get_trigger

SELF_HARM_PY = {
    "api member": "try: api.access.deny = lambda *a: None\nexcept Exception: pass",
    "api namespace": "try: api.access = None\nexcept Exception: pass",
    "class of api": "try: type(api).access = None\nexcept Exception: pass",
    "str": "str = lambda *a: ''",
    "print and len": "print = len = isinstance = lambda *a: None",
    "json": "import json\ntry: json.dumps = lambda *a, **k: '[]'\nexcept Exception: pass",
    "exceptions": "Exception = ValueError = TypeError = None",
    "event": "for name in dir(event):\n    try: setattr(event, name, None)\n    except Exception: pass",
    "loop": "import asyncio\nasyncio.get_running_loop().call_soon = None",
}  # fmt: skip


REPLACED_JS = [
    "api.access.deny = () => {}",
    "api.access = { deny() {} }",
    "delete api.access.deny; delete api.access",
    "try { Object.defineProperty(api.access, 'deny', { value() {} }) } catch {}",
    "try { Object.defineProperty(api, 'access', { value: { deny() {} } }) } catch {}",
    "Object.setPrototypeOf(api.access, { deny() {} })",
    "Object.assign(Object.getPrototypeOf(api.access), { deny() {} })",
    "api.access.deny.call = api.access.deny.apply = () => {}",
    "try { 'use strict'; api.access.deny = 1 } catch {}",
]


@pytest.mark.parametrize("sabotage", REPLACED_JS)
def test_members_of_the_api_cannot_be_replaced(sabotage: str) -> None:
    outcome = attack(javascript(f"{sabotage}; api.access.deny('no')"), limits=PATIENT)
    assert outcome.failure is None, outcome.failure
    assert outcome.decision is Decision.DENY


def test_members_of_ones_own_may_be_added() -> None:
    text = "api.mine = 1; api.access.mine = () => 2; console.log(api.mine, api.access.mine())"
    assert printed(attack(javascript(text), limits=PATIENT)) == ["1 2"]


@pytest.mark.parametrize("where", ["top", "handler"])
@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_a_deny_stays_a_deny_in_javascript(sabotage: str, where: str) -> None:
    top, inside = (sabotage, "") if where == "top" else ("", sabotage)
    text = f"{top};\nexports.onExecutePostLogin = async (event, api) => {{ {inside};\nawait null; api.access.deny('no', 'entry'); }};"
    outcome = attack(source(text, Language.JAVASCRIPT), limits=PATIENT)
    assert outcome.failure is None, outcome.failure
    assert outcome.decision is Decision.DENY
    assert [item[0] for item in commands(outcome)] == ["access.deny"]


@pytest.mark.parametrize("name", SELF_HARM_PY)
def test_a_deny_stays_a_deny_in_python(name: str) -> None:
    outcome = attack(python(f"{SELF_HARM_PY[name]}\napi.access.deny('no')"), limits=PATIENT)
    assert outcome.failure is None, outcome.failure
    assert outcome.decision is Decision.DENY


CHANGING_JS = {
    "toString": "let n = 0; const o = { toString: () => n++ ? 'evil' : 'good', toJSON: () => n++ ? 'evil' : 'good' }; api.user.setUserMetadata('a', o)",
    "getter": "let n = 0; api.user.setUserMetadata('a', { get a() { return n++ ? 'evil' : 'good' } })",
    "proxy": "let n = 0; api.user.setUserMetadata('a', new Proxy({ a: 1 }, { get: (t, k) => k === 'a' ? (n++ ? 'evil' : 'good') : undefined }))",
    "array proxy": "let n = 0; api.user.setUserMetadata('a', new Proxy(['x'], { get: (t, k) => k === 'length' ? 1 : n++ > 3 ? 'evil' : t[k] }))",
}
CHANGING_PY = {
    "str": "class S(str):\n    def __str__(self): return 'evil'\n    __repr__ = __str__\n    def encode(self, *a): return b'evil'\napi.user.set_user_metadata('a', S('good'))",
    "dict": "class D(dict):\n    def items(self): return [('a', 'evil')]\n    def __iter__(self): return iter(['evil'])\n    def __getitem__(self, k): return 'evil'\napi.user.set_user_metadata('a', D(a='good'))",
    "list": "class L(list):\n    def __iter__(self): return iter(['evil'])\n    def __len__(self): return 0\napi.user.set_user_metadata('a', L(['good']))",
    "int": "class I(int):\n    def __int__(self): return 666\n    def __str__(self): return 'evil'\n    __repr__ = __str__\napi.user.set_user_metadata('a', I(1))",
    "key": "class S(str):\n    def __str__(self): return 'evil'\n    def __hash__(self): return 1\n    def __eq__(self, o): return True\napi.user.set_user_metadata(S('a'), {S('good'): 1})",
}  # fmt: skip


@pytest.mark.parametrize("name", [*CHANGING_JS, *(f"python {name}" for name in CHANGING_PY)])
def test_what_is_checked_is_what_is_used(name: str) -> None:
    """Whatever a value says at its second reading, there is none."""
    action = python(CHANGING_PY[name[7:]]) if name.startswith("python ") else javascript(CHANGING_JS[name])
    outcome = attack(action, limits=PATIENT)
    assert outcome.failure is None, outcome.failure
    [(_, (key, value))] = commands(outcome)
    assert key == "a"
    assert outcome.effects.user_metadata == {"a": value}
    assert "evil" not in json.dumps(value)


# --- completions ---

NO_SUCCESS_JS = {
    "generator": "function* (event, api) { api.access.deny('x') }",
    "async generator": "async function* (event, api) { api.access.deny('x') }",
    "class": "class {}",
    "string": "'handler'",
    "object": "{}",
    "rejection": "(event, api) => Promise.reject(new Error('x'))",
    "rejection under a patched then": "(event, api) => { Promise.prototype.then = (f) => f(); return Promise.reject(new Error('x')) }",
    "own then": "(event, api) => Object.assign(Promise.reject(new Error('x')), { then(f) { f() } })",
    "process.exit": "(event, api) => process.exit(0)",
    "thrown undefined": "() => { throw undefined }",
    "thrown null": "() => { throw null }",
    "rejected with nothing": "() => Promise.reject()",
    "finally throws": "async () => { try { return 1 } finally { throw new Error('x') } }",
    "thenable rejects": "() => ({ then(_, reject) { reject(new Error('x')) } })",
    "thenable throws": "() => ({ then() { throw new Error('x') } })",
    "forged report": "() => { throw { name: 'Error', message: '', origin: 'ok', status: 0, ok: true } }",
}
NO_SUCCESS_PY = {
    "SystemExit": "raise SystemExit(0)",
    "SystemExit of nothing": "raise SystemExit",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
    "StopIteration": "raise StopIteration",
    "StopAsyncIteration": "raise StopAsyncIteration",
    "CancelledError": "import asyncio\nraise asyncio.CancelledError",
    "own BaseException": "class E(BaseException): pass\nraise E('x')",
    "group of exits": "raise BaseExceptionGroup('x', [SystemExit(0), KeyboardInterrupt()])",
    "cancelled task": "import asyncio\nasyncio.current_task().cancel()\nawait asyncio.sleep(0)",
    "stopped loop": "import asyncio\nasyncio.get_running_loop().stop()\nawait asyncio.sleep(0.01)",
    "closed loop": "import asyncio\nasyncio.get_running_loop().close()",
    "return in finally": "import asyncio\ntry: raise ValueError\nfinally: await asyncio.get_running_loop().create_future()",
    "bad yield": "class A:\n    def __await__(self): yield 5\nawait A()",
    "await of a number": "await 5",
}  # fmt: skip


@pytest.mark.parametrize("name", NO_SUCCESS_JS)
def test_no_odd_end_passes_for_success_in_javascript(name: str) -> None:
    outcome = attack(source(f"exports.onExecutePostLogin = {NO_SUCCESS_JS[name]};", Language.JAVASCRIPT))
    ended(outcome, {"throw", "handler", "unsettled"})
    assert outcome.decision is Decision.FAILED


@pytest.mark.parametrize("name", NO_SUCCESS_PY)
@pytest.mark.parametrize("kind", ["async def", "def"])
def test_no_odd_end_passes_for_success_in_python(name: str, kind: str) -> None:
    body = NO_SUCCESS_PY[name]
    if kind == "def" and ("await" in body or "current_task" in body or "loop" in body):
        pytest.skip("only in a coroutine")
    lines = "".join(f"    {line}\n" for line in f"api.user.set_user_metadata('a', 1)\n{body}".split("\n"))
    outcome = attack(source(f"{kind} on_execute_post_login(event, api):\n{lines}", Language.PYTHON))
    ended(outcome, {"throw", "unsettled"})
    assert outcome.effects.user_metadata == {}


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_python_generator_is_no_handler(kind: str) -> None:
    ended(
        attack(source(f"{kind} on_execute_post_login(event, api):\n    yield 1", Language.PYTHON)), "handler"
    )


PARTIAL = {
    "javascript spins": javascript("api.access.deny('x'); api.idToken.setCustomClaim('a', 1); for (;;);"),
    "javascript throws": javascript(
        "api.access.deny('x'); api.idToken.setCustomClaim('a', 1); throw new Error('x')"
    ),
    "javascript grows": javascript(
        "api.access.deny('x'); const a = []; for (;;) a.push(new Array(1e4).fill(1))"
    ),
    "javascript sends too much": javascript(
        "api.access.deny('x'); for (;;) api.idToken.setCustomClaim('a', 1)"
    ),
    "python spins": python("api.access.deny('x')\napi.id_token.set_custom_claim('a', 1)\nwhile True: pass"),
    "python throws": python("api.access.deny('x')\nraise ValueError('x')"),
    "python grows": python("api.access.deny('x')\na = []\nwhile True: a.append('x' * 1000 + str(len(a)))"),
}


@pytest.mark.parametrize("name", PARTIAL)
def test_a_failed_execution_commits_nothing(name: str) -> None:
    outcome = attack(PARTIAL[name])
    assert outcome.decision is Decision.FAILED
    assert outcome.effects.denial is None
    assert outcome.effects.id_token_claims == {}


def test_a_kept_api_belongs_to_nobody_later() -> None:
    """Whatever an Action keeps is gone with its instance; the same program runs again without it."""
    for action in (
        source("let kept; exports.onExecutePostLogin = (event, api) => { console.log(kept === undefined); kept = globalThis.kept = api; setTimeout(() => kept.access.deny('late'), 1) };", Language.JAVASCRIPT),
        source("kept = []\ndef on_execute_post_login(event, api):\n    print(not kept)\n    kept.append(api)", Language.PYTHON),
    ):  # fmt: skip
        for _ in range(3):
            outcome = attack(action)
            assert outcome.decision is Decision.ALLOW
            assert printed(outcome)[0].lower() == "true"


# --- forged calls with the shim taken over (the policy off) ---

FORGED = """
import wit_world.imports.host as host
def {handler}(event, api):
    for path in {paths!r}:
        for arguments in ('[]', '["x"]', '["x", "y"]', '[{{}}]', '{{', 'null', '[' * 1_000, '[NaN]', '[1e999]', '["\\\\ud800"]'):
            host.call("api." + path, arguments)
"""


@pytest.fixture(scope="module")
def taken_over() -> PythonEngine:
    """The Python sandbox where the whole of CPython, the host import included, is the tenant's."""
    return PythonEngine(pool_size=1, policy=False)


@pytest.mark.parametrize("trigger_id", [trigger.id for trigger in all_triggers()])
def test_commands_of_other_triggers_are_refused(taken_over: PythonEngine, trigger_id: str) -> None:
    """Each member of every trigger, called by name at the raw import: only the trigger's own are recorded."""
    trigger = get_trigger(trigger_id)
    own = {method.path for method in trigger.surface.methods}
    every = {method.path for other in all_triggers() for method in other.surface.methods}
    odd = ["", ".", "access", "__proto__.x", "access.deny.call", "constructor", "call", "\0", "x" * 200]
    foreign = [*sorted(every - own), *odd]
    text = FORGED.format(handler="handler", paths=foreign)
    program = taken_over.build(Source(Language.PYTHON, "forged.py", text), Limits())
    session = ActionSession(
        begin(trigger, trigger.example_event),
        Services(cache=MemoryCache()),
        action_index=0,
        secrets={},
        handler=trigger.execute_handler,
    )
    port = LivePort(session, NoEgress(), PATIENT)
    result = execute(taken_over, program, Request("handler", "{}", "{}"), PATIENT, port)
    assert result.failure is None, result.failure
    assert result.commands == ()
    assert session.halts is None


@pytest.mark.parametrize(
    ("call", "wall_ms", "codes"),
    [
        ("host.call('api.access.deny', '[]')", 120_000, {"output"}),
        ("host.call('random', '65536')", 120_000, {"output"}),
        ("host.call('log.info', 'x' * 1000)", 500, {"output", "timeout"}),
        ("host.start('fetch', '{}')", 500, {"output", "timeout"}),
        ("host.wait_any('1,2,3', 0)", 500, {"output", "timeout"}),
        ("host.call('x' * 5_000_000, 'y' * 5_000_000)", 500, {"timeout"}),
    ],
)
def test_floods_of_raw_calls_end_by_a_cap(
    taken_over: PythonEngine, call: str, wall_ms: int, codes: set[str]
) -> None:
    text = f"import wit_world.imports.host as host\ndef handler(event, api):\n    while True: {call}\n"
    program = taken_over.build(Source(Language.PYTHON, "flood.py", text), Limits())
    limits = Limits(wall_ms=wall_ms)
    trigger = get_trigger("post-login")
    session = ActionSession(
        begin(trigger, trigger.example_event),
        Services(cache=MemoryCache()),
        action_index=0,
        secrets={},
        handler=trigger.execute_handler,
    )
    result = execute(
        taken_over, program, Request("handler", "{}", "{}"), limits, LivePort(session, NoEgress(), limits)
    )
    assert result.failure is not None
    assert str(result.failure.code) in codes, result.failure


# --- logs ---

FORGERY = (
    'first\nsecond\r\x1b[31mred\x1b[0m\x00\u202eevil\u2066{"level":"error","tenant":"other"}\u2028\x9b2J'
)


@pytest.mark.parametrize("level", ["log", "info", "warn", "error", "debug"])
def test_a_line_is_one_entry_whatever_is_in_it(level: str) -> None:
    """The text stays data: level, time and tenant are the host's."""
    text = json.dumps(FORGERY)
    for action in (javascript(f"console.{level}({text})"), python(f"console.{level}({text})")):
        outcome = attack(action)
        [line] = outcome.actions[0].logs
        assert (line.level, outcome.tenant) == (level, "mallory")
        assert line.text == FORGERY
        assert json.loads(outcome.to_json())["actions"][0]["logs"][0]["text"] == FORGERY


def test_engine_output_does_not_reach_the_terminal(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """What engines would print by themselves goes nowhere; what a guest says is in its record only."""
    caplog.set_level(logging.WARNING)
    attack(javascript("console.error('to stderr?'); process.stdout.write('to stdout?\\n')"))
    attack(
        python(
            "import sys\nprint('to stdout?')\nprint('to stderr?', file=sys.stderr)\nraise ValueError('loud')"
        )
    )
    attack(python("import warnings\nwarnings.warn('loud')"))
    seen = capfd.readouterr()
    assert (seen.out, seen.err) == ("", "")
    assert "loud" not in caplog.text


def test_an_event_changed_by_one_action_is_whole_for_the_next(runner: Runner) -> None:
    """Threat-model I8, both ways between the languages."""
    event = get_trigger("post-login").example_event
    wreck_js = javascript(
        "for (const k of Object.keys(event)) { event[k] = null; delete event[k] } event.user = { email: 'x' }",
        name="a",
    )
    wreck_py = python("event.user.email = 'x'\nevent.user.app_metadata = None\nevent.request = {}", name="b")
    show_js = javascript(
        "console.log(JSON.stringify([event.user.email, Object.keys(event).length > 5]))", name="c"
    )
    show_py = python("print(event.user.email, event.request.ip)", name="d")
    outcome = runner.run("post-login", event, [wreck_js, show_py, wreck_py, show_js])
    assert outcome.failure is None, outcome.failure
    assert outcome.actions[1].logs[0].text == f"{event['user']['email']} {event['request']['ip']}"
    assert outcome.actions[3].logs[0].text == json.dumps(
        [event["user"]["email"], True], separators=(",", ":")
    )


@pytest.fixture
def runner() -> Runner:
    return Runner(egress=NoEgress())
