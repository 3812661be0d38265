"""Symmetric ciphers. Stateless: a guest that feeds data in parts sends all of them so far."""

from __future__ import annotations

import hmac
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import keywrap, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sandbox.hostcrypto.arguments import Arguments, base64_text
from sandbox.hostcrypto.errors import CryptoError, invalid_argument

_BLOCK: Final = 16
_MODES: Final = ("cbc", "ctr", "gcm", "ecb")


def cipher(arguments: Arguments) -> dict[str, Any]:
    """Operation `cipher`: {mode, encrypt, key, iv?, data, final, padding?, aad?, tag?} -> {data, tag?}.

    Without `final` the data that are complete so far come back, unauthenticated ones included; with it,
    padding or tag are added or checked.
    """
    mode = arguments.choice("mode", (*_MODES, "chacha20-poly1305"))
    if mode == "chacha20-poly1305":
        return _chacha(arguments)
    key = _key(arguments)
    if mode == "gcm":
        return _gcm(key, arguments)
    iv = b"" if mode == "ecb" else _iv(arguments, _BLOCK, _BLOCK)
    how: modes.Mode = (
        modes.CBC(iv) if mode == "cbc" else modes.CTR(iv) if mode == "ctr" else modes.ECB()  # noqa: S305
    )
    return _blocks(Cipher(algorithms.AES(key), how), arguments, is_stream=mode == "ctr")


def _key(arguments: Arguments) -> bytes:
    key = arguments.octets("key", 64)
    if len(key) not in (16, 24, 32):
        raise CryptoError("Invalid key length", "ERR_CRYPTO_INVALID_KEYLEN", "RangeError")
    return key


def _iv(arguments: Arguments, low: int, high: int) -> bytes:
    iv = arguments.octets("iv", 1024)
    if not low <= len(iv) <= high:
        raise CryptoError("Invalid initialization vector", "ERR_CRYPTO_INVALID_IV", "TypeError")
    return iv


def _blocks(what: Cipher[Any], arguments: Arguments, *, is_stream: bool) -> dict[str, Any]:
    data, final = arguments.octets("data"), arguments.flag("final")
    encrypting = arguments.flag("encrypt")
    padded = not is_stream and arguments.flag("padding", default=True)
    if final and encrypting and padded:
        padder = padding.PKCS7(_BLOCK * 8).padder()
        data = padder.update(data) + padder.finalize()
    elif final and not is_stream and (len(data) % _BLOCK or (padded and not data)):
        raise _wrong_length()
    context = what.encryptor() if encrypting else what.decryptor()
    made = context.update(data) + (context.finalize() if final else b"")
    if final and not encrypting and padded:
        made = _unpad(made)
    return {"data": base64_text(made)}


def _unpad(data: bytes) -> bytes:
    unpadder = padding.PKCS7(_BLOCK * 8).unpadder()
    try:
        return unpadder.update(data) + unpadder.finalize()
    except ValueError:
        raise CryptoError("error:1C800064:Provider routines::bad decrypt", "ERR_OSSL_BAD_DECRYPT") from None


def _wrong_length() -> CryptoError:
    return CryptoError(
        "error:1C80006B:Provider routines::wrong final block length", "ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH"
    )


def _gcm(key: bytes, arguments: Arguments) -> dict[str, Any]:
    iv = _iv(arguments, 1, 128)
    data, aad = arguments.octets("data"), arguments.optional_octets("aad") or b""
    if len(iv) < 8:  # the library takes none shorter
        raise CryptoError("Invalid initialization vector", "ERR_CRYPTO_INVALID_IV", "TypeError")
    if arguments.flag("encrypt"):
        encryptor = Cipher(algorithms.AES(key), modes.GCM(iv)).encryptor()
        encryptor.authenticate_additional_data(aad)
        made = encryptor.update(data) + encryptor.finalize()
        return {"data": base64_text(made), "tag": base64_text(encryptor.tag)}
    tag = arguments.optional_octets("tag", 16)
    decryptor = Cipher(algorithms.AES(key), modes.GCM(iv, tag, min_tag_length=4)).decryptor()
    decryptor.authenticate_additional_data(aad)
    made = decryptor.update(data)
    if arguments.flag("final"):
        if tag is None:
            raise _unauthentic()
        try:
            made += decryptor.finalize()
        except InvalidTag:
            raise _unauthentic() from None
    return {"data": base64_text(made)}


def _unauthentic() -> CryptoError:
    return CryptoError("Unsupported state or unable to authenticate data")


def _chacha(arguments: Arguments) -> dict[str, Any]:
    key, iv = arguments.octets("key", 64), _iv(arguments, 12, 12)
    if len(key) != 32:
        raise CryptoError("Invalid key length", "ERR_CRYPTO_INVALID_KEYLEN", "RangeError")
    box = ChaCha20Poly1305(key)
    data, aad = arguments.octets("data"), arguments.optional_octets("aad") or b""
    sealed = box.encrypt(iv, data, aad)  # a stream cipher: the same for both directions
    if arguments.flag("encrypt"):
        return {"data": base64_text(sealed[:-16]), "tag": base64_text(sealed[-16:])}
    if arguments.flag("final"):
        try:
            box.decrypt(iv, data + arguments.octets("tag", 16), aad)
        except InvalidTag:
            raise _unauthentic() from None
    return {"data": base64_text(sealed[:-16])}


def key_wrap(arguments: Arguments) -> dict[str, Any]:
    """Operation `keywrap` (RFC 3394): {key, data, wrap} -> {data}."""
    key, data = _key(arguments), arguments.octets("data", 64 * 1024)
    try:
        if arguments.flag("wrap"):
            return {"data": base64_text(keywrap.aes_key_wrap(key, data))}
        return {"data": base64_text(keywrap.aes_key_unwrap(key, data))}
    except (ValueError, keywrap.InvalidUnwrap):
        raise CryptoError("The key cannot be wrapped or unwrapped", "ERR_OSSL_BAD_DECRYPT") from None


def equal(arguments: Arguments) -> dict[str, Any]:
    """Operation `equal`: {left, right} -> {equal}, in a time that does not tell where they differ."""
    left, right = arguments.octets("left"), arguments.octets("right")
    if len(left) != len(right):
        raise invalid_argument("Input buffers must have the same byte length")
    return {"equal": hmac.compare_digest(left, right)}
