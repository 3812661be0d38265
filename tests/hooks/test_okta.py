"""Okta's inline hooks: the fixed header, patches of tokens and assertions, registrations, messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.hooks.effects import Effect
from runner.hooks.model import GOES_ON, Answer, Case, Hook, Result
from runner.hooks.providers import PROVIDERS, example_of
from tests.hooks.sending import HOOKS, Line, line
from tests.serving.server import Server

OKTA = PROVIDERS["okta"]
EMPTY: dict[str, Any] = {}
TIER = "https://harbor.example/tier"
TIER_PATH = "/claims/https:~1~1harbor.example~1tier"


@pytest.fixture(scope="module")
def tokens(whole: Server) -> Line:
    return line(whole, "okta", "token")


def set_claim(token: str, name: str, value: Any) -> str:
    return f"api.{token}.setCustomClaim({json.dumps(name)}, {json.dumps(value)});"


# --- who calls ---


def test_the_secret_is_the_whole_header(tokens: Line) -> None:
    tokens.bind("")
    count = len(tokens.executions())
    for given in (f"Bearer {tokens.secret}", tokens.secret[:-1], f"{tokens.secret}x", "x", None):
        answer = tokens.send(headers={"Authorization": given})
        assert answer.status == 200, "after another status Okta lets the token go out"
        assert list(answer.json) == ["error"]
        assert not tokens.goes_on(answer)
    assert len(tokens.executions()) == count


def test_a_secret_is_drawn_and_others_are_taken_beside_it(whole: Server) -> None:
    client = whole.client()
    made = client.call("POST", HOOKS, {"provider": "okta", "hook": "token", "budget_ms": 2_700})
    (drawn,) = made.json["secrets"]
    path = f"{HOOKS}/{made.json['id']}/secrets"
    basic = "Basic dXNlcjpwYXNzd29yZA=="
    assert client.call("POST", path, {"value": basic}).status == 201
    url = made.json["url"]
    hook = Line(client, OKTA, OKTA.hooks["token"], url[url.index("/hooks/v1/") :], made.json["id"])
    for secret in (drawn["value"], basic):
        assert hook.goes_on(hook.send(secret=secret))
    assert not hook.goes_on(hook.send(secret="another-secret"))


# --- what Okta reads ---


@pytest.mark.parametrize("hook", OKTA.hooks.values(), ids=lambda hook: hook.name)
def test_every_cell_of_the_table(hook: Hook) -> None:
    payload = example_of(OKTA, hook)
    for case in Case:
        answer = OKTA.response_of(hook, payload, Result(case, "because", status=401, retry_after=3))
        assert (answer.status, "Retry-After" in answer.headers) == (200, False)
        if case in GOES_ON:
            assert "error" not in answer.json
        elif hook.name == "telephony" and case is Case.DROPPED:
            assert answer.json["commands"][0]["value"][0]["status"] == "PENDING"
        elif hook.name == "registration":
            deny = {"type": "com.okta.action.update", "value": {"registration": "DENY"}}
            assert answer.json["commands"] == [deny]
            error = answer.json["error"]
            (cause,) = error.pop("errorCauses")
            assert error == {"errorSummary": "because"}
            assert set(cause) == {"errorSummary", "reason", "locationType", "location", "domain"}
        else:
            assert answer.json == {"error": {"errorSummary": "because"}}


@pytest.mark.parametrize(
    ("name", "status", "body", "goes_on"),
    [
        ("token", 500, EMPTY, True),
        ("token", 401, {"error": {"errorSummary": "no"}}, True),
        ("token", 200, {"error": EMPTY}, False),
        ("token", 204, None, True),
        ("saml", 503, EMPTY, True),
        ("registration", 500, EMPTY, False),
        ("registration", 204, None, True),
        ("registration", 200, EMPTY, True),
        ("registration", 200, {"error": EMPTY}, False),
        ("telephony", 200, EMPTY, False),
        ("telephony", 500, EMPTY, False),
    ],
)
def test_answers_are_read_as_okta_reads_them(name: str, status: int, body: Any, goes_on: bool) -> None:
    """As the pages of its hooks say: what it skips, the user does not notice."""
    assert OKTA.goes_on(OKTA.hooks[name], Answer.of(status, body)) is goes_on


# --- tokens ---


def test_both_tokens_are_patched(tokens: Line) -> None:
    tokens.bind(
        set_claim("idToken", TIER, "gold")
        + set_claim("accessToken", TIER, ["gold"])
        + set_claim("accessToken", "berth", "B2")
    )
    answer = tokens.send()
    assert tokens.goes_on(answer)
    assert answer.json == {
        "commands": [
            {
                "type": "com.okta.identity.patch",
                "value": [{"op": "add", "path": TIER_PATH, "value": "gold"}],
            },
            {
                "type": "com.okta.access.patch",
                "value": [
                    {"op": "add", "path": TIER_PATH, "value": ["gold"]},
                    {"op": "replace", "path": "/claims/berth", "value": "B2"},
                ],
            },
        ]
    }


def test_only_what_is_made_is_patched(tokens: Line) -> None:
    """A patch of a token that is not made is a bad command, after which Okta skips all of them."""
    tokens.bind(set_claim("idToken", TIER, "gold") + set_claim("accessToken", TIER, "gold"))
    payload = tokens.example()
    del payload["data"]["identity"]
    commands = tokens.send(payload).json["commands"]
    assert [command["type"] for command in commands] == ["com.okta.access.patch"]
    dropped = tokens.executions()[0]["hook"]["dropped"]
    assert [item["effect"] for item in dropped] == [Effect.ID_TOKEN_CLAIMS]


@pytest.mark.parametrize(
    ("code", "effect"),
    [
        (set_claim("accessToken", "uid", "another"), Effect.ACCESS_TOKEN_CLAIMS),
        (set_claim("idToken", "role", "admin"), Effect.ID_TOKEN_CLAIMS),
        ('api.accessToken.addScope("write");', Effect.SCOPES),
        ('api.user.setAppMetadata("x", 1);', Effect.APP_METADATA),
    ],
)
def test_what_okta_would_not_take_is_refused(whole: Server, code: str, effect: Effect) -> None:
    hook = line(whole, "okta", "token")
    hook.bind(code)
    assert "errorSummary" in hook.send().json["error"]
    (execution,) = hook.executions()
    assert execution["hook"]["result"] == "uncarried"
    assert execution["hook"]["dropped"][0]["effect"] == effect


def test_the_event_of_a_login(tokens: Line) -> None:
    tokens.bind("console.log(JSON.stringify(event));")
    payload = tokens.example()
    assert tokens.send(payload).json == EMPTY
    event = json.loads(tokens.executions()[0]["results"][0]["logs"][0]["text"])
    assert event["user"]["user_id"] == payload["data"]["context"]["user"]["id"]
    assert event["user"]["email"] == "maya.okafor@harbor.example"
    assert (event["user"]["username"], event["user"]["name"]) == ("maya@harbor.example", "Maya Okafor")
    assert event["user"]["email_verified"] is False
    assert (event["client"]["client_id"], event["client"]["name"]) == ("0oaHarb0rP0rta1", "Harbor Portal")
    assert event["request"]["ip"] == "203.0.113.24"
    assert event["transaction"]["requested_scopes"] == ["openid", "profile", "email"]
    assert event["authentication"]["methods"] == [{"name": "pwd", "timestamp": "2026-11-20T17:40:09.000Z"}]


def test_a_client_of_its_own_is_a_credentials_exchange(tokens: Line) -> None:
    tokens.bind(set_claim("accessToken", TIER, "machine"), "credentials-exchange")
    payload = tokens.example()
    del payload["data"]["context"]["user"], payload["data"]["context"]["session"], payload["data"]["identity"]
    (command,) = tokens.send(payload).json["commands"]
    assert command["value"] == [{"op": "add", "path": TIER_PATH, "value": "machine"}]


def test_a_request_that_is_sent_again_runs_once(whole: Server) -> None:
    hook = line(whole, "okta", "token")
    hook.bind(set_claim("accessToken", TIER, "gold"))
    payload = hook.example()
    assert hook.send(payload).body == hook.send(payload).body
    assert len(hook.executions()) == 1
    other = hook.send(payload | {"eventTime": "2026-11-20T18:00:00.000Z"})
    assert "error" in other.json
    assert len(hook.executions()) == 1


def test_the_payload_of_another_hook(tokens: Line) -> None:
    answer = tokens.send(example_of(OKTA, OKTA.hooks["saml"]))
    assert "com.okta.saml.tokens.transform" in answer.json["error"]["errorSummary"]


# --- assertions, registrations, messages ---


def test_attributes_of_an_assertion(whole: Server) -> None:
    """In the form of the page's own sample answers, addresses as names among them."""
    hook = line(whole, "okta", "saml")
    hook.bind(
        'api.samlResponse.setAttribute("dept", ["a", "b"]);'
        'api.samlResponse.setAttribute("http://schemas.harbor.example/n", 1);'
    )
    answer = hook.send()
    (command,) = answer.json["commands"]
    assert command["type"] == "com.okta.assertion.patch"
    attributes = {"NameFormat": "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"}

    def value(text: str) -> dict[str, Any]:
        return {"attributes": {"xsi:type": "xs:string"}, "value": text}

    assert command["value"] == [
        {
            "op": "replace",
            "path": "/claims/dept",
            "value": {"attributes": attributes, "attributeValues": [value("a"), value("b")]},
        },
        {
            "op": "add",
            "path": "/claims/http:~1~1schemas.harbor.example~1n",
            "value": {"attributes": attributes, "attributeValues": [value("1")]},
        },
    ]
    hook.bind('api.samlResponse.setAttribute("dept", null);')
    assert "error" in hook.send().json, "Okta cannot remove an attribute"


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("self.service.registration", "com.okta.user.profile.update"),
        ("progressive.profile", "com.okta.user.progressive.profile.update"),
    ],
)
def test_a_user_registers_with_more_attributes_or_not_at_all(whole: Server, kind: str, command: str) -> None:
    hook = line(whole, "okta", "registration")
    hook.bind(
        'if (event.user.email.endsWith("@bad.example")) api.access.deny("internal", "not today");'
        "console.log(JSON.stringify(event.user));"
        'api.user.setUserMetadata("tier", "gold");'
    )
    payload = hook.example() | {"requestType": kind}
    if kind == "progressive.profile":
        data = payload["data"]
        profile = data.pop("userProfile")
        data["userProfileUpdate"] = {"customerId": profile.pop("customerId")}
        data["context"]["user"] = {"profile": profile}
    answer = hook.send(payload)
    assert answer.json == {"commands": [{"type": command, "value": {"tier": "gold"}}]}
    user = json.loads(hook.executions()[0]["results"][0]["logs"][0]["text"])
    assert (user["email"], user["given_name"]) == ("maya.okafor@harbor.example", "Maya")
    assert user["user_metadata"] == {"customerId": "4711"}
    refused = hook.example()
    refused["data"]["userProfile"]["email"] = "eve@bad.example"
    answer = hook.send(refused)
    assert answer.json["error"]["errorSummary"] == "not today"
    assert answer.json["error"]["errorCauses"][0]["domain"] == "end-user"
    assert not hook.goes_on(answer)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", "SUCCESSFUL"),
        ('api.notification.drop("no such number");', "PENDING"),
        ('api.notification.retry("later");', None),
        ('throw new Error("down");', None),
    ],
)
def test_text_messages(whole: Server, code: str, status: str | None) -> None:
    hook = line(whole, "okta", "telephony")
    hook.bind("console.log(JSON.stringify(event.notification));" + code)
    payload = hook.example()
    answer = hook.send(payload)
    if status is None:
        assert list(answer.json) == ["error"]
    else:
        (command,) = answer.json["commands"]
        sent = {"status": status, "provider": "actionbox", "transactionId": payload["eventId"]}
        assert command == {"type": "com.okta.telephony.action", "value": [sent]}
    found = json.loads(hook.executions()[0]["results"][0]["logs"][0]["text"])
    assert (found["recipient"], found["code"]) == ("+31612345678", "482913")
    assert (found["as_text"], found["delivery_method"]) == ("Your Harbor code is 482913", "text")
    assert hook.client.get("//runtime/v1/jobs", state="ready")["jobs"] == []


def test_a_call_says_the_code_digit_by_digit(whole: Server) -> None:
    hook = line(whole, "okta", "telephony")
    hook.bind("console.log(JSON.stringify(event.notification));")
    payload = hook.example()
    payload["requestType"] = "com.okta.user.telephony.password-reset"
    payload["data"]["messageProfile"] |= {"deliveryChannel": "CALL", "msgTemplate": None}
    assert hook.goes_on(hook.send(payload))
    found = json.loads(hook.executions()[0]["results"][0]["logs"][0]["text"])
    assert (found["delivery_method"], found["as_voice"]) == ("voice", "Your code is 4 8 2 9 1 3")
    assert found["message_type"] == "change_password"
