"""Firebase: tokens as Google makes them, what becomes of claims, and what must not be taken for a token."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from runner.hooks.providers.firebase.tokens import EMULATOR
from tests.hooks.sending import HOOKS, Line, line
from tests.serving.server import Server

GOOGLE = RSAKey.generate_key(2048, {"kid": "1"})
KEYS = {"jwks": [dict(GOOGLE.as_dict(private=False))], "jwks_url": ""}
SET = 'api.idToken.setCustomClaim("https://harbor.example/tier", event.user.app_metadata.plan);'
Signer = Callable[..., tuple[dict[str, str], bytes]]


def token(
    key: RSAKey | ECKey = GOOGLE, algorithm: str = "RS256", /, header: Any = None, **changes: Any
) -> Signer:
    """Signs as Google does; `changes` of claims, None leaves one out."""

    def sign(_hook: Any, raw: bytes, _secret: str, now: float) -> tuple[dict[str, str], bytes]:
        times = {"iat": int(now), "exp": int(now) + 600}
        claims = json.loads(raw) | times | changes
        text = json.dumps({name: value for name, value in claims.items() if value is not None}).encode()
        head = {"alg": algorithm, "kid": "1", "typ": "JWT"} | (header or {})
        head = {name: value for name, value in head.items() if value is not None}
        return wrapped(jws.serialize_compact(head, text, key, algorithms=[algorithm]))

    return sign


def wrapped(jwt: Any) -> tuple[dict[str, str], bytes]:
    return {"Content-Type": "application/json"}, json.dumps({"data": {"jwt": jwt}}).encode()


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def bare(signature: str = "") -> Signer:
    """As the emulator makes them."""

    def sign(_hook: Any, raw: bytes, _secret: str, now: float) -> tuple[dict[str, str], bytes]:
        claims = json.loads(raw) | {"iat": int(now), "exp": int(now) + 600}
        return wrapped(f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims)}.{signature}")

    return sign


def own(hook: Line) -> str:
    return f"https://actions.example{hook.path}"


@pytest.fixture(scope="module")
def sign_in(whole: Server) -> Line:
    return line(whole, "firebase", "beforeSignIn", settings=KEYS)


@pytest.fixture(scope="module")
def create(whole: Server) -> Line:
    return line(whole, "firebase", "beforeCreate", settings=KEYS)


def fresh(**changes: Any) -> Signer:
    return token(event_id=f"e{time.monotonic_ns()}", **changes)


def test_claims_reach_the_session(sign_in: Line) -> None:
    sign_in.bind(
        SET + 'api.accessToken.setCustomClaim("https://harbor.example/ports", ["ams"]);'
        'api.user.setAppMetadata("seen", true); api.user.setAppMetadata("old", null);'
    )
    payload = sign_in.example() | {"aud": own(sign_in)}
    payload["user_record"]["custom_claims"]["old"] = 1
    answer = sign_in.send(payload, sign=fresh())
    assert (answer.status, sign_in.goes_on(answer)) == (200, True)
    assert answer.json == {
        "userRecord": {
            "customClaims": {"plan": "gold", "seen": True},
            "sessionClaims": {
                "https://harbor.example/ports": ["ams"],
                "https://harbor.example/tier": "gold",
            },
            "updateMask": "customClaims,sessionClaims",
        }
    }
    assert "dropped" not in sign_in.executions()[0]["hook"]


def test_the_event_of_a_sign_in(sign_in: Line) -> None:
    sign_in.bind("console.log(JSON.stringify(event));")
    payload = sign_in.example() | {"aud": "demo-harbor", "tenant_id": "north", "oauth_token_secret": "hush"}
    payload["sign_in_second_factor"] = "phone"
    payload["user_record"]["password_hash"] = "hush"
    assert sign_in.send(payload, sign=fresh()).json == {}
    text = sign_in.executions()[0]["results"][0]["logs"][0]["text"]
    event = json.loads(text)
    assert event["user"]["user_id"] == payload["sub"]
    assert event["user"]["created_at"] == "2024-08-06T09:12:34.000Z"
    assert event["user"]["app_metadata"] == {"plan": "gold"}
    assert event["user"]["identities"][0]["provider"] == "password"
    assert event["connection"]["strategy"] == "auth0"
    assert event["request"]["ip"] == "203.0.113.24"
    assert event["request"]["language"] == "nl"
    assert event["organization"]["id"] == "north"
    assert [item["name"] for item in event["authentication"]["methods"]] == ["pwd", "mfa"]
    assert "hush" not in text


def test_a_new_user(create: Line) -> None:
    create.bind(
        'if (event.user.email.endsWith("@bad.example")) api.access.deny("internal", "not today");'
        'api.user.setAppMetadata("plan", "silver"); console.log(JSON.stringify(event));'
    )
    payload = create.example() | {"aud": own(create)}
    answer = create.send(payload, sign=fresh())
    assert answer.json == {"userRecord": {"customClaims": {"plan": "silver"}, "updateMask": "customClaims"}}
    text = create.executions()[0]["results"][0]["logs"][0]["text"]
    assert json.loads(text)["connection"]["strategy"] == "google.com"
    assert "an-example-of-a-token" not in text
    payload["user_record"]["email"] = "eve@bad.example"
    answer = create.send(payload, sign=fresh())
    assert (answer.status, answer.json) == (
        403,
        {"error": {"message": "not today", "status": "PERMISSION_DENIED"}},
    )


def test_user_metadata_has_no_place(create: Line) -> None:
    create.bind('api.user.setUserMetadata("theme", "dark");')
    payload = create.example() | {"aud": own(create)}
    assert create.send(payload, sign=fresh()).status == 403
    hook = create.executions()[0]["hook"]
    assert (hook["result"], hook["dropped"][0]["effect"]) == ("uncarried", "user_metadata")


@pytest.mark.parametrize(
    ("code", "lost"),
    [
        ('api.user.setAppMetadata("firebase", 1);', ["app_metadata"]),
        ('api.user.setAppMetadata("long", "x".repeat(990));', ["app_metadata"]),
        ('api.idToken.setCustomClaim("https://a.example/x", "x".repeat(990));', ["id_token_claims"]),
        # 500 each: together too much.
        (
            'api.user.setAppMetadata("a", "x".repeat(490));'
            'api.idToken.setCustomClaim("https://a.example/b", "x".repeat(490));',
            ["id_token_claims"],
        ),
        (
            'api.idToken.setCustomClaim("https://a.example/b", 1);'
            'api.accessToken.setCustomClaim("https://a.example/b", 2);',
            ["access_token_claims"],
        ),
        # Characters, not bytes; those beyond 16 bits count twice.
        ('api.idToken.setCustomClaim("https://a.example/b", "é".repeat(970));', []),
        ('api.idToken.setCustomClaim("https://a.example/b", "😀".repeat(490));', ["id_token_claims"]),
    ],
)
def test_what_a_token_cannot_hold(sign_in: Line, code: str, lost: list[str]) -> None:
    sign_in.bind(code)
    payload = sign_in.example() | {"aud": own(sign_in)}
    answer = sign_in.send(payload, sign=fresh())
    assert answer.status == (403 if lost else 200)
    dropped = sign_in.executions()[0]["hook"].get("dropped", [])
    assert [item["effect"] for item in dropped] == lost


def test_without_what_is_too_long_the_rest_goes(whole: Server) -> None:
    hook = line(whole, "firebase", "beforeSignIn", settings=KEYS, on_uncarried="allow")
    hook.bind(
        'api.user.setAppMetadata("a", "x".repeat(490)); api.user.setAppMetadata("sub", "other");'
        'api.idToken.setCustomClaim("https://a.example/b", "x".repeat(490));'
    )
    answer = hook.send(hook.example() | {"aud": own(hook)}, sign=token())
    record = answer.json["userRecord"]
    assert record["updateMask"] == "customClaims"
    assert record["customClaims"] == {"plan": "gold", "a": "x" * 490}


def test_an_event_runs_once(sign_in: Line) -> None:
    sign_in.bind('api.idToken.setCustomClaim("https://harbor.example/at", Date.now());')
    payload = sign_in.example() | {"aud": own(sign_in), "event_id": "the-same"}
    before = len(sign_in.executions())
    first = sign_in.send(payload, sign=token(), now=time.time() - 5)
    assert first.status == 200
    assert sign_in.send(payload, sign=token()).body == first.body
    assert len(sign_in.executions()) == before + 1
    other = sign_in.send(payload | {"sub": "another"}, sign=token())
    assert (other.status, other.json["error"]["status"]) == (409, "ABORTED")
    assert sign_in.send(payload, sign=token(event_id=None)).status == 400


def confused(_hook: Any, raw: bytes, _secret: str, now: float) -> tuple[dict[str, str], bytes]:
    head = (
        f"{encoded({'alg': 'HS256', 'kid': '1'})}.{encoded(json.loads(raw) | {'iat': now, 'exp': now + 9})}"
    )
    made = hmac.new(GOOGLE.as_pem(private=False), head.encode(), "sha256").digest()
    return wrapped(f"{head}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}")


@pytest.mark.parametrize(
    "sign",
    [
        token(RSAKey.generate_key(2048, {"kid": "1"})),
        token(header={"kid": "2"}),
        token(header={"kid": None}),
        token(GOOGLE, "RS512"),
        token(GOOGLE, "PS256"),
        token(ECKey.generate_key("P-256", {"kid": "1"}), "ES256"),
        # The public key as if it were a shared secret (RFC 8725, 2.1).
        confused,
        token(iss="https://securetoken.google.com/another"),
        token(iss="https://evil.example/demo-harbor"),
        token(iss=None),
        token(aud="another"),
        token(aud="https://actions.example/hooks/v1/another/firebase/beforeSignIn"),
        token(aud=["demo-harbor"]),
        token(aud=None),
        token(exp=1),
        token(exp=None),
        token(exp="9999999999"),
        token(exp=True),
        token(iat=9999999999),
        token(iat=None),
        bare(),
        bare("c2lnbmVk"),
        lambda *_: wrapped(None),
        lambda *_: wrapped(["a.b.c"]),
        lambda *_: wrapped("é.é.é"),
        lambda *_: wrapped(""),
        lambda *_: ({}, b'{"data":[]}'),
        lambda *_: ({}, b'{"data":{"jwt":"a.b.c","jwt":"d.e.f"}}'),
    ],
)
def test_what_is_no_token_of_googles(sign_in: Line, sign: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the emulator's variable is set, too: this hook is not for the emulator."""
    monkeypatch.setenv(EMULATOR, "127.0.0.1:9099")
    before = len(sign_in.executions())
    answer = sign_in.send(sign_in.example() | {"aud": own(sign_in)}, sign=sign)
    assert answer.status in (400, 401)
    assert answer.json["error"]["status"] in ("UNAUTHENTICATED", "INVALID_ARGUMENT")
    assert not sign_in.goes_on(answer)
    assert len(sign_in.executions()) == before


@pytest.mark.parametrize("name", ["crit", "jku", "jwk", "x5c", "zip"])
def test_headers_that_ask_for_more(sign_in: Line, name: str) -> None:
    def sign(_hook: Any, raw: bytes, _secret: str, now: float) -> tuple[dict[str, str], bytes]:
        head = encoded({"alg": "RS256", "kid": "1", name: ["exp"]})
        return wrapped(f"{head}.{encoded(json.loads(raw) | {'iat': now, 'exp': now + 9})}.AAAA")

    assert sign_in.send(sign=sign).status == 400


def test_a_token_of_the_other_hook(sign_in: Line, create: Line) -> None:
    payload = create.example() | {"aud": "demo-harbor"}
    answer = sign_in.send(payload, sign=fresh())
    assert (answer.status, answer.json["error"]["status"]) == (400, "INVALID_ARGUMENT")
    long = {"event_type": "providers/cloud.auth/eventTypes/user.beforeSignIn:password"}
    sign_in.bind("")
    assert sign_in.send(sign_in.example() | long | {"aud": "demo-harbor"}, sign=fresh()).json == {}


def test_audiences_that_are_set(whole: Server) -> None:
    hook = line(whole, "firebase", "beforeSignIn", settings=KEYS | {"audiences": ["https://a.run.app/x"]})
    assert hook.send(sign=fresh(aud="https://a.run.app/x")).status == 200
    assert hook.send(sign=fresh(aud="demo-harbor")).status == 401
    assert hook.send(sign=fresh(aud=own(hook))).status == 401


def test_the_emulator_is_believed_where_two_say_so(whole: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook's own setting, and the variable where the service runs."""
    hook = line(whole, "firebase", "beforeSignIn", settings=KEYS | {"emulator": True})
    payload = hook.example() | {"aud": own(hook)}
    assert hook.send(payload, sign=bare()).status == 401
    monkeypatch.setenv(EMULATOR, "")
    assert hook.send(payload, sign=bare()).status == 401
    monkeypatch.setenv(EMULATOR, "127.0.0.1:9099")
    assert hook.send(payload, sign=bare()).status == 200
    assert hook.send(payload | {"aud": "x"}, sign=bare()).status == 401
    assert hook.send(payload, sign=bare("c2lnbmVk")).status == 401
    # A signature that is there has to be a good one all the same.
    assert hook.send(payload, sign=token(RSAKey.generate_key(2048, {"kid": "1"}))).status == 401


def test_keys_that_rotate(whole: Server) -> None:
    second = RSAKey.generate_key(2048, {"kid": "2"})
    keys = [*KEYS["jwks"], dict(second.as_dict(private=False))]
    hook = line(whole, "firebase", "beforeSignIn", settings={"jwks": keys, "jwks_url": ""})
    payload = hook.example() | {"aud": "demo-harbor"}
    assert hook.send(payload, sign=token(event_id="1")).status == 200
    assert hook.send(payload, sign=token(second, header={"kid": "2"}, event_id="2")).status == 200
    assert hook.send(payload, sign=token(second, header={"kid": "1"}, event_id="3")).status == 401


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "project"),
        ({"project": "Harbor!"}, "project"),
        ({"project": "harbor", "emulator": True}, "begins with demo-"),
        ({"project": "harbor", "jwks_url": ""}, "nothing could be verified"),
        ({"project": "harbor", "jwks_url": "file:///etc/passwd"}, "https or http"),
        ({"project": "harbor", "jwks": [dict(GOOGLE.as_dict(private=True))]}, "not public"),
        ({"project": "harbor", "audiences": "harbor"}, "audiences"),
    ],
)
def test_settings_that_cannot_be(whole: Server, settings: dict[str, Any], why: str) -> None:
    body = {"provider": "firebase", "hook": "beforeCreate", "settings": settings}
    reply = whole.client().call("POST", HOOKS, body)
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_body"), reply
    assert why in reply.json["message"], reply
