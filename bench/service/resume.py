"""What a suspended flow costs: the invoke that suspends it and the resume, beside an invoke that ends."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, Final

from bench.engine.latency import TRIVIAL, bench_event
from bench.measure import Spread, spread
from bench.report import Figure, Report
from bench.service.caller import Caller
from bench.service.invoke import INVOKE, deploy, running_service
from bench.service.tenants import add_tenants
from runner.client.http import RUNTIME
from sandbox.core.program import Language

_RUNS: Final = 300
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
        ("takes", "p50 relative to an invoke"),
    )
    with running_service(1, "sqlite") as served:
        other = add_tenants(served, 1)[0]
        for language in Language:
            plain = Caller(served.url, deploy(served.api(), language))
            deploy(other.api(served.url), language, _ASKING[language])
            found = asyncio.run(_timed(plain, Caller(served.url, other.token)))
            for what, result in found.items():
                made.add(language.value, what, result, Figure(result.p50 / found["invoke"].p50, "x", 2))
    return made


async def _timed(plain: Caller, asking: Caller) -> dict[str, Spread]:
    samples: dict[str, list[float]] = {"invoke": [], "invoke that suspends": [], "resume": []}
    event = json.loads(bench_event())

    async def send(what: str, caller: Caller, path: str, body: Mapping[str, Any], *, keep: bool) -> Any:
        text = json.dumps(body).encode()
        began = time.perf_counter()
        answer = await caller.send(path, text)
        if keep:
            samples[what].append((time.perf_counter() - began) * 1000)
        return answer.json()

    for run in range(-20, _RUNS):
        keep = run >= 0
        ended = await send("invoke", plain, INVOKE, {"event": event}, keep=keep)
        assert ended["decision"] == "allow", ended
        asked = await send("invoke that suspends", asking, INVOKE, {"event": event}, keep=keep)
        suspension = asked["suspension"]
        request = {**event["request"], "query": {"state": suspension["state"]}}
        body = {"handle": suspension["handle"], "request": request}
        resumed = await send("resume", asking, f"{RUNTIME}/resume", body, keep=keep)
        assert resumed["decision"] == "allow", resumed
        assert resumed["effects"]["id_token_claims"], resumed
    return {what: spread(kept) for what, kept in samples.items()}
