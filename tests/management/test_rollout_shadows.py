"""Shadow stages, and the lock-out guard of rollouts: on logins that the service recorded."""

from __future__ import annotations

from typing import Any

from tests.management.test_rollouts import DENIES_ADMINS, THROWS, Rolled
from tests.serving.server import HANDLER, Server
from tests.shadow.serving import login, on_record, recording

__all__ = ["recording"]
SHADOW = {"shadow": {"events": 4, "hours": 1}}
CANARY = {"canary": {"percent": 50, "events": 10_000}}


def recorded(server: Server, candidate: str) -> Rolled:
    """With four logins on record, one of them an administrator's."""
    rolled = Rolled(server.client(), candidate)
    for number in range(4):
        login(rolled.client, f"auth0|{number}", *(["admin"] if number == 2 else ["guest"]))
    on_record(server, rolled.client, 4)
    return rolled


def test_one_that_does_the_same_goes_on_to_its_canary(recording: Server) -> None:
    rolled = recorded(recording, HANDLER + "// 2\n")
    rollout = rolled.start(SHADOW, CANARY)
    assert rollout["next"]["step"] == "canary 50 %"
    found = rolled.until(rollout, lambda item: item["stage"] == 1)
    assert [stage["state"] for stage in found["stages"]] == ["done", "running", "waiting"]
    assert found["stages"][0]["events"] == 4
    assert found["decisions"][-1]["evidence"]["shadow"]["compared"] == 4
    assert "4 recorded legs without a regression; now canary 50 %" in found["decisions"][-1]["reason"]
    assert rolled.client.get(f"{rolled.path}/rollouts/{rollout['id']}/differences") == {"differences": []}


def test_one_that_would_fail_goes_back_before_anybody_meets_it(recording: Server) -> None:
    rolled = recorded(recording, THROWS)
    rollout = rolled.start(SHADOW, CANARY)
    found = rolled.until(rollout, lambda item: item["state"] != "running")
    assert found["state"] == "rolled_back"
    assert "of 4 recorded executions 4 would end otherwise or fail" in found["reason"]
    path = f"{rolled.path}/rollouts/{rollout['id']}/differences"
    causes: set[Any] = {item["cause"] for item in rolled.client.get(path)["differences"]}
    assert causes <= {"decision", "failure"}
    assert causes
    assert rolled.client.get(path, cause="claim") == {"differences": []}
    assert all(arm["events"] == 0 for arm in found["arms"])


def test_what_somebody_meant_goes_on_when_they_say_so(recording: Server) -> None:
    rolled = recorded(recording, DENIES_ADMINS)
    rollout = rolled.start(SHADOW, CANARY, on_regression="pause")
    found = rolled.until(rollout, lambda item: item["state"] == "paused")
    assert "of 4 recorded executions 1 would end otherwise" in found["reason"]
    resumed = rolled.change(rollout, "resume").json
    assert (resumed["state"], resumed["stage"]) == ("running", 1)
    assert resumed["decisions"][-1]["reason"].startswith("although shadow: of 4")


def test_too_few_on_record_are_waited_for(recording: Server) -> None:
    rolled = recorded(recording, HANDLER + "// 2\n")
    rollout = rolled.start({"shadow": {"events": 400, "hours": 1}}, CANARY)
    found = rolled.until(rollout, lambda item: item["stages"][0]["events"] == 4)
    assert found["state"] == "running"
    assert found["next"]["waits"] == "4 of 400 recorded legs were run"


def test_who_would_lock_out_an_administrator_is_refused(recording: Server) -> None:
    rolled = recorded(recording, DENIES_ADMINS)
    body = {"stages": [CANARY, {"promote": True}], "lockout": [{"role": "admin"}]}
    path = f"{rolled.path}/rollouts"
    reply = rolled.client.call("POST", path, body)
    assert (reply.status, reply.json["errorCode"]) == (409, "would_lock_out")
    assert "would be denied or fail" in reply.json["message"]
    assert rolled.client.get(path)["rollouts"] == []
    reply = rolled.client.call("POST", path, body, force="they know")
    assert reply.status == 201
