"""Builds in the background: dependencies, failures, newer drafts, restarts, several replicas."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from runner.management.builds import BuildQueue
from runner.service.inprocess import InProcess
from runner.store.runs import JobRow
from sandbox.dependencies import Build, BuildState, Module, Wanted
from sandbox.failure import Failure, FailureCode
from sandbox.packages.lock import Lock
from sandbox.program import Dependencies, Source
from tests.sandbox.packages.tarballs import package
from tests.service.server import HANDLER, Client, Server, running, settings_for

Report = Callable[[Build], None]
USES = """const { hi } = require("greet");
exports.onExecutePostLogin = async (event, api) => { api.idToken.setCustomClaim("g", hi); };
"""


class Gate:
    """A builder that waits for the test, and says what it was given."""

    def __init__(self, failures: Sequence[Failure] = ()) -> None:
        self.seen: list[str] = []
        self.go = threading.Event()
        self._failures = list(failures)

    def build(
        self,
        tenant: str,
        source: Source,
        wanted: Sequence[Wanted],
        modules: Sequence[Module],
        lock: Lock | None,
        report: Report,
    ) -> tuple[Build, Dependencies | None]:
        self.seen.append(source.text)
        report(Build(BuildState.BUILDING))
        assert self.go.wait(30)
        if self._failures:
            return Build(BuildState.FAILED, failure=self._failures.pop(0)), None
        return Build(BuildState.BUILT), None


def until(look: Callable[[], Any], wanted: Any) -> None:
    deadline = time.monotonic() + 30
    while (found := look()) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def with_builder(server: Server, builder: Any) -> BuildQueue:
    """The server's queue, but with another builder."""
    service = server.service
    return BuildQueue(service.store, service.keys, builder, threads=2)


def test_dependencies(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    tarball = package("greet", "1.2.3", 'exports.hi = "hello from a package";')
    (tmp_path / "packages" / "greet-1.2.3.tgz").write_bytes(tarball)
    with running(settings) as server:
        client = server.client()
        made = client.create(code=USES, dependencies=[{"name": "greet", "version": "latest"}])
        assert made["status"] == "built", made
        assert made["dependencies"] == [{"name": "greet", "version": "1.2.3"}], "latest became concrete"
        ran = client.call("POST", f"/actions/{made['id']}/test", {"payload": {}}).json["payload"]
        assert "hello from a package" in str(ran["effects"])
        version = client.call("POST", f"/actions/{made['id']}/deploy").json
        assert version["dependencies"] == made["dependencies"]
        (tmp_path / "packages" / "greet-1.2.3.tgz").unlink()
        bad = client.create(code=USES, dependencies=[{"name": "greet", "version": "9.9.9"}])
        assert bad["status"] == "failed"
        assert "greet" in bad["errors"][0]["msg"]
        assert bad["errors"][0]["id"] == "dependency"


def test_only_the_newest_draft_counts(embedded: Server) -> None:
    gate = Gate()
    queue = with_builder(embedded, gate)
    embedded.service.builds.stop()
    try:
        client = embedded.client()
        action = client.create(code="// first", built=False)
        queue.start()
        until(lambda: gate.seen, ["// first"])
        assert client.get(f"/actions/{action['id']}")["status"] == "building"
        client.call("PATCH", f"/actions/{action['id']}", {"code": "// second"})
        assert client.get(f"/actions/{action['id']}")["status"] == "pending"
        gate.go.set()
        until(lambda: client.get(f"/actions/{action['id']}")["status"], "built")
        assert gate.seen == ["// first", "// second"]
        assert _jobs(embedded, client) == 0
    finally:
        queue.stop()
        _restart(embedded)


def test_what_may_pass_is_tried_again(embedded: Server, monkeypatch: Any) -> None:
    from datetime import timedelta

    monkeypatch.setattr("runner.management.building._PAUSE", timedelta(seconds=0))
    down = Failure(FailureCode.DEPENDENCY, "The registry does not answer.", detail={"rule": "network"})
    gate = Gate([down])
    gate.go.set()
    queue = with_builder(embedded, gate)
    embedded.service.builds.stop()
    try:
        client = embedded.client()
        action = client.create(built=False)
        queue.start()
        until(lambda: client.get(f"/actions/{action['id']}")["status"], "built")
        assert len(gate.seen) == 2
    finally:
        queue.stop()
        _restart(embedded)


def test_a_build_that_is_handed_back_is_taken_up_by_another(clustered: Server) -> None:
    """On PostgreSQL: a replica stops in the middle; the next one builds. Two at once build each draft
    once."""
    gate, others = Gate(), Gate()
    others.go.set()
    clustered.service.builds.stop()
    first, second, third = (with_builder(clustered, item) for item in (gate, others, others))
    try:
        client = clustered.client()
        client.create("stuck", built=False)
        first.start()
        until(lambda: len(gate.seen), 1)
        first.stop(seconds=0.1)
        for index in range(6):
            client.create(f"a{index}", code=f"// {index}", built=False)
        second.start()
        third.start()
        until(lambda: {item["status"] for item in client.get("/actions")["actions"]}, {"built"})
        assert sorted(others.seen) == sorted([HANDLER, *(f"// {index}" for index in range(6))])
        assert _jobs(clustered, client) == 0
    finally:
        gate.go.set()
        second.stop()
        third.stop()
        _restart(clustered)


def _jobs(server: Server, client: Client) -> int:
    with server.service.store.read() as session:
        query = select(func.count()).select_from(JobRow).where(JobRow.tenant_id == client.tenant)
        return session.scalar(query) or 0


def _restart(server: Server) -> None:
    """Let the server build for itself again."""
    builds = with_builder(server, InProcess(server.service.settings, None))  # type: ignore[arg-type]
    object.__setattr__(server.service, "builds", builds)
    builds.start()
