"""What a hook of an identity provider costs over a plain invoke, and what unsigned requests cost."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from typing import Final

from bench.measure import spread
from bench.report import Figure, Report
from bench.service.caller import Answer, Caller
from bench.service.invoke import INVOKE, deploy, running_service
from bench.service.load import processor_seconds
from runner.hooks.model import Defaults
from runner.hooks.providers import PROVIDERS, example_of
from sandbox.core.program import Language
from tests.e2e.serving import Served

_ROUNDS: Final = 40
_BLOCK: Final = 10
"""Requests of one kind in a row."""
_PROVIDER: Final = PROVIDERS["zitadel"]
_HOOK: Final = _PROVIDER.hooks["preaccesstoken"]
_SECRET: Final = os.urandom(24).hex()
_SENT_ANYWAY: Final = {"Content-Type", "content-type"}
HOOKS: Final = "/api/v2/identity-provider-hooks"


def measured() -> Report:
    """In turns: an invoke with the event that the hook makes, the hook, and requests that are refused."""
    made = Report(
        "A hook of ZITADEL beside an invoke with its event, one client (1 worker, SQLite)",
        ("request",),
        ("takes", "processor: service and worker", "relative to an invoke", "processor, relative"),
    )
    with running_service(1, "sqlite") as served:
        api = served.api()
        token = deploy(api, Language.JAVASCRIPT)
        secrets = [{"value": _SECRET}]
        body = {"provider": _PROVIDER.name, "hook": _HOOK.name, "secrets": secrets}
        path = "/hooks/v1/" + api.send("POST", HOOKS, body=body).value["url"].partition("/hooks/v1/")[2]
        found = asyncio.run(_timed(served, token, path))
    invoke, used = spread(found["invoke"][0]), found["invoke"][1]
    for what, (samples, processor) in found.items():
        takes = spread(samples)
        made.add(
            what,
            takes,
            Figure(processor * 1000, "ms", 2),
            Figure(takes.p50 / invoke.p50, "x", 2),
            Figure(processor / used, "x", 2),
        )
    return made


async def _timed(served: Served, token: str, path: str) -> dict[str, tuple[list[float], float]]:
    """Milliseconds of each request, and seconds of processor time of one."""
    kinds = _kinds(served.url, token, path)
    samples: dict[str, list[float]] = {what: [] for what in kinds}
    used = dict.fromkeys(kinds, 0.0)
    for number in range(-2, _ROUNDS):
        for what, (send, status) in kinds.items():
            before, taken = sum(processor_seconds(served.process.pid)), []
            for _ in range(_BLOCK):
                began = time.perf_counter()
                assert (await send()).status == status, what
                taken.append((time.perf_counter() - began) * 1000)
            if number >= 0:
                samples[what] += taken
                used[what] += sum(processor_seconds(served.process.pid)) - before
    return {what: (samples[what], used[what] / (_ROUNDS * _BLOCK)) for what in kinds}


def _kinds(url: str, token: str, path: str) -> dict[str, tuple[Callable[[], Awaitable[Answer]], int]]:
    """What is sent, and the status that it gets."""
    payload = example_of(_PROVIDER, _HOOK)
    raw = json.dumps(payload).encode()
    event = _PROVIDER.event_of(_HOOK, payload, _HOOK.triggers[0], Defaults(), "bench")
    invoke = json.dumps({"event": event}).encode()
    platform, provider = Caller(url, token), Caller(url, "")

    async def signed(secret: str) -> Answer:
        headers, body = _PROVIDER.sign(_HOOK, raw, secret, time.time())
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if name not in _SENT_ANYWAY)
        return await provider.send(path, body, more=more)

    return {
        "invoke": (lambda: platform.send(INVOKE, invoke), 200),
        "hook": (lambda: signed(_SECRET), 200),
        "unsigned": (lambda: provider.send(path, raw), 401),
        "signed by another": (lambda: signed("another"), 401),
    }
