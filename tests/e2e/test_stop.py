"""Starting and stopping in bad moments: status 0 when told to stop, 2 and a sentence when it cannot start."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import threading
import time
from pathlib import Path
from queue import Empty

import pytest

from runner.model.outcome import FlowOutcome
from runner.store import KeyRing
from tests import forked
from tests.e2e.serving import ACTIONBOX, Process, Served, environment, process, serve, worker
from tests.e2e.test_slow_clients import PARTIAL, bind, connected, event, request
from tests.postgres import new_database
from triggers import get_trigger


def stopped(started: Process, *signals: int, seconds: float = 20) -> int:
    """The status after `signals`, a moment apart."""
    for number in signals:
        started.send_signal(number)
        time.sleep(0.2)
    return started.wait(seconds)


def refused(data: Path, *options: str, **settings: str) -> str:
    """What a service that cannot start says."""
    done = forked.run(["serve", "--port", "0", *options], environment(data, **settings))
    assert done.returncode == 2, done
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr


def test_a_flow_that_runs_is_finished_and_half_requests_are_not_waited_for(tmp_path: Path) -> None:
    outcomes: list[object] = []
    with serve(tmp_path) as served, connected(served, PARTIAL), connected(served):
        bind(served, "await new Promise((done) => setTimeout(done, 1500));")
        sample = get_trigger("post-login").example_event
        runtime = served.runtime()
        caller = threading.Thread(target=lambda: outcomes.append(runtime.invoke("post-login", sample)))
        caller.start()
        time.sleep(0.7)
        began = time.monotonic()
        assert stopped(served.process, signal.SIGTERM, signal.SIGTERM) == 0
        assert time.monotonic() - began < 15
        caller.join(10)
        assert "Traceback" not in served.output
    assert isinstance(outcomes[0], FlowOutcome)
    with serve(tmp_path, known=served) as again:
        assert [item["id"] for item in again.runtime().executions()] == [outcomes[0].execution_id]


def test_a_flow_that_takes_longer_than_a_stop_may_is_cut_and_on_record(tmp_path: Path) -> None:
    with serve(tmp_path, ACTIONBOX_SHUTDOWN_SECONDS="1") as served:
        bind(served, "await new Promise((done) => setTimeout(done, 60000));")
        with connected(served, request(served, event())) as client:
            time.sleep(0.7)
            assert stopped(served.process, signal.SIGTERM) == 0
            answer = client.recv(65_536)
        assert b" 200 " not in answer[:20]
        assert "Traceback" not in served.output


def test_two_sigints_end_at_once(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        bind(served, "await new Promise((done) => setTimeout(done, 15000));")
        with connected(served, request(served, event())):
            time.sleep(0.7)
            assert stopped(served.process, signal.SIGINT, signal.SIGINT, seconds=8) in (0, 130)


@pytest.mark.parametrize("moment", [0.0, 0.2, 0.7])
def test_sigterm_while_it_starts(tmp_path: Path, moment: float) -> None:
    """`moment`: seconds after it has begun with its database."""
    command = [ACTIONBOX, "serve", "--port", "0"]
    with process(command, environment(tmp_path), afresh=True) as (started, lines):
        deadline = time.monotonic() + 60
        while not (tmp_path / "actionbox.db").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(moment)
        assert stopped(started, signal.SIGTERM) == 0
        text = ""
        with contextlib.suppress(Empty):
            while True:
                text += lines.get(timeout=0.2)
        assert "Traceback" not in text
    with serve(tmp_path) if "First start" not in text else contextlib.nullcontext():
        pass


def test_a_build_that_runs_at_a_stop_is_taken_up_at_the_next_start(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        api = served.api()
        names = [f"a{index}" for index in range(12)]
        for name in names:
            body = {
                "name": name,
                "code": "exports.onExecutePostLogin = async () => {};",
                "supported_triggers": [{"id": "post-login", "version": "v3"}],
            }
            action = api.send("POST", "/api/v2/actions/actions", body=body).value
        assert stopped(served.process, signal.SIGTERM) == 0
    with serve(tmp_path, known=served) as again:
        wait_until_built(again, len(names))
    assert action["status"] in ("pending", "building", "built")


def wait_until_built(served: Served, count: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        actions = served.api().get("/api/v2/actions/actions", per_page=100).value["actions"]
        if [item["status"] for item in actions] == ["built"] * count:
            return
        assert time.monotonic() < deadline, actions
        time.sleep(0.1)


def test_a_worker_stops_in_order(tmp_path: Path) -> None:
    KeyRing.create(tmp_path / "keys.json")
    with worker(tmp_path, DATABASE_URL=new_database()) as started:
        assert stopped(started, signal.SIGTERM, signal.SIGTERM) == 0


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert "Address already in use" in refused(tmp_path, "--port", str(port))
        said = refused(tmp_path, ACTIONBOX_METRICS_PORT=str(port))
        assert "cannot serve metrics" in said


def test_a_data_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be made" in refused(tmp_path / "file" / "data")
    (tmp_path / "actionbox.db").write_bytes(b"this is no database" * 100)
    assert "cannot be opened" in refused(tmp_path)
    folder = tmp_path / "locked"
    folder.mkdir()
    if os.geteuid() != 0:
        folder.chmod(0o500)
        assert "cannot be opened" in refused(folder)
    (tmp_path / "keys" / "keys.json").mkdir(parents=True)
    assert "key" in refused(tmp_path / "keys")


def test_a_database_of_a_newer_release(tmp_path: Path) -> None:
    with serve(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "actionbox.db") as database:
        database.execute("update alembic_version set version_num = '9999'")
    database.close()
    assert "use a newer one" in refused(tmp_path)


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    KeyRing.create(tmp_path / "keys.json")
    said = refused(tmp_path, DATABASE_URL="postgresql://someone:hidden-word@127.0.0.1:9/x")
    assert "cannot be opened" in said
    assert "hidden-word" not in said
