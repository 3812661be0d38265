"""Curves, paddings and signature schemes of `hazmat.primitives.asymmetric`, and what the host calls them."""

from typing import Any

from .common import HashAlgorithm, node_name


class PKCS1v15:
    """RSA padding of old."""


class MGF1:
    def __init__(self, algorithm: HashAlgorithm) -> None:
        self.hash = node_name(algorithm)


class PSS:
    """RSA-PSS. `salt_length`: bytes, or one of the constants."""

    MAX_LENGTH, DIGEST_LENGTH, AUTO = "max", "digest", "auto"

    def __init__(self, mgf: MGF1, salt_length: int | str) -> None:
        self.mgf = mgf
        self.salt_length = salt_length


class OAEP:
    def __init__(self, mgf: MGF1, algorithm: HashAlgorithm, label: bytes | None) -> None:
        self.mgf = mgf
        self.hash = node_name(algorithm)
        self.label = label


class ECDSA:
    def __init__(self, algorithm: HashAlgorithm) -> None:
        self.hash = node_name(algorithm)


class EllipticCurve:
    """A curve by its class, e.g. `ec.SECP256R1()`."""

    name = ""
    key_size = 0
    node, jwk = "", ""
    """What the host and JSON Web Keys call it."""


def _curve(kind: str, size: int, node: str, jwk: str) -> type[EllipticCurve]:
    return type(kind, (EllipticCurve,), {"name": kind.lower(), "key_size": size, "node": node, "jwk": jwk})


CURVES = {
    kind: _curve(kind, size, node, jwk)
    for kind, size, node, jwk in (
        ("SECP256R1", 256, "prime256v1", "P-256"),
        ("SECP384R1", 384, "secp384r1", "P-384"),
        ("SECP521R1", 521, "secp521r1", "P-521"),
        ("SECP256K1", 256, "secp256k1", "secp256k1"),
    )
}


def signing(padding: Any, algorithm: Any) -> dict[str, Any]:
    how: dict[str, Any] = {"hash": node_name(algorithm)}
    if isinstance(padding, PKCS1v15):
        return how
    if not isinstance(padding, PSS):
        raise TypeError("Expected PKCS1v15 or PSS padding.")
    how |= {"padding": "pss", "mgfHash": padding.mgf.hash}
    if isinstance(padding.salt_length, int):
        return how | {"salt": "length", "saltLength": padding.salt_length}
    return how | {"salt": padding.salt_length}


def sealing(padding: Any) -> dict[str, Any]:
    if isinstance(padding, PKCS1v15):
        return {"padding": "pkcs1"}
    if not isinstance(padding, OAEP):
        raise TypeError("Expected OAEP or PKCS1v15 padding.")
    return {"padding": "oaep", "hash": padding.hash, "mgfHash": padding.mgf.hash, "label": padding.label}
