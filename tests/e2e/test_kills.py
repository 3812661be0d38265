"""What was acknowledged happens, whoever is killed in between, and what happens twice has one id."""

from __future__ import annotations

import json
import random
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from runner.client import Accepted, Api, RuntimeClient
from runner.store import KeyRing
from tests.e2e.serving import serve, worker
from tests.postgres import new_database
from triggers import get_trigger

EVENTS = 24
SLOW = """
exports.onExecutePostUserRegistration = async (event) => {
  await new Promise((done) => setTimeout(done, 150));
  console.log(event.user.user_id);
};
"""


def deploy(api: Api) -> None:
    """`SLOW`, bound to its trigger."""
    triggers = [{"id": "post-user-registration", "version": "v2"}]
    body = {"name": "slow", "code": SLOW, "supported_triggers": triggers}
    action = api.send("POST", "/api/v2/actions/actions", body=body).value
    deployed = api.send("POST", f"/api/v2/actions/actions/{action['id']}/deploy", query={"wait": True}).value
    assert deployed["number"] == 1
    bindings = [{"ref": {"type": "action_id", "value": action["id"]}, "display_name": "slow"}]
    api.send("PATCH", "/api/v2/actions/triggers/post-user-registration/bindings", body={"bindings": bindings})


def acknowledge(runtime: RuntimeClient) -> dict[str, str]:
    """User ids by execution id, of events that the service has accepted."""
    found = {}
    for number in range(EVENTS):
        event = get_trigger("post-user-registration").example_event
        event["user"]["user_id"] = f"auth0|{number}"
        accepted = runtime.invoke("post-user-registration", event)
        assert isinstance(accepted, Accepted)
        found[accepted.execution_id] = f"auth0|{number}"
    return found


def finished(runtime: RuntimeClient) -> list[Any]:
    listed = [*runtime.executions(per_page=100)]
    return [item for item in listed if item["status"] == "final"]


def wait_for(runtime: RuntimeClient, count: int, seconds: float = 90) -> list[Any]:
    deadline = time.monotonic() + seconds
    while len(done := finished(runtime)) < count:
        assert time.monotonic() < deadline, f"only {len(done)} of {count} ran"
        time.sleep(0.1)
    return done


def check(runtime: RuntimeClient, promised: dict[str, str]) -> None:
    """All that was promised ran for its own user, under the id that was promised."""
    done = {item["id"]: item for item in wait_for(runtime, EVENTS)}
    assert done.keys() == promised.keys()
    for execution_id, user in promised.items():
        texts = {line["text"] for result in done[execution_id]["results"] for line in result["logs"]}
        assert texts == {user}, json.dumps(done[execution_id])


def test_the_server_alone_is_killed_in_the_middle(tmp_path: Path) -> None:
    with serve(tmp_path) as first:
        deploy(first.api())
        promised = acknowledge(first.runtime())
        wait_for(first.runtime(), 2)
        first.kill()
    with serve(tmp_path, known=first) as second:
        check(second.runtime(), promised)


def test_workers_on_two_machines_are_killed_at_random(tmp_path: Path) -> None:
    url, dice = new_database(), random.Random(7)
    KeyRing.create(tmp_path / "keys.json")
    settings: dict[str, Any] = {"DATABASE_URL": url}
    with serve(tmp_path, **settings, ACTIONBOX_RUN_JOBS="false") as served, ExitStack() as end:
        deploy(served.api())
        promised = acknowledge(served.runtime())
        assert finished(served.runtime()) == []
        machines = ("", "elsewhere", "elsewhere")
        workers = [end.enter_context(worker(tmp_path, machine=name, **settings)) for name in machines]
        for ran in (2, 6):
            wait_for(served.runtime(), ran)
            time.sleep(dice.uniform(0, 0.2))
            workers.pop(dice.randrange(len(workers))).kill()
        check(served.runtime(), promised)


def test_two_replicas_and_two_workers_share_one_database(tmp_path: Path) -> None:
    """Workers run what happens later, and build the drafts."""
    url = new_database()
    KeyRing.create(tmp_path / "keys.json")
    settings: dict[str, Any] = {"DATABASE_URL": url}
    serving: dict[str, Any] = {**settings, "ACTIONBOX_RUN_JOBS": "false", "ACTIONBOX_BUILD_THREADS": "0"}
    with (
        serve(tmp_path, **serving) as one,
        serve(tmp_path, known=one, **serving) as other,
        worker(tmp_path, **settings),
        worker(tmp_path, **settings),
    ):
        event = get_trigger("post-login").example_event
        deploy(one.api())
        assert other.api().get("/api/v2/actions/actions").value["total"] == 1
        promised = acknowledge(other.runtime())
        check(one.runtime(), promised)
        first = one.runtime().invoke("post-login", event, idempotency_key="k")
        assert other.runtime().invoke("post-login", event, idempotency_key="k") == first


def test_a_database_with_data_but_without_keys_is_not_served(tmp_path: Path) -> None:
    with serve(tmp_path):
        pass
    (tmp_path / "keys.json").unlink()
    with pytest.raises(AssertionError, match="key"), serve(tmp_path):
        pass
