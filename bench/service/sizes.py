"""Larger events, more claims and more log lines, each beside the trivial Action: what one more costs.

The same Action does all of it, as the event says, so that nothing but the size differs.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.engine.latency import bench_event
from bench.measure import Spread, in_turn, sampler, spread
from bench.report import Cell, Figure, Report
from bench.service.caller import Caller
from bench.service.invoke import INVOKE, NAMES, deploy, running_service
from runner.flow.runner import Runner
from runner.model.action import Action
from sandbox.core.program import Language, Source
from sandbox.egress import NoEgress

_RUNS: Final = 200
_SOURCES: Final = {
    Language.JAVASCRIPT: (
        "exports.onExecutePostLogin = async (event, api) => {\n"
        "  const { claims, lines } = event.user.user_metadata;\n"
        "  for (let i = 0; i < claims; i += 1)\n"
        "    api.idToken.setCustomClaim(`https://bench.example/plan${i}`, event.client.name);\n"
        "  for (let i = 0; i < lines; i += 1) console.log(`line ${i} of a log`);\n"
        "};\n"
    ),
    Language.PYTHON: (
        "async def on_execute_post_login(event, api):\n"
        "    wanted = event.user.user_metadata\n"
        "    for i in range(wanted['claims']):\n"
        "        api.id_token.set_custom_claim(f'https://bench.example/plan{i}', event.client.name)\n"
        "    for i in range(wanted['lines']):\n"
        "        print(f'line {i} of a log')\n"
    ),
}


@dataclass(frozen=True, slots=True)
class Size:
    """`size` counts what `axis` names; kilobytes of an event without padding are those of the trivial one."""

    axis: str
    size: int
    kilobytes: int = 3
    claims: int = 1
    lines: int = 0

    def event(self) -> str:
        """As JSON. What makes it large are many short values, as metadata has."""
        event = json.loads(bench_event())
        event.pop("secrets")
        kept: dict[str, object] = {"claims": self.claims, "lines": self.lines}
        event["user"]["user_metadata"] = kept
        missing = self.kilobytes * 1000 - len(json.dumps(event))
        if missing > 0:
            kept["more"] = {f"key_{n}": "a value of some length" for n in range(missing // 38)}
        return json.dumps(event)


_TRIVIAL: Final = Size("trivial", 1)
_SIZES: Final = (
    _TRIVIAL,
    *(Size("event, kB", size, kilobytes=size) for size in (16, 32, 64)),
    *(Size("claims", size, claims=size) for size in (10, 25, 50)),
    *(Size("log lines", size, lines=size) for size in (50, 100, 200)),
)
_FIRST: Final = {"event, kB": 3, "claims": 1, "log lines": 0}
"""What the trivial one has of each."""


def measured() -> Report:
    """In process and over HTTP. Where it is linear, one more costs the same at each size."""
    made = Report(
        "Larger events, more claims, more log lines, in the library and over HTTP (one client)",
        ("language", "where", "what", "size"),
        ("p50", "relative to trivial", "each more"),
    )
    for language in Language:
        for where, found in (("library", _library(language)), ("service", _service(language))):
            trivial = found[0].p50
            for size, here in zip(_SIZES, found, strict=True):
                cells: list[Cell] = [Figure(here.p50, "ms", 2), Figure(here.p50 / trivial, "x", 2)]
                if size is not _TRIVIAL:
                    more = size.size - _FIRST[size.axis]
                    cells.append(Figure((here.p50 - trivial) / more * 1000, "µs"))
                made.add(language.value, where, size.axis, str(size.size), *cells)
    return made


def _library(language: Language) -> list[Spread]:
    """Of each of `_SIZES`."""
    runner = Runner(egress=NoEgress())
    actions = [Action("a", Source(language, NAMES[language][1], _SOURCES[language]))]

    def flow(text: bytes) -> Callable[[], None]:
        def once() -> None:
            outcome = runner.run("post-login", text, actions)
            assert outcome.decision == "allow", outcome.failure

        return once

    pause = 0.008 if language is Language.PYTHON else 0.0
    return in_turn([sampler(flow(size.event().encode()), pause) for size in _SIZES], _RUNS, block=25)


def _service(language: Language) -> list[Spread]:
    """The same, a request of each size in turn."""
    bodies = [f'{{"event": {size.event()}}}'.encode() for size in _SIZES]
    samples: list[list[float]] = [[] for _ in _SIZES]

    async def all_of_them(caller: Caller) -> None:
        for run in range(-20, _RUNS):
            for body, kept in zip(bodies, samples, strict=True):
                began = time.perf_counter()
                answer = await caller.send(INVOKE, body)
                took = (time.perf_counter() - began) * 1000
                assert answer.json()["decision"] == "allow", answer.body
                if run >= 0:
                    kept.append(took)

    with running_service(1, "sqlite") as served:
        asyncio.run(all_of_them(Caller(served.url, deploy(served.api(), language, _SOURCES[language]))))
    return [spread(kept) for kept in samples]
