"""Asymmetric keys: read, described and used on the host. An Action holds them as opaque objects."""

from typing import Any

from . import host


class Key:
    """A private or public key.

    Attributes:
        kind: `private` or `public`.
        type: `rsa`, `ec`, `ed25519`, `ed448`, `x25519` or `x448`.
        curve: of an EC key, as Node names it (`prime256v1`); else None.
        key_size: bits of an RSA modulus; else None.
    """

    __slots__ = ("_der", "curve", "key_size", "kind", "type")

    def __init__(self, description: dict[str, Any]) -> None:
        self.kind: str = description["kind"]
        self.type: str = description["type"]
        self.curve: str | None = description["details"].get("namedCurve")
        self.key_size: int | None = description["details"].get("modulusLength")
        self._der: str = description["der"]

    @property
    def source(self) -> dict[str, str]:
        """The key as an argument of a computation."""
        return {"format": "der", "type": "pkcs8" if self.kind == "private" else "spki", "data": self._der}

    def public_key(self) -> "Key":
        """The public part."""
        return self if self.kind == "public" else load(self.source, private=False)

    def jwk(self) -> dict[str, str]:
        """The key as a JSON Web Key, with its private members when it has them."""
        exported: dict[str, str] = host.compute("key.export", key=self.source, format="jwk")["data"]
        return exported

    def sign(self, data: bytes, **how: Any) -> bytes:
        """A signature; `how` is what operation `sign` of the host takes. Raises `host.HostError`."""
        return host.data("sign", key=self.source, data=data, **how)

    def verify(self, signature: bytes, data: bytes, **how: Any) -> bool:
        """Whether `signature` is one. Raises `host.HostError` when it cannot be tried."""
        answer = host.compute("verify", key=self.source, signature=signature, data=data, **how)
        return bool(answer["valid"])

    def __repr__(self) -> str:
        return f"<{self.kind} {self.type} key>"


_known: dict[str, Key] = {}
"""Keys by their PEM text: an Action that handles several tokens reads its key once."""
_MOST_KNOWN = 32


def load(source: dict[str, Any], *, private: bool | None = None) -> Key:
    """The key that `source` describes (`sandbox.hostcrypto.keys.encoding`). Raises `host.HostError`."""
    text = source["data"] if source["format"] == "pem" and "passphrase" not in source else None
    key = _known.get(text) if text and private is None else None
    if key is None:
        key = Key(host.compute("key.import", key=source, private=private))
        if text and private is None and len(_known) < _MOST_KNOWN:
            _known[text] = key
    return key


def load_jwk(fields: dict[str, Any]) -> Key:
    """The key of a JSON Web Key. Raises `host.HostError`."""
    return load({"format": "jwk", "data": fields})
