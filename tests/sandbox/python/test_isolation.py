"""Executions know nothing of each other, and nothing of the image they start from."""

# ruff: noqa: E501 - programs of one line

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.core.caps import Limits
from sandbox.core.program import Request
from sandbox.egress.none import NoEgress
from sandbox.execution import execute
from sandbox.port.live import LivePort
from sandbox.port.replay import ReplayPort
from sandbox.python.engine import PythonEngine
from sandbox.python.image import load_image
from sandbox.python.instance import Guest
from tests.sandbox.ports import FakeApi
from tests.sandbox.python.actions import SURFACE, Runner


def test_nothing_survives_an_execution(open_runner: Runner) -> None:
    """Without the policy, where everything can be marked."""
    mark = """
import sys, builtins, json, os, gc
seen = [m.__name__ for m in list(sys.modules.values()) if getattr(m, "__mark__", False)]
print(seen, os.environ.get("MARK"), getattr(builtins, "MARK", None), "marked" in sys.modules, json.loads("1"))
for module in list(sys.modules.values()):
    try:
        module.__mark__ = True
    except Exception:
        pass
os.environ["MARK"] = "x"
builtins.MARK = "x"
sys.modules["marked"] = sys
json.loads = lambda text: "marked"
import actionbox.names
actionbox.names.UNRESTRICTED["len"] = None
def on_execute_post_login(event, api): pass
"""
    for _ in range(4):
        result = open_runner.run(mark)
        assert result.failure is None, result.failure
        assert [line.text for line in result.logs] == ["[] None None False 1"]


FILLS = """
import builtins, gc, sys
kept = [bytearray(b"secret of a tenant " * 50_000) for _ in range(20)]
for value in gc.get_objects():
    if type(value) is dict:
        value["left behind"] = kept
builtins.left = kept
sys.setrecursionlimit(5_000)
def deep(n): return n and deep(n - 1)
deep(900)
async def on_execute_post_login(event, api): print(len(kept), "written")
"""


def test_a_used_memory_starts_again_as_the_image(open_runner: Runner) -> None:
    """Byte for byte, after an Action that wrote all over it (threat-model I1)."""
    image = load_image()
    guest = Guest(image.engine, image.component)

    def fresh() -> bytes:
        instance = guest.instantiate()
        try:
            return image.memories.contents()[-1]
        finally:
            instance.close()

    before = fresh()
    program = open_runner.build(FILLS)
    request = Request("onExecutePostLogin", json.dumps({"id": "x" * 1000}), json.dumps(SURFACE))
    engine = PythonEngine(policy=False, pool_size=0)
    engine._pool._guest = guest
    for _ in range(3):
        port = LivePort(FakeApi(), NoEgress(), Limits())
        result = execute(engine, program, request, Limits(), port)
        assert [line.text for line in result.logs] == ["20 written"], result.failure
        assert image.memories.idle == 1
        assert fresh() == before
    assert b"secret of a tenant" not in before


RANDOM = """
import random, uuid, secrets
async def on_execute_post_login(event, api):
    print(random.random(), random.Random().random(), random.SystemRandom().random(), uuid.uuid4(), uuid.uuid7(),
          secrets.token_hex(8), random.getrandbits(64), random.sample(range(1000), 3), sep="|")
"""


def test_random_values_differ_in_every_execution(runner: Runner) -> None:
    program = runner.build(RANDOM)
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: runner.start(program), range(8)))
    rows = [result.logs[0].text.split("|") for result in results]
    for column in zip(*rows, strict=True):
        assert len(set(column)) == len(rows), column


def test_random_values_differ_in_fresh_engines() -> None:
    """Right after start, from the image, without warmed instances."""
    texts = set()
    for _ in range(2):
        engine = PythonEngine(pool_size=0)
        texts.add(Runner(engine).run(RANDOM).logs[0].text)
        engine.close()
    assert len(texts) == 2


def test_seeding_is_possible(runner: Runner) -> None:
    lines = "import random\nrandom.seed(1)\na = random.random()\nrandom.seed(1)\nprint(a == random.random())"
    assert runner.printed(lines) == ["True"]


def test_clocks_are_the_hosts(runner: Runner) -> None:
    lines = """
        import time, datetime
        print(time.time(), datetime.datetime.now(datetime.UTC).timestamp(), time.time_ns() % 1_000_000)
        print(datetime.date.today() == datetime.datetime.now().date(), time.monotonic() < 60, time.tzname)
    """
    before = time.time()
    first, second = runner.printed(lines)
    after = time.time()
    wall, now, rest = first.split()
    assert before - 0.01 <= float(wall) <= float(now) + 0.001 <= after + 0.01
    assert rest == "0"
    assert second == "True True ('UTC', 'UTC')"


def test_the_monotonic_clock_starts_with_the_execution(runner: Runner) -> None:
    time.sleep(0.3)
    assert runner.printed("import time\nprint(time.perf_counter() < 0.25)") == ["True"]


def test_clock_resolution_is_a_millisecond(runner: Runner) -> None:
    lines = """
        import time
        seen = {time.perf_counter_ns() % 1_000_000 for _ in range(2_000)} | {time.time_ns() % 1_000_000}
        print(seen)
    """
    assert runner.printed(lines) == ["{0}"]


REPLAYED = """
import asyncio, datetime, random, time, uuid
async def on_execute_post_login(event, api):
    print(uuid.uuid4(), random.random(), datetime.datetime.now(), time.monotonic())
    await asyncio.gather(asyncio.sleep(0.02), asyncio.sleep(0.01))
    print({str(i) for i in range(50)}, id(event), hash("x"), object())
    value = api.cache.get("k")
    api.access.deny(f"{value} {random.random()} {time.time()}")
    try:
        await fetch("https://example.com/")
    except FetchError as error:
        print(error.rule)
"""


def test_a_replay_is_the_same_bit_by_bit(runner: Runner) -> None:
    program = runner.build(REPLAYED)
    recorded = runner.start(program, {"a": 1}, api=FakeApi(cache__get={"ok": {"v": 1}}))
    assert recorded.failure is None, recorded.failure
    for _ in range(3):
        port = ReplayPort(recorded.journal)
        request = Request("onExecutePostLogin", json.dumps({"a": 1}), json.dumps(SURFACE))
        again = execute(runner.engine, program, request, Limits(), port)
        assert port.divergence is None, port.divergence
        assert (again.failure, again.commands) == (None, recorded.commands)
        assert [line.text for line in again.logs] == [line.text for line in recorded.logs]


def test_executions_side_by_side(runner: Runner) -> None:
    """Many at once, each with its own port: no call reaches another's."""
    program = runner.build(
        "async def on_execute_post_login(event, api):\n    for _ in range(20): api.access.deny(event.id)\n"
    )

    def one(number: int) -> set[str]:
        result = runner.start(program, {"id": str(number)})
        assert result.failure is None, result.failure
        return {command.arguments[0] for command in result.commands}

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(one, range(48))) == [{str(n)} for n in range(48)]


def test_commands_after_the_end_reach_nobody(runner: Runner) -> None:
    port = LivePort(FakeApi(), NoEgress(), Limits())
    program = runner.build("def on_execute_post_login(event, api): api.access.deny('x')")
    port.begin(time.monotonic() + 5)
    port.end()
    report = runner.engine.run(program, Request("onExecutePostLogin", "{}", "{}"), Limits(), port)
    assert report.failure is not None
    assert port.commands == ()


@pytest.mark.parametrize("event", ["[" * 100_000, "{", "nonsense", '{"a": NaN}', ""])
def test_events_that_are_no_json_are_failures(runner: Runner, event: str) -> None:
    """The runner never sends such; the engine must not break if it does."""
    port = LivePort(FakeApi(), NoEgress(), Limits())
    program = runner.build("def on_execute_post_login(event, api): pass")
    execute(runner.engine, program, Request("onExecutePostLogin", event, "{}"), Limits(), port)
    assert runner.printed("print('next')") == ["next"]


@pytest.mark.parametrize("kind", ["async def", "def"])
def test_an_action_that_asks_for_nothing_makes_no_host_call(runner: Runner, kind: str) -> None:
    """No clock, no randomness: what an execution knows comes from its event."""
    result = runner.run(f"{kind} on_execute_post_login(event, api): pass")
    assert result.statistics.host_calls == {}
    assert result.journal.entries == ()
