"""Actions with packages of the npm registry, built by the product's own installer from committed locks.

A lock names versions and hashes; tarballs, bundles and images stay in the product's cache, so only the
first run downloads and builds. `ACTIONBOX_RELOCK=1 pytest tests/packages` writes the locks that are missing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import sandbox
from runner.project.dependencies import make_origin
from sandbox.action_build import Build, Lock, Wanted, build_action
from sandbox.core.program import Language, Request, Source
from sandbox.egress import Egress, NoEgress
from sandbox.port.live import LivePort
from tests.packages.site import Site
from tests.parity.packages import check_alike
from tests.parity.ways import Ways
from tests.sandbox.javascript.conftest import SURFACE, Ran
from tests.sandbox.ports import FakeApi

WAYS: Callable[[], Ways] | None = None
"""Set while a test runs: in these ways every Action that it runs is run again, on the same server if any."""
LOCKS = Path(__file__).parent / "locks"
_RELOCK = "ACTIONBOX_RELOCK"
_UNREACHABLE = "network"
_HANDLER = "onExecutePostLogin"


def lock_path(packages: tuple[str, ...]) -> Path:
    """Where the lock of `packages` (each `name@version`) is committed."""
    return LOCKS / ("+".join(sorted(packages)).replace("/", "__") + ".json")


def build(text: str, *packages: str, filename: str = "action.js") -> Build:
    """Build an Action that declares `packages`, each `name@version`; the test is skipped when the registry
    is needed and cannot be reached."""
    path = lock_path(packages)
    relock = bool(os.environ.get(_RELOCK))
    assert path.exists() or relock, f"{path.name} is missing: set {_RELOCK}=1 once to write it"
    lock = Lock.from_json(path.read_text()) if path.exists() else None
    made = build_action(
        Source(Language.JAVASCRIPT, filename, text), wanted(packages), origin=make_origin, lock=lock
    )
    if made.failure is not None and made.failure.detail.get("rule") == _UNREACHABLE:
        pytest.skip(f"THE NPM REGISTRY CANNOT BE REACHED: {made.failure.message}")
    if lock is None and made.failure is None:
        LOCKS.mkdir(exist_ok=True)
        path.write_text(made.lock.to_json())
    return made


def wanted(packages: tuple[str, ...]) -> list[Wanted]:
    parts = (item.rpartition("@") for item in packages)
    return [Wanted(name, version) for name, _, version in parts]


def run(
    text: str,
    *packages: str,
    egress: Egress | None = None,
    event: dict[str, Any] | None = None,
    filename: str = "action.js",
) -> Ran:
    """Execute an Action with `packages`."""
    made = build(text, *packages, filename=filename)
    assert made.program is not None, made.failure
    limits, api, network = sandbox.Limits(wall_ms=120_000), FakeApi(), egress or NoEgress()
    request = Request(_HANDLER, json.dumps(event or {}), json.dumps(SURFACE))
    ran = Ran(sandbox.run(made.program, request, limits, LivePort(api, network, limits)), api)
    if WAYS is not None:
        failed = [] if ran.result.failure is None else [ran.result.failure.code.value]
        with asked_since(egress) as asked:
            check_alike(WAYS(), made.program.source, event or {}, network, asked, failed)
    return ran


@contextmanager
def asked_since(egress: Egress | None) -> Iterator[Callable[[], list[Any]]]:
    """Gives what a `Site` was asked since the last call. In the end the site knows what it was asked before."""
    if not isinstance(egress, Site):
        yield list
        return
    before = list(egress.asked)

    def asked() -> list[Any]:
        found = [(item.method, item.url, sorted(item.headers.items()), item.body) for item in egress.asked]
        egress.asked.clear()
        return found

    asked()
    yield asked
    egress.asked[:] = before


def value_of(body: str, *packages: str, **options: Any) -> Any:
    """What the statements `body` return inside a handler, as JSON carries it. `event` is in scope."""
    text = (
        f"exports.{_HANDLER} = async (event, api) => {{\n"
        f"const value = await (async () => {{ {body}\n}})();\n"
        "console.log(JSON.stringify(value === undefined ? null : value)); };"
    )
    ran = run(text, *packages, **options)
    assert ran.result.failure is None, (ran.result.failure, ran.log)
    return json.loads(ran.log[-1])
