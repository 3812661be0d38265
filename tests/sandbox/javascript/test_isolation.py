"""Every execution is new: state, randomness, clocks."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import sandbox
from sandbox import Limits, Request
from sandbox.egress.none import NoEgress
from sandbox.port.live import LivePort
from tests.sandbox.javascript.conftest import HANDLER, Evaluate, Run, compiled
from tests.sandbox.ports import FakeApi, FakeTime

RANDOM = """exports.onExecutePostLogin = () => console.log(JSON.stringify([
  Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(8))],
  require('crypto').randomBytes(8).toString('hex'),
]));"""


def test_randomness_differs_in_every_execution(run: Run) -> None:
    seen = [run(RANDOM).log[0] for _ in range(6)]
    assert len(set(seen)) == 6
    parts = list(zip(*(__import__("json").loads(line) for line in seen), strict=True))
    assert all(len({str(value) for value in column}) == 6 for column in parts)


def test_randomness_comes_from_the_port_alone() -> None:
    program = compiled(RANDOM)

    def drawn() -> str:
        port = LivePort(FakeApi(), NoEgress(), Limits(), entropy=lambda count: b"\x07" * count)
        return sandbox.run(program, Request(HANDLER, "{}", "{}"), Limits(), port).logs[0].text

    assert drawn() == drawn()


def test_clocks_come_from_the_port(succeed: Run) -> None:
    ran = succeed(
        """exports.onExecutePostLogin = () => {
          console.log(Date.now(), new Date().toISOString(), performance.now(), process.uptime());
          console.log(new Date().getTimezoneOffset(), new Date(0).toString());
        };""",
        clock=FakeTime(1_700_000_000.5).clock,
    )
    assert ran.log == [
        "1700000000500 2023-11-14T22:13:20.500Z 0 0",
        "0 Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)",
    ]


def test_the_clock_is_that_of_the_host_and_no_finer_than_a_millisecond(evaluate: Evaluate) -> None:
    now, fraction = evaluate("[Date.now(), performance.now() % 1]")
    assert abs(now / 1000 - time.time()) < 5
    assert fraction == 0


def test_performance_starts_at_zero(evaluate: Evaluate) -> None:
    assert 0 <= evaluate("performance.now()") < 1_000


def test_many_threads_at_once() -> None:
    program = compiled(
        """exports.onExecutePostLogin = async (event, api) => {
          for (let i = 0; i < 20; i++) { await null; api.access.deny(event.n * 100 + i); }
          globalThis.mark = (globalThis.mark ?? 0) + 1; console.log(globalThis.mark, event.n);
        };"""
    )
    surface = '{"access":{"deny":["api",["reason"]]}}'
    barrier = threading.Barrier(8)

    def one(n: int) -> None:
        barrier.wait()
        for _ in range(5):
            port = LivePort(FakeApi(), NoEgress(), Limits())
            result = sandbox.run(program, Request(HANDLER, f'{{"n":{n}}}', surface), Limits(), port)
            assert result.failure is None
            assert [command.arguments for command in result.commands] == [[n * 100 + i] for i in range(20)]
            assert result.logs[0].text == f"1 {n}"

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
