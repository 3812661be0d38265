"""Legs through the pool of workers, beside the bare `Runner` of the same process: latency, throughput with
one and two workers, and one tenant's latency while another floods."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bench.engine.latency import TRIVIAL, bench_event
from bench.measure import Spread, spread
from bench.report import Figure, Report
from runner.flow.runner import Runner
from runner.model.action import Action
from runner.workers import LegCall, PoolSettings, TooBusyError, WorkerPool
from sandbox.core.caps import Limits
from sandbox.core.program import Language, Source
from sandbox.egress import NoEgress

CALLERS: Final = (1, 8, 32)
SECONDS: Final = 2.0
TENANTS: Final = 4
FLOOD: Final = 32
"""Callers of the tenant that floods."""


def _event() -> dict[str, object]:
    event: dict[str, object] = json.loads(bench_event())
    event.pop("secrets", None)
    return event


def trivial(language: Language) -> LegCall:
    source = Source(language, f"action-{language.value}", TRIVIAL[language])
    return LegCall(trigger="post-login", event=_event(), actions=(Action("action", source),))


Load = tuple[Spread, float]


async def load(call: Callable[[int], Awaitable[object]], callers: int, seconds: float) -> Load:
    """Latency, and calls per second, of `callers` that call again and again."""
    samples: list[float] = []
    until = time.perf_counter() + seconds

    async def caller(number: int) -> None:
        while (began := time.perf_counter()) < until:
            await call(number)
            samples.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(callers)))
    return spread(samples), len(samples) / (time.perf_counter() - began)


async def through_pool(language: Language, workers: int) -> list[Load]:
    pool = WorkerPool(PoolSettings(workers=workers, tenant_running=64), egress=NoEgress())
    await pool.start()
    leg = trivial(language)

    async def call(number: int) -> None:
        reply = await pool.run(f"tenant-{number % TENANTS}", leg)
        assert reply.outcome.decision == "allow", reply.outcome.failure

    try:
        await load(call, 8, 0.5)
        return [await load(call, callers, SECONDS) for callers in CALLERS]
    finally:
        await pool.stop(5)


async def in_process(language: Language) -> list[Load]:
    """The bare library on threads, as `run_async` has it."""
    runner, leg = Runner(egress=NoEgress()), trivial(language)
    threads = ThreadPoolExecutor(max(CALLERS))

    async def call(_: int) -> None:
        outcome = await asyncio.get_running_loop().run_in_executor(
            threads, runner.run, leg.trigger, leg.event, leg.actions
        )
        assert outcome.decision == "allow", outcome.failure

    await load(call, 8, 0.5)
    return [await load(call, callers, SECONDS) for callers in CALLERS]


def throughput() -> Report:
    rows = Report(
        "Legs through workers",
        ("language", "callers", "where"),
        ("leg", "legs", "relative to one worker", "target"),
    )
    for language in Language:
        found = {
            "this process": asyncio.run(in_process(language)),
            "1 worker": asyncio.run(through_pool(language, 1)),
            "2 workers": asyncio.run(through_pool(language, 2)),
        }
        for index, callers in enumerate(CALLERS):
            for where, results in found.items():
                result, rate = results[index]
                ratio = rate / found["1 worker"][index][1]
                target = ">= 1.7" if where == "2 workers" and callers > 1 else ""
                figures = (Figure(rate, "1/s", 0), Figure(ratio, "x", 2))
                rows.add(language.value, str(callers), where, result, *figures, target)
    return rows


async def flooded(flood: LegCall | None) -> Spread:
    """Latency of a tenant that calls one leg after another, while another tenant floods."""
    pool = WorkerPool(PoolSettings(workers=2), egress=NoEgress())
    await pool.start()
    leg = trivial(Language.JAVASCRIPT)

    async def shout() -> None:
        while True:
            try:
                await pool.run("loud", flood or leg)
            except TooBusyError:
                await asyncio.sleep(0.05)

    async def call(_: int) -> None:
        await pool.run("quiet", leg)
        await asyncio.sleep(0.005)

    await load(call, 1, 0.5)
    shouting = [asyncio.create_task(shout()) for _ in range(FLOOD if flood else 0)]
    try:
        await asyncio.sleep(1.0)
        samples: list[float] = []
        until = time.perf_counter() + 2 * SECONDS
        while (began := time.perf_counter()) < until:
            await pool.run("quiet", leg)
            samples.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.005)
        return spread(samples)
    finally:
        for task in shouting:
            task.cancel()
        await asyncio.gather(*shouting, return_exceptions=True)
        await pool.stop(0.1)


FLOODS: Final = {
    "loops without end": "for (;;) {}",
    "computes 20 ms": "for (const end = Date.now() + 20; Date.now() < end; ) {}",
    "trivial": "",
    "logs without end": "for (;;) console.log('x'.repeat(1000));",
    "makes keys": "const { generateKeyPairSync: make } = require('crypto');"
    "for (;;) make('rsa', { modulusLength: 4096 });",
    "fills memory": "const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1));",
}


def fairness() -> Report:
    rows = Report(
        "One tenant while another floods", ("the other tenant",), ("leg", "p99 relative to idle", "target")
    )
    idle = asyncio.run(flooded(None))
    rows.add("idle", idle)
    for name, body in FLOODS.items():
        text = f"exports.onExecutePostLogin = async () => {{ {body} }};"
        action = Action("loud", Source(Language.JAVASCRIPT, "loud.js", text), limits=Limits(wall_ms=2000))
        call = LegCall(trigger="post-login", event=_event(), actions=(action,))
        result = asyncio.run(flooded(call))
        rows.add(name, result, Figure(result.p99 / idle.p99, "x"), "<= 5 x")
    return rows
