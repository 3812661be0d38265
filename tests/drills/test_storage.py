"""The database is full, read-only, gone or cut off: 503 and nothing kept, then service again (F5)."""

from __future__ import annotations

import contextlib
import random
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from runner.store import KeyRing
from tests.drills.outage import Answer, call, invoke, prepared, recovers, refuses_writes, workers_of
from tests.drills.rounds import rounds
from tests.e2e.serving import Served, serve
from tests.e2e.test_slow_clients import bind
from tests.postgres import Cluster, installed, new_cluster

LEAST = 4
"""Requests of each client, however slow the machine is."""
FAST: dict[str, Any] = {"ACTIONBOX_RATE_BURST": "100000", "ACTIONBOX_RATE_PER_SECOND": "100000"}


def survives(served: Served, outage: Callable[[], contextlib.AbstractContextManager[None]]) -> None:
    """Refuses during an outage, serves after it, with the same processes."""
    first, workers = prepared(served), workers_of(served)
    with outage():
        refuses_writes(served)
        assert served.process.poll() is None
    recovers(served, first)
    assert workers_of(served) == workers


def test_sqlite_can_write_no_more(tmp_path: Path) -> None:
    """As a quota or a broken disk has it: every write fails."""
    with serve(tmp_path, **FAST) as served:
        pid = served.process.pid
        hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]

        @contextlib.contextmanager
        def outage() -> Iterator[None]:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
            yield
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

        survives(served, outage)


def test_sqlite_on_a_disk_that_is_full(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(
            "nothing may be mounted here: a full disk is NOT TESTED (test_sqlite_can_write_no_more is)"
        )
    try:
        with serve(tmp_path, **FAST) as served:

            @contextlib.contextmanager
            def outage() -> Iterator[None]:
                filler = tmp_path / "filler"
                with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                    while True:
                        file.write(b"\0" * 4096)
                yield
                filler.unlink()

            survives(served, outage)
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=False)


@dataclass(frozen=True)
class Database:
    """A database of a role that is no superuser, as in production."""

    cluster: Cluster
    name: str
    url: str

    def sql(self, *statements: str) -> None:
        """Run as the superuser."""
        url = f"postgresql://postgres@{self.cluster.address}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def cut_off(self) -> None:
        """End every connection to it."""
        self.sql(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{self.name}'")

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """As a standby is, or a database that its hoster has locked."""
        self.sql(f"alter database {self.name} set default_transaction_read_only = on")
        self.cut_off()
        yield
        self.sql(f"alter database {self.name} reset default_transaction_read_only")
        self.cut_off()

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """No connection is left for us."""
        self.sql(f"alter role {self.name} connection limit 0")
        self.cut_off()
        yield
        self.sql(f"alter role {self.name} connection limit -1")

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """The server crashes, and is started again."""
        self.cluster.stop()
        yield
        self.cluster.start()


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return installed(new_cluster())


@pytest.fixture
def database(cluster: Cluster) -> Database:
    name = cluster.database().rpartition("/")[2]
    found = Database(cluster, name, f"postgresql://{name}@{cluster.address}/{name}")
    found.sql(f"create role {name} login", f"alter database {name} owner to {name}")
    return found


@contextlib.contextmanager
def served_from(database: Database, folder: Path, **settings: Any) -> Iterator[Served]:
    KeyRing.create(folder / "keys.json")
    with serve(folder, DATABASE_URL=database.url, **FAST, **settings) as served:
        yield served


@pytest.mark.parametrize("kind", ["read_only", "full", "stopped"])
def test_postgresql_cannot_be_used(tmp_path: Path, database: Database, kind: str) -> None:
    with served_from(database, tmp_path) as served:
        survives(served, getattr(database, kind))


def test_a_service_stops_in_order_while_its_database_is_gone(tmp_path: Path, database: Database) -> None:
    with served_from(database, tmp_path, ACTIONBOX_SHUTDOWN_SECONDS="2") as served:
        prepared(served)
        slow = "await new Promise((done) => setTimeout(done, 15000));"
        bind(served, slow, "post-user-registration", "v2")
        assert invoke(served, trigger="post-user-registration").status == 202
        time.sleep(1)
        with database.stopped():
            assert invoke(served).status == 503
            served.process.terminate()
            assert served.process.wait(30) == 0
        assert "Traceback" not in served.output


def test_a_database_that_hangs_makes_the_service_unready_and_loses_nothing(
    tmp_path: Path, database: Database
) -> None:
    """As while a virtual machine is moved: connections stay, and nothing is answered on them."""
    with served_from(database, tmp_path) as served:
        prepared(served)
        found: list[Answer] = []
        clients = [
            threading.Thread(target=lambda: found.append(invoke(served, uuid4().hex))) for _ in range(50)
        ]
        database.cluster.signal(signal.SIGSTOP)
        try:
            for client in clients:
                client.start()
            for _ in range(2):
                assert call(served, "GET", "/ready").status == 503
                assert call(served, "GET", "/health").status == 200
        finally:
            database.cluster.signal(signal.SIGCONT)
        for client in clients:
            client.join(60)
        assert {answer.status for answer in found} <= {200, 429, 503}
        assert len(found) == len(clients)
        assert call(served, "GET", "/ready").status == 200
        for answer in found:
            if answer.status == 200:
                kept = call(served, "GET", f"/runtime/v1/executions/{answer.value['execution_id']}")
                assert kept.value["status"] == "final"
        assert invoke(served).status == 200


def test_connections_that_are_cut_at_any_moment_lose_and_double_nothing(
    tmp_path: Path, database: Database
) -> None:
    """Clients send again what was refused, with the same key: each request has one answer, one execution on
    record, and one result in it. A commit whose confirmation was cut off is found, not repeated."""
    with served_from(database, tmp_path) as served:
        prepared(served)
        until = time.monotonic() + rounds(2, 60)
        answers: dict[str, list[Answer]] = {}
        clients = [threading.Thread(target=insist, args=(served, n, until, answers)) for n in range(4)]
        for client in clients:
            client.start()
        chance = random.Random(4)
        while time.monotonic() < until:
            time.sleep(chance.uniform(0.0, 0.1))
            database.cut_off()
        for client in clients:
            client.join(60)
        refused = sum(len(found) > 1 for found in answers.values())
        assert refused >= rounds(0, 1), "none was cut off"
        check_once(served, answers)
        assert "Traceback" not in served.output


def insist(served: Served, number: int, until: float, answers: dict[str, list[Answer]]) -> None:
    """Invoke under new keys, each until it is answered."""
    count = 0
    while time.monotonic() < until or count < LEAST:
        key = f"{number}-{count}"
        trigger = "post-user-registration" if count % 3 == 0 else "post-login"
        found = answers.setdefault(key, [])
        while not found or found[-1].status == 503:
            found.append(invoke(served, key, trigger))
        count += 1


def check_once(served: Served, answers: dict[str, list[Answer]]) -> None:
    """All were acknowledged in the end, each under an id of its own, and are on record once."""
    last = {key: found[-1] for key, found in answers.items()}
    assert {answer.status for answer in last.values()} == {200, 202}
    assert {answer.status for found in answers.values() for answer in found} <= {200, 202, 503}
    ids = {answer.value["execution_id"]: answer.status for answer in last.values()}
    assert len(ids) == len(last)
    for key, answer in last.items():
        trigger = "post-user-registration" if answer.status == 202 else "post-login"
        assert invoke(served, key, trigger).value == answer.value
    deadline = time.monotonic() + 60
    for execution_id, status in ids.items():
        while (kept := call(served, "GET", f"/runtime/v1/executions/{execution_id}").value)[
            "status"
        ] != "final":
            assert time.monotonic() < deadline, kept
            time.sleep(0.1)
        assert len(kept["results"]) == (1 if status == 200 else 0)
