"""Keys of `jwt` in Python Actions: JWKs, key sets, certificates, and `PyJWKClient`."""

# ruff: noqa: E501 - programs of one line

from __future__ import annotations

import base64
import json
import textwrap
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.egress.doubles.stub import Stub, StubEgress
from tests.sandbox.python.actions import Runner
from tests.sandbox.python.pyjwt import SECRET, in_an_action, pair, pair_of, same


def jwks() -> list[dict[str, Any]]:
    found = []
    for name in ("RS256", "ES256", "ES384", "ES512", "ES256K", "EdDSA"):
        key = jwt.get_algorithm_by_name(name).prepare_key(pair(name)[1])
        fields = jwt.get_algorithm_by_name(name).to_jwk(key, as_dict=True)
        fields.pop("key_ops", None)
        found.append({**fields, "kid": name, "use": "sig"})
    return found


class TestKeys:
    def test_jwks(self, runner: Runner) -> None:
        program = """
            import jwt, json
            found = jwt.PyJWKSet.from_dict({"keys": [*keys, {"kty": "XX"}, "no key", {"kty": "OKP", "crv": "X25519", "x": "AA"}]})
            for key in found:
                print(key.key_id, key.key_type, key.public_key_use, key.algorithm_name)
                print(jwt.decode(tokens[key.key_id], key), jwt.decode(tokens[key.key_id], key.key, algorithms=[key.algorithm_name]))
            print(found["ES384"].algorithm_name)
            for wrong in ({}, {"kty": "XX"}, {"kty": "EC", "crv": "P-1"}, {"kty": "OKP"}, {"kty": "RSA", "n": "AA"}, {"kty": "oct", "k": ""},
                          {"kty": "RSA", "alg": "XX"}, {"kty": "EC", "crv": "P-256", "x": "AA"}, {"kty": "EC", "alg": "RS256"}):
                try:
                    jwt.PyJWK(wrong)
                except jwt.PyJWTError as error:
                    print(type(error).__name__)
            for empty in ({}, {"keys": []}, {"keys": ["x"]}):
                try:
                    jwt.PyJWKSet.from_dict(empty)
                except jwt.PyJWKSetError as error:
                    print(type(error).__name__)
            print(jwt.decode(jwt.encode({"a": 1}, jwt.PyJWK.from_json(json.dumps(shared))), jwt.PyJWK(shared)))
            try:
                jwt.decode(tokens["ES256"], found["ES384"])
            except jwt.InvalidAlgorithmError as error:
                print(error)
        """
        tokens = {
            key["kid"]: jwt.encode({"for": key["kid"]}, pair(key["kid"])[0], key["kid"]) for key in jwks()
        }
        shared = {"kty": "oct", "k": base64.urlsafe_b64encode(SECRET.encode()).decode()}
        assert len(same(runner, program, keys=jwks(), tokens=tokens, shared=shared)) > 20

    def test_key_objects_of_algorithms(self, runner: Runner) -> None:
        """The spelling of many tutorials: `RSAAlgorithm.from_jwk(json.dumps(jwk))`."""
        program = """
            import json, jwt
            from jwt.algorithms import RSAAlgorithm, HMACAlgorithm
            key = RSAAlgorithm.from_jwk(json.dumps(jwk))
            print(jwt.decode(token, key, algorithms=["RS256"]), HMACAlgorithm.from_jwk('{"kty": "oct", "k": "YWI"}'))
            fields = json.loads(RSAAlgorithm.to_jwk(key))
            print(fields["n"] == jwk["n"], fields["e"] == jwk["e"])
        """
        token = jwt.encode({"a": 1}, pair("RS256")[0], "RS256")
        assert same(runner, program, jwk=jwks()[0], token=token) == ["{'a': 1} b'ab'", "True True"]

    def test_private_keys_go_there_and_back(self, runner: Runner) -> None:
        program = """
            import json, jwt
            for name, pem in keys.items():
                kind = jwt.get_algorithm_by_name(name)
                text = kind.to_jwk(kind.prepare_key(pem))
                print(sorted(json.loads(text).items()))
                key = jwt.PyJWK.from_json(text)
                print(key.algorithm_name, jwt.decode(jwt.encode({"a": 1}, key), kind.from_jwk(text).public_key(), algorithms=[name]))
            for name, wrong in ({"RS256": {"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQ", "p": "AQ"}, "ES256": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "EdDSA": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}}).items():
                try:
                    jwt.get_algorithm_by_name(name).from_jwk(wrong)
                except jwt.InvalidKeyError as error:
                    print(error)
        """
        names = ("RS256", "ES256", "ES384", "ES512", "ES256K", "EdDSA")
        assert len(same(runner, program, keys={name: pair(name)[0] for name in names})) == 15

    def test_a_certificate_is_no_shared_secret(self, runner: Runner) -> None:
        pem = _certificate()[1]
        der = x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
        program = """
            import jwt
            for secret in (pem, der, spki, b"0" * 40, b"0"):
                try:
                    print(jwt.encode({}, secret).count("."))
                except jwt.InvalidKeyError as error:
                    print(error)
        """
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert len(same(runner, program, pem=pem, der=der, spki=spki)) == 5

    def test_certificates_are_public_keys(self, runner: Runner) -> None:
        private, certificate = _certificate()
        token = jwt.encode({"a": 1}, private, "RS256")
        program = "import jwt\nprint(jwt.decode(token, pem, algorithms=['RS256']))"
        assert in_an_action(runner, program, token=token, pem=certificate) == ["{'a': 1}"]


def _certificate() -> tuple[str, str]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return pair_of(key)[0], made.public_bytes(Encoding.PEM).decode()


class TestClient:
    CODE = """
        import jwt
        client = jwt.PyJWKClient("https://issuer.example/jwks.json", headers={"x-a": "1"})
        for token in tokens:
            key = client.get_signing_key_from_jwt(token)
            print(jwt.decode(token, key.key, algorithms=["RS256", "ES256"]), jwt.decode(token, key))
        print(len(client.get_signing_keys()), client.get_signing_key("ES384").key_id)
        for kid in ("unknown", None):
            try:
                client.get_signing_key(kid)
            except jwt.PyJWKClientError as error:
                print(type(error).__name__, error)
    """

    def test_keys_are_fetched_once(self, runner: Runner) -> None:
        egress = StubEgress(
            [Stub("https://issuer.example/jwks.json", body=json.dumps({"keys": jwks()}).encode())]
        )
        tokens = [
            jwt.encode({"a": name}, pair(name)[0], name, headers={"kid": name}) for name in ("RS256", "ES256")
        ]
        lines = runner.printed(f"tokens = {tokens!r}\n" + textwrap.dedent(self.CODE), egress=egress)
        assert lines == [
            "{'a': 'RS256'} {'a': 'RS256'}",
            "{'a': 'ES256'} {'a': 'ES256'}",
            "6 ES384",
            'PyJWKClientError Unable to find a signing key that matches: "unknown"',
            'PyJWKClientError Unable to find a signing key that matches: "None"',
        ]
        assert [(request.method, dict(request.headers)["x-a"]) for request in egress.requests] == [
            ("GET", "1")
        ]

    def test_a_rotated_key_is_looked_for_again(self, runner: Runner) -> None:
        egress = StubEgress([Stub("*", body=json.dumps({"keys": jwks()}).encode())])
        code = """
            client = jwt.PyJWKClient("https://issuer.example/", cooldown_duration=0)
            client.get_signing_key("ES256")
            try:
                client.get_signing_key("new")
            except jwt.PyJWKClientError:
                print("not there")
        """
        assert runner.printed("import jwt\n" + textwrap.dedent(code), egress=egress) == ["not there"]
        assert len(egress.requests) == 2

    @pytest.mark.parametrize(
        ("stub", "error"),
        [
            ({"status": 503}, "PyJWKClientConnectionError"),
            (
                {"status": 302, "headers": (("Location", "https://else.example/"),)},
                "PyJWKClientConnectionError",
            ),
            ({"error": "private-address"}, "PyJWKClientConnectionError"),
            ({"body": b"<html>"}, "PyJWKClientError"),
            ({"body": b"[]"}, "PyJWKClientError"),
            ({"body": b"{}"}, "PyJWKSetError"),
            ({"body": b'{"keys": [{"kty": "RSA", "n": "AQ", "e": "AQAB"}]}'}, "PyJWKSetError"),
        ],
    )
    def test_key_sets_that_cannot_be_had(self, runner: Runner, stub: dict[str, Any], error: str) -> None:
        code = "import jwt\ntry:\n    jwt.PyJWKClient('https://issuer.example/').get_signing_key('k')\nexcept jwt.PyJWTError as e:\n    print(type(e).__name__)"
        assert runner.printed(code, egress=StubEgress([Stub("*", **stub)])) == [error]

    def test_certificates_are_always_verified(self, runner: Runner) -> None:
        code = "import jwt\ntry:\n    jwt.PyJWKClient('https://issuer.example/', ssl_context=object()).get_jwk_set()\nexcept jwt.PyJWKClientError as e:\n    print(e)"
        assert "always verified" in runner.printed(code, egress=StubEgress([Stub("*")]))[0]

    def test_the_network_of_python_is_not_there(self, open_runner: Runner) -> None:
        code = "import jwt.jwks_client as c, sys\nfor name in ('ssl', 'http.client', 'urllib.request', 'cryptography'):\n    print(name in sys.modules, c.urllib.__dict__.get('request'))"
        assert set(open_runner.printed(code)) == {"False None"}

    @pytest.mark.parametrize("uri", ["file:///etc/passwd", "ftp://a.example/", "jwks.json"])
    def test_other_schemes(self, runner: Runner, uri: str) -> None:
        program = (
            "import jwt\ntry:\n    jwt.PyJWKClient(uri)\nexcept jwt.PyJWKClientError as e:\n    print(e)"
        )
        same(runner, program, uri=uri)
