"""Keys of the stand-in services, made once."""

from __future__ import annotations

import functools
import json
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

KEY_ID = "key-1"


@functools.cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def private_pem() -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return private_key().private_bytes(encoding, form, serialization.NoEncryption()).decode()


@functools.cache
def public_pem() -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return private_key().public_key().public_bytes(encoding, form).decode()


def jwks() -> dict[str, Any]:
    """The key set that a service publishes."""
    public = RSAKey.import_key(public_pem()).as_dict(private=False)
    return {"keys": [{**public, "kid": KEY_ID, "alg": "RS256", "use": "sig"}]}


def sign(claims: dict[str, Any]) -> str:
    """A token as such a service signs it."""
    header = {"alg": "RS256", "kid": KEY_ID, "typ": "JWT"}
    return jwt.encode(header, claims, RSAKey.import_key(private_pem()))


def read(token: str) -> dict[str, Any]:
    """The claims of a token that was signed with the private key; raises when it was not."""
    return dict(jwt.decode(token, RSAKey.import_key(public_pem()), algorithms=["RS256"]).claims)


def dumped() -> str:
    return json.dumps(jwks())
