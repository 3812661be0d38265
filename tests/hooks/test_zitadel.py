"""ZITADEL: signatures as its own code makes them, functions, requests, events, messages, tokens."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from joserfc import jwe, jws
from joserfc.jwk import ECKey, RSAKey

from runner.hooks.schemes.timed_hmac import check_timed_hmac, timed_hmac
from tests.hooks.sending import HOOKS, SECRET, Line, line
from tests.serving.server import Server

CLAIMS = 'api.accessToken.setCustomClaim("https://harbor.example/tier", event.user.user_metadata.plan);'
REFUSAL = {"forwardedStatusCode": 403, "forwardedErrorMessage": "not today"}


@pytest.fixture(scope="module")
def tokens(whole: Server) -> Line:
    return line(whole, "zitadel", "preaccesstoken")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_signature_of_zitadels_own_code_is_taken() -> None:
    """Made by `ComputeSignatureHeader` of `pkg/actions/signing.go` in words of OpenSSL's command line:
    `printf '%s.%s' 1700000000 '{}' | openssl dgst -sha256 -hmac test-signing-key`."""
    made = "t=1700000000,v1=15854b95a61d6724cd1b5e388b0cf2a1ac34670389837ffce7a41f05a3e92733"
    assert timed_hmac(b"{}", "test-signing-key", 1700000000) == made
    check_timed_hmac(made, b"{}", ["another", "test-signing-key"], 1700000299, 300)


def test_claims_and_metadata_reach_the_token(tokens: Line) -> None:
    tokens.bind(
        CLAIMS + 'api.idToken.setCustomClaim("https://harbor.example/x", 1);'
        'api.user.setUserMetadata("seen", { at: "now" }); api.user.setUserMetadata("note", "hello");'
    )
    answer = tokens.send()
    assert (answer.status, tokens.goes_on(answer)) == (200, True)
    assert answer.json == {
        "append_claims": [{"key": "https://harbor.example/tier", "value": "gold"}],
        "set_user_metadata": [
            {"key": "seen", "value": encoded('{"at": "now"}')},
            {"key": "note", "value": encoded("hello")},
        ],
    }
    (execution, *_) = tokens.executions()
    assert execution["hook"] == {
        "provider": "zitadel",
        "hook": "preaccesstoken",
        "result": "allowed",
        "dropped": [
            {
                "effect": "id_token_claims",
                "name": "https://harbor.example/x",
                "reason": "Another hook of this provider carries it.",
            }
        ],
    }


def test_the_event_of_a_login(tokens: Line) -> None:
    tokens.bind("console.log(JSON.stringify(event));")
    payload = tokens.example()
    payload["user_metadata"].append({"key": "limits", "value": encoded('{"berths": 3}')})
    assert tokens.send(payload).json == {}
    (execution, *_) = tokens.executions()
    event = json.loads(execution["results"][0]["logs"][0]["text"])
    assert event["tenant"] == {"id": tokens.client.tenant}
    assert event["client"]["client_id"] == payload["application"]["client_id"]
    assert event["authorization"] == {"roles": ["berth-manager"]}
    assert event["organization"]["name"] == "North Quay"
    assert event["user"]["user_id"] == payload["user"]["id"]
    assert event["user"]["email"] == "maya.okafor@harbor.example"
    assert event["user"]["user_metadata"] == {"plan": "gold", "limits": {"berths": 3}}
    assert event["hook"]["name"] == "preaccesstoken"
    assert event["hook"]["payload"]["user_grants"] == payload["user_grants"]


def test_a_machine_is_a_credentials_exchange(tokens: Line) -> None:
    tokens.bind('api.accessToken.setCustomClaim("https://harbor.example/m", true);', "credentials-exchange")
    payload = tokens.example()
    del payload["user"]["human"]
    payload["user"]["machine"] = {"name": "crane", "description": ""}
    assert tokens.send(payload).json == {
        "append_claims": [{"key": "https://harbor.example/m", "value": True}]
    }


def test_claims_that_zitadel_keeps_are_no_silent_loss(tokens: Line) -> None:
    """A claim that is there is not overwritten by ZITADEL: the login is refused rather than let in with the
    old value."""
    payload = tokens.example()
    payload["userinfo"]["https://harbor.example/tier"] = "silver"
    tokens.bind(CLAIMS)
    answer = tokens.send(payload)
    assert answer.json["forwardedStatusCode"] == 403
    (execution, *_) = tokens.executions()
    assert execution["hook"]["result"] == "uncarried"
    assert execution["hook"]["dropped"][0]["effect"] == "access_token_claims"
    payload["userinfo"]["https://harbor.example/tier"] = "gold"
    assert tokens.send(payload).json == {}


def test_saml_attributes(whole: Server) -> None:
    saml = line(whole, "zitadel", "presamlresponse")
    saml.bind('api.samlResponse.setAttribute("dept", ["a", "b"]); api.samlResponse.setAttribute("n", 1);')
    basic = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
    assert saml.send().json == {
        "append_attribute": [
            {"name": "dept", "name_format": basic, "value": ["a", "b"]},
            {"name": "n", "name_format": basic, "value": ["1"]},
        ]
    }


def test_user_info_is_not_for_machines(whole: Server) -> None:
    info = line(whole, "zitadel", "preuserinfo")
    info.bind('api.access.deny("never");')
    payload = info.example()
    assert info.send(payload).json["forwardedErrorMessage"] == "never"
    payload["user"] = {"id": "1", "machine": {"name": "crane"}}
    answer = info.send(payload)
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("method", ["AddHumanUser", "CreateUser"])
def test_a_user_is_created_with_more_metadata_or_not_at_all(whole: Server, method: str) -> None:
    hook = line(whole, "zitadel", "request")
    payload = hook.example()
    payload["fullMethod"] = f"/zitadel.user.v2.UserService/{method}"
    if method == "CreateUser":
        request = payload["request"]
        human = {name: request.pop(name) for name in ("profile", "email", "phone", "password")}
        payload["request"] = {**request, "human": human}
    action = hook.bind(
        'if (event.user.email.endsWith("@bad.example")) api.access.deny("internal", "not today");'
        'console.log(JSON.stringify(event)); api.user.setUserMetadata("source", "actions");'
    )
    answer = hook.send(payload)
    assert hook.goes_on(answer)
    assert answer.json == {
        **payload["request"],
        "metadata": [{"key": "source", "value": encoded("actions")}],
    }
    shown = json.dumps(hook.executions())
    assert "an-example-of-a-password" not in shown
    assert "maya.okafor@harbor.example" in shown
    inner = payload["request"].get("human", payload["request"])
    inner["email"]["email"] = "eve@bad.example"
    assert hook.send(payload).json == REFUSAL
    hook.client.call("DELETE", f"/actions/{action['id']}", force=True)
    assert hook.send(payload).body == b""


def test_requests_for_something_else_pass(whole: Server) -> None:
    hook = line(whole, "zitadel", "request")
    hook.bind('api.access.deny("internal", "never");')
    machine = {"fullMethod": "/zitadel.user.v2.UserService/CreateUser", "request": {"machine": {}}}
    for payload in (
        {"fullMethod": "/zitadel.session.v2.SessionService/CreateSession", "request": {}},
        machine,
    ):
        answer = hook.send(payload)
        assert (answer.status, answer.body, hook.goes_on(answer)) == (200, b"", True)
    assert hook.executions() == []


def test_events_run_later_and_once(whole: Server) -> None:
    hook = line(whole, "zitadel", "event")
    hook.bind("console.log(event.user.email);")
    hook.bind("console.log(event.user.user_id, event.user.last_password_reset);", "post-change-password")
    payload = hook.example()
    for _ in range(3):
        assert hook.send(payload).status == 202
    changed = {**payload, "event_type": "user.human.password.changed", "sequence": 2}
    changed["event_payload"] = base64.b64encode(b'{"encodedHash": "x"}').decode()
    assert hook.send(changed).status == 202
    assert hook.send({**payload, "event_type": "user.human.removed", "sequence": 3}).status == 200
    found = {item["trigger_id"]: item for item in hook.ended(2)}
    texts = {name: item["results"][0]["logs"][0]["text"] for name, item in found.items()}
    assert texts == {
        "post-user-registration": "maya.okafor@harbor.example",
        "post-change-password": f"{payload['aggregateID']} {payload['created_at']}",
    }
    assert all(item["hook"] == {"provider": "zitadel", "hook": "event"} for item in found.values())
    assert hook.send({**payload, "userID": "another"}).status == 409


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", 200),
        ('api.notification.drop("no such number");', 200),
        ('api.notification.retry("later");', 424),
        ('throw new Error("down");', 424),
    ],
)
@pytest.mark.parametrize("name", ["sms", "email"])
def test_messages(whole: Server, name: str, code: str, status: int) -> None:
    hook = line(whole, "zitadel", name)
    hook.bind("console.log(JSON.stringify(event.notification));" + code)
    answer = hook.send()
    assert answer.status == status
    (execution,) = hook.executions()
    notification = json.loads(execution["results"][0]["logs"][0]["text"])
    if name == "sms":
        assert (notification["recipient"], notification["code"]) == ("+31612345678", "482913")
    else:
        assert (notification["to"], notification["message_type"]) == (
            "maya.okafor@harbor.example",
            "verify_email_by_code",
        )
    assert hook.client.get("//runtime/v1/jobs", state="ready")["jobs"] == []


def test_a_message_that_nobody_delivers_is_not_delivered(whole: Server) -> None:
    assert line(whole, "zitadel", "sms").send().status == 424


RSA = RSAKey.generate_key(2048, {"kid": "a"})
EC = ECKey.generate_key("P-256", {"kid": "b"})


def signed(payload: dict[str, Any], key: RSAKey | ECKey = RSA, algorithm: str = "RS256") -> bytes:
    header = {"alg": algorithm} | ({} if key.kid is None else {"kid": key.kid})
    return jws.serialize_compact(header, json.dumps(payload).encode(), key, algorithms=[algorithm]).encode()


def test_signed_tokens(whole: Server) -> None:
    keys = [dict(key.as_dict(private=False)) for key in (RSA, EC)]
    hook = line(whole, "zitadel", "preaccesstoken", settings={"payload_type": "jwt", "jwks": keys})
    hook.bind(CLAIMS)
    payload = hook.example()
    claims = {"append_claims": [{"key": "https://harbor.example/tier", "value": "gold"}]}
    assert hook.send(raw=signed(payload)).json == claims
    assert hook.send(raw=signed(payload, EC, "ES256")).json == claims
    forged = RSAKey.generate_key(2048, {"kid": "a"})
    none = (
        base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=")
        + b"."
        + signed(payload).split(b".")[1]
        + b"."
    )
    for raw, status in (
        (signed(payload, forged), 401),
        (none, 401),
        (json.dumps(payload).encode(), 400),
        (signed(payload)[:-4] + b"AAAA", 401),
        (b"..", 400),
        (b"\xff.\xff.\xff", 400),
    ):
        answer = hook.send(raw=raw)
        assert (answer.status, hook.goes_on(answer)) == (status, False), raw
    assert len(hook.executions()) == 2


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSA, "RSA-OAEP-256"), (EC, "ECDH-ES+A256KW")], ids=["rsa", "ec"]
)
def test_sealed_tokens(whole: Server, key: RSAKey | ECKey, algorithm: str) -> None:
    settings = {"payload_type": "jwe", "jwks": [dict(RSA.as_dict(private=False))]}
    secrets = [{"value": SECRET}, {"value": key.as_pem(private=True).decode(), "use": "decrypt"}]
    hook = line(whole, "zitadel", "preaccesstoken", settings=settings, secrets=secrets)
    hook.bind(CLAIMS)

    def sealed(text: bytes, enc: str = "A256GCM") -> bytes:
        header = {"alg": algorithm, "enc": enc}
        return jwe.encrypt_compact(header, text, key, algorithms=[algorithm, enc]).encode()

    payload = hook.example()
    assert hook.send(raw=sealed(signed(payload))).json["append_claims"][0]["value"] == "gold"
    unsigned = [sealed(json.dumps(payload).encode()), sealed(signed(payload, RSAKey.generate_key(2048)))]
    for raw in (*unsigned, sealed(signed(payload), "A128CBC-HS256"), signed(payload)):
        answer = hook.send(raw=raw)
        assert answer.status in (400, 401)
        assert not hook.goes_on(answer)
    assert len(hook.executions()) == 1


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"settings": {"payload_type": "jwt"}}, "need jwks_url or jwks"),
        ({"settings": {"payload_type": "xml"}}, "payload_type"),
        ({"settings": {"jwks_url": "file:///etc/passwd"}}, "https or http"),
        ({"settings": {"jwks": [dict(EC.as_dict(private=True))]}}, "not public"),
        ({"settings": {"surprise": 1}}, "surprise"),
        ({"secrets": [{"value": "no key at all", "use": "decrypt"}]}, "no private RSA or EC key"),
        ({"budget_ms": 9_001}, "waits 10000 ms"),
        ({"hook": "prelogin"}, "has no hook prelogin"),
        ({"provider": "auth9"}, "known: "),
        ({"secrets": [{"value": "short"}]}, "8 characters"),
        ({"defaults": {"client": {"secret": "x"}}}, "secret"),
    ],
)
def test_configurations_that_cannot_be(whole: Server, fields: dict[str, Any], why: str) -> None:
    body = {"provider": "zitadel", "hook": "preaccesstoken", **fields}
    reply = whole.client().call("POST", HOOKS, body)
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_body"), reply
    assert why in reply.json["message"], reply
