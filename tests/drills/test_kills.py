"""kill -9 at random moments under mixed load, on both databases (F1, F3, F4, S1)."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from runner.store import KeyRing, Sealed, Store
from runner.store.sealed.sealing import secret_context
from tests import forked
from tests.drills.ledger import Binder, Client, all_at_once, employ, resumed
from tests.drills.outage import call
from tests.drills.rounds import rounds
from tests.e2e.serving import ACTIONBOX, Served, environment, process, serve
from tests.postgres import new_database

SEED = 20
CLIENTS = 3
FAST: dict[str, Any] = {
    "ACTIONBOX_RATE_BURST": "1000000",
    "ACTIONBOX_RATE_PER_SECOND": "1000000",
    "ACTIONBOX_TENANT_CONCURRENCY": "64",
}
_INVARIANTS = {
    "deployed versions that are not there": "select count(*) from actions a where deployed_version_id is not "
    "null and not exists (select 1 from action_versions v where v.tenant_id = a.tenant_id and v.id = "
    "a.deployed_version_id)",
    "numbers that do not follow": "select count(*) from actions a where next_number <> 1 + (select "
    "coalesce(max(number), 0) from action_versions v where v.tenant_id = a.tenant_id and v.action_id = a.id)",
    "bindings of nothing": "select count(*) from bindings b where not exists (select 1 from actions a where "
    "a.tenant_id = b.tenant_id and a.id = b.action_id)",
    "actions of executions that are not there": "select count(*) from execution_actions x where not exists "
    "(select 1 from executions e where e.tenant_id = x.tenant_id and e.id = x.execution_id)",
    "answers without an execution": "select count(*) from idempotency_keys where status = 0",
    "jobs without an execution": "select count(*) from jobs j where kind <> 'build' and not exists (select 1 "
    "from executions e where e.tenant_id = j.tenant_id and e.id = j.execution_id)",
}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_kill_9_under_mixed_load(tmp_path: Path, database: str) -> None:
    settings: dict[str, Any] = dict(FAST)
    if database == "postgresql":
        settings["DATABASE_URL"] = new_database()
        KeyRing.create(tmp_path / "keys.json")
    url = settings.get("DATABASE_URL", f"sqlite:///{tmp_path / 'actionbox.db'}")
    chance = random.Random(SEED)
    known: Served | None = None
    clients: list[Client] = []
    binder = Binder([])
    count = rounds(1, 40)
    for _ in range(count + 1):
        with serve(tmp_path, known=known, **settings) as served:
            if known is None:
                clients = employ(served, CLIENTS)
                binder = Binder(clients)
            else:
                binder.check(served)
                for client in clients:
                    client.check(served)
                check_jobs(served)
            known = served
            killed(served, clients, binder, chance, tmp_path, settings)
            assert "Traceback" not in served.output
        check_store(url, tmp_path)
    assert sum(client.acknowledged for client in clients) > 5 * count


def killed(
    served: Served,
    clients: list[Client],
    binder: Binder,
    chance: random.Random,
    folder: Path,
    settings: dict[str, Any],
) -> None:
    """At a random moment while everybody works; at times a rotation of keys runs, which is killed too."""
    moment = time.monotonic() + chance.uniform(0.3, 2.5)
    wrong, threads = all_at_once(served, clients, binder, chance.randrange(1000), moment + 30)
    with rotating(folder, settings) if chance.random() < 0.5 else contextlib.nullcontext():
        time.sleep(max(0.0, moment - time.monotonic()))
        served.kill()
    for thread in threads:
        thread.join(60)
    assert not wrong, wrong


@contextlib.contextmanager
def rotating(folder: Path, settings: dict[str, Any]) -> Iterator[None]:
    """`actionbox keys rotate` runs during the block, and is killed at its end."""
    with process([ACTIONBOX, "keys", "rotate"], environment(folder, **settings)) as (started, _):
        try:
            yield
        finally:
            started.kill()
            started.wait(10)


def check_store(url: str, folder: Path) -> None:
    """What a kill must not leave behind."""
    store = Store.open(url)
    try:
        with store.read() as session:
            if store.is_sqlite:
                assert session.execute(text("pragma integrity_check")).scalars().all() == ["ok"]
                assert session.execute(text("pragma foreign_key_check")).all() == []
            for what, query in _INVARIANTS.items():
                assert session.scalar(text(query)) == 0, what
            ring = KeyRing.load(folder / "keys.json")
            sealed = session.execute(
                text("select tenant_id, owner_kind, owner_id, name, key_id, sealed from secrets")
            ).all()
        assert len(sealed) > CLIENTS
        for tenant, kind, owner, name, key_id, data in sealed:
            ring.open(Sealed(key_id, bytes(data)), secret_context(tenant, kind, owner, name))
    finally:
        store.close()


def check_jobs(served: Served) -> None:
    """None is stuck, and none has died."""
    deadline = time.monotonic() + 90
    while any(
        call(served, "GET", f"/runtime/v1/jobs?state={state}").value["jobs"] for state in ("ready", "running")
    ):
        assert time.monotonic() < deadline, "jobs are stuck"
        time.sleep(0.1)
    assert call(served, "GET", "/runtime/v1/jobs?state=dead").value["jobs"] == []


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_kill_9_while_the_first_start_makes_the_schema(tmp_path: Path, database: str) -> None:
    """Whenever that is, the next start goes on; a tenant whose token nobody has seen gets a new client."""
    chance = random.Random(SEED)
    for number in range(rounds(1, 30)):
        folder = tmp_path / str(number)
        settings = {"DATABASE_URL": new_database()} if database == "postgresql" else {}
        if settings:
            KeyRing.create(folder / "keys.json")
        for _ in range(rounds(1, 2)):
            command = [ACTIONBOX, "serve", "--port", "0"]
            with process(command, environment(folder, **settings)) as (started, _):
                time.sleep(chance.uniform(0.0, 1.6))
                started.kill()
                started.wait(10)
        with process([ACTIONBOX, "serve", "--port", "0"], environment(folder, **settings)) as (
            started,
            lines,
        ):
            text_ = ""
            deadline = time.monotonic() + 60
            while "/invoke" not in text_ and "Tokens:" not in text_:
                assert started.poll() is None, text_
                assert time.monotonic() < deadline, text_
                while not lines.empty():
                    text_ += lines.get()
                time.sleep(0.05)
        added = forked.run(["client", "add", "main"], environment(folder, **settings))
        assert added.returncode == 0, added.stderr
        assert "client secret" in added.stdout


def test_an_answer_that_was_lost_can_be_asked_for_again(tmp_path: Path) -> None:
    with serve(tmp_path, **FAST) as served:
        (client,) = employ(served, 1)
        for _ in range(2):
            assert client.suspend(served)
        one, other = client.handles
        first = resumed(served, one, "k")
        assert first.status == 200
        assert resumed(served, one, "k").value == first.value
        assert resumed(served, one, "k").headers["Idempotency-Replayed"] == "true"
        assert resumed(served, one).status == 410
        assert resumed(served, one, "l").status == 410
        assert resumed(served, other, "k").value["errorCode"] == "idempotency_key_reused"
        assert resumed(served, other, "l").status == 200
