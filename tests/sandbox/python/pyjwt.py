"""Programs that an Action and the real PyJWT run alike, and keys for them."""

from __future__ import annotations

import builtins
import textwrap
import warnings
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.sandbox.python.actions import Runner

CHECK = """
    import jwt
    def attempt(text, key, **options):
        try:
            print(jwt.decode(text, key, **options))
        except Exception as error:
            of_token, of_text = (isinstance(error, kind) for kind in (jwt.InvalidTokenError, jwt.DecodeError))
            print(type(error).__name__, of_token, of_text, error)
"""
SECRET = "a-secret-of-more-than-thirty-two-bytes"


@lru_cache(maxsize=1)
def keys() -> dict[str, Any]:
    """Key pairs as PEM, and JWKs, by what uses them."""
    made: dict[str, Any] = {
        "RSA": rsa.generate_private_key(65537, 2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "ES384": ec.generate_private_key(ec.SECP384R1()),
        "ES512": ec.generate_private_key(ec.SECP521R1()),
        "ES256K": ec.generate_private_key(ec.SECP256K1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "Ed448": ed448.Ed448PrivateKey.generate(),
    }
    return {name: pair_of(key) for name, key in made.items()}


def pair_of(key: Any) -> tuple[str, str]:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def pair(algorithm: str) -> tuple[str, str]:
    if algorithm.startswith("HS"):
        return ("shared-secret" * 6,) * 2
    return keys()["RSA" if algorithm[0] in "RP" else algorithm]


def under_pyjwt(program: str, **names: Any) -> list[str]:
    """What `program` prints on this host with the package itself."""
    printed: list[str] = []

    def note(*values: object) -> None:
        printed.append(" ".join(map(str, values)))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(textwrap.dedent(program), {"__builtins__": vars(builtins) | {"print": note}, **names})
    return printed


def in_an_action(runner: Runner, program: str, **names: Any) -> list[str]:
    head = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    found = runner.printed(head + textwrap.dedent(program))
    return [line for line in found if not line.startswith("InsecureKeyLengthWarning")]


def same(runner: Runner, program: str, **names: Any) -> list[str]:
    expected = under_pyjwt(program, **names)
    found = in_an_action(runner, program, **names)
    assert found == expected, (found, expected)
    assert expected
    return expected
