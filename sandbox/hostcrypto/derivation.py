"""Keys from passwords and from other keys."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sandbox.core.caps import MAX_COMPUTE_OUTPUT_BYTES, MAX_PBKDF2_WORK, MAX_SCRYPT_BYTES, MAX_SCRYPT_WORK
from sandbox.hostcrypto.arguments import Arguments, base64_text
from sandbox.hostcrypto.digests import NAMES, hash_object
from sandbox.hostcrypto.errors import CryptoError, out_of_range

_COSTS: Final = {"md5": 1, "sha1": 1, "sha224": 1, "sha256": 1, "sha384": 2, "sha512": 2} | {
    "sha512_224": 2,
    "sha512_256": 2,
}
"""Time of one iteration, in units of SHA-256 (measured)."""
_USUAL_COST: Final = 4


def hkdf(arguments: Arguments) -> dict[str, Any]:
    """Operation `hkdf`: {hash, key, salt, info, length} -> {data}."""
    algorithm = hash_object(arguments)
    length = arguments.whole("length", 0, MAX_COMPUTE_OUTPUT_BYTES)
    if length > 255 * algorithm.digest_size:
        raise CryptoError("Invalid key length", "ERR_CRYPTO_INVALID_KEYLEN", "RangeError")
    key, salt, info = arguments.octets("key"), arguments.octets("salt"), arguments.octets("info", 1024)
    if length == 0:
        return {"data": ""}
    return {"data": base64_text(HKDF(algorithm, length, salt, info).derive(key))}


def pbkdf2(arguments: Arguments) -> dict[str, Any]:
    """Operation `pbkdf2`: {hash, password, salt, iterations, length} -> {data}."""
    name = NAMES[arguments.choice("hash", NAMES)]
    length = arguments.whole("length", 0, MAX_COMPUTE_OUTPUT_BYTES)
    iterations = arguments.whole("iterations", 1, 2**31 - 1)
    blocks = max(1, -(-length // hashlib.new(name, usedforsecurity=False).digest_size))
    most = MAX_PBKDF2_WORK // (_COSTS.get(name, _USUAL_COST) * blocks)
    if iterations > most:
        raise out_of_range(
            f"PBKDF2 does at most {most} iterations of {name} here for {length} bytes of output"
        )
    if length == 0:
        return {"data": ""}
    password, salt = arguments.octets("password"), arguments.octets("salt")
    return {"data": base64_text(hashlib.pbkdf2_hmac(name, password, salt, iterations, length))}


def scrypt(arguments: Arguments) -> dict[str, Any]:
    """Operation `scrypt`: {password, salt, cost, blockSize, parallelization, length} -> {data}."""
    cost = arguments.whole("cost", 2, 2**31 - 1)
    size = arguments.whole("blockSize", 1, 2**20)
    parallel = arguments.whole("parallelization", 1, 2**20)
    length = arguments.whole("length", 0, MAX_COMPUTE_OUTPUT_BYTES)
    needed = 128 * size * (cost + parallel)
    if cost & (cost - 1):
        raise CryptoError("Invalid scrypt params", "ERR_CRYPTO_INVALID_SCRYPT_PARAMS", "RangeError")
    if needed > MAX_SCRYPT_BYTES or cost * size * parallel > MAX_SCRYPT_WORK:
        raise CryptoError(
            f"Invalid scrypt params: memory limit exceeded (at most {MAX_SCRYPT_BYTES} bytes and "
            f"N*r*p of {MAX_SCRYPT_WORK} here)",
            "ERR_CRYPTO_INVALID_SCRYPT_PARAMS",
            "RangeError",
        )
    if length == 0:
        return {"data": ""}
    password, salt = arguments.octets("password"), arguments.octets("salt")
    made = hashlib.scrypt(
        password, salt=salt, n=cost, r=size, p=parallel, maxmem=2 * MAX_SCRYPT_BYTES, dklen=length
    )
    return {"data": base64_text(made)}
