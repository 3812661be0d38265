"""Reading and writing keys (`hazmat.primitives.serialization`)."""

import base64
from typing import Any

from actionbox import host, keys

from .asymmetric import wrapped
from .common import UnsupportedAlgorithm, octets


class NoEncryption:
    passphrase = None


class BestAvailableEncryption:
    def __init__(self, password: bytes) -> None:
        self.passphrase = octets(password, "password")


class Encoding:
    PEM, DER, Raw = "pem", "der", "raw"


class PrivateFormat:
    PKCS8, TraditionalOpenSSL, Raw = "pkcs8", "traditional", "raw"


class PublicFormat:
    SubjectPublicKeyInfo, PKCS1, Raw = "spki", "pkcs1", "raw"


def load_pem_private_key(data: bytes, password: bytes | None, backend: object = None) -> Any:  # noqa: ARG001
    """Raises ValueError, TypeError for a password that is missing."""
    return _loaded(_pem(data), password, "private")


def load_der_private_key(data: bytes, password: bytes | None, backend: object = None) -> Any:  # noqa: ARG001
    return _loaded(_der(data, "pkcs8"), password, "private")


def load_pem_public_key(data: bytes, backend: object = None) -> Any:  # noqa: ARG001
    """The key of a certificate, too. Raises ValueError."""
    return _loaded(_pem(data), None, "public")


def load_der_public_key(data: bytes, backend: object = None) -> Any:  # noqa: ARG001
    return _loaded(_der(data, "spki"), None, "public")


def load_ssh_public_key(*_arguments: object) -> Any:
    """Raises UnsupportedAlgorithm."""
    raise UnsupportedAlgorithm("Keys in OpenSSH's form cannot be read here; give the key as PEM.")


def _pem(data: bytes) -> dict[str, Any]:
    return {"format": "pem", "data": octets(data, "data").decode("utf-8", "replace")}


def _der(data: bytes, form: str) -> dict[str, Any]:
    if octets(data, "data")[:1] != b"\x30":  # a SEQUENCE; the host need not see a shared secret to tell
        raise ValueError("Could not deserialize key data: it is not DER")
    return {"format": "der", "type": form, "data": base64.b64encode(data).decode()}


def _loaded(source: dict[str, Any], password: bytes | None, kind: str) -> Any:
    if password is not None:
        source["passphrase"] = base64.b64encode(octets(password, "password")).decode()
    try:
        key = keys.load(source)
    except host.HostError as error:
        if error.code == "ERR_MISSING_PASSPHRASE" and kind == "private":
            raise TypeError("Password was not given but private key is encrypted") from None
        raise ValueError(f"Could not deserialize key data: {error}") from None
    if key.kind != kind:
        raise ValueError(f"Could not deserialize key data: it is a {key.kind} key")
    return wrapped(key)
