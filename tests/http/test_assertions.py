"""Logging in with a signed assertion (private_key_jwt): what is taken, once, and everything that is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from sqlalchemy import select
from typer.testing import CliRunner

from runner.admin.tenants import create_client, create_tenant, replace_keys, revoke_client
from runner.cli.app import app
from runner.http.auth.assertions import ASSERTION_TYPE, Assertions, BadAssertionError, public_key
from runner.jobs.cleaner import Cleaner
from runner.model import caps
from runner.model.errors import InputError
from runner.store.tables.client_keys import UsedAssertionRow
from runner.store.tables.models import ApiClient
from tests.serving.server import Client, Reply, Server

RSA = RSAKey.generate_key(2048)
OTHER = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
GRANT = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def pem(key: Any) -> str:
    return key.as_pem(private=False).decode()


def weak() -> str:
    key = rsa.generate_private_key(65537, 1024).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(scope="module")
def client_id(embedded: Server) -> str:
    return enrolled(embedded, RSA, EC)


def enrolled(server: Server, *keys: Any) -> str:
    """Id of a client with these keys, of a new tenant."""
    with server.service.store.begin() as session:
        tenant = f"k{secrets.token_hex(6)}"
        create_tenant(session, tenant)
        made = create_client(
            session, tenant, "keyed", ["read:actions"], [public_key(pem(key)) for key in keys]
        )
    assert made.client_secret == ""
    return made.client_id


def claims(server: Server, client_id: str, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {
        "iss": client_id,
        "sub": client_id,
        "aud": f"{server.url}/",
        "iat": now,
        "exp": now + 180,
        "jti": secrets.token_hex(8),
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def signed(content: dict[str, Any], key: Any = RSA, alg: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": alg, **header}, content, key, algorithms=[alg])


def log_in(server: Server, assertion: str, **fields: str) -> Reply:
    body = {**GRANT, "audience": f"{server.url}/api/v2/", "client_assertion": assertion, **fields}
    nobody = Client(server.url, "", "")
    return nobody.call("POST", "//oauth/token", raw=urlencode(body).encode(), headers=FORM)


def refused(reply: Reply) -> str:
    assert (reply.status, reply.json["error"]) == (401, "invalid_client"), reply
    return str(reply.json["error_description"])


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (RSA, "RS384"), (RSA, "PS256"), (EC, "ES256")])
def test_a_token_for_an_assertion(embedded: Server, client_id: str, key: Any, alg: str) -> None:
    reply = log_in(embedded, signed(claims(embedded, client_id), key, alg), client_id=client_id)
    assert (reply.status, reply.json["scope"]) == (200, "read:actions"), reply
    caller = Client(embedded.url, "", reply.json["access_token"])
    assert caller.get("/actions") == {"actions": [], "per_page": 20}
    assert caller.call("POST", "/actions", {}).status == 403


def test_by_json_without_client_id_and_for_the_token_endpoint(embedded: Server, client_id: str) -> None:
    text = signed(claims(embedded, client_id, aud=["x", f"{embedded.url}/oauth/token"]), typ="JWT", kid="any")
    body = {**GRANT, "client_assertion": text, "client_secret": None, "organization": None}
    assert Client(embedded.url, "", "").call("POST", "//oauth/token", body).status == 200


def test_once_only_also_in_a_race(embedded: Server, client_id: str) -> None:
    text = signed(claims(embedded, client_id))
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: log_in(embedded, text), range(8)))
    assert sorted(reply.status for reply in replies) == [200] + [401] * 7
    assert "used before" in refused(log_in(embedded, text))
    again = claims(embedded, client_id)
    assert log_in(embedded, signed(again)).status == 200
    assert "used before" in refused(log_in(embedded, signed({**again, "iat": again["iat"] - 1}))), "same jti"
    other = enrolled(embedded, RSA)
    assert log_in(embedded, signed(claims(embedded, other, jti=again["jti"]))).status == 200, (
        "another client's"
    )


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"iss": "somebody"}, "iss and sub"),
        ({"iss": None}, "iss and sub"),
        ({"aud": None}, "aud of"),
        ({"aud": "https://elsewhere.example/"}, "aud of"),
        ({"aud": ["https://elsewhere.example/", 7, None]}, "aud of"),
        ({"aud": {"a": 1}}, "aud of"),
        ({"aud": "http://[::bad"}, "aud of"),
        ({"exp": None}, "exp of"),
        ({"exp": "9999999999"}, "exp of"),
        ({"exp": True}, "exp of"),
        ({"exp": 10**400}, "exp of"),
        ({"exp": -(10**400)}, "exp of"),
        ({"exp": 1e300}, "exp of"),
        ({"exp": float("nan")}, "exp of"),
        ({"exp": float("inf")}, "exp of"),
        ({"exp": -1}, "exp of"),
        ({"exp": 1}, "expired"),
        ({"exp": 9_999_999_999}, "at most 300 seconds"),
        ({"iat": 9_999_999_999}, "iat of"),
        ({"iat": "now"}, "iat of"),
        ({"nbf": 9_999_999_999}, "nbf of"),
        ({"nbf": 10**400}, "nbf of"),
        ({"nbf": "1"}, "nbf of"),
        ({"nbf": -1}, "nbf of"),
        ({"jti": None}, "jti of"),
        ({"jti": ""}, "jti of"),
        ({"jti": 7}, "jti of"),
        ({"jti": "j" * (caps.MAX_ASSERTION_ID + 1)}, "jti of"),
    ],
)
def test_wrong_claims(embedded: Server, client_id: str, changes: dict[str, Any], part: str) -> None:
    assert part in refused(log_in(embedded, signed(claims(embedded, client_id, **changes))))


@pytest.mark.parametrize("path", ["/elsewhere", "/?a=1", "/#a", "/oauth/token/"])
def test_other_paths_are_other_audiences(embedded: Server, client_id: str, path: str) -> None:
    assert "aud of" in refused(log_in(embedded, signed(claims(embedded, client_id, aud=embedded.url + path))))


def test_the_host_header_chooses_no_audience(embedded: Server, client_id: str) -> None:
    text = signed(claims(embedded, client_id, aud="https://evil.example/"))
    body = {**GRANT, "client_assertion": text}
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    reply = Client(embedded.url, "", "").call("POST", "//oauth/token", body, headers=headers)
    assert "aud of" in refused(reply)


def test_forged_signatures(embedded: Server, client_id: str) -> None:
    """Other keys, other algorithms, none, and the public key as an HMAC key."""
    good = claims(embedded, client_id)
    part = "did not sign"
    assert part in refused(log_in(embedded, signed(good, OTHER)))
    assert part in refused(log_in(embedded, signed(good, ECKey.generate_key("P-256"), "ES256")))
    head, body, signature = signed(good).split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[5] ^= 1
    assert part in refused(log_in(embedded, f"{head}.{body}.{encoded(bytes(raw))}"))
    assert part in refused(log_in(embedded, f"{head}.{encoded(json.dumps({**good, 'exp': 1}))}.{signature}"))
    for alg in ("none", "None", "HS256", "HS512", "RS512", "EdDSA", "ES384", "", 7, None, ["RS256"]):
        header = encoded(json.dumps({"alg": alg}))
        key = pem(RSA).encode()
        mac = encoded(hmac.digest(key, f"{header}.{body}".encode(), hashlib.sha256))
        for last in ("", mac):
            assert "alg of" in refused(log_in(embedded, f"{header}.{body}.{last}"))
    brought: dict[str, Any] = {
        "jwk": OTHER.as_dict(private=False),
        "jku": "https://evil.example/keys",
        "kid": "../../etc",
    }
    assert part in refused(log_in(embedded, signed(good, OTHER, **brought)))
    assert log_in(embedded, signed(good)).status == 200, "nothing of that used it up"


def encoded(value: str | bytes) -> str:
    raw = value if isinstance(value, bytes) else value.encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "a.b.c",
        "..",
        "a.b.c.d.e",
        f"{encoded('{}')}.{encoded('{}')}.",
        f"{encoded('[]')}.{encoded('[]')}.",
        f"{encoded(json.dumps({'alg': 'RS256'}))}.{encoded('7')}.AA",
        f"{encoded(json.dumps({'alg': 'RS256'}))}.{encoded(json.dumps({'sub': 7}))}.AA",
        f"{encoded(json.dumps({'alg': 'RS256'}))}.{encoded(json.dumps({'sub': chr(0xD800)}))}.AA",
        f"{encoded(json.dumps({'alg': 'RS256', 'crit': ['exp']}))}.{encoded(json.dumps({'sub': 'a'}))}.AA",
        f"{encoded(json.dumps({'alg': 'RS256', 'typ': 'at+jwt'}))}.{encoded(json.dumps({'sub': 'a'}))}.AA",
        f"{encoded('[' * 2000)}.{encoded('{}')}.AA",
        "é.é.é",
        "a" * (caps.MAX_ASSERTION + 1),
    ],
)
def test_no_assertion_at_all(embedded: Server, text: str) -> None:
    assert "client assertion" in refused(log_in(embedded, text))


def test_the_request_around_it(embedded: Server, client_id: str) -> None:
    text = signed(claims(embedded, client_id))
    assert "subject" in refused(log_in(embedded, text, client_id="somebody"))
    for fields in ({"client_assertion_type": "jwt"}, {"client_assertion_type": ""}, {"client_secret": "s"}):
        reply = log_in(embedded, text, **fields)
        assert (reply.status, reply.json["error"]) == (400, "invalid_request"), fields
    basic = {"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}
    body = {**GRANT, "client_assertion": text}
    nobody = Client(embedded.url, "", "")
    assert nobody.call("POST", "//oauth/token", body, headers=basic).status == 400
    del body["client_assertion_type"]
    assert nobody.call("POST", "//oauth/token", body).status == 400
    assert log_in(embedded, text, grant_type="password").json["error"] == "unsupported_grant_type"
    assert log_in(embedded, text).status == 200, "nothing of that used it up"
    unknown = signed(claims(embedded, secrets.token_hex(16)))
    wrong = signed(claims(embedded, client_id), OTHER)
    assert log_in(embedded, unknown).json == log_in(embedded, wrong).json


def test_a_client_with_keys_has_no_secret_and_one_with_a_secret_no_keys(
    embedded: Server, client_id: str
) -> None:
    nobody = Client(embedded.url, "", "")
    for secret in ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"):
        body = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        assert nobody.call("POST", "//oauth/token", body).status == 401
    plain = embedded.client().credentials
    assert plain is not None
    assert "did not sign" in refused(log_in(embedded, signed(claims(embedded, plain.client_id))))


def test_keys_change_and_clients_end(embedded: Server) -> None:
    mine = enrolled(embedded, RSA)
    with embedded.service.store.begin() as session:
        replace_keys(session, mine, [public_key(pem(OTHER))])
    assert log_in(embedded, signed(claims(embedded, mine))).status == 401
    assert log_in(embedded, signed(claims(embedded, mine), OTHER)).status == 200
    with embedded.service.store.begin() as session:
        revoke_client(session, mine)
    assert log_in(embedded, signed(claims(embedded, mine), OTHER)).status == 401


def test_expiry_is_the_clock_s(embedded: Server, client_id: str) -> None:
    now = time.time()
    gate = Assertions(embedded.service.store, embedded.url, clock=lambda: now)
    most = caps.MAX_ASSERTION_SECONDS
    gate.verify(signed(claims(embedded, client_id, exp=int(now) + most)), "")
    gate.verify(signed(claims(embedded, client_id, exp=now + 0.5)), "")
    for expires in (now - 0.1, now + most + 6):
        with pytest.raises(BadAssertionError):
            gate.verify(signed(claims(embedded, client_id, exp=expires)), "")


def test_used_assertions_are_forgotten_when_they_have_expired(embedded: Server, client_id: str) -> None:
    content = claims(embedded, client_id)
    log_in(embedded, signed(content))

    def kept() -> int:
        with embedded.service.store.read() as session:
            rows = session.scalars(select(UsedAssertionRow).where(UsedAssertionRow.client_id == client_id))
            return len(rows.all())

    before = kept()
    store = embedded.service.store
    Cleaner(store, clock=lambda: datetime.fromtimestamp(content["iat"] - 1, UTC)).clean()
    assert kept() == before > 0
    Cleaner(store, clock=lambda: datetime.fromtimestamp(content["exp"] + 1000, UTC)).clean()
    assert kept() == 0


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "neither"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "neither"),
        ("{", "neither"),
        ('{"kty": "RSA"}', "neither"),
        (RSA.as_pem(private=True).decode(), "private key"),
        (json.dumps(EC.as_dict(private=True)), "private key"),
        (weak(), "1024 bits"),
        (pem(ECKey.generate_key("P-384")), "P-256"),
        (pem(OKPKey.generate_key("Ed25519")), "P-256"),
        (json.dumps(OctKey.import_key("x" * 32).as_dict()), "neither"),
    ],
    ids=range(10),
)
def test_keys_that_are_not_taken(text: str, part: str) -> None:
    with pytest.raises(InputError, match=part) as caught:
        public_key(text)
    assert caught.value.code == "invalid_public_key"


def test_as_jwk() -> None:
    for key in (RSA, EC):
        assert public_key(json.dumps(key.as_dict(private=False))).thumbprint() == key.thumbprint()


def test_as_many_keys_as_there_may_be(embedded: Server) -> None:
    keys = [ECKey.generate_key("P-256") for _ in range(caps.MAX_CLIENT_KEYS)]
    mine = enrolled(embedded, *keys)
    assert log_in(embedded, signed(claims(embedded, mine), keys[-1], "ES256")).status == 200
    with pytest.raises(InputError, match="at most 4"):
        enrolled(embedded, *keys, RSA)


def test_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "one.pem").write_text(pem(RSA))
    (tmp_path / "two.json").write_text(json.dumps(EC.as_dict(private=False)))
    run = CliRunner(env={"ACTIONBOX_DATA_DIR": str(tmp_path / "data")}).invoke
    assert run(app, ["tenant", "add", "acme"]).exit_code == 0
    added = run(app, ["client", "add", "acme", "--public-key", str(tmp_path / "one.pem")])
    assert added.exit_code == 0, added.output
    assert "client secret" not in added.output
    client_id = added.output.partition("client id")[2].split()[0]
    changed = run(app, ["client", "rekey", client_id, "--public-key", str(tmp_path / "two.json")])
    assert "1 public key" in changed.output, changed.output
    assert run(app, ["client", "rekey", client_id]).exit_code == 2
    (tmp_path / "private.pem").write_bytes(RSA.as_pem(private=True))
    failed = run(app, ["client", "rekey", client_id, "--public-key", str(tmp_path / "private.pem")])
    assert isinstance(failed.exception, InputError)
    assert "private key" in str(failed.exception)


def test_the_secret_of_a_client_ends_with_its_first_key(embedded: Server) -> None:
    client = embedded.client().credentials
    assert client is not None
    body = {
        "grant_type": "client_credentials",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
    }
    nobody = Client(embedded.url, "", "")
    assert nobody.call("POST", "//oauth/token", body).status == 200
    with embedded.service.store.begin() as session:
        replace_keys(session, client.client_id, [public_key(pem(RSA))])
        assert session.scalar(select(ApiClient.secret_digest).where(ApiClient.id == client.client_id)) == ""
    assert nobody.call("POST", "//oauth/token", body).status == 401
