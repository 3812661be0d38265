"""Tokens and how clients get them (threat-model J1, P3; RFC 6749, RFC 8725)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from runner.admin.tenants import revoke_client
from runner.config.keys import Keys
from runner.http.auth.authenticator import Authenticator
from runner.http.auth.tokens import GRANTED, MANAGEMENT_PATH, Tokens
from runner.store import KeyRing
from tests.serving.server import Client, Reply, Server

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def client(embedded: Server) -> Client:
    return embedded.client()


def with_token(client: Client, token: str) -> Reply:
    return Client(client.url, client.tenant, token).call("GET", "/actions")


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def decoded(part: str) -> dict[str, object]:
    value: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return value


def test_the_token_is_a_jwt_with_the_usual_claims(client: Client) -> None:
    header, claims, _ = client.token.split(".")
    assert decoded(header)["alg"] == "HS256"
    assert {"iss", "sub", "aud", "iat", "exp", "scope", "azp", "jti"} <= set(decoded(claims))
    assert with_token(client, client.token).status == 200


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "none", "kid": "k1", "typ": "at+jwt"},
        {"alg": "HS512", "kid": "k1", "typ": "at+jwt"},
        {"alg": "RS256", "kid": "k1", "typ": "at+jwt"},
        {"alg": "HS256", "typ": "at+jwt"},
        {"alg": "HS256", "kid": "../../dev/null", "typ": "at+jwt"},
        {"alg": "HS256", "kid": 7, "typ": "at+jwt"},
        {"alg": "HS256", "kid": ["k1"], "typ": "at+jwt"},
        {"alg": "HS256", "kid": "k1", "typ": "JWT"},
        {"alg": "HS256", "kid": "k1", "typ": "at+jwt", "crit": ["exp"]},
        {"alg": "HS256", "kid": "k1", "typ": "at+jwt", "jwk": {"kty": "oct", "k": "AAAA"}},
    ],
)
def test_forged_headers(embedded: Server, client: Client, header: dict[str, object]) -> None:
    """Even with a signature that is right for the text, where the key is what the header would suggest."""
    _, claims, _ = client.token.split(".")
    text = f"{encoded(header)}.{claims}"
    known = embedded.service.keys.ring.derive("actionbox access tokens v1")[0]
    for key in (b"", b"AAAA", known if "jwk" not in header else b"\0\0\0"):
        mac = base64.urlsafe_b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).rstrip(b"=").decode()
        for signature in ("", mac):
            reply = with_token(client, f"{text}.{signature}")
            assert (reply.status, reply.json["errorCode"]) == (401, "invalid_token")
            assert "Traceback" not in reply.json["message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": 1},
        {"exp": -1},
        {"exp": 10**400},
        {"exp": 1e300},
        {"exp": 9_999_999_999.5},
        {"exp": float("inf")},
        {"nbf": 9_999_999_999},
        {"nbf": 10**400},
        {"nbf": -(10**400)},
        {"nbf": "1"},
        {"nbf": True},
        {"iat": -(10**400)},
        {"iat": 9_999_999_999},
        {"iat": None},
        {"iss": "https://elsewhere.example/"},
        {"aud": None},
        {"aud": "https://elsewhere.example/"},
        {"aud": {"a": 1}},
        {"aud": ["http://x/runtime/v1/"]},
        {"scope": None},
        {"scope": ["read:actions"]},
        {"https://actionbox/tenant": None},
        {"https://actionbox/tenant": "somebody-else"},
        {"azp": "somebody-else"},
    ],
)
def test_wrong_claims(embedded: Server, client: Client, changes: dict[str, object]) -> None:
    header, claims, _ = client.token.split(".")
    value = {key: item for key, item in (decoded(claims) | changes).items() if item is not None}
    text = f"{header}.{encoded(value)}"
    key = embedded.service.keys.ring.derive("actionbox access tokens v1")[0]
    mac = base64.urlsafe_b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).rstrip(b"=").decode()
    assert with_token(client, f"{text}.{mac}").status == 401


def test_a_short_token_has_the_scopes_that_its_client_has_now(embedded: Server, client: Client) -> None:
    assert client.credentials is not None
    audiences = [f"{embedded.url}/api/v2/"]
    text = embedded.service.tokens.issue(client.tenant, client.credentials.client_id, GRANTED, audiences, 60)
    assert decoded(text.split(".")[1])["scope"] == "*"
    assert with_token(client, text).status == 200
    reader = embedded.client(client.tenant, ["read:logs"])
    assert reader.credentials is not None
    text = embedded.service.tokens.issue(client.tenant, reader.credentials.client_id, GRANTED, audiences, 60)
    assert with_token(client, text).json["errorCode"] == "insufficient_scope"
    granted = ask(embedded, reader, audience=f"{embedded.url}/api/v2/").json
    assert granted["scope"] == "read:logs"
    assert decoded(granted["access_token"].split(".")[1])["scope"] == "*"


def test_any_changed_bit_is_noticed(client: Client) -> None:
    head, claims, signature = client.token.split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "="))
    for bit in (0, 7, 100, 255):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << (bit % 8)
        text = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        assert with_token(client, f"{head}.{claims}.{text}").status == 401
    assert with_token(client, client.token).status == 200


@pytest.mark.parametrize(
    "header", ["Basic abc", "Bearer", "Bearer  ", "bearer x.y.z", "Token x", "Bearer " + "a" * 9000]
)
def test_wrong_headers(embedded: Server, header: str) -> None:
    reply = Client(embedded.url, "", "").call("GET", "/actions", headers={"Authorization": header})
    assert (reply.status, reply.json["error"]) == (401, "Unauthorized")


def test_tokens_end(client: Client, tmp_path: object) -> None:
    now = [time.time()]
    tokens = Tokens(Keys(KeyRing({"k": b"k" * 32})), clock=lambda: now[0])
    text = tokens.issue("t", "c", ["read:actions"], ["https://x/api/v2/"], 60)
    assert tokens.read(text).planes == {MANAGEMENT_PATH}
    now[0] += 59
    assert tokens.read(text).tenant == "t"
    now[0] += 1
    with pytest.raises(Exception, match="Expired token"):
        tokens.read(text)


def test_a_revoked_client_is_out(embedded: Server, client: Client) -> None:
    assert client.credentials is not None
    now, wall = [0.0], [time.time()]
    gate = Authenticator(
        embedded.service.tokens, embedded.service.store, clock=lambda: wall[0], monotonic=lambda: now[0]
    )
    gate.authenticate(client.token)
    with embedded.service.store.begin() as session:
        revoke_client(session, client.credentials.client_id)
    assert gate.recall(client.token) is not None
    now[0] += 5
    wall[0] -= 3600
    assert gate.recall(client.token) is None, "looked up again after five seconds, though the clock went back"
    with pytest.raises(Exception, match="removed"):
        gate.authenticate(client.token)
    reply = ask(embedded, client)
    assert (reply.status, reply.json["error"]) == (401, "invalid_client")


def ask(
    server: Server, client: Client, headers: dict[str, str] | None = None, **changes: str | None
) -> Reply:
    assert client.credentials is not None
    fields = {
        "grant_type": "client_credentials",
        "client_id": client.credentials.client_id,
        "client_secret": client.credentials.client_secret,
        "audience": f"{server.url}/api/v2/",
        **changes,
    }
    body = {key: value for key, value in fields.items() if value is not None}
    nobody = Client(server.url, "", "")
    if headers is not None and headers.get("Content-Type") == "application/json":
        return nobody.call("POST", "//oauth/token", body, headers=headers)
    sent = {**FORM, **(headers or {})}
    return nobody.call("POST", "//oauth/token", raw=urlencode(body).encode(), headers=sent)


def test_client_credentials_in_every_way(embedded: Server, client: Client) -> None:
    assert client.credentials is not None
    pair = f"{client.credentials.client_id}:{client.credentials.client_secret}"
    basic = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    replies = [
        ask(embedded, client),
        ask(embedded, client, {"Content-Type": "application/json"}),
        ask(embedded, client, basic, client_id=None, client_secret=None),
        ask(embedded, client, audience=None),
    ]
    for reply in replies:
        assert (reply.status, reply.json["token_type"], reply.json["expires_in"]) == (200, "Bearer", 86_400)
        assert with_token(client, reply.json["access_token"]).status == 200
        assert "invoke:triggers" not in reply.json["scope"]


def test_scopes_can_be_fewer_and_never_more(embedded: Server) -> None:
    limited = embedded.client(scopes=["read:actions", "update:actions"])
    reply = ask(embedded, limited, scope="read:actions delete:actions")
    assert reply.json["scope"] == "read:actions"
    assert ask(embedded, limited, scope="delete:actions").status == 403
    runtime = ask(embedded, embedded.client(), audience="https://anything/runtime/v1/")
    assert "read:actions" not in runtime.json["scope"].split()
    assert with_token(limited, runtime.json["access_token"]).status == 401


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"client_id": "' or 1=1 --"}, 401, "invalid_client"),
        ({"client_id": "a\0b"}, 401, "invalid_client"),
        ({"audience": "https://elsewhere.example/"}, 403, "access_denied"),
        ({"client_assertion": "x"}, 400, "invalid_request"),
    ],
)
def test_refused(embedded: Server, client: Client, changes: dict[str, Any], status: int, code: str) -> None:
    reply = ask(embedded, client, **changes)
    assert (reply.status, reply.json["error"], reply.json["statusCode"]) == (status, code, status)
    assert reply.json["error_description"]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"a=%ff", "application/x-www-form-urlencoded"),
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % n for n in range(21)), "application/x-www-form-urlencoded"),
        (b"[]", "application/json"),
        (b'{"grant_type": 1}', "application/json"),
        (b'{"grant_type": "a", "grant_type": "b"}', "application/json"),
        (b"<x/>", "text/xml"),
        (b"x", ""),
    ],
)
def test_strange_bodies(embedded: Server, raw: bytes, kind: str) -> None:
    reply = Client(embedded.url, "", "").call(
        "POST", "//oauth/token", raw=raw, headers={"Content-Type": kind}
    )
    assert reply.status in (400, 401, 415)
    assert "error_description" in reply.json


def test_a_body_that_is_too_large(embedded: Server) -> None:
    reply = Client(embedded.url, "", "").call("POST", "//oauth/token", raw=b"a" * 2_200_000)
    assert (reply.status, reply.json["error"]) == (413, "invalid_request")
    assert "2097152 bytes" in reply.json["error_description"]
