"""Replays of executions where people ask for them: a service with a worker, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.serving.server import Server
from tests.shadow.serving import edit, login, recording
from tests.shadow.test_service import BODY, Site

__all__ = ["recording"]

LONE_HALF = "console.log('half \\ud800', '\\u202e', event.secrets.KEY);"


@pytest.fixture(scope="module")
def site(recording: Server) -> Site:
    return Site(recording)


def replay(site: Site, body: dict[str, Any], execution: str = "", **query: Any) -> Any:
    path = f"/executions/{execution or site.admins_login}/replay"
    return site.client.call("POST", path, body, **query)


def record(site: Site, **query: Any) -> Any:
    return site.client.get(f"//runtime/v1/executions/{site.admins_login}/record", **query)


def calls(journal: dict[str, Any], operation: str) -> list[dict[str, Any]]:
    return [entry for entry in journal["entries"] if entry["operation"] == operation]


def test_what_ran_runs_again_call_by_call(site: Site) -> None:
    found = replay(site, {}, reason="to see it again").json
    assert (found["same"], found["what_if"], found["form"]) == (True, False, "plain")
    (leg,) = found["legs"]
    kept = record(site, reason="to compare")["legs"][0]
    assert leg["outcome"] == kept["outcome"]
    for operation in ("api", "random"):
        mine = calls(leg["executions"][0]["journal"], operation)
        recorded = calls(kept["executions"][0]["journal"], operation)
        assert [(item["arguments"], item["result"]) for item in mine] == [
            (item["arguments"], item["result"]) for item in recorded
        ]


def test_a_draft_runs_in_its_place_and_both_sides_are_shown_in_pseudonyms(site: Site) -> None:
    edit(site.client, site.action, BODY + LONE_HALF + "api.access.deny('no: ' + event.user.email);")
    body = {"candidate": {"action_id": site.action["id"], "draft": True}}
    reply = replay(site, body)
    assert reply.status == 200, reply
    (leg,) = reply.json["legs"]
    assert leg["outcome"]["decision"] == "deny"
    first = leg["differences"][0]
    assert (first["cause"], first["recorded"], first["now"]) == ("decision", "allow", "deny")
    shown = str(reply.json)
    assert "auth0.admin@example.com" not in shown
    assert "a-secret-value" not in shown
    assert leg["executions"][0]["journal"]["outcome"] is None


def test_the_plain_form_needs_a_reason_and_its_scope(site: Site) -> None:
    edit(site.client, site.action, BODY + "api.access.deny('no: ' + event.user.email);")
    body = {"candidate": {"action_id": site.action["id"], "draft": True}}
    assert replay(site, body, form="plain").json["errorCode"] == "reason_required"
    found = replay(site, body, reason="ticket 17").json
    assert found["form"] == "plain"
    assert found["legs"][0]["outcome"]["effects"]["denial"]["reason"] == "no: auth0.admin@example.com"
    assert [row.operation for row in site.audit() if row.reason == "ticket 17"] == ["record.reveal"]
    path = f"/executions/{site.admins_login}/replay"
    reader = site.server.client(site.client.tenant, ["read:execution_data", "create:actions"])
    assert reader.call("POST", path, body, reason="ticket 18").status == 403
    assert reader.call("POST", path, body).status == 200
    author = site.server.client(site.client.tenant, ["create:actions", "read:executions"])
    assert author.call("POST", path, body).status == 403


def test_an_answer_is_changed_and_it_goes_on_from_there(site: Site) -> None:
    entries = record(site)["legs"][0]["executions"][0]["journal"]["entries"]
    asked = next(entry for entry in entries if entry["arguments"].get("path") == "cache.get")
    read = next(entry for entry in entries if entry["operation"] == "wall")
    place = {"leg": 1, "execution": 0}
    other = {**place, "entry": asked["sequence"], "answer": {"value": "41"}}
    time = {**place, "entry": read["sequence"], "answer": 86_400_000}
    found = replay(site, {"answers": [other, time]}).json
    assert (found["what_if"], found["same"]) == (True, False)
    claims = found["legs"][0]["outcome"]["effects"]["id_token_claims"]
    assert claims["https://claims.example/visit"][0] == "41"
    assert claims["https://claims.example/visit"][2] == 86_400_000
    written = calls(found["legs"][0]["executions"][0]["journal"], "api")[1]
    assert written["arguments"]["arguments"] == '["visits","42"]'


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"leg": 2, "execution": 0, "entry": 1, "answer": 1}, "no leg 2"),
        ({"leg": 1, "execution": 7, "entry": 1, "answer": 1}, "1 executions"),
        ({"leg": 1, "execution": 0, "entry": 999, "answer": 1}, "calls"),
        ({"leg": 1, "execution": 0, "entry": 1, "answer": 1, "more": 1}, "$.answers[0]"),
        ({"leg": 0, "execution": 0, "entry": 1, "answer": 1}, "$.answers[0].leg"),
    ],
)
def test_an_answer_that_has_no_place_is_refused(site: Site, answer: dict[str, Any], says: str) -> None:
    reply = replay(site, {"answers": [answer]})
    assert reply.status == 400
    assert says in reply.json["message"]


def test_what_is_not_there_is_not_found(site: Site) -> None:
    assert replay(site, {}, "nothing").status == 404
    stranger = site.server.client()
    assert stranger.call("POST", f"/executions/{site.admins_login}/replay", {}).status == 404
    other = stranger.deployed("mine")
    body = {"candidate": {"action_id": other["id"], "draft": True}}
    assert replay(site, body).status == 404
    version = {"action_id": site.action["id"], "version_id": other["deployed_version"]["id"]}
    assert replay(site, {"candidate": version}).status == 404
    bad: list[dict[str, Any]] = [{"candidate": {"action_id": other["id"]}}, {"candidate": {}}, {"x": 1}]
    for wrong in bad:
        assert replay(site, wrong).status == 400


def test_an_action_for_another_trigger_is_refused(site: Site) -> None:
    other = site.client.create("other", supported_triggers=[{"id": "pre-user-registration"}], code=REGISTER)
    body = {"candidate": {"action_id": other["id"], "draft": True}}
    assert replay(site, body).json["errorCode"] == "other_trigger"


REGISTER = "exports.onExecutePreUserRegistration = async () => {};"


def test_a_login_of_a_moment_ago_is_waited_for(site: Site) -> None:
    outcome = login(site.client, "auth0|now")
    assert replay(site, {}, outcome["execution_id"], reason="at once").json["same"] is True


def test_the_same_version_differs_in_nothing_on_the_redacted_form_either(site: Site) -> None:
    version = site.client.get(f"/actions/{site.action['id']}")["deployed_version"]["id"]
    found = replay(site, {"candidate": {"action_id": site.action["id"], "version_id": version}}).json
    assert (found["form"], found["legs"][0]["differences"]) == ("redacted", [])
