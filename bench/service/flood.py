"""A neighbour's login while eight tenants flood the service, by kind of flood; in turns with idle.

python -m bench service-flood             every kind
python -m bench service-flood logs keys   only these
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.engine.latency import TRIVIAL, bench_event
from bench.measure import Spread, spread
from bench.report import Figure, Report
from bench.service.caller import Caller
from bench.service.tenants import Tenant, add_tenants
from runner.client import Api
from runner.client.http import RUNTIME
from sandbox.core.program import Language
from tests.e2e.serving import Served, serve
from tests.sandbox.packages.npm.tarballs import package

TENANTS: Final = 8
CALLERS: Final = 4
"""Requests of each tenant that are always under way."""
SECONDS: Final = 15.0
_PAUSE: Final = 0.02
"""Between two logins of the neighbour."""
WALL_MS: Final = 3000
_INVOKE: Final = "/runtime/v1/triggers/post-login/invoke"
_ACTIONS: Final = "/api/v2/actions/actions"
_PACKAGES: Final = 60
_SETTINGS: Final = {
    "ACTIONBOX_RATE_PER_SECOND": "1000000",
    "ACTIONBOX_RATE_BURST": "1000000",
    "ACTIONBOX_LOG_LEVEL": "error",
    "ACTIONBOX_WORKERS": "1",
    "ACTIONBOX_WALL_MS": str(WALL_MS),
    "ACTIONBOX_BUDGET_MS": str(WALL_MS),
    "ACTIONBOX_ALLOW_PRIVATE_NETWORK": "true",
}

JAVASCRIPT: Final = {
    "logs": "for (;;) console.log('x')",
    "long logs": "for (;;) console.log('x'.repeat(10000))",
    "some logs": "for (let i = 0; i < 2000; i++) console.log('line ' + i)",
    "api calls": "for (;;) api.cache.get('k')",
    "claims": "for (;;) { try { api.idToken.setCustomClaim('https://x.example/' + Math.random(), 1) } "
    "catch {} }",
    "fetches": "for (;;) await Promise.all(Array.from({ length: 6 }, () => "
    "fetch(URL).then((answer) => answer.text())))",
    "refused fetches": "for (;;) { try { await fetch('http://x.invalid:1/') } catch {} }",
    "keys": "const { generateKeyPairSync: make } = require('crypto');"
    " for (;;) make('rsa', { modulusLength: 4096 })",
    "hashes": "const { createHash: make } = require('crypto');"
    " for (;;) make('sha256').update('x').digest('hex')",
    "memory": "const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1))",
    "loops": "for (;;) {}",
    "timers": "for (;;) await new Promise((done) => setTimeout(done, 0))",
    "computes 20 ms": "for (const end = Date.now() + 20; Date.now() < end; ) {}",
}
PYTHON: Final = {
    "logs (Python)": "while True: print('x')",
    "api calls (Python)": "while True: api.cache.get('k')",
    "loops (Python)": "while True: pass",
    "memory (Python)": "a = []\n    while True: a.append(bytearray(1 << 20))",
}
BUILDS: Final = ("builds", "TypeScript builds", "builds with packages")


def measured(kinds: tuple[str, ...] = ()) -> Report:
    """p50 and p99 of a neighbour's login, idle and beside each kind of flood, and what failed."""
    made = Report(
        f"One tenant's login beside {TENANTS} tenants that flood (1 worker, SQLite)",
        ("flood",),
        ("idle", "beside it", "p99 relative to idle", "target", "failures", "floods"),
    )
    with _service() as (served, tenants), _answering() as url:
        for kind in kinds or (*JAVASCRIPT, *PYTHON, *BUILDS):
            flood = _prepared(served, tenants, kind, url)
            found = asyncio.run(_measured(served, flood))
            ratio = found.beside.p99 / found.idle.p99
            failures = ", ".join(f"{number} x {what}" for what, number in found.failures.items()) or "none"
            more = (Figure(ratio, "x"), "<= 5 x", failures, Figure(found.rate, "1/s"))
            made.add(kind, found.idle, found.beside, *more)
            print(kind, found.idle, found.beside, f"{ratio:.1f}", found.failures, file=sys.stderr, flush=True)
    return made


@dataclass(slots=True)
class _Found:
    idle: Spread
    beside: Spread
    failures: dict[str, int]
    rate: float


@dataclass(slots=True)
class _Login:
    """The neighbour's view."""

    samples: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)


Flood = Callable[[int, int], Awaitable[None]]
"""One request of a tenant, by its number and that of its caller."""


async def _measured(served: Served, flood: Flood) -> _Found:
    quiet = Caller(served.url, served.api().token(RUNTIME))
    await _logins(quiet, 1.0)
    before = await _logins(quiet, SECONDS / 2)
    done = itertools.count()

    async def again(tenant: int, caller: int) -> None:
        while True:
            await flood(tenant, caller)
            next(done)

    tasks = [asyncio.create_task(again(*pair)) for pair in itertools.product(range(TENANTS), range(CALLERS))]
    await asyncio.sleep(1.5)
    began, first = time.monotonic(), next(done)
    beside = await _logins(quiet, SECONDS)
    rate = (next(done) - first) / (time.monotonic() - began)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    broken = [item for item in ended if item is not None and not isinstance(item, asyncio.CancelledError)]
    if broken:
        raise broken[0]
    await asyncio.sleep(WALL_MS / 1000 + 2)  # what was given up runs on to its limit
    after = await _logins(quiet, SECONDS / 2)
    return _Found(spread(before.samples + after.samples), spread(beside.samples), beside.failures, rate)


async def _logins(caller: Caller, seconds: float) -> _Login:
    found, until = _Login(), time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        answer = await caller.send(_INVOKE, _EVENT)
        found.samples.append((time.perf_counter() - began) * 1000)
        decision = json.loads(answer.body)["decision"] if answer.status == 200 else str(answer.status)
        if decision != "allow":
            print(f"the neighbour's login: {answer.body[:1000].decode()}", file=sys.stderr)
            found.failures[decision] = found.failures.get(decision, 0) + 1
        await asyncio.sleep(_PAUSE)
    return found


_EVENT: Final = json.dumps({"event": json.loads(bench_event())}).encode()


# --- what floods ---


def _prepared(served: Served, tenants: list[_Loud], kind: str, url: str) -> Flood:
    """Have every tenant flood in this way."""
    tokens = [
        loud.tenant.api(served.url).token() if kind in BUILDS else loud.tenant.token for loud in tenants
    ]
    callers = [[Caller(served.url, token) for _ in range(CALLERS)] for token in tokens]
    if kind in BUILDS:
        drafts = [tenant.drafts(served.url) for tenant in tenants]
        numbers = itertools.count()

        async def build(tenant: int, caller: int) -> None:
            body = json.dumps(_draft(kind, next(numbers))).encode()
            path = f"{_ACTIONS}/{drafts[tenant][caller]}"
            await _told(callers[tenant][caller], path, body, "PATCH")
            await asyncio.sleep(0.1)

        return build
    for tenant in tenants:
        tenant.bind(served.url, kind, url)

    async def invoke(tenant: int, caller: int) -> None:
        await _told(callers[tenant][caller], _INVOKE, _EVENT, "POST")

    return invoke


async def _told(caller: Caller, path: str, body: bytes, method: str) -> None:
    answer = await caller.send(path, body, method)
    if answer.status in (429, 503):
        await asyncio.sleep(0.2)
    elif answer.status not in (200, 409):
        raise AssertionError(f"{method} {path}: {answer.status} {answer.body[:300]!r}")


def _draft(kind: str, number: int) -> dict[str, Any]:
    """A draft that has not been built before."""
    lines = "".join(f"function f{i}(a) {{ return a + {i} + {number}; }}\n" for i in range(1500))
    end = "exports.onExecutePostLogin = async () => {};"
    if kind == "TypeScript builds":
        typed = f"let x: number = {number};\nexport const onExecutePostLogin = async () => {{}};"
        return {"code": lines + typed}
    if kind == "builds with packages":
        name = f"heavy{number % _PACKAGES}"
        dependencies = [{"name": name, "version": "latest"}]
        return {"code": f"require('{name}'); // {number}\n{end}", "dependencies": dependencies}
    return {"code": lines + end}


@dataclass(slots=True)
class _Loud:
    """A tenant that floods, and its Actions."""

    tenant: Tenant
    actions: dict[Language, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    def bind(self, url: str, kind: str, answers: str) -> None:
        """Exactly one Action of this kind, at post-login."""
        api = self.tenant.api(url)
        if kind in PYTHON:
            language = Language.PYTHON
            text = f"async def on_execute_post_login(event, api):\n    {PYTHON[kind]}\n"
        else:
            language = Language.JAVASCRIPT
            body = JAVASCRIPT[kind].replace("URL", json.dumps(answers))
            text = f"exports.onExecutePostLogin = async (event, api) => {{ {body}; }};"
        if language not in self.actions:
            self.actions[language] = _created(api, language, language.value, text)
        else:
            api.send("PATCH", f"{_ACTIONS}/{self.actions[language]}", body={"code": text})
        action = self.actions[language]
        api.send("POST", f"{_ACTIONS}/{action}/deploy", query={"wait": True})
        bindings = [{"ref": {"type": "action_id", "value": action}, "display_name": "a"}]
        api.send("PATCH", "/api/v2/actions/triggers/post-login/bindings", body={"bindings": bindings})

    def drafts(self, url: str) -> list[str]:
        """An Action for each caller."""
        api = self.tenant.api(url)
        while len(self.made) < CALLERS:
            name = f"draft{len(self.made)}"
            self.made.append(_created(api, Language.JAVASCRIPT, name, TRIVIAL[Language.JAVASCRIPT]))
        return self.made


def _created(api: Api, language: Language, name: str, code: str) -> str:
    body = {
        "name": f"{name}.ts" if name.startswith("draft") else name,
        "code": code,
        "runtime": "node22" if language is Language.JAVASCRIPT else "python3",
        "supported_triggers": [{"id": "post-login", "version": "v3"}],
    }
    return str(api.send("POST", _ACTIONS, body=body).value["id"])


@contextmanager
def _service() -> Iterator[tuple[Served, list[_Loud]]]:
    """A service with one worker; the first tenant's login is the one that is measured."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        packages = folder / "packages"
        packages.mkdir()
        for number in range(_PACKAGES):
            text = f"exports.x = {number}; // {time.time_ns()}"
            (packages / f"heavy{number}-1.0.0.tgz").write_bytes(package(f"heavy{number}", "1.0.0", text))
        with serve(folder, **_SETTINGS, ACTIONBOX_NPM_PACKAGES=str(packages)) as served:  # type: ignore[arg-type]
            api = served.api()
            action = _created(api, Language.JAVASCRIPT, "login", TRIVIAL[Language.JAVASCRIPT])
            api.send("POST", f"{_ACTIONS}/{action}/deploy", query={"wait": True})
            bindings = [{"ref": {"type": "action_id", "value": action}, "display_name": "a"}]
            api.send("PATCH", "/api/v2/actions/triggers/post-login/bindings", body={"bindings": bindings})
            yield served, [_Loud(tenant) for tenant in add_tenants(served, TENANTS)]


@contextmanager
def _answering() -> Iterator[str]:
    """A server whose answers have a quarter of a megabyte; in a process of its own, which gives way."""
    import subprocess

    code = (
        "import http.server, os, sys\n"
        "os.nice(5)\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    protocol_version = 'HTTP/1.1'\n"
        "    def do_GET(self):\n"
        "        self.send_response(200); self.send_header('Content-Length', '262144')\n"
        "        self.end_headers()\n"
        "        self.wfile.write(b'x' * 262144)\n"
        "    def log_message(self, *a): pass\n"
        "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)\n"
        "print(server.server_address[1], flush=True)\n"
        "server.serve_forever()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
        finally:
            process.kill()
