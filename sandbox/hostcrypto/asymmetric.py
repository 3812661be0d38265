"""Encryption with RSA, and shared secrets of two keys."""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x448, x25519

from sandbox.hostcrypto.arguments import Arguments, base64_text
from sandbox.hostcrypto.digests import hash_object
from sandbox.hostcrypto.errors import CryptoError, invalid_argument
from sandbox.hostcrypto.keys.encoding import read_key


def encrypt(arguments: Arguments) -> dict[str, Any]:
    """Operation `encrypt`: {key, data, padding, hash?, label?} -> {data}."""
    key = read_key(arguments.inner("key"), private=False)
    if not isinstance(key, rsa.RSAPublicKey):
        raise _needs_rsa()
    try:
        return {"data": base64_text(key.encrypt(arguments.octets("data"), _padding(arguments)))}
    except (ValueError, UnsupportedAlgorithm):
        raise CryptoError(
            "error:0200006E:rsa routines::data too large for key size",
            "ERR_OSSL_RSA_DATA_TOO_LARGE_FOR_KEY_SIZE",
        ) from None


def decrypt(arguments: Arguments) -> dict[str, Any]:
    """Operation `decrypt`: as `encrypt`. Wrong PKCS #1 v1.5 padding gives random bytes, as in OpenSSL 3.2."""
    key = read_key(arguments.inner("key"), private=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _needs_rsa()
    try:
        return {"data": base64_text(key.decrypt(arguments.octets("data"), _padding(arguments)))}
    except (ValueError, UnsupportedAlgorithm):
        raise CryptoError(
            "error:02000079:rsa routines::oaep decoding error", "ERR_OSSL_RSA_OAEP_DECODING_ERROR"
        ) from None


def recover(arguments: Arguments) -> dict[str, Any]:
    """Operation `recover`: {key, data} -> {data}: what `sign` with hash `none` signed."""
    key = read_key(arguments.inner("key"), private=False)
    if not isinstance(key, rsa.RSAPublicKey):
        raise _needs_rsa()
    try:
        found = key.recover_data_from_signature(arguments.octets("data"), padding.PKCS1v15(), None)
    except (InvalidSignature, ValueError):
        raise CryptoError(
            "error:02000072:rsa routines::padding check failed", "ERR_OSSL_RSA_PADDING_CHECK_FAILED"
        ) from None
    return {"data": base64_text(found)}


def _needs_rsa() -> CryptoError:
    return CryptoError(
        "error:03000096:digital envelope routines::operation not supported for this keytype",
        "ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE",
    )


def _padding(arguments: Arguments) -> padding.AsymmetricPadding:
    if arguments.choice("padding", ("oaep", "pkcs1")) == "pkcs1":
        return padding.PKCS1v15()
    mask = hash_object(arguments, "mgfHash" if arguments.has("mgfHash") else "hash")
    return padding.OAEP(padding.MGF1(mask), hash_object(arguments), arguments.optional_octets("label", 1024))


def agree(arguments: Arguments) -> dict[str, Any]:
    """Operation `agree`: {key, publicKey} -> {data}: the shared secret (ECDH, X25519, X448)."""
    private = read_key(arguments.inner("key"), private=True)
    public = read_key(arguments.inner("publicKey"), private=False)
    try:
        return {"data": base64_text(_exchange(private, public))}
    except ValueError:
        raise CryptoError(
            "error:030000B1:digital envelope routines::derivation failed", "ERR_OSSL_EVP_DERIVATION_FAILED"
        ) from None


def _exchange(private: Any, public: Any) -> bytes:
    if isinstance(private, x25519.X25519PrivateKey) and isinstance(public, x25519.X25519PublicKey):
        return private.exchange(public)
    if isinstance(private, x448.X448PrivateKey) and isinstance(public, x448.X448PublicKey):
        return private.exchange(public)
    if isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(public, ec.EllipticCurvePublicKey):
        return private.exchange(ec.ECDH(), public)
    raise invalid_argument("Incompatible key types for Diffie-Hellman")
