"""Builds in the background: dependencies, failures, newer drafts, restarts, several replicas."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from runner.config.settings import ServiceSettings
from runner.jobs.policy import BUILD, Policy
from runner.management.base.interfaces import BusyError
from runner.store import KeyRing
from runner.store.tables.models import ActionRow
from runner.store.tables.runs import DEAD, DONE, JobRow
from sandbox.action_build import Build, BuildState, Module, Wanted
from sandbox.core.failure import Failure, FailureCode
from sandbox.core.program import Dependencies, Source
from sandbox.packages.npm.lock import Lock
from sandbox.packages.wheels.lock import WheelLock
from tests.postgres import new_database
from tests.sandbox.packages.npm.tarballs import package
from tests.serving.server import HANDLER, Client, Server, running, settings_for

Report = Callable[[Build], None]
USES = """const { hi } = require("greet");
exports.onExecutePostLogin = async (event, api) => { api.idToken.setCustomClaim("g", hi); };
"""


class Gate:
    """A builder that waits for the test, and says what it was given."""

    def __init__(self, failures: Sequence[Failure | BusyError] = ()) -> None:
        self.seen: list[str] = []
        self.go = threading.Event()
        self._failures = list(failures)

    def build(
        self,
        tenant: str,
        source: Source,
        wanted: Sequence[Wanted],
        modules: Sequence[Module],
        lock: Lock | WheelLock | None,
        report: Report,
    ) -> tuple[Build, Dependencies | None]:
        self.seen.append(source.text)
        report(Build(BuildState.BUILDING))
        assert self.go.wait(30)
        if self._failures:
            failure = self._failures.pop(0)
            if isinstance(failure, BusyError):
                raise failure
            return Build(BuildState.FAILED, failure=failure), None
        return Build(BuildState.BUILT), None


def until(look: Callable[[], Any], wanted: Any) -> None:
    deadline = time.monotonic() + 30
    while (found := look()) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


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


@contextmanager
def building(settings: ServiceSettings, gate: Gate) -> Iterator[Server]:
    """A server whose builds go through `gate`, which is opened at the end."""
    with ExitStack() as end:
        server = end.enter_context(running(settings, builder=gate))
        end.callback(gate.go.set)
        yield server


def test_only_the_newest_draft_counts(tmp_path: Path) -> None:
    gate = Gate()
    with building(settings_for(tmp_path), gate) as server:
        client = server.client()
        action = client.create(code="// first", built=False)
        until(lambda: gate.seen, ["// first"])
        until(lambda: client.get(f"/actions/{action['id']}")["status"], "building")
        client.call("PATCH", f"/actions/{action['id']}", {"code": "// second"})
        until(lambda: gate.seen, ["// first", "// second"])
        gate.go.set()
        until(lambda: client.get(f"/actions/{action['id']}")["status"], "built")
        until(lambda: _jobs(server, client), [DONE])
        version = client.call("POST", f"/actions/{action['id']}/deploy").json
        assert version["code"] == "// second"


def test_what_may_pass_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.jobs.policy.POLICIES", {(BUILD, ""): Policy(pauses=(0.0, 0.0))})
    down = Failure(FailureCode.DEPENDENCY, "The registry does not answer.", detail={"rule": "network"})
    gate = Gate([down, down, down, down])
    gate.go.set()
    with building(settings_for(tmp_path), gate) as server:
        client = server.client()
        action = client.create()
        assert action["status"] == "failed", "three attempts are all it gets"
        assert "registry does not answer" in action["errors"][0]["msg"]
        assert len(gate.seen) == 3
        client.call("PATCH", f"/actions/{action['id']}", {"code": "// again"})
        assert client.settled(action["id"])["status"] == "built", "a change has all attempts again"
        until(lambda: _jobs(server, client), [DONE])


def test_a_build_waits_while_the_builder_is_busy(tmp_path: Path) -> None:
    gate = Gate([BusyError("too much waits", 1)])
    gate.go.set()
    with building(settings_for(tmp_path), gate) as server:
        action = server.client().create()
        assert action["status"] == "built"
        assert len(gate.seen) == 2


def test_a_build_that_is_handed_back_is_taken_up_by_another(tmp_path: Path) -> None:
    """On PostgreSQL: a replica stops in the middle; the next one builds. Two at once build each draft
    once."""
    KeyRing.create(tmp_path / "keys.json")
    settings = settings_for(tmp_path, database_url=new_database(), shutdown_seconds=0)
    stuck, others = Gate(), Gate()
    others.go.set()
    with ExitStack() as end:
        end.callback(stuck.go.set)
        with running(settings, builder=stuck) as first:
            tenant = first.client()
            tenant.create("stuck", built=False)
            until(lambda: len(stuck.seen), 1)
        with building(settings, others) as second, building(settings, others) as third:
            clients = [server.client(tenant.tenant) for server in (second, third)]
            for index in range(6):
                clients[index % 2].create(f"a{index}", code=f"// {index}", built=False)
            until(lambda: {item["status"] for item in clients[0].get("/actions")["actions"]}, {"built"})
            assert sorted(others.seen) == sorted([HANDLER, *(f"// {index}" for index in range(6))])
            until(lambda: set(_jobs(second, tenant)), {DONE})


def test_a_draft_whose_builds_kill_their_process_is_given_up(tmp_path: Path) -> None:
    settings, gate = settings_for(tmp_path), Gate()
    gate.go.set()
    with building(settings, gate) as server:
        client = server.client()
        action = client.create()
        with server.service.store.begin() as session:
            row = session.get(ActionRow, (client.tenant, action["id"]))
            assert row is not None
            row.status = "building"
            server.service.builds.enqueue(session, row)
            job = session.get(JobRow, (client.tenant, f"build-{action['id']}"))
            assert job is not None
            job.attempts = 6
        failed = client.settled(action["id"])
        assert failed["status"] == "failed"
        assert "given up: 6 attempts ended with their worker" in failed["errors"][0]["msg"]
        assert len(gate.seen) == 1
        assert _jobs(server, client) == [DEAD]


def _jobs(server: Server, client: Client) -> list[str]:
    with server.service.store.read() as session:
        return list(session.scalars(select(JobRow.state).where(JobRow.tenant_id == client.tenant)))
