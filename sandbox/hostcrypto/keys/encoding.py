"""Keys: how they are read from what a guest gives, described, and written again."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sandbox.core.caps import MAX_COMPUTE_KEY_BYTES, MAX_RSA_BITS, MIN_RSA_BITS
from sandbox.hostcrypto.arguments import Arguments, base64_text
from sandbox.hostcrypto.errors import CryptoError, invalid_argument, out_of_range, unreadable_key, unsupported
from sandbox.hostcrypto.keys import jwk
from sandbox.hostcrypto.keys.curves import NODE_NAMES, curve_of
from sandbox.hostcrypto.keys.der import check_work

PrivateKey: TypeAlias = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
    | x25519.X25519PrivateKey
    | x448.X448PrivateKey
)
PublicKey: TypeAlias = (
    rsa.RSAPublicKey
    | ec.EllipticCurvePublicKey
    | ed25519.Ed25519PublicKey
    | ed448.Ed448PublicKey
    | x25519.X25519PublicKey
    | x448.X448PublicKey
)
Key: TypeAlias = PrivateKey | PublicKey

PRIVATE_TYPES: Final = (
    rsa.RSAPrivateKey,
    ec.EllipticCurvePrivateKey,
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
    x25519.X25519PrivateKey,
    x448.X448PrivateKey,
)
_PUBLIC_TYPES: Final = (
    rsa.RSAPublicKey,
    ec.EllipticCurvePublicKey,
    ed25519.Ed25519PublicKey,
    ed448.Ed448PublicKey,
    x25519.X25519PublicKey,
    x448.X448PublicKey,
)
OKP: Final[dict[str, tuple[Any, Any]]] = {
    "ed25519": (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey),
    "ed448": (ed448.Ed448PrivateKey, ed448.Ed448PublicKey),
    "x25519": (x25519.X25519PrivateKey, x25519.X25519PublicKey),
    "x448": (x448.X448PrivateKey, x448.X448PublicKey),
}


def read_key(source: Arguments, *, private: bool | None = None) -> Key:
    """The key that `source` describes: {format: pem|der|jwk|raw, data, type?, curve?, passphrase?}.

    Args:
        private: True demands a private key; False gives the public part of either; None takes both.

    Raises:
        CryptoError: it cannot be read, is not of that kind, or is larger than the host takes.
    """
    form = source.choice("format", ("pem", "der", "jwk", "raw"))
    try:
        if form == "jwk":
            key = jwk.read(source.inner("data"))
        elif form == "raw":
            key = _read_raw(source)
        else:
            key = _read_encoded(source, form == "pem", private)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise unreadable_key() from None
    _check_size(key)
    return _as_kind(key, private)


def _as_kind(key: Key, private: bool | None) -> Key:
    if private is False and isinstance(key, PRIVATE_TYPES):
        return key.public_key()
    if private is True and not isinstance(key, PRIVATE_TYPES):
        raise CryptoError(
            "Invalid key object type public, expected private.",
            "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE",
            "TypeError",
        )
    return key


def _check_size(key: Key) -> None:
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        most = MAX_RSA_BITS if isinstance(key, rsa.RSAPrivateKey) else 2 * MAX_RSA_BITS
        if not MIN_RSA_BITS <= key.key_size <= most:
            raise out_of_range(f"RSA keys have from {MIN_RSA_BITS} to {most} bits here, not {key.key_size}")
        if isinstance(key, rsa.RSAPrivateKey):
            jwk.check_rsa(key.private_numbers())


def _read_encoded(source: Arguments, pem: bool, private: bool | None) -> Key:
    if pem:
        data = source.text("data", MAX_COMPUTE_KEY_BYTES).encode("utf-8", "replace")
    else:
        data = source.octets("data", MAX_COMPUTE_KEY_BYTES)
    passphrase = source.optional_octets("passphrase", 1024)
    is_public = b"-----BEGIN PUBLIC" in data or b"-----BEGIN RSA PUBLIC" in data
    if pem and private is not True and b"-----BEGIN CERTIFICATE-----" in data:
        return _known(x509.load_pem_x509_certificate(data).public_key())
    if pem and is_public and private is not True:
        return _known(serialization.load_pem_public_key(data))
    if not pem and private is not True and source.has("type") and source.text("type") in ("spki", "pkcs1"):
        return _read_public_der(data, private)
    return _read_private(data, passphrase, pem=pem)


def _read_public_der(data: bytes, private: bool | None) -> Key:
    try:
        return _known(serialization.load_der_public_key(data))
    except ValueError:
        if private is False:  # a private key in the same wrapping will do too
            return _read_private(data, None, pem=False)
        raise


def _read_private(data: bytes, passphrase: bytes | None, *, pem: bool) -> Key:
    check_work(data, pem=pem)
    load = serialization.load_pem_private_key if pem else serialization.load_der_private_key
    try:
        # Primality tests take 100 ms (measured); `jwk.check_rsa` makes sure that the numbers fit together.
        return _known(load(data, passphrase, unsafe_skip_rsa_key_validation=True))
    except TypeError as error:
        if passphrase is None:
            raise CryptoError(
                "Passphrase required for encrypted key", "ERR_MISSING_PASSPHRASE", "TypeError"
            ) from None
        if "not encrypted" in str(error):
            return _known(load(data, None, unsafe_skip_rsa_key_validation=True))
        raise
    except ValueError:
        if passphrase is not None and (b"ENCRYPTED" in data or not pem):
            raise CryptoError(
                "error:1C800064:Provider routines::bad decrypt", "ERR_OSSL_BAD_DECRYPT"
            ) from None
        raise


def _read_raw(source: Arguments) -> Key:
    """`type`: ec (an uncompressed or compressed point on `curve`; private: its number), or an OKP name."""
    kind = source.choice("type", ("ec", *OKP))
    data = source.octets("data", 256)
    is_private = source.flag("private")
    if kind == "ec":
        curve = curve_of(source.text("curve"))
        if is_private:
            return ec.derive_private_key(int.from_bytes(data, "big"), curve)
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, data)
    private, public = OKP[kind]
    key: Key = private.from_private_bytes(data) if is_private else public.from_public_bytes(data)
    return key


def _known(key: Any) -> Key:
    if not isinstance(key, (*PRIVATE_TYPES, *_PUBLIC_TYPES)):
        raise unsupported("Keys of this type are not supported; RSA, EC, Ed25519, Ed448, X25519 and X448 are")
    if (
        isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey))
        and key.curve.name not in NODE_NAMES
    ):
        raise unsupported(f"The curve {key.curve.name} is not supported")
    return key


def describe(key: Key) -> dict[str, Any]:
    """The contents of a KeyObject: {kind, type, details, der}. `der`: PKCS8 or SPKI."""
    kind = "private" if isinstance(key, PRIVATE_TYPES) else "public"
    return {"kind": kind, "type": type_of(key), "details": _details(key), "der": base64_text(to_der(key))}


def type_of(key: Key) -> str:
    """Node's `asymmetricKeyType`."""
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        return "rsa"
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        return "ec"
    return next(name for name, classes in OKP.items() if isinstance(key, classes))


def _details(key: Key) -> dict[str, Any]:
    """Node's `asymmetricKeyDetails`; the exponent as text, since it becomes a BigInt."""
    if isinstance(key, rsa.RSAPrivateKey):
        key = key.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return {"modulusLength": key.key_size, "publicExponent": str(key.public_numbers().e)}
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        return {"namedCurve": NODE_NAMES[key.curve.name]}
    return {}


def to_der(key: Key) -> bytes:
    """PKCS8 of a private key, SPKI of a public one."""
    if isinstance(key, PRIVATE_TYPES):
        return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def import_key(arguments: Arguments) -> dict[str, Any]:
    """Operation `key.import`: {key, private?} -> {kind, type, details, der}."""
    wanted = arguments.flag("private") if arguments.has("private") else None
    return describe(read_key(arguments.inner("key"), private=wanted))


def export_key(arguments: Arguments) -> dict[str, Any]:
    """Operation `key.export`: {key, format, type?, passphrase?} -> {data}: text for PEM, an object for
    JWK, bytes for others. Raw gives an EC point, compressed on request."""
    key = read_key(arguments.inner("key"))
    form = arguments.choice("format", ("pem", "der", "jwk", "raw"))
    if form == "jwk":
        return {"data": jwk.write(key)}
    if form == "raw":
        return {"data": base64_text(_raw(key, compressed=arguments.flag("compressed")))}
    encoding = Encoding.PEM if form == "pem" else Encoding.DER
    try:
        data = _encoded(key, encoding, arguments)
    except (ValueError, TypeError):
        raise invalid_argument("The key cannot be written in this form") from None
    return {"data": data.decode("ascii") if form == "pem" else base64_text(data)}


def _encoded(key: Key, encoding: Encoding, arguments: Arguments) -> bytes:
    form = arguments.text("type")
    if isinstance(key, PRIVATE_TYPES):
        if (form == "pkcs1" and type_of(key) != "rsa") or (form == "sec1" and type_of(key) != "ec"):
            raise invalid_argument(f"A key of type {type_of(key)} cannot be written as {form}")
        formats = {
            "pkcs8": PrivateFormat.PKCS8,
            "pkcs1": PrivateFormat.TraditionalOpenSSL,
            "sec1": PrivateFormat.TraditionalOpenSSL,
        }
        arguments.choice("type", formats)
        return key.private_bytes(encoding, formats[form], _encryption(arguments))
    if form == "pkcs1" and not isinstance(key, rsa.RSAPublicKey):
        raise invalid_argument(f"A key of type {type_of(key)} cannot be written as pkcs1")
    arguments.choice("type", ("spki", "pkcs1"))
    return key.public_bytes(
        encoding, PublicFormat.PKCS1 if form == "pkcs1" else PublicFormat.SubjectPublicKeyInfo
    )


def _encryption(arguments: Arguments) -> KeySerializationEncryption:
    passphrase = arguments.optional_octets("passphrase", 1024)
    return NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)


def _raw(key: Key, *, compressed: bool) -> bytes:
    if isinstance(key, ec.EllipticCurvePublicKey):
        form = PublicFormat.CompressedPoint if compressed else PublicFormat.UncompressedPoint
        return key.public_bytes(Encoding.X962, form)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.private_numbers().private_value.to_bytes((key.curve.key_size + 7) // 8, "big")
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        raise invalid_argument("An RSA key has no raw form")
    if isinstance(key, PRIVATE_TYPES):
        return key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
