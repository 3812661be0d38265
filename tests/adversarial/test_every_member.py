"""Every member of every trigger's api, called from inside both guests with whatever a language can make: the
guest meets its own errors or typed ones, and the flow a typed end."""

# ruff: noqa: E501 - programs as text

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runner.flow.handlers import snake_case
from runner.model.action import Action
from sandbox.core.caps import MIB, Limits
from sandbox.core.program import Language
from tests.adversarial.arena import PATIENT, attack, canary, printed, run, source
from tests.flow.actions import javascript, python
from triggers import Trigger, all_triggers

WALK_JS = """
const cycle = []; cycle.push(cycle);
let deep = 1; for (let i = 0; i < 100; i++) deep = [deep];
const wild = [undefined, null, NaN, -0, 1e308, 10n, Symbol('s'), '', '\\ud800', '__proto__', 'x'.repeat(5000),
  () => 1, class {}, new Date(NaN), /x/, new Map([[1, 2]]), new Proxy({}, { get() { throw 1 } }),
  { get a() { throw new RangeError('mine') } }, { toJSON() { throw 'mine' } }, { then(f) { f(1) } }, cycle, deep,
  Object.create(null), [, 1], new Uint8Array(9), new Error("x"), { secret: 's'.repeat(32), payload: {} },
  { url: 'javascript:1' }, [{ type: 'otp' }], api, event];
let calls = 0, odd = 0;
const own = [RangeError, TypeError, Error];
const walk = async (node, path) => {
  for (const name of Object.keys(node)) {
    const member = node[name];
    if (typeof member !== 'function') { await walk(member, path + '.' + name); continue }
    for (const value of wild) for (const args of [[value], ['a', value]]) {
      calls++;
      try { await member.apply(node, args) } catch (error) {
        if (!(own.some((kind) => error instanceof kind) || error === 1 || error === 'mine')) {
          odd++; console.log(path, name, String(error));
        }
      }
    }
  }
};
await walk(api, 'api');
console.log(calls > 50, odd);
"""

WALK_PY = """
import asyncio, datetime, decimal, inspect
cycle = []
cycle.append(cycle)
deep = 1
for _ in range(100): deep = [deep]
class Liar(str):
    def __str__(self): raise KeyError('mine')
    __repr__ = __str__
class Broken(dict):
    def items(self): raise KeyError('mine')
    def __iter__(self): raise KeyError('mine')
wild = [None, float('nan'), -0.0, 10**400, 1j, '', '\\ud800', '__proto__', 'x' * 5000, b'x', print, Liar('x'), Broken(a=1),
    datetime.datetime.max, decimal.Decimal('nan'), cycle, deep, {1: 2}, {(1, 2): 3}, {None: 1}, {1, 'a'}, range(5),
    (i for i in [1]), ValueError('x'), {'secret': 's' * 32, 'payload': {}}, {'url': 'javascript:1'}, [{'type': 'otp'}],
    api, event, asyncio]
calls = odd = 0
async def walk(node, path):
    global calls, odd
    for name in dir(node):
        member = getattr(node, name)
        if not callable(member):
            await walk(member, path + '.' + name)
            continue
        for value in wild:
            for args in ((value,), ('a', value), (value, value)):
                calls += 1
                try:
                    result = member(*args)
                    if inspect.isawaitable(result): await result
                except (ValueError, TypeError, ApiError): pass
                except Exception as error:
                    odd += 1
                    print(path, name, type(error).__name__)
await walk(api, 'api')
print(calls > 50, odd)
"""


def action(trigger: Trigger, language: Language) -> Action:
    handler = trigger.execute_handler
    if language is Language.JAVASCRIPT:
        return source(f"exports.{handler} = async (event, api) => {{ {WALK_JS} }};", language)
    body = WALK_PY.replace("    global calls, odd\n", "    nonlocal calls, odd\n").replace("\n", "\n    ")
    return source(f"async def {snake_case(handler)}(event, api):{body}", language)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("trigger_id", [trigger.id for trigger in all_triggers()])
def test_every_member_with_anything(trigger_id: str, language: Language) -> None:
    trigger = next(trigger for trigger in all_triggers() if trigger.id == trigger_id)
    limits = Limits(wall_ms=300_000, memory_bytes=96 * MIB, commands=100_000, command_bytes=32 * MIB)
    outcome = attack(action(trigger, language), trigger=trigger_id, limits=limits)
    lines = printed(outcome)
    assert lines, outcome.failure
    assert lines[-1].lower() == "true 0", lines
    if outcome.failure is not None:
        assert str(outcome.failure.code) == "invalid_command", outcome.failure


@contextmanager
def beside(attacks: list[Action]) -> Iterator[list[str]]:
    """`attacks` over and over on threads of their own while the body runs; yields how each ended."""
    over = threading.Event()
    ends: list[str] = []

    def storm(attacker: Action) -> None:
        while not over.is_set():
            failure = run(attacker).failure
            ends.append("" if failure is None else str(failure.code))

    threads = [threading.Thread(target=storm, args=(attacker,)) for attacker in attacks]
    for thread in threads:
        thread.start()
    try:
        yield ends
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_bystanders_are_exact_while_attacks_run_beside_them() -> None:
    """On one process, at the same time: spinning, growing, recursing, flooding, trapping."""
    attacks = [
        javascript("for (;;);"),
        javascript("const a = []; for (;;) a.push(new Array(1e5).fill(1))"),
        python("def f(): f()\nf()"),
        python("import time\nwhile True:\n    print('x' * 100)\n    time.time()"),
    ]
    with beside(attacks) as ends:
        for _ in range(12):
            canary()
    assert ends
    assert set(ends) <= {"timeout", "memory", "stack", "output"}
    assert attack(javascript("console.log(1)"), limits=PATIENT).failure is None
