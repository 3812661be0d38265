"""Hash functions by the names that Node gives them."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

from cryptography.hazmat.primitives import hashes

from sandbox.core.caps import MAX_COMPUTE_OUTPUT_BYTES
from sandbox.hostcrypto.arguments import Arguments, base64_text
from sandbox.hostcrypto.errors import unsupported

NAMES: Final = {
    "md5": "md5",
    "sha1": "sha1",
    "sha224": "sha224",
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512": "sha512",
    "sha512-224": "sha512_224",
    "sha512-256": "sha512_256",
    "sha3-224": "sha3_224",
    "sha3-256": "sha3_256",
    "sha3-384": "sha3_384",
    "sha3-512": "sha3_512",
    "blake2b512": "blake2b",
    "blake2s256": "blake2s",
    "ripemd160": "ripemd160",
}
"""Hashes of a fixed length: Node's name, and Python's."""
XOFS: Final = {"shake128": ("shake_128", 16), "shake256": ("shake_256", 32)}
"""Functions of any length: Python's name, and the length when none is asked for."""

_OBJECTS: Final[dict[str, hashes.HashAlgorithm]] = {
    "md5": hashes.MD5(),  # noqa: S303 - tenants check what others signed long ago
    "sha1": hashes.SHA1(),  # noqa: S303
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha512-224": hashes.SHA512_224(),
    "sha512-256": hashes.SHA512_256(),
    "sha3-224": hashes.SHA3_224(),
    "sha3-256": hashes.SHA3_256(),
    "sha3-384": hashes.SHA3_384(),
    "sha3-512": hashes.SHA3_512(),
}


def hash_object(arguments: Arguments, name: str = "hash") -> hashes.HashAlgorithm:
    """The hash that an argument names, for use in a signature or in padding. Raises `CryptoError`."""
    given = arguments.text(name)
    found = _OBJECTS.get(given)
    if found is None:
        raise unsupported(f"The digest {given!r} cannot be used here; use sha256, sha384 or sha512")
    return found


def pure_digest(name: str, data: bytes, key: bytes | None) -> bytes | None:
    """The digest of `data`, or its HMAC when there is a key; None for an algorithm not offered."""
    known = NAMES.get(name)
    try:
        if known is not None and key is not None:
            return hmac.digest(key, data, known)
        if known is not None:
            return hashlib.new(known, data, usedforsecurity=False).digest()
    except ValueError:  # this build of OpenSSL leaves it out
        return None
    return _extended(name, data, None) if key is None else None


def _extended(name: str, data: bytes, length: int | None) -> bytes | None:
    if name not in XOFS:
        return None
    function, usual = XOFS[name]
    digest: bytes = getattr(hashlib, function)(data).digest(usual if length is None else length)
    return digest


def digest(arguments: Arguments) -> dict[str, Any]:
    """Operation `digest`: {hash, data, key?, length?} -> {data}. `length` is for SHAKE only."""
    name, data = arguments.text("hash"), arguments.octets("data")
    key = arguments.optional_octets("key")
    if arguments.has("length"):
        made = _extended(name, data, arguments.whole("length", 0, MAX_COMPUTE_OUTPUT_BYTES))
    else:
        made = pure_digest(name, data, key)
    if made is None:
        raise unsupported("Digest method not supported")
    return {"data": base64_text(made)}
