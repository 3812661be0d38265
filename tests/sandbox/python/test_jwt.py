"""`import jwt` in Python Actions: every program here prints the same under the real PyJWT."""

# ruff: noqa: E501 - programs of one line

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest

from tests.sandbox.python.actions import Runner
from tests.sandbox.python.pyjwt import CHECK, SECRET, in_an_action, keys, pair, same, under_pyjwt

ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES256K",
    "ES384",
    "ES512",
    "EdDSA",
    "HS256",
    "HS384",
    "HS512",
]


class TestAlgorithms:
    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_tokens_go_both_ways(self, runner: Runner, algorithm: str) -> None:
        private, public = pair(algorithm)
        payload = {"sub": "u|1", "n": [1, 2.5, None, "é"]}
        theirs = jwt.encode(payload, private, algorithm=algorithm, headers={"kid": "k1"})
        program = """
            import jwt
            print(jwt.decode(theirs, public, algorithms=[algorithm]) == payload, jwt.get_unverified_header(theirs))
            token = jwt.encode(payload, private, algorithm=algorithm, headers={"kid": "k1"})
            print(token, token.count("."))
        """
        first, second = in_an_action(
            runner,
            program,
            theirs=theirs,
            public=public,
            private=private,
            algorithm=algorithm,
            payload=payload,
        )
        assert first == f"True {jwt.get_unverified_header(theirs)}"
        ours = second.split()[0]
        assert jwt.decode(ours, public, algorithms=[algorithm]) == payload
        assert ours.split(".")[:2] == theirs.split(".")[:2]

    def test_ed448_signs_too(self, runner: Runner) -> None:
        private, public = keys()["Ed448"]
        token = in_an_action(
            runner, "import jwt\nprint(jwt.encode({'a': 1}, private, 'EdDSA'))", private=private
        )[0]
        assert jwt.decode(token, public, algorithms=["EdDSA"]) == {"a": 1}

    def test_a_private_key_verifies_like_its_public_one(self, runner: Runner) -> None:
        private = pair("ES256")[0]
        program = "import jwt\nprint(jwt.decode(jwt.encode({'a': 1}, k, 'ES256'), k, ['ES256']))"
        assert same(runner, program, k=private) == ["{'a': 1}"]


class TestClaims:
    @pytest.mark.parametrize(
        "payload",
        [
            {"exp": -100}, {"exp": 100}, {"exp": -5}, {"nbf": 100}, {"nbf": 5}, {"nbf": -5}, {"iat": 100}, {"iat": -5},
            {"exp": 100, "iat": 100, "nbf": 100},
        ],
    )  # fmt: skip
    def test_times(self, runner: Runner, payload: dict[str, int]) -> None:
        now = int(time.time())
        token = jwt.encode({name: now + value for name, value in payload.items()}, SECRET)
        program = (
            CHECK
            + """
    from datetime import timedelta
    attempt(token, secret, algorithms=["HS256"])
    attempt(token, secret, algorithms=["HS256"], leeway=10)
    attempt(token, secret, algorithms=["HS256"], leeway=timedelta(seconds=150))
    attempt(token, secret, algorithms=["HS256"], options={"verify_exp": False, "verify_nbf": False, "verify_iat": False})
    attempt(token, secret, algorithms=["HS256"], options={"verify_signature": False})
    attempt(token, "wrong" * 20, algorithms=["HS256"])
    attempt(token, "wrong" * 20, options={"verify_signature": False})
    attempt(token, "wrong" * 20, options={"verify_signature": False, "verify_exp": True})
        """
        )
        same(runner, program, token=token, secret=SECRET)

    @pytest.mark.parametrize(
        "payload",
        [
            {},
            {"aud": "a"},
            {"aud": ["a", "b"]},
            {"aud": []},
            {"aud": 1},
            {"aud": [1]},
            {"aud": ""},
            {"aud": None},
        ],
    )
    def test_audiences(self, runner: Runner, payload: dict[str, Any]) -> None:
        program = (
            CHECK
            + """
    for audience in (None, "a", "c", ["c", "b"], [], ("a",), {"a"}, 5):
        attempt(token, secret, algorithms=["HS256"], audience=audience)
        attempt(token, secret, algorithms=["HS256"], audience=audience, options={"strict_aud": True})
        attempt(token, secret, algorithms=["HS256"], audience=audience, options={"verify_aud": False})
        """
        )
        same(runner, program, token=jwt.encode(payload, SECRET), secret=SECRET)

    @pytest.mark.parametrize(
        "claims",
        [
            {}, {"iss": "i"}, {"iss": 3}, {"sub": 3}, {"sub": "s"}, {"jti": 3}, {"jti": "j"}, {"exp": "x"}, {"nbf": None},
            {"iat": "x"}, {"iat": "12"}, {"exp": 1e400}, {"nbf": []}, {"iat": -1.5},
        ],
    )  # fmt: skip
    def test_other_claims(self, runner: Runner, claims: dict[str, Any]) -> None:
        token = jwt.api_jws.encode(json.dumps(claims).encode(), SECRET)
        program = (
            CHECK
            + """
    for options in ({}, {"require": ["iss"]}, {"require": ["exp", "sub"]}, {"verify_iss": False, "verify_sub": False, "verify_jti": False}):
        for issuer in (None, "i", ["i", "j"], {"k"}, 5):
            attempt(token, secret, algorithms=["HS256"], options=options, issuer=issuer)
        attempt(token, secret, algorithms=["HS256"], options=options, subject="s")
        """
        )
        same(runner, program, token=token, secret=SECRET)


def token_of(header: dict[str, Any], payload: Any = None, signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(payload or {}).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


GOOD = jwt.encode({"a": 1}, SECRET)


class TestTokens:
    @pytest.mark.parametrize(
        "token",
        [
            "", "a", "a.b", "a.b.c", "a.b.c.d", "...", GOOD + "x", GOOD[:-1], GOOD + "=", GOOD.replace(".", ".!", 1), "é.é.é",
            token_of({"alg": "none"}), token_of({}), token_of({"alg": "HS999"}), token_of({"alg": None}),
            token_of({"alg": "HS256", "kid": 5}), token_of({"alg": "HS256", "crit": ["exp"], "exp": 1}),
            token_of({"alg": "HS256", "crit": []}), token_of({"alg": "HS256", "crit": "b64"}), token_of({"alg": "HS256", "crit": [1]}),
            token_of({"alg": "HS256", "b64": False}), token_of({"alg": "HS256", "crit": ["b64"]}),
            ".".join(["W10", "e30", "eA"]), ".".join(["eA", "e30", "eA"]), GOOD.rpartition(".")[0] + ".", "e30=.e30=.eA==",
        ],
    )  # fmt: skip
    def test_tokens_that_are_none(self, runner: Runner, token: str) -> None:
        program = (
            CHECK
            + """
    attempt(token, secret, algorithms=["HS256", "none"])
    attempt(token.encode(), secret, algorithms=["HS256"])
    attempt(token, secret, algorithms=["RS256"])
    attempt(token, secret)
    attempt(token, "", options={"verify_signature": False})
    try:
        print(jwt.get_unverified_header(token))
    except jwt.InvalidTokenError as error:
        print(type(error).__name__, error)
        """
        )
        expected = under_pyjwt(program, token=token, secret=SECRET)
        found = in_an_action(runner, program, token=token, secret=SECRET)
        # Python 3.14 says what is wrong with JSON in other words than older ones.
        cut = [[line.partition(" string: ")[0] for line in lines] for lines in (found, expected)]
        assert cut[0] == cut[1]

    def test_what_is_no_text(self, runner: Runner) -> None:
        program = (
            CHECK
            + "\n    for token in (None, 5, [], {}):\n        attempt(token, secret, algorithms=['HS256'])"
        )
        same(runner, program, secret=SECRET)

    def test_encoding(self, runner: Runner) -> None:
        program = """
            import jwt, json
            from datetime import datetime, UTC, timedelta
            when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
            class Own(json.JSONEncoder):
                def default(self, value):
                    return "own"
            print(jwt.encode({"exp": when, "iat": datetime(2026, 1, 1), "b": "é"}, secret))
            print(jwt.encode({"a": object()}, secret, json_encoder=Own))
            print(jwt.encode({"z": 1, "a": 2}, secret, headers={"zz": 1, "aa": 2}, sort_headers=False))
            print(jwt.encode({"a": 1}, secret, headers={"alg": "HS512", "typ": "at+jwt"}))
            print(jwt.encode({"a": 1}, secret, headers={"typ": None}))
            print(jwt.encode({"a": 1}, None, algorithm=None), jwt.encode({}, "", algorithm="none"))
            print(jwt.encode({"a": 1}, secret, headers={"b64": False}))
            for arguments in ((["a"], secret), ({"iss": 3}, secret), ({}, secret, "XX1"), ({}, ""), ({}, None), ({}, "x", "none"),
                              ({}, public), ({}, '{"kty": "oct"}'), ({}, "ssh-rsa AAAA"), ({}, secret, "RS256"), ({}, private, "ES384")):
                try:
                    print(jwt.encode(*arguments))
                except Exception as error:
                    print(type(error).__name__)
        """
        private, public = pair("ES256")
        same(runner, program, secret=SECRET, public=public, private=private)

    def test_the_key_decides_what_can_be_signed(self, runner: Runner) -> None:
        private, public = pair("RS256")
        program = (
            CHECK
            + "\n    attempt(token, public, algorithms=['HS256', 'RS256'])\n    attempt(token, public, algorithms=['RS256'])"
        )
        forged = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode() + ".e30.AAAA"
        assert "InvalidKeyError" in same(runner, program, token=forged, public=public)[0]
        for token in (
            jwt.encode({}, private, "RS256"),
            jwt.encode({}, private, "PS256"),
            jwt.encode({}, pair("ES256")[0], "ES256"),
        ):
            same(runner, program, token=token, public=public)

    def test_decode_complete_and_objects(self, runner: Runner) -> None:
        program = """
            import jwt
            print(jwt.decode_complete(token, secret, algorithms=["HS256"]))
            own = jwt.PyJWT({"verify_exp": False})
            print(own.decode(jwt.encode({"exp": 1}, secret), secret, ["HS256"]))
            print(jwt.PyJWS().decode(token, secret, algorithms=["HS256"]))
            print(jwt.get_algorithm_by_name("HS256").verify(b"m", secret.encode(), b"x"))
            detached = jwt.PyJWS().encode(b"pay.load", secret, is_payload_detached=True)
            print(detached, jwt.PyJWS().decode_complete(detached, secret, ["HS256"], detached_payload=b"pay.load"))
        """
        same(runner, program, token=GOOD, secret=SECRET)

    def test_short_keys_warn_once_or_fail(self, runner: Runner) -> None:
        program = "import jwt\nfor _ in range(3):\n    token = jwt.encode({}, 'short')\nprint(token)"
        lines = runner.printed(program)
        assert len(lines) == 2
        assert "The HMAC key is 5 bytes long" in lines[0]
        enforce = (
            CHECK
            + "\n    attempt(token, 'short', algorithms=['HS256'], options={'enforce_minimum_key_length': True})"
        )
        same(runner, enforce, token=lines[1])


def test_the_errors_are_those_of_pyjwt(runner: Runner) -> None:
    program = """
        import jwt
        for name in names:
            kind = getattr(jwt, name, None) or getattr(jwt.exceptions, name)
            print(name, [other for other in names if issubclass(kind, getattr(jwt.exceptions, other))])
    """
    names = [name for name, kind in vars(jwt.exceptions).items() if isinstance(kind, type)]
    assert len(same(runner, program, names=names)) > 15


def test_an_uncaught_error_has_its_place(runner: Runner) -> None:
    failure = runner.failure("import jwt\njwt.decode('a.b.c', 'x', algorithms=['HS256'])")
    assert failure.error_name == "DecodeError"
    assert failure.place is not None
    assert failure.place.line == 3
