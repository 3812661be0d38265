"""JSON Web Keys (RFC 7517, 7518, 8037), and whether the numbers of an RSA key fit together."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sandbox.core.caps import MAX_RSA_BITS
from sandbox.hostcrypto.arguments import Arguments
from sandbox.hostcrypto.errors import CryptoError
from sandbox.hostcrypto.keys.curves import JWK_NAMES, curve_of

_MAX_FIELD: Final = 4 * MAX_RSA_BITS // 8
_OKP: Final[dict[str, tuple[Any, Any]]] = {
    "Ed25519": (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey),
    "Ed448": (ed448.Ed448PrivateKey, ed448.Ed448PublicKey),
    "X25519": (x25519.X25519PrivateKey, x25519.X25519PublicKey),
    "X448": (x448.X448PrivateKey, x448.X448PublicKey),
}


def invalid_jwk(message: str = "Invalid JWK data") -> CryptoError:
    return CryptoError(message, "ERR_CRYPTO_INVALID_JWK", "TypeError")


def read(fields: Arguments) -> Any:
    """The key of a JWK. Raises `CryptoError`, or ValueError for numbers that make no key."""
    kind = fields.text("kty")
    if kind == "RSA":
        return _read_rsa(fields)
    if kind == "EC":
        return _read_ec(fields)
    if kind == "OKP":
        return _read_okp(fields)
    raise invalid_jwk('Invalid JWK "kty"; asymmetric keys are RSA, EC and OKP')


def _octets(fields: Arguments, name: str) -> bytes:
    text = fields.text(name, _MAX_FIELD).rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise invalid_jwk() from None


def _number(fields: Arguments, name: str) -> int:
    return int.from_bytes(_octets(fields, name), "big")


def _read_rsa(fields: Arguments) -> rsa.RSAPrivateKey | rsa.RSAPublicKey:
    public = rsa.RSAPublicNumbers(_number(fields, "e"), _number(fields, "n"))
    if not fields.has("d"):
        return public.public_key()
    p, q, d, dp, dq, qi = (_number(fields, name) for name in ("p", "q", "d", "dp", "dq", "qi"))
    numbers = rsa.RSAPrivateNumbers(p=p, q=q, d=d, dmp1=dp, dmq1=dq, iqmp=qi, public_numbers=public)
    check_rsa(numbers)
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def check_rsa(numbers: rsa.RSAPrivateNumbers) -> None:
    """Whether the numbers of a key belong together. Primes are not proved: that takes 100 ms and protects
    only who brought the key.

    Raises:
        CryptoError: they do not.
    """
    n, e = numbers.public_numbers.n, numbers.public_numbers.e
    p, q, d = numbers.p, numbers.q, numbers.d
    fits = (
        p > 2
        and q > 2
        and p & q & e & 1 == 1
        and e >= 3
        and p != q
        and p * q == n
        and 0 < d < n
        and e * numbers.dmp1 % (p - 1) == 1
        and e * numbers.dmq1 % (q - 1) == 1
        and d % (p - 1) == numbers.dmp1
        and d % (q - 1) == numbers.dmq1
        and 0 < numbers.iqmp < p
        and numbers.iqmp * q % p == 1
    )
    if not fits:
        raise CryptoError("error:020000B2:rsa routines::invalid key", "ERR_OSSL_RSA_INVALID_KEY")


def _read_ec(fields: Arguments) -> ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey:
    name = fields.text("crv")
    if name not in JWK_NAMES.values():
        raise CryptoError("Invalid EC curve name", "ERR_CRYPTO_INVALID_CURVE", "TypeError")
    curve = curve_of(name)
    size = (curve.key_size + 7) // 8
    x, y = _octets(fields, "x"), _octets(fields, "y")
    if max(len(x), len(y)) > size:
        raise invalid_jwk("Invalid JWK EC key")
    try:
        public = ec.EllipticCurvePublicNumbers(
            int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve
        ).public_key()
        if not fields.has("d"):
            return public
        private = ec.derive_private_key(_number(fields, "d"), curve)
    except ValueError:
        raise invalid_jwk("Invalid JWK EC key") from None
    if private.public_key() != public:
        raise invalid_jwk("Invalid JWK EC key")
    return private


def _read_okp(fields: Arguments) -> Any:
    name = fields.choice("crv", _OKP)
    private, public = _OKP[name]
    try:
        public_key = public.from_public_bytes(_octets(fields, "x"))
        if not fields.has("d"):
            return public_key
        key = private.from_private_bytes(_octets(fields, "d"))
    except ValueError:
        raise invalid_jwk() from None
    if key.public_key() != public_key:
        raise invalid_jwk()
    return key


def write(key: Any) -> dict[str, str]:
    """The JWK of a key, with its private members when it has them."""
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        return _write_rsa(key)
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        return _write_ec(key)
    return _write_okp(key)


def _write_rsa(key: rsa.RSAPrivateKey | rsa.RSAPublicKey) -> dict[str, str]:
    if isinstance(key, rsa.RSAPublicKey):
        public = key.public_numbers()
        return {"kty": "RSA", "n": _text(public.n), "e": _text(public.e)}
    numbers = key.private_numbers()
    public = numbers.public_numbers
    return {
        "kty": "RSA",
        "n": _text(public.n),
        "e": _text(public.e),
        "d": _text(numbers.d),
        "p": _text(numbers.p),
        "q": _text(numbers.q),
        "dp": _text(numbers.dmp1),
        "dq": _text(numbers.dmq1),
        "qi": _text(numbers.iqmp),
    }


def _write_ec(key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> dict[str, str]:
    size = (key.curve.key_size + 7) // 8
    public = key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key
    numbers = public.public_numbers()
    fields = {
        "kty": "EC",
        "x": _text(numbers.x, size),
        "y": _text(numbers.y, size),
        "crv": JWK_NAMES[key.curve.name],
    }
    if isinstance(key, ec.EllipticCurvePrivateKey):
        fields["d"] = _text(key.private_numbers().private_value, size)
    return fields


def _write_okp(key: Any) -> dict[str, str]:
    name = next(name for name, classes in _OKP.items() if isinstance(key, classes))
    is_private = isinstance(key, _OKP[name][0])
    public = key.public_key() if is_private else key
    fields = {"crv": name}
    if is_private:
        fields["d"] = _url(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
    fields["x"] = _url(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
    return fields | {"kty": "OKP"}


def _text(number: int, size: int | None = None) -> str:
    return _url(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
