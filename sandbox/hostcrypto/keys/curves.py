"""Elliptic curves by their several names."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.hostcrypto.errors import CryptoError

NODE_NAMES: Final = {
    "secp256r1": "prime256v1",
    "secp384r1": "secp384r1",
    "secp521r1": "secp521r1",
    "secp256k1": "secp256k1",
}
"""Names in `cryptography`, and those that Node shows."""
JWK_NAMES: Final = {
    "secp256r1": "P-256",
    "secp384r1": "P-384",
    "secp521r1": "P-521",
    "secp256k1": "secp256k1",
}
_CURVES: Final[tuple[ec.EllipticCurve, ...]] = (
    ec.SECP256R1(),
    ec.SECP384R1(),
    ec.SECP521R1(),
    ec.SECP256K1(),
)
_BY_NAME: Final = {
    name: curve for curve in _CURVES for name in (curve.name, NODE_NAMES[curve.name], JWK_NAMES[curve.name])
}


def curve_of(name: str) -> ec.EllipticCurve:
    """The curve that goes by `name`. Raises `CryptoError`."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise CryptoError("Invalid EC curve name", "ERR_CRYPTO_INVALID_CURVE", "TypeError") from None
