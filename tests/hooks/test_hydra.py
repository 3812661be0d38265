"""Ory Hydra: what its recorded requests become, and its sessions as it would have them after our answer."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from runner.hooks.model import Answer
from runner.hooks.providers import PROVIDERS
from tests.hooks.sending import HOOKS, SECRET, Line, line
from tests.serving.server import Server

RECORDED = json.loads((Path(__file__).parent / "recorded" / "hydra.json").read_text())
HYDRA = PROVIDERS["hydra"]
TIER = "https://harbor.example/tier"
BOTH = (
    f'api.accessToken.setCustomClaim("{TIER}", "gold"); api.idToken.setCustomClaim("{TIER}", ["gold"]);'
    'api.accessToken.setCustomClaim("berth", "south-quay");'
)


@pytest.fixture(scope="module")
def tokens(whole: Server) -> Line:
    return line(whole, "hydra", "token")


@pytest.fixture(scope="module")
def refreshes(whole: Server) -> Line:
    return line(whole, "hydra", "refresh")


def session_after(payload: dict[str, Any], answer: Answer) -> tuple[Any, Any]:
    """`session.extra` and the extra claims of the ID token after `executeHookAndUpdateSession` of
    `oauth2/token_hook.go` has read the answer: 200 replaces both, 204 neither, all else is an error."""
    session = payload["session"]
    if answer.status == 204:
        return session["extra"], session["id_token"]["id_token_claims"]["ext"]
    assert answer.status == 200, answer
    told = json.loads(answer.body)["session"]
    return told.get("access_token"), told.get("id_token")


@pytest.mark.parametrize("name", ["tokens", "refreshes"])
def test_claims_are_laid_over_the_session(name: str, request: pytest.FixtureRequest) -> None:
    hook: Line = request.getfixturevalue(name)
    hook.bind(BOTH)
    payload = hook.example()
    extra, ext = session_after(payload, hook.send(payload))
    assert extra == {"berth": "south-quay", TIER: "gold"}
    assert ext == {**payload["session"]["id_token"]["id_token_claims"]["ext"], TIER: ["gold"]}


@pytest.mark.parametrize("name", ["tokens", "refreshes"])
def test_a_session_without_changes_stays_what_it_is(name: str, request: pytest.FixtureRequest) -> None:
    hook: Line = request.getfixturevalue(name)
    hook.bind("")
    payload = hook.example()
    answer = hook.send(payload)
    assert (answer.status, answer.body) == (204, b"")
    assert session_after(payload, answer)[0] == {"berth": "north-quay"}


@pytest.mark.parametrize("empty", [{}, None])
def test_a_session_without_claims_gets_some(tokens: Line, empty: Any) -> None:
    tokens.bind(BOTH)
    payload = tokens.example()
    payload["session"]["extra"] = empty
    payload["session"]["id_token"]["id_token_claims"]["ext"] = empty
    assert session_after(payload, tokens.send(payload)) == (
        {TIER: "gold", "berth": "south-quay"},
        {TIER: ["gold"]},
    )


def shown(hook: Line) -> dict[str, Any]:
    (execution, *_) = hook.executions()
    event: dict[str, Any] = json.loads(execution["results"][0]["logs"][0]["text"])
    return event


def test_the_event_of_a_login(tokens: Line) -> None:
    tokens.bind("console.log(JSON.stringify(event));")
    payload = tokens.example()
    payload["request"]["payload"]["assertion"] = ["a-credential-of-the-client"]
    assert tokens.send(payload).status == 204
    event = shown(tokens)
    assert event["user"]["user_id"] == payload["session"]["id_token"]["subject"]
    assert (event["user"]["email"], event["user"]["email_verified"]) == ("maya.okafor@harbor.example", True)
    assert event["client"]["client_id"] == "harbor-portal"
    assert event["transaction"]["protocol"] == "oidc-basic-profile"
    assert event["transaction"]["requested_scopes"] == ["openid", "offline"], "granted_scopes are empty"
    assert event["authentication"]["methods"] == [{"name": "pwd", "timestamp": "2026-11-20T17:40:11Z"}]
    assert event["request"]["body"] == {"grant_type": "authorization_code"}
    assert "a-credential-of-the-client" not in json.dumps(tokens.executions())


def test_the_event_of_a_refresh(refreshes: Line) -> None:
    refreshes.bind("console.log(JSON.stringify(event));")
    refreshes.send()
    event = shown(refreshes)
    assert event["transaction"]["protocol"] == "oauth2-refresh-token"
    assert event["transaction"]["requested_scopes"] == ["openid", "offline"]
    assert event["resource_server"] == {"identifier": "https://api.harbor.example"}


def test_a_profile_of_odd_types_is_no_reason_to_refuse(tokens: Line) -> None:
    """It is the consent app's; above all, a text is no verification."""
    tokens.bind("console.log(JSON.stringify(event));")
    payload = tokens.example()
    claims = payload["session"]["id_token"]["id_token_claims"]
    claims["ext"] |= {"email_verified": "true", "name": {"first": "Maya"}, "phone_number_verified": 1}
    assert tokens.send(payload).status == 204
    user = shown(tokens)["user"]
    assert user["email_verified"] is False
    assert {"name", "phone_verified"}.isdisjoint(user)


def test_a_machine_is_a_credentials_exchange(tokens: Line) -> None:
    tokens.bind('api.access.deny("not for users");')
    tokens.bind(f'api.accessToken.setCustomClaim("{TIER}", event.client.client_id);', "credentials-exchange")
    payload = tokens.example()
    payload["request"] |= {"grant_types": ["client_credentials"], "granted_scopes": ["berths:read"]}
    assert session_after(payload, tokens.send(payload))[0] == {"berth": "north-quay", TIER: "harbor-portal"}
    payload["request"]["grant_types"] = ["client_credentials", "authorization_code"]
    assert tokens.send(payload).status == 403
    tokens.client.bind(trigger="credentials-exchange")


def test_what_hydra_has_really_sent(tokens: Line) -> None:
    """Hydra 2.3.0 sent these bodies, for a client's own token, a login and its refresh, and put the claims of
    the answers into the tokens."""
    tokens.bind(BOTH + "console.log(JSON.stringify(event));")
    machine = f'api.accessToken.setCustomClaim("{TIER}", "gold");'
    tokens.bind(machine, "credentials-exchange")
    found = {}
    for grant, payload in RECORDED.items():
        found[grant] = session_after(payload, tokens.send(payload))[0]
    assert found == {
        "client_credentials": {TIER: "gold"},
        "authorization_code": {"berth": "south-quay", TIER: "gold"},
        "refresh_token": {"berth": "south-quay", TIER: "gold"},
    }
    event = shown(tokens)
    assert event["transaction"]["protocol"] == "oauth2-refresh-token"
    assert event["authentication"]["methods"][0]["name"] == "pwd"
    assert (event["user"]["user_id"], event["user"]["email_verified"]) == ("maya", True)
    tokens.client.bind(trigger="credentials-exchange")


def test_no_reason_reaches_the_client_but_the_status(tokens: Line) -> None:
    tokens.bind('api.access.deny("not today");')
    answer = tokens.send()
    assert (answer.status, answer.json) == (
        403,
        {"error": "access_denied", "error_description": "not today"},
    )


@pytest.mark.parametrize(
    ("code", "status", "result"),
    [
        ('throw new Error("down");', 424, "failed"),
        ('api.accessToken.addScope("admin");', 403, "uncarried"),
        ('api.user.setAppMetadata("a", 1);', 403, "uncarried"),
        ('api.redirect.sendUserTo("https://harbor.example/ask");', 403, "suspended"),
        ('api.multifactor.enable("any");', 403, "uncarried"),
        ('api.idToken.setCustomClaim("rat", 1);', 403, "uncarried"),
    ],
)
def test_what_hydra_cannot_do_issues_no_token(tokens: Line, code: str, status: int, result: str) -> None:
    tokens.bind(code)
    answer = tokens.send()
    assert (answer.status, tokens.goes_on(answer)) == (status, False)
    assert tokens.executions()[0]["hook"]["result"] == result


def test_claims_that_the_configuration_takes_away(tokens: Line) -> None:
    tokens.bind(BOTH)
    payload = tokens.example()
    session = payload["session"]
    session["mirror_top_level_claims"] = False
    answer = tokens.send(payload)
    assert answer.status == 403
    lost = tokens.executions()[0]["hook"]["dropped"]
    assert sorted(item["name"] for item in lost) == ["berth", TIER]
    assert "allowed_top_level_claims" in lost[0]["reason"]
    session["allowed_top_level_claims"] = ["berth", TIER]
    assert tokens.send(payload).status == 200
    session |= {"allowed_top_level_claims": [], "preserve_ext_claims": True}
    assert tokens.send(payload).status == 200


def test_a_secret_is_a_bearer_token_or_a_password(tokens: Line) -> None:
    tokens.bind("")

    def sent(value: str) -> int:
        return tokens.send(headers={"Authorization": value}).status

    def basic(text: str) -> str:
        return f"Basic {base64.b64encode(text.encode()).decode()}"

    for good in (f"bearer  {SECRET}", basic(f"hydra:{SECRET}"), basic(f":{SECRET}")):
        assert sent(good) == 204, good
    wrong = [SECRET, f"Token {SECRET}", basic(SECRET), basic(f"{SECRET}:"), "Basic =", "Basic", "Bearer"]
    for bad in [*wrong, basic("hydra:"), f"Basic {SECRET}", f"Bearer {SECRET} {SECRET}"]:
        assert sent(bad) == 401, bad


def test_we_draw_the_secret(whole: Server) -> None:
    client = whole.client()
    made = client.call("POST", HOOKS, {"provider": "hydra", "hook": "token"}).json
    (secret,) = made["secrets"]
    path = made["url"][made["url"].index("/hooks/v1/") :]
    hook = Line(client, HYDRA, HYDRA.hooks["token"], path, made["id"])
    assert hook.send(secret=secret["value"]).status == 204
    assert hook.send(secret=secret["value"][:-1]).status == 401
    reply = client.call("POST", f"{HOOKS}/{made['id']}/secrets", {"value": "not in a header\n"})
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_body")
