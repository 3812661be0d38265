"""A whole operation by hand: each way in which a flow waits for its user, and who may go on with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.browser import Browser, signed_in
from tests.serving.server import Server

SECRET = "shared-with-the-profile-site-0001"
WAITS = """\
exports.onExecutePostLogin = async (event, api) => {
  const way = event.request.query.way;
  if (way === "redirect") {
    const token = api.redirect.encodeToken({ secret: event.secrets.SITE, payload: { job: "pilot" } });
    api.redirect.sendUserTo("https://site.example/profile", { query: { session_token: token } });
  }
  if (way === "form") api.prompt.render("welcome", { fields: { name: "Maya" }, vars: { tries: 1 } });
  if (way === "challenge") api.authentication.challengeWith({ type: "otp" });
  if (way === "enrol") api.authentication.enrollWith({ type: "webauthn-roaming" });
};
exports.onContinuePostLogin = async (event, api) => {
  if (event.prompt) return api.idToken.setCustomClaim("nick", event.prompt.fields.nick);
  const payload = api.redirect.validateToken({ secret: event.secrets.SITE });
  api.idToken.setCustomClaim("job", payload.job);
  console.log("came back with " + event.request.query.from);
};
"""
ROUTE = "/console/api/simulations"


@pytest.fixture(scope="module")
def author(whole: Server) -> Browser:
    client = whole.client()
    action = client.deployed(code=WAITS, secrets=[{"name": "SITE", "value": SECRET}])
    client.bind(action)
    return signed_in(whole, tenant=client.tenant)


def begun(author: Browser, way: str) -> Any:
    event = {"request": {"query": {"way": way}}}
    reply = author.call("POST", ROUTE, {"trigger_id": "post-login", "event": event})
    assert reply.status == 200, reply
    return reply.json


def returned(author: Browser, begun: Any, **parts: Any) -> Any:
    handle = begun["outcome"]["suspension"]["handle"]
    reply = author.call("POST", f"{ROUTE}/resume", {"handle": handle, **parts})
    assert reply.status == 200, reply
    assert reply.json["execution_id"] == begun["execution_id"]
    return reply.json["outcome"]


def test_an_event_is_filled_in_from_the_example(author: Browser) -> None:
    example = author.call("GET", f"{ROUTE}/post-login/example").json
    assert example["event"]["user"]["user_id"]
    made = begun(author, "")
    assert made["outcome"]["decision"] == "allow"
    assert "user" in made["filled_in"]
    whole = author.call("POST", ROUTE, {"trigger_id": "post-login", "event": example["event"]}).json
    assert whole["filled_in"] == []


@pytest.mark.parametrize("key", [{"secret_name": "SITE"}, {"secret": SECRET}])
def test_the_user_comes_back_from_another_site(author: Browser, key: dict[str, str]) -> None:
    made = begun(author, "redirect")
    assert made["outcome"]["suspension"]["kind"] == "redirect"
    assert SECRET not in str(made)
    token = {**key, "claims": {"job": "harbour pilot"}}
    outcome = returned(author, made, token=token, query={"from": "site"})
    assert outcome["effects"]["id_token_claims"] == {"job": "harbour pilot"}
    assert outcome["actions"][0]["logs"][0]["text"] == "came back with site"
    again = author.call("POST", f"{ROUTE}/resume", {"handle": made["outcome"]["suspension"]["handle"]})
    assert (again.status, again.json["errorCode"]) == (410, "handle_used")


def test_a_forged_token_and_a_lost_state_are_refused(author: Browser) -> None:
    made = begun(author, "redirect")
    token = {"secret": "somebody-elses-secret-of-32-bytes", "claims": {"job": "admiral"}}
    assert returned(author, made, token=token)["decision"] == "failed"
    made = begun(author, "redirect")
    body = {"handle": made["outcome"]["suspension"]["handle"], "state": False}
    refused = author.call("POST", f"{ROUTE}/resume", body)
    assert (refused.status, refused.json["errorCode"]) == (400, "invalid_request")


def test_a_form_is_submitted(author: Browser) -> None:
    made = begun(author, "form")
    assert made["outcome"]["effects"]["prompt"]["fields"] == {"name": "Maya"}
    outcome = returned(author, made, prompt={"fields": {"nick": "May"}})
    assert outcome["effects"]["id_token_claims"] == {"nick": "May"}


def test_factors_are_passed_and_enrolled(author: Browser) -> None:
    made = begun(author, "challenge")
    assert made["outcome"]["effects"]["steps"][0]["factors"] == [{"type": "otp"}]
    assert returned(author, made, methods=[{"name": "mfa", "type": "otp"}])["decision"] == "allow"
    made = begun(author, "enrol")
    handle = made["outcome"]["suspension"]["handle"]
    wrong = author.call("POST", f"{ROUTE}/resume", {"handle": handle})
    assert (wrong.status, wrong.json["errorCode"]) == (400, "wrong_result")
    assert returned(author, made, enrolled=[{"type": "webauthn-roaming"}])["decision"] == "allow"


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"handle": "abx_unknown"}, 404),
        ({"token": {"claims": {}}}, 400),
        ({"token": {"secret": "x", "secret_name": "SITE"}}, 400),
        ({"token": {"secret_name": "NONE"}}, 400),
        ({"token": {"secret": "x", "in": "header"}}, 400),
        ({"token": {"secret": "x" * 32, "claims": {"exp": {"a": 1}}}}, 200),
        ({"methods": "otp"}, 400),
        ({"prompt": {"colour": 1}}, 400),
        ({"request": {"query": None, "body": 7}}, 200),
    ],
)
def test_returns_that_make_no_sense(author: Browser, parts: dict[str, Any], status: int) -> None:
    made = begun(author, "redirect")
    reply = author.call(
        "POST", f"{ROUTE}/resume", {"handle": made["outcome"]["suspension"]["handle"], **parts}
    )
    assert reply.status in (status, 400), reply
    assert reply.status != 500


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"trigger_id": "no-such-trigger"}, 404),
        ({"trigger_id": "post-login", "event": {"user": 1}}, 400),
        ({"trigger_id": "post-login", "event": []}, 400),
        ({"trigger_id": "custom-token-exchange"}, 404),
    ],
)
def test_operations_that_cannot_be(author: Browser, body: dict[str, Any], status: int) -> None:
    assert author.call("POST", ROUTE, body).status in (status, 400)


def test_scopes_say_who_may(whole: Server, author: Browser) -> None:
    tenant = author.call("GET", "/console/api/session").json["tenant"]["id"]
    reader = signed_in(whole, ["read:actions", "read:executions"], tenant)
    assert reader.call("POST", ROUTE, {"trigger_id": "post-login"}).status == 403
    assert reader.call("GET", f"{ROUTE}/post-login/example").status == 403
    platform = signed_in(whole, ["invoke:triggers"], tenant)
    made = begun(platform, "redirect")
    body = {
        "handle": made["outcome"]["suspension"]["handle"],
        "token": {"secret_name": "SITE", "claims": {"job": "admiral"}},
    }
    refused = platform.call("POST", f"{ROUTE}/resume", body)
    assert (refused.status, refused.json["errorCode"]) == (403, "insufficient_scope")
    stranger = signed_in(whole)
    assert stranger.call("POST", f"{ROUTE}/resume", body).status == 404
