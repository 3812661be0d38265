"""WSO2: the three proofs, both shapes of headers, operations that it allows and none beside them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from runner.hooks.model import Case, Result
from runner.hooks.providers import PROVIDERS, example_of
from tests.hooks.sending import HOOKS, SECRET, Line, line
from tests.serving.server import Server

ACCESS = "pre-issue-access-token"
SUCCESS = "SUCCESS"


@pytest.fixture(scope="module")
def access(whole: Server) -> Line:
    return line(whole, "wso2", ACCESS)


@pytest.fixture(scope="module")
def password(whole: Server) -> Line:
    return line(whole, "wso2", "pre-update-password")


def added(name: str, value: Any, token: str = "accessToken") -> dict[str, Any]:
    return {"op": "add", "path": f"/{token}/claims/-", "value": {"name": name, "value": value}}


def event_of(hook: Line) -> Any:
    return json.loads(hook.executions()[0]["results"][0]["logs"][0]["text"])


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": f"Bearer {SECRET}"}, 200),
        ({"Authorization": f"bearer {SECRET}"}, 200),
        ({"Authorization": basic(f"actionbox:{SECRET}")}, 200),
        ({"Authorization": None, "X-API-Key": SECRET}, 200),
        ({"Authorization": SECRET}, 401),
        ({"Authorization": basic(f"{SECRET}:actionbox")}, 401),
        ({"Authorization": basic(SECRET)}, 401),
        ({"Authorization": basic("actionbox:")}, 401),
        ({"Authorization": "Basic ="}, 401),
        ({"Authorization": "Basic " + base64.b64encode(b"a:\xff").decode()}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": f"Digest {SECRET}"}, 401),
        ({"Authorization": None, "X-API-Key": SECRET + " x"}, 401),
        ({"Authorization": "Bearer wrong", "X-API-Key": SECRET}, 401),
        ({"Authorization": None}, 401),
    ],
)
def test_proofs(access: Line, headers: dict[str, str | None], status: int) -> None:
    answer = access.send(headers=headers)
    assert (answer.status, access.goes_on(answer)) == (status, status == 200)
    assert answer.json["actionStatus"] == (SUCCESS if status == 200 else "ERROR")


def test_a_secret_is_drawn_and_rotated(whole: Server) -> None:
    client = whole.client()
    made = client.call("POST", HOOKS, {"provider": "wso2", "hook": ACCESS}).json
    (secret,) = made["secrets"]
    hook = Line(
        client, PROVIDERS["wso2"], PROVIDERS["wso2"].hooks[ACCESS], made["url"].partition("//")[2], made["id"]
    )
    path = hook.path[hook.path.index("/") :]
    assert hook.send(path=path, secret=secret["value"]).status == 200
    new = client.call("POST", f"{HOOKS}/{made['id']}/secrets", {}).json
    assert client.call("DELETE", f"{HOOKS}/{made['id']}/secrets/{secret['id']}").status == 204
    assert hook.send(path=path, secret=new["value"]).status == 200
    assert hook.send(path=path, secret=secret["value"]).status == 401


def test_claims_and_scopes(access: Line) -> None:
    access.bind(
        'api.accessToken.setCustomClaim("https://harbor.example/tier", "gold");'
        'api.accessToken.setCustomClaim("berths", 3); api.accessToken.setCustomClaim("vip", true);'
        'api.accessToken.setCustomClaim("ports", ["ams", "rtm"]);'
        'api.accessToken.addScope("write:berths"); api.accessToken.removeScope("profile");'
        'api.accessToken.removeScope("read:berths"); api.idToken.setCustomClaim("n", 1);'
    )
    answer = access.send()
    assert answer.json == {
        "actionStatus": SUCCESS,
        "operations": [
            added("https://harbor.example/tier", "gold"),
            added("berths", 3),
            added("vip", True),
            added("ports", ["ams", "rtm"]),
            {"op": "remove", "path": "/accessToken/scopes/3"},
            {"op": "remove", "path": "/accessToken/scopes/1"},
            {"op": "add", "path": "/accessToken/scopes/-", "value": "write:berths"},
        ],
    }
    (lost,) = access.executions()[0]["hook"]["dropped"]
    assert (lost["effect"], lost["name"]) == ("id_token_claims", "n")


def test_claims_that_are_there(access: Line) -> None:
    payload = access.example()
    claims = payload["event"]["accessToken"]["claims"]
    claims += [{"name": "tier", "value": "silver"}, {"name": "same", "value": [1]}]
    payload["allowedOperations"][2]["paths"].append("/accessToken/claims/tier")
    access.bind(
        'api.accessToken.setCustomClaim("tier", "gold"); api.accessToken.setCustomClaim("same", [1]);'
    )
    assert access.send(payload).json["operations"] == [
        {"op": "replace", "path": "/accessToken/claims/tier", "value": "gold"}
    ]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ('api.accessToken.setCustomClaim("o", {a: 1});', "lists of texts"),
        ('api.accessToken.setCustomClaim("o", [1]);', "lists of texts"),
        ('api.accessToken.setCustomClaim("binding_ref", "x");', "sets this claim itself"),
        ('api.accessToken.setCustomClaim("realm", "x");', "sets this claim itself"),
        ('api.accessToken.setCustomClaim("pier", "x");', "does not allow to replace"),
        ('api.accessToken.setCustomClaim("crew", ["a", "b"]);', "as a whole"),
        ('api.accessToken.setCustomClaim("https://a.example/b", "x");', "as a whole"),
    ],
)
def test_what_wso2_does_not_take_is_no_silent_loss(access: Line, code: str, why: str) -> None:
    payload = access.example()
    payload["event"]["accessToken"]["claims"] += [
        {"name": "pier", "value": "7"},
        {"name": "crew", "value": ["a"]},
        {"name": "https://a.example/b", "value": "y"},
    ]
    access.bind(code)
    answer = access.send(payload)
    assert (answer.status, answer.json["actionStatus"]) == (200, "FAILED")
    hook = access.executions()[0]["hook"]
    assert hook["result"] == "uncarried"
    assert why in hook["dropped"][0]["reason"]


@pytest.mark.parametrize("allowed", [[], None, [{"op": "replace", "paths": ["/accessToken/claims/"]}]])
def test_only_what_is_allowed_is_sent(whole: Server, allowed: Any) -> None:
    hook = line(whole, "wso2", ACCESS, on_uncarried="allow")
    payload = hook.example() | {"allowedOperations": allowed}
    hook.bind(
        'api.accessToken.setCustomClaim("a", 1); api.accessToken.addScope("x");'
        'api.accessToken.removeScope("email");'
    )
    assert hook.send(payload).json == {"actionStatus": SUCCESS, "operations": []}
    dropped = hook.executions()[0]["hook"]["dropped"]
    assert {(item["effect"], item["name"]) for item in dropped} == {
        ("access_token_claims", "a"),
        ("scopes", "x"),
        ("scopes", "email"),
    }


def test_the_event_of_a_login(access: Line) -> None:
    access.bind("console.log(JSON.stringify(event));")
    payload = access.example()
    payload["event"]["accessToken"]["claims"].append({"name": "roles", "value": ["pilot", 1]})
    payload["event"]["user"]["federatedIdP"] = "Google"
    payload["event"]["request"]["additionalHeaders"]["Authorization"] = ["hush"]
    assert access.send(payload).json == {"actionStatus": SUCCESS, "operations": []}
    event = event_of(access)
    assert event["user"]["user_id"] == payload["event"]["user"]["id"]
    assert (event["user"]["email"], event["user"]["given_name"]) == ("maya.okafor@harbor.example", "Maya")
    assert event["client"]["client_id"] == payload["event"]["request"]["clientId"]
    assert event["authorization"]["roles"] == ["pilot"]
    assert event["organization"]["name"] == "north-quay"
    assert event["connection"]["name"] == "Google"
    assert event["transaction"]["requested_scopes"] == payload["event"]["request"]["scopes"]
    assert event["request"]["language"] == "nl"
    assert event["request"]["body"] == {"channel": "kiosk"}
    assert "hush" not in json.dumps(event)


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": ["Kiosk/1"], "Cookie": ["hush"]},
        {"user-agent": "Kiosk/1", "cookie": "hush"},
        [{"name": "User-Agent", "value": ["Kiosk/1", "2"]}, {"name": "Cookie", "value": ["hush"]}],
        [{"name": "User-Agent", "value": "Kiosk/1"}],
    ],
)
def test_both_shapes_of_headers(access: Line, headers: Any) -> None:
    access.bind("console.log(JSON.stringify(event));")
    payload = access.example()
    payload["event"]["request"]["additionalHeaders"] = headers
    assert access.goes_on(access.send(payload))
    assert event_of(access)["request"]["user_agent"] == "Kiosk/1"
    assert "hush" not in json.dumps(event_of(access))


@pytest.mark.parametrize("headers", ["x", 1, [1], [{"name": 1, "value": "x"}], {"a": 1}, {"a": [1]}])
def test_headers_of_no_shape(access: Line, headers: Any) -> None:
    payload = access.example()
    payload["event"]["request"]["additionalHeaders"] = headers
    answer = access.send(payload)
    assert (answer.status, answer.json["actionStatus"]) == (400, "ERROR")


def test_an_application_is_a_credentials_exchange(access: Line) -> None:
    access.bind(
        'api.accessToken.setCustomClaim("https://harbor.example/m", event.accessToken.scope.length);',
        "credentials-exchange",
    )
    payload = access.example()
    payload["event"]["request"]["grantType"] = "client_credentials"
    del payload["event"]["user"]
    assert access.send(payload).json["operations"] == [added("https://harbor.example/m", 4)]


def test_id_tokens(whole: Server) -> None:
    hook = line(whole, "wso2", "pre-issue-id-token")
    hook.bind('api.idToken.setCustomClaim("tier", "gold"); api.accessToken.addScope("x");')
    assert hook.send().json["operations"] == [added("tier", "gold", "idToken")]
    dropped = hook.executions()[0]["hook"]["dropped"]
    assert [item["effect"] for item in dropped] == ["scopes"]
    other = example_of(hook.provider, hook.provider.hooks[ACCESS])
    assert hook.send(other).json["errorMessage"] == "refused"


def test_resets_of_passwords(password: Line) -> None:
    password.bind(
        'if (event.user.email.endsWith("@bad.example")) api.access.deny("not today");'
        "console.log(JSON.stringify(event));"
    )
    payload = password.example()
    assert password.send(payload).json == {"actionStatus": SUCCESS}
    event = event_of(password)
    assert (event["user"]["username"], event["user"]["email"]) == ("maya", "maya.okafor@harbor.example")
    assert "an-example-of-a-hash" not in json.dumps(password.executions())
    payload["event"]["user"]["claims"][1]["value"] = "eve@bad.example"
    assert password.send(payload).json == {
        "actionStatus": "FAILED",
        "failureReason": "access_denied",
        "failureDescription": "not today",
    }
    count = len(password.executions())
    for action in ("UPDATE", "INVITE", "REGISTER"):
        payload["event"]["action"] = action
        assert password.send(payload).json == {"actionStatus": SUCCESS}
    assert len(password.executions()) == count


@pytest.mark.parametrize(
    ("case", "status", "state"),
    [
        (Case.ALLOWED, 200, SUCCESS),
        (Case.IGNORED, 200, SUCCESS),
        (Case.DENIED, 200, "FAILED"),
        (Case.SUSPENDED, 200, "FAILED"),
        (Case.UNCARRIED, 200, "FAILED"),
        (Case.FAILED, 400, "ERROR"),
        (Case.TIMED_OUT, 400, "ERROR"),
        (Case.BUSY, 429, "ERROR"),
        (Case.UNAVAILABLE, 503, "ERROR"),
        (Case.REFUSED, 401, "ERROR"),
    ],
)
@pytest.mark.parametrize("name", PROVIDERS["wso2"].hooks)
def test_states(name: str, case: Case, status: int, state: str) -> None:
    provider = PROVIDERS["wso2"]
    hook = provider.hooks[name]
    answer = provider.response_of(hook, example_of(provider, hook), Result(case, "because", status=401))
    assert (answer.status, answer.json["actionStatus"]) == (status, state)
    words = {"FAILED": "failureDescription", "ERROR": "errorDescription"}
    assert state == SUCCESS or answer.json[words[state]] == "because"
