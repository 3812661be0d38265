"""Rollouts over HTTP: real logins, real workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.rollouts.test_plan import CANARY, PROMOTE
from tests.serving.server import HANDLER, Client, Server
from triggers import get_trigger

THROWS = "exports.onExecutePostLogin = async () => { throw new Error('broken'); };\n"
DENIES_ADMINS = """
exports.onExecutePostLogin = async (event, api) => {
  if (event.authorization.roles.includes("admin")) api.access.deny("no admins today");
};
"""
ASKS = """
exports.onExecutePostLogin = async (event, api) => { api.redirect.sendUserTo("https://x.example/ask"); };
exports.onContinuePostLogin = async (event, api) => { console.log("VERSION"); };
"""
FETCHES = (
    'exports.onExecutePostLogin = async () => { await fetch("http://127.0.0.1:9/").catch(() => {}); };\n'
)
HALF = {"canary": {"percent": 50, "events": 10_000}}


class Rolled:
    """An Action with a deployed version and a candidate."""

    def __init__(self, client: Client, candidate: str, control: str = HANDLER, **fields: Any) -> None:
        self.client = client
        self.action = client.deployed(code=control, **fields)
        client.bind(self.action)
        self.path = f"/actions/{self.action['id']}"
        self.draft(candidate)

    def draft(self, code: str) -> None:
        assert self.client.call("PATCH", self.path, {"code": code}).status == 200
        assert self.client.settled(self.action["id"])["status"] == "built"

    def start(self, *stages: dict[str, Any], **more: Any) -> dict[str, Any]:
        body = {"stages": [*(stages or (HALF,)), PROMOTE], **more}
        reply = self.client.call("POST", f"{self.path}/rollouts", body)
        assert reply.status == 201, reply
        return reply.json

    def now(self, rollout: dict[str, Any]) -> dict[str, Any]:
        return self.client.get(f"{self.path}/rollouts/{rollout['id']}")

    def change(self, rollout: dict[str, Any], name: str) -> Any:
        return self.client.call("POST", f"{self.path}/rollouts/{rollout['id']}/{name}")

    def until(self, rollout: dict[str, Any], check: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while not check(found := self.now(rollout)):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found

    def login(self, user: str = "auth0|1", **more: Any) -> dict[str, Any]:
        """The record of the Action, with the decision."""
        example = get_trigger("post-login").example_event
        event = {**example, "user": {**example["user"], "user_id": user}, **more}
        reply = self.client.call("POST", "//runtime/v1/triggers/post-login/invoke", {"event": event})
        assert reply.status == 200, reply
        (record,) = reply.json["actions"]
        return {**record, **{name: reply.json[name] for name in ("decision", "execution_id", "suspension")}}

    def on(self, arm: str, **more: Any) -> tuple[str, dict[str, Any]]:
        """A user who falls on an arm, and the record of the login."""
        for number in range(60):
            found = self.login(f"user {number}", **more)
            if found["version"]["arm"] == arm:
                return f"user {number}", found
        raise AssertionError(f"nobody is on {arm}")


def counts(rollout: dict[str, Any], arm: str, group: str = "share") -> dict[str, Any]:
    return next(item for item in rollout["arms"] if (item["group"], item["arm"]) == (group, arm))


def numbers(rolled: Rolled) -> tuple[int, int]:
    """Of the deployed version, and of the newest."""
    versions = rolled.client.get(f"{rolled.path}/versions")["versions"]
    return next(item["number"] for item in versions if item["deployed"]), versions[0]["number"]


def test_a_candidate_that_fails_goes_back_by_itself(whole: Server) -> None:
    rolled = Rolled(whole.client(), THROWS)
    assert rolled.login()["version"] == {
        "id": rolled.action["deployed_version"]["id"],
        "number": 1,
        "rollout_id": None,
        "arm": None,
        "reason": None,
    }
    rollout = rolled.start()
    assert (rollout["state"], rollout["control"]["number"], rollout["candidate"]["number"]) == (
        "running",
        1,
        2,
    )
    user, failed = rolled.on("canary")
    assert (failed["decision"], failed["version"]["number"]) == ("failed", 2)
    assert failed["version"]["reason"] == "share 50 %"
    execution = rolled.client.get(f"//runtime/v1/executions/{failed['execution_id']}")
    (result,) = execution["results"]
    assert (result["version_number"], result["arm"], result["arm_reason"]) == (2, "canary", "share 50 %")
    assert (result["rollout_id"], execution["outcome"]["actions"][0]["version"]["arm"]) == (
        rollout["id"],
        "canary",
    )
    for _ in range(2):
        rolled.login(user)
    found = rolled.until(rollout, lambda item: item["state"] == "rolled_back")
    assert "the candidate failed 3 times in a row" in found["reason"]
    assert found["watch"]["alarm"]["kind"] == "run"
    assert counts(found, "canary")["failed"] >= 3
    assert [item["decision"] for item in found["decisions"]] == ["start", "rollback"]
    assert found["next"]["step"] == "none"
    again = rolled.login(user)
    assert (again["decision"], again["version"]["number"], again["version"]["arm"]) == ("allow", 1, None)
    assert numbers(rolled) == (1, 2)
    entry = rolled.client.get("//api/v2/logs", q="type:actions_rollout")[0]
    assert entry["details"]["decision"] == "rollback"
    assert entry["details"]["evidence"]["arms"]["canary"]["failed"] >= 3
    assert rolled.client.get(f"//api/v2/logs/{entry['log_id']}") == entry
    failure = rolled.client.get("//api/v2/logs", q="type:actions_execution_failed")[0]["details"]
    assert (failure["version_number"], failure["arm"]) == (2, "canary")


def test_a_good_one_goes_through_its_stages(whole: Server) -> None:
    rolled = Rolled(whole.client(), HANDLER + "// better\n")
    few, more = ({"canary": {"percent": share, "events": 3}} for share in (30, 60))
    rollout = rolled.start(few, more, guards={"failed": {}, "denied": {}})
    on = set()
    for number in range(400):
        found = rolled.login(f"user {number}")
        if found["version"]["arm"] is None:
            break
        assert found["version"]["number"] == (2 if found["version"]["arm"] == "canary" else 1)
        if found["version"]["reason"] == "share 30 %" and found["version"]["arm"] == "canary":
            on.add(f"user {number}")
        if found["version"]["reason"] == "share 60 %":
            for user in sorted(on):
                assert rolled.login(user)["version"]["number"] == 2, "a growing share moves nobody back"
            on.clear()
    found = rolled.until(rollout, lambda item: item["state"] == "promoted")
    assert numbers(rolled) == (2, 2)
    assert [stage["state"] for stage in found["stages"]] == ["done"] * 3
    assert [item["decision"] for item in found["decisions"]] == ["start", "stage", "promote"]
    assert rolled.login()["version"]["number"] == 2
    assert rolled.client.get(rolled.path)["all_changes_deployed"] is True


def test_one_rollout_at_a_time_and_no_deploy_beside_it(whole: Server) -> None:
    rolled = Rolled(whole.client(), HANDLER + "// 2\n")
    rollout = rolled.start()
    for path, body in (
        ("/rollouts", {"stages": [CANARY, PROMOTE]}),
        ("/deploy", None),
        ("/versions/1/deploy", None),
    ):
        reply = rolled.client.call("POST", rolled.path + path, body)
        assert (reply.status, reply.json["errorCode"]) == (409, "rollout_active")
        assert f"{rollout['id']}/promote or …/abort" in reply.json["message"]
    rolled.draft(HANDLER + "// 3\n")
    assert rolled.change(rollout, "abort").json["state"] == "aborted"
    for name in ("abort", "promote", "pause", "resume"):
        reply = rolled.change(rollout, name)
        assert (reply.status, reply.json["errorCode"]) == (409, "rollout_state")
        assert f"The rollout {rollout['id']} is aborted" in reply.json["message"]
    assert rolled.client.call("POST", f"{rolled.path}/deploy").json["number"] == 3
    again = rolled.start(candidate={"version": 2})
    assert again["candidate"]["number"] == 4
    assert rolled.change(again, "promote").json["state"] == "promoted"
    assert numbers(rolled) == (4, 4)
    assert rolled.client.get(rolled.path)["all_changes_deployed"] is False, "the draft is another one"
    listed = rolled.client.get(f"{rolled.path}/rollouts")["rollouts"]
    assert [item["id"] for item in listed] == [again["id"], rollout["id"]]


def test_whoever_falls_back_falls_back_to_what_was_deployed(whole: Server) -> None:
    """And not to a candidate that did not hold."""
    rolled = Rolled(whole.client(), THROWS)
    rolled.change(rolled.start(), "abort")
    rolled.draft("exports.onExecutePostLogin = async () => { throw new Error('later'); };\n")
    assert rolled.client.call("POST", f"{rolled.path}/deploy").json["number"] == 3
    binding = {"ref": {"type": "action_id", "value": rolled.action["id"]}, "fail_policy": "last_good"}
    assert rolled.client.call("PATCH", "/triggers/post-login/bindings", {"bindings": [binding]}).status == 200
    found = rolled.login()
    assert (found["decision"], found["used_last_good"]) == ("allow", True), "version 1 helped out"


def test_a_paused_rollout_keeps_everybody_where_they_are(whole: Server) -> None:
    rolled = Rolled(whole.client(), HANDLER + "// 2\n")
    rollout = rolled.start({"canary": {"percent": 50, "events": 1}})
    assert rolled.change(rollout, "pause").json["next"]["step"] == "resume, promote or abort"
    assert rolled.change(rollout, "pause").status == 409
    user, _ = rolled.on("canary")
    found = rolled.until(rollout, lambda item: counts(item, "canary")["events"] > 0)
    assert found["state"] == "paused"
    assert rolled.login(user)["version"]["arm"] == "canary"
    assert rolled.change(rollout, "resume").json["state"] == "running"
    rolled.login(user)
    rolled.until(rollout, lambda item: item["state"] == "promoted")


def test_a_denial_of_whom_it_must_not_deny_goes_back_at_once(whole: Server) -> None:
    rolled = Rolled(whole.client(), DENIES_ADMINS)
    rollout = rolled.start({"canary": {"percent": 99, "events": 10_000}}, lockout=[{"role": "admin"}])
    _, found = rolled.on("canary", authorization={"roles": ["admin"]})
    assert found["decision"] == "deny"
    after = rolled.until(rollout, lambda item: item["state"] == "rolled_back")
    assert after["watch"]["alarm"] == {
        "kind": "lockout",
        "text": "the candidate denied somebody on the lock-out list",
        "execution_id": found["execution_id"],
    }


def test_a_host_that_the_control_never_asked_goes_back_at_once(whole: Server) -> None:
    rolled = Rolled(whole.client(), FETCHES)
    rollout = rolled.start({"canary": {"percent": 99, "events": 10_000}})
    rolled.on("canary")
    after = rolled.until(rollout, lambda item: item["state"] == "rolled_back")
    assert after["watch"]["new_hosts"] == ["127.0.0.1:9"]
    assert "hosts that the control never asked: 127.0.0.1:9" in after["reason"]


def test_a_host_that_the_control_asked_is_not_new(whole: Server) -> None:
    rolled = Rolled(whole.client(), FETCHES + "// 2\n", FETCHES)
    rolled.login()
    rollout = rolled.start({"canary": {"percent": 99, "events": 1}}, guards={"new_hosts": {"max": 0}})
    rolled.on("canary")
    after = rolled.until(rollout, lambda item: item["state"] != "running")
    assert (after["state"], after["watch"]["new_hosts"]) == ("promoted", [])


def test_a_regression_may_wait_for_somebody_who_then_begins_anew(whole: Server) -> None:
    rolled = Rolled(whole.client(), THROWS)
    rollout = rolled.start(on_regression="pause")
    user, _ = rolled.on("canary")
    for _ in range(2):
        rolled.login(user)
    after = rolled.until(rollout, lambda item: item["state"] == "paused")
    assert "regression: the candidate failed 3 times in a row" in after["reason"]
    resumed = rolled.change(rollout, "resume").json
    assert (resumed["state"], resumed["watch"]["failures_in_a_row"]) == ("running", 0)
    assert resumed["decisions"][-1]["reason"] == "the guards begin anew"
    assert rolled.login(user)["version"]["arm"] == "canary", "nobody moved"
    for _ in range(2):
        rolled.login(user)
    rolled.until(rollout, lambda item: item["state"] == "paused")


def test_a_flow_that_waits_goes_on_with_its_version_and_its_arm(whole: Server) -> None:
    rolled = Rolled(whole.client(), ASKS.replace("VERSION", "two"), ASKS.replace("VERSION", "one"))
    rollout = rolled.start(guards={})
    waiting = {arm: rolled.on(arm)[1] for arm in ("control", "canary")}
    rolled.change(rollout, "promote")
    for arm, log, version in (("canary", "two", 2), ("control", "one", 1)):
        suspension = waiting[arm]["suspension"]
        request = {
            **get_trigger("post-login").example_event["request"],
            "query": {"state": suspension["state"]},
        }
        body = {"handle": suspension["handle"], "request": request}
        (record,) = rolled.client.call("POST", "//runtime/v1/resume", body).json["actions"]
        assert record["logs"][0]["text"] == log
        assert (record["version"]["number"], record["version"]["arm"]) == (version, arm)
        assert record["version"]["rollout_id"] == rollout["id"]


def test_users_without_the_key_stay_and_are_counted(whole: Server) -> None:
    rolled = Rolled(whole.client(), HANDLER + "// 2\n")
    rollout = rolled.start({"canary": {"percent": 99, "events": 10_000}}, key="user.app_metadata.nowhere")
    assert rolled.login()["version"]["reason"] == "no user.app_metadata.nowhere in the event"
    after = rolled.until(rollout, lambda item: any(arm["group"] == "no_key" for arm in item["arms"]))
    assert counts(after, "control", "no_key")["events"] == 1
    assert "1 events have no user.app_metadata.nowhere and stay on the control" in after["next"]["waits"]


def test_a_cohort_gets_the_candidate_and_is_no_evidence(whole: Server) -> None:
    rolled = Rolled(whole.client(), HANDLER + "// 2\n")
    rollout = rolled.start({"canary": {"percent": 0.01, "events": 10_000}}, cohorts={"staff": 100})
    found = rolled.login(authorization={"roles": ["staff"]})
    assert (found["version"]["number"], found["version"]["reason"]) == (2, "cohort staff 100 %")
    after = rolled.until(rollout, lambda item: any(arm["group"] == "cohort:staff" for arm in item["arms"]))
    assert counts(after, "canary", "cohort:staff")["events"] == 1
    assert counts(after, "canary")["events"] == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"candidate": {"version": 9}}, "'the action has no version 9' at $.candidate.version"),
        ({"candidate": {"version": 1}}, "'version 1 is the deployed one, and nothing to roll out'"),
        ({"key": "connexion.id"}, "events of post-login have no connexion"),
        ({"stages": [{"canary": {"percent": 5, "events": 0}}, PROMOTE]}, "at $.stages[0].canary.events"),
    ],
)
def test_what_cannot_be_rolled_out_is_refused(whole: Server, body: dict[str, Any], said: str) -> None:
    rolled = Rolled(whole.client(), HANDLER + "// 2\n")
    reply = rolled.client.call("POST", f"{rolled.path}/rollouts", {"stages": [CANARY, PROMOTE], **body})
    assert reply.status == 400
    assert said in reply.json["message"]


def test_only_what_is_deployed_and_built_is_rolled_out(whole: Server) -> None:
    client = whole.client()
    action = client.create()
    body = {"stages": [CANARY, PROMOTE]}
    reply = client.call("POST", f"/actions/{action['id']}/rollouts", body)
    assert (reply.status, "deploy it first" in reply.json["message"]) == (400, True)
    action = client.deployed()
    client.call("PATCH", f"/actions/{action['id']}", {"code": "exports.onExecutePostLogin = ("})
    client.settled(action["id"])
    reply = client.call("POST", f"/actions/{action['id']}/rollouts", body)
    assert (reply.status, "must be in the 'built' state" in reply.json["message"]) == (400, True)


def test_another_tenant_and_another_action_do_not_see_it(whole: Server) -> None:
    rolled = Rolled(whole.client(), HANDLER + "// 2\n")
    rollout = rolled.start()
    other = rolled.client.deployed()
    for client, action in ((whole.client(), rolled.action), (rolled.client, other)):
        path = f"/actions/{action['id']}/rollouts/{rollout['id']}"
        assert client.call("GET", path).status == 404
        assert client.call("POST", f"{path}/promote").status == 404
    reader = whole.client(rolled.client.tenant, ["read:actions"])
    assert reader.call("POST", f"{rolled.path}/rollouts/{rollout['id']}/abort").status == 403


def test_a_deleted_action_takes_its_rollout_along(whole: Server) -> None:
    rolled = Rolled(whole.client(), HANDLER + "// 2\n")
    rollout = rolled.start()
    rolled.login()
    assert rolled.client.call("DELETE", rolled.path, force=True).status == 204
    assert rolled.client.call("GET", f"{rolled.path}/rollouts/{rollout['id']}").status == 404
    kept = rolled.client.get("//api/v2/logs", q="type:actions_rollout")
    assert [item["details"]["decision"] for item in kept] == ["start"]
