"""Invoke over HTTP on loopback, beside the bare library: one Action, 3 kB event, SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import aiohttp
import psutil

from bench.engine.latency import TRIVIAL, bench_event
from bench.measure import Spread, cores, timed
from bench.report import Cell, Figure, Report
from bench.service.load import Load, load, request
from bench.service.share import NoShareError, share
from runner.client import Api
from runner.client.http import RUNTIME
from runner.flow.runner import Runner
from runner.model.action import Action
from runner.store import KeyRing
from sandbox.core.program import Language, Source
from sandbox.egress import NoEgress
from tests.e2e.serving import Served, serve
from tests.postgres import new_database

SECONDS: Final = 3.0
CLIENTS: Final = (1, 8, 32)
NAMES: Final = {Language.JAVASCRIPT: ("node22", "a.js"), Language.PYTHON: ("python3", "a.py")}
_SHARE: Final = 0.4
"""Of a core: such a worker serves some 200 answers a second; the rest of two cores takes twice that."""
_ROUNDS: Final = 5
INVOKE: Final = "/runtime/v1/triggers/post-login/invoke"
_LOOP: Final = "exports.onExecutePostLogin = async () => { for (;;); };"
UNLIMITED: Final = {
    "ACTIONBOX_RATE_PER_SECOND": "1000000",
    "ACTIONBOX_RATE_BURST": "1000000",
    "ACTIONBOX_LOG_LEVEL": "error",
}


def measured() -> Report:
    """Latency and throughput, by workers, database, language and clients.

    The last column tells what two workers could bring here at most: with them the processor time of an answer
    (that of the service's process and of a worker) is shared by all cores, and the service's process is one.
    """
    made = Report(
        f"Invoke end to end, loopback, all of it on {cores()} cores",
        ("language", "database", "workers", "clients"),
        (
            "invoke",
            "answers",
            "processor: service",
            "processor: workers",
            "relative to 1 worker",
            "at most here",
        ),
    )
    for language in Language:
        found = _bare(language)
        made.add(language.value, "bare library", "", "1", found, Figure(1000 / found.p50, "1/s", 0))
    alone: dict[tuple[Language, int], Load] = {}
    for workers, database in ((1, "sqlite"), (2, "sqlite"), (2, "postgresql")):
        with running_service(workers, database) as served:
            for language in Language:
                token = deploy(served.api(), language)
                for clients in CLIENTS:
                    result = asyncio.run(under_load(served, token, clients))
                    if workers == 1:
                        alone[language, clients] = result
                    made.add(
                        language.value,
                        database,
                        str(workers),
                        str(clients),
                        result.latency,
                        Figure(result.rate, "1/s", 0),
                        Figure(result.front_ms, "ms", 2),
                        Figure(result.workers_ms, "ms", 2),
                        *(_ratio(alone[language, clients], result) if database == "sqlite" else ()),
                    )
    return made


def _ratio(one: Load, two: Load) -> tuple[Cell, ...]:
    """The throughput of two workers as a multiple of one worker's, and what it could be."""
    if one is two:
        return ()
    each = one.front_ms + one.workers_ms
    most = min(1000 * cores() / each, 1000 / one.front_ms, 2000 / one.workers_ms)
    return Figure(two.rate / one.rate, "x", 2), Figure(most / one.rate, "x", 2)


def scaling() -> Report:
    """Throughput with one worker and with two when cores are not what they lack: each worker is held to a
    share of a core that leaves the service's process and the client the rest."""
    made = Report(
        f"Invoke with workers of {_SHARE} of a core each, {CLIENTS[-1]} clients, SQLite",
        ("language", "workers"),
        ("answers", "relative to 1 worker", "target"),
    )
    with running_service(1, "sqlite") as one, running_service(2, "sqlite") as two:
        for language in Language:
            tokens = [deploy(served.api(), language) for served in (one, two)]
            try:
                with share([*worker_pids(one), *worker_pids(two)], _SHARE):
                    rates = _in_turn((one, two), tokens)
            except NoShareError as error:
                made.leave_out(language.value, why=str(error))
                continue
            one_worker, two_workers = (Figure(rate, "1/s", 0) for rate in rates)
            made.add(language.value, "1", one_worker)
            made.add(language.value, "2", two_workers, Figure(rates[1] / rates[0], "x", 2), ">= 1.7 x")
    return made


def _in_turn(services: tuple[Served, ...], tokens: list[str]) -> list[float]:
    """Answers a second of each, loaded one after the other and again, so that what else the machine does
    meets all of them."""
    rates = [0.0] * len(services)
    for _ in range(_ROUNDS):
        for index, served in enumerate(services):
            rates[index] += asyncio.run(under_load(served, tokens[index], CLIENTS[-1], 1.5)).rate / _ROUNDS
    return rates


def worker_pids(served: Served) -> list[int]:
    """Process ids of the workers."""
    children = psutil.Process(served.process.pid).children(recursive=True)
    return [child.pid for child in children if "runner.workers.child.main" in " ".join(child.cmdline())]


def fairness() -> Report:
    """p99 of one tenant while another floods the service with Actions that loop."""
    made = Report(
        "One tenant beside another that floods with loops (2 workers, SQLite)",
        ("what",),
        ("invoke", "p99 relative to idle", "target"),
    )
    with running_service(2, "sqlite", ACTIONBOX_WALL_MS="2000", ACTIONBOX_BUDGET_MS="2000") as served:
        quiet = deploy(served.api(), Language.JAVASCRIPT)
        noisy = _deploy_as_other(served)
        idle = asyncio.run(under_load(served, quiet, 1)).latency
        flooded = asyncio.run(_flooded(served, quiet, noisy))
        made.add("idle", idle)
        made.add("beside the flood", flooded, Figure(flooded.p99 / idle.p99, "x"), "<= 5 x")
    return made


def _bare(language: Language) -> Spread:
    runner = Runner(egress=NoEgress())
    action = Action("a", Source(language, NAMES[language][1], TRIVIAL[language]))
    event = json.loads(bench_event())
    return timed(lambda: runner.run("post-login", event, [action]), 500, pause=0.002)


@contextmanager
def running_service(workers: int, database: str, **settings: str) -> Iterator[Served]:
    with tempfile.TemporaryDirectory() as name:
        if database == "postgresql":
            settings["DATABASE_URL"] = new_database()
            KeyRing.create(Path(name) / "keys.json")
        settings = {**UNLIMITED, **settings, "ACTIONBOX_WORKERS": str(workers)}
        with serve(Path(name), afresh=True, **settings) as served:  # type: ignore[arg-type]
            yield served


def deploy(api: Api, language: Language, code: str = "") -> str:
    """The token of a tenant to whose post-login exactly one Action is bound."""
    body = {
        "name": language.value,
        "code": code or TRIVIAL[language],
        "runtime": NAMES[language][0],
        "supported_triggers": [{"id": "post-login", "version": "v3"}],
    }
    action = api.send("POST", "/api/v2/actions/actions", body=body).value
    api.send("POST", f"/api/v2/actions/actions/{action['id']}/deploy", query={"wait": True})
    bindings = [{"ref": {"type": "action_id", "value": action["id"]}, "display_name": "a"}]
    api.send("PATCH", "/api/v2/actions/triggers/post-login/bindings", body={"bindings": bindings})
    return api.token(RUNTIME)


def _deploy_as_other(served: Served) -> str:
    """The token of another tenant, whose Action loops."""
    import subprocess

    from runner.client import Connection
    from tests.e2e.serving import ACTIONBOX, environment

    command = [ACTIONBOX, "tenant", "add", "noisy"]
    made = subprocess.run(
        command, env=environment(served.data), capture_output=True, text=True, check=True
    ).stdout
    client_id, secret = re.findall(r"^client (?:id|secret)\s+(\S+)$", made, re.MULTILINE)
    api = Api(Connection(served.url, client_id=client_id, client_secret=secret))
    return deploy(api, Language.JAVASCRIPT, _LOOP)


async def under_load(served: Served, token: str, clients: int, seconds: float = SECONDS) -> Load:
    """`clients` that invoke one after another."""
    url = f"{served.url}{INVOKE}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    text = request(url, headers, json.dumps({"event": json.loads(bench_event())}).encode())
    await load(url, text, clients, 0.5, served.process.pid)
    return await load(url, text, clients, seconds, served.process.pid)


async def _flooded(served: Served, quiet: str, noisy: str) -> Spread:
    """Latencies of the quiet tenant while sixty-four requests of the other are always under way."""
    url = f"{served.url}{INVOKE}"
    body = json.dumps({"event": json.loads(bench_event())}).encode()
    headers = {"Authorization": f"Bearer {noisy}", "Content-Type": "application/json"}
    stop = asyncio.Event()

    async def flood(http: aiohttp.ClientSession) -> None:
        while not stop.is_set():
            async with http.post(url, data=body, headers=headers) as answer:
                await answer.read()
            if answer.status == 429:
                await asyncio.sleep(0.2)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as http:
        tasks = [asyncio.create_task(flood(http)) for _ in range(64)]
        await asyncio.sleep(1.0)
        found = (await under_load(served, quiet, 1, 2 * SECONDS)).latency
        stop.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return found
