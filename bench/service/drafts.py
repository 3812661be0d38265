"""How long drafts wait until they are built, when many tenants create some at the same time."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Final

from bench.engine.latency import TRIVIAL
from bench.report import Figure, Report
from bench.service.caller import Caller
from bench.service.invoke import NAMES, running_service
from bench.service.tenants import add_tenants
from sandbox.core.program import Language

_TENANTS: Final = 10
_DRAFTS: Final = 5
"""Of each tenant."""
_ACTIONS: Final = "/api/v2/actions/actions"
_BETWEEN: Final = 0.05
"""Seconds between two looks at the drafts of a tenant."""


def measured() -> Report:
    """From the requests that create them to `built`, as their tenants see it."""
    made = Report(
        f"{_TENANTS * _DRAFTS} drafts of {_TENANTS} tenants, created at once (1 worker, SQLite)",
        ("language",),
        ("all built after", "the slowest waited", "half of them waited"),
    )
    with running_service(1, "sqlite") as served:
        tokens = [tenant.api(served.url).token() for tenant in add_tenants(served, _TENANTS)]
        for language in Language:
            began = time.perf_counter()
            waited = sorted(asyncio.run(_all([Caller(served.url, token) for token in tokens], language)))
            took = time.perf_counter() - began
            made.add(
                language.value,
                *(Figure(value, "s", 2) for value in (took, waited[-1], waited[len(waited) // 2])),
            )
    return made


async def _all(callers: list[Caller], language: Language) -> list[float]:
    found = await asyncio.gather(*(_drafts(caller, language, n) for n, caller in enumerate(callers)))
    return [seconds for waited in found for seconds in waited]


async def _drafts(caller: Caller, language: Language, tenant: int) -> list[float]:
    """Seconds that each draft of a tenant took."""
    created: dict[str, float] = {}
    for number in range(_DRAFTS):
        remark = "//" if language is Language.JAVASCRIPT else "#"
        unlike = f"{remark} {time.time_ns()} {tenant} {number}\n"  # nobody has built it before
        body = {
            "name": f"{language.value} {number}",
            "code": unlike + TRIVIAL[language],
            "runtime": NAMES[language][0],
            "supported_triggers": [{"id": "post-login", "version": "v3"}],
        }
        began = time.perf_counter()
        answer = await caller.send(_ACTIONS, json.dumps(body).encode())
        created[answer.json()["id"]] = began
    waited: dict[str, float] = {}
    while len(waited) < _DRAFTS:
        await asyncio.sleep(_BETWEEN)
        answer = await caller.send(_ACTIONS, method="GET")
        for action in answer.json()["actions"]:
            if action["id"] in created and action["id"] not in waited:
                assert action["status"] != "failed", action
                if action["status"] == "built":
                    waited[action["id"]] = time.perf_counter() - created[action["id"]]
    return list(waited.values())
