"""`post-credential-validation` over HTTP: bound, invoked in a worker, and what the login after it gets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.serving.server import Client, Reply, Server
from triggers import get_trigger

TRIGGER = "post-credential-validation"
RISK = """
exports.onExecutePostCredentialValidation = async (event, api) => {
  event.credential.valid = true;
  const { score, wait } = event.request.body;
  if (wait) for (;;);
  if (score === undefined) throw new Error("no score: Zoë");
  if (score > 0.9) api.authentication.deny(new Error("a score of " + score + ": Größe"));
  api.transaction.setMetadata("score", score);
};
"""
LOOK = """
async def on_execute_post_credential_validation(event, api):
    print(event.credential.valid, event.transaction.metadata.score)
    api.transaction.set_metadata("seen", "\u4f60\u597d")
"""
LOGIN = """
exports.onExecutePostLogin = async (event, api) => {
  api.idToken.setCustomClaim("https://x.example/carried", event.transaction.metadata);
};
"""


@pytest.fixture(scope="module")
def client(whole: Server) -> Client:
    client = whole.client()
    supported = [{"id": TRIGGER, "version": "v1"}]
    risk = client.deployed("risk", code=RISK, supported_triggers=supported)
    look = client.deployed("look", code=LOOK, runtime="python3", supported_triggers=supported)
    for binding in client.bind(risk, look, trigger=TRIGGER):
        assert binding["trigger_id"] == TRIGGER
    client.bind(client.deployed("login", code=LOGIN))
    return client


def invoke(client: Client, event: Any, trigger: str = TRIGGER) -> Reply:
    return client.call("POST", f"//runtime/v1/triggers/{trigger}/invoke", {"event": event})


def checked(valid: bool, **body: Any) -> dict[str, Any]:
    event = get_trigger(TRIGGER).example_event
    event["credential"]["valid"] = valid
    event["request"]["body"] = body
    if not valid:
        del event["user"]
    return event


@pytest.mark.parametrize("valid", [True, False])
def test_what_it_notes_is_for_the_login(client: Client, valid: bool) -> None:
    outcome = invoke(client, checked(valid, score=0.25)).json
    assert (outcome["decision"], outcome["failure"]) == ("allow", None)
    assert outcome["actions"][1]["logs"][0]["text"] == f"{valid} 0.25"
    carried = outcome["effects"]["transaction_metadata"]
    assert carried == {"score": 0.25, "seen": "\u4f60\u597d"}
    login = get_trigger("post-login").example_event
    login["transaction"]["metadata"] = carried
    claims = invoke(client, login, "post-login").json["effects"]["id_token_claims"]
    assert claims == {"https://x.example/carried": carried}


@pytest.mark.parametrize("valid", [True, False])
def test_it_can_refuse(client: Client, valid: bool) -> None:
    outcome = invoke(client, checked(valid, score=0.99)).json
    assert outcome["decision"] == "deny"
    assert outcome["effects"]["denial"] == {
        "kind": "credential",
        "code": "invalid_user_password",
        "reason": "a score of 0.99: Größe",
        "user_message": None,
        "action": 0,
    }
    assert [action["status"] for action in outcome["actions"]] == ["denied", "skipped"]


@pytest.mark.parametrize(("body", "code"), [({}, "throw"), ({"wait": True}, "timeout")])
def test_it_fails_closed(client: Client, body: dict[str, Any], code: str) -> None:
    limits = {"limits": {"wall_ms": 500}}
    bound = client.get(f"/triggers/{TRIGGER}/bindings")["bindings"]
    kept = [{"ref": {"type": "binding_id", "value": item["id"]}, **limits} for item in bound]
    assert client.call("PATCH", f"/triggers/{TRIGGER}/bindings", {"bindings": kept}).status == 200
    outcome = invoke(client, checked(True, **body)).json
    assert (outcome["decision"], outcome["failure"]["code"]) == ("failed", code)
    assert outcome["trigger"]["blocking"]
    assert outcome["effects"]["transaction_metadata"] is None
    assert client.get("//api/v2/logs", q="type:f")[0]["details"]["trigger_id"] == TRIGGER


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"credential": {"identifier": "a"}}, "$.credential.valid"),
        ({"credential": {"identifier": "a", "valid": "yes"}}, "$.credential.valid"),
        ({"credential": None}, "$.credential"),
        ({"user": {"email": "a@b.example"}}, "$.user.user_id"),
    ],
)
def test_an_event_that_says_nothing_of_the_credential_is_refused(
    client: Client, change: dict[str, Any], place: str
) -> None:
    reply = invoke(client, {**checked(True, score=0), **change})
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_event")
    assert place in reply.json["message"]


def test_it_is_tested_as_a_draft(client: Client) -> None:
    action = client.create("draft", code=RISK, supported_triggers=[{"id": TRIGGER, "version": "v1"}])
    event = checked(True, score=0.1)
    reply = client.call("POST", f"/actions/{action['id']}/test", {"payload": {"event": event}})
    assert reply.status == 200
    assert reply.json["payload"]["effects"]["transaction_metadata"] == {"score": 0.1}
