"""What a suspended flow costs: the invoke that suspends it and the resume, beside an invoke that ends."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.engine.latency import TRIVIAL, bench_event
from bench.measure import spread
from bench.report import Figure, Report
from bench.service.caller import Caller
from bench.service.invoke import INVOKE, deploy, running_service
from bench.service.load import processor_seconds
from bench.service.tenants import add_tenants
from runner.client.http import RUNTIME
from sandbox.core.program import Language

_ROUNDS: Final = 12
_OF_A_ROUND: Final = 25
_ASKING: Final = {
    Language.JAVASCRIPT: (
        "exports.onExecutePostLogin = async (event, api) => {\n"
        "  api.redirect.sendUserTo('https://bench.example/ask');\n"
        "};\n" + TRIVIAL[Language.JAVASCRIPT].replace("onExecutePostLogin", "onContinuePostLogin")
    ),
    Language.PYTHON: (
        "async def on_execute_post_login(event, api):\n"
        "    api.redirect.send_user_to('https://bench.example/ask')\n\n"
        + TRIVIAL[Language.PYTHON].replace("on_execute_post_login", "on_continue_post_login")
    ),
}
"""Ask the user something; what goes on afterwards does what the trivial Action does."""


def measured() -> Report:
    """All three in turns: the trivial invoke, the one that suspends, the resume."""
    made = Report(
        "A suspended flow over HTTP, one client (1 worker, SQLite)",
        ("language", "what"),
        ("takes", "p50 relative to an invoke", "processor: service and worker", "processor, relative"),
    )
    with running_service(1, "sqlite") as served:
        other = add_tenants(served, 1)[0]
        for language in Language:
            plain = Caller(served.url, deploy(served.api(), language))
            deploy(other.api(served.url), language, _ASKING[language])
            turns = _Turns(served.process.pid, plain, Caller(served.url, other.token))
            asyncio.run(turns.run())
            first, used = spread(turns.samples["invoke"]).p50, turns.processor["invoke"]
            for what, kept in turns.samples.items():
                found, processor = spread(kept), turns.processor[what]
                made.add(
                    language.value,
                    what,
                    found,
                    Figure(found.p50 / first, "x", 2),
                    Figure(1000 * processor / len(kept), "ms", 2),
                    Figure(processor / used, "x", 2),
                )
    return made


class _Turns:
    """Rounds of each request, one after another.

    Attributes:
        samples: milliseconds of each, by what it was.
        processor: seconds of all of a kind together, of the service's process and its workers.
    """

    def __init__(self, pid: int, plain: Caller, asking: Caller) -> None:
        self._pid = pid
        self._plain = plain
        self._asking = asking
        self.samples: dict[str, list[float]] = {"invoke": [], "invoke that suspends": [], "resume": []}
        self.processor = dict.fromkeys(self.samples, 0.0)

    async def run(self) -> None:
        """A first round warms up."""
        event = json.loads(bench_event())
        for number in range(-1, _ROUNDS):
            keep, invoke = number >= 0, [{"event": event}] * _OF_A_ROUND
            for ended in await self._round("invoke", self._plain, INVOKE, invoke, keep=keep):
                assert ended["decision"] == "allow", ended
            asked = await self._round("invoke that suspends", self._asking, INVOKE, invoke, keep=keep)
            bodies = [_returned(event, answer["suspension"]) for answer in asked]
            path = f"{RUNTIME}/resume"
            for resumed in await self._round("resume", self._asking, path, bodies, keep=keep):
                assert resumed["decision"] == "allow", resumed
                assert resumed["effects"]["id_token_claims"], resumed

    async def _round(
        self, what: str, caller: Caller, path: str, bodies: Sequence[Mapping[str, Any]], *, keep: bool
    ) -> list[Any]:
        answers, used = [], sum(processor_seconds(self._pid))
        for body in bodies:
            text = json.dumps(body).encode()
            began = time.perf_counter()
            answers.append((await caller.send(path, text)).json())
            if keep:
                self.samples[what].append((time.perf_counter() - began) * 1000)
        if keep:
            self.processor[what] += sum(processor_seconds(self._pid)) - used
        return answers


def _returned(event: Mapping[str, Any], suspension: Mapping[str, Any]) -> dict[str, Any]:
    request = {**event["request"], "query": {"state": suspension["state"]}}
    return {"handle": suspension["handle"], "request": request}
