"""Signatures: RSA (PKCS #1 v1.5, PSS), ECDSA (DER or IEEE P1363), Ed25519 and Ed448."""

from __future__ import annotations

from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    NoDigestInfo,
    decode_dss_signature,
    encode_dss_signature,
)

from sandbox.hostcrypto.arguments import Arguments, base64_text
from sandbox.hostcrypto.digests import hash_object
from sandbox.hostcrypto.errors import CryptoError, unsupported
from sandbox.hostcrypto.keys.encoding import PrivateKey, PublicKey, read_key

_MAX_SALT: Final = 1024
_MAX_SIGNATURE: Final = 1024


def sign(arguments: Arguments) -> dict[str, Any]:
    """Operation `sign`: {key, data, hash?, padding?, saltLength?, encoding?} -> {data}."""
    key = read_key(arguments.inner("key"), private=True)
    data = arguments.octets("data")
    try:
        return {"data": base64_text(_sign(key, data, arguments))}
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refused(error) from None


def verify(arguments: Arguments) -> dict[str, Any]:
    """Operation `verify`: as `sign`, and {signature} -> {valid}."""
    key = read_key(arguments.inner("key"), private=False)
    data, signature = arguments.octets("data"), arguments.octets("signature", None)
    if len(signature) > _MAX_SIGNATURE:
        return {"valid": False}
    try:
        _verify(key, signature, data, arguments)
    except InvalidSignature:
        return {"valid": False}
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refused(error) from None
    return {"valid": True}


def _refused(error: Exception) -> CryptoError:
    if "too small" in str(error) or "too large" in str(error) or "too short" in str(error):
        return CryptoError(
            "error:0200007A:rsa routines::digest too big for rsa key",
            "ERR_OSSL_RSA_DIGEST_TOO_BIG_FOR_RSA_KEY",
        )
    return unsupported("The key, the digest and the padding do not go together")


def _sign(key: PrivateKey | PublicKey, data: bytes, arguments: Arguments) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, _padding(arguments, signing=True), _hash(arguments))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        made = key.sign(data, ec.ECDSA(hash_object(arguments)))
        return _to_p1363(made, key.curve) if _is_p1363(arguments) else made
    if isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)):
        return key.sign(data)
    raise _cannot()


def _verify(key: PrivateKey | PublicKey, signature: bytes, data: bytes, arguments: Arguments) -> None:
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, _padding(arguments, signing=False), _hash(arguments))
    elif isinstance(key, ec.EllipticCurvePublicKey):
        given = _from_p1363(signature, key.curve) if _is_p1363(arguments) else signature
        key.verify(given, data, ec.ECDSA(hash_object(arguments)))
    elif isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        key.verify(signature, data)
    else:
        raise _cannot()


def _cannot() -> CryptoError:
    return CryptoError(
        "error:03000096:digital envelope routines::operation not supported for this keytype",
        "ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE",
    )


def _hash(arguments: Arguments) -> Any:
    """The hash; `none` signs the data as they are (Node's `privateEncrypt`)."""
    return NoDigestInfo() if arguments.text("hash") == "none" else hash_object(arguments)


def _padding(arguments: Arguments, *, signing: bool) -> padding.AsymmetricPadding:
    form = arguments.choice("padding", ("pkcs1", "pss")) if arguments.has("padding") else "pkcs1"
    if form == "pkcs1":
        return padding.PKCS1v15()
    mask = hash_object(arguments, "mgfHash" if arguments.has("mgfHash") else "hash")
    return padding.PSS(padding.MGF1(mask), _salt(arguments, signing=signing))


def _salt(arguments: Arguments, *, signing: bool) -> Any:
    """As Node: the longest that fits when signing, whatever is there when verifying."""
    name = arguments.text("salt") if arguments.has("salt") else "auto"
    if name == "digest":
        return padding.PSS.DIGEST_LENGTH
    if name == "length":
        return arguments.whole("saltLength", 0, _MAX_SALT)
    return padding.PSS.MAX_LENGTH if signing or name == "max" else padding.PSS.AUTO


def _is_p1363(arguments: Arguments) -> bool:
    return arguments.has("encoding") and arguments.choice("encoding", ("der", "ieee-p1363")) == "ieee-p1363"


def _to_p1363(signature: bytes, curve: ec.EllipticCurve) -> bytes:
    size = (curve.key_size + 7) // 8
    r, s = decode_dss_signature(signature)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _from_p1363(signature: bytes, curve: ec.EllipticCurve) -> bytes:
    size = (curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        raise InvalidSignature
    return encode_dss_signature(
        int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    )
