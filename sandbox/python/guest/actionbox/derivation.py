"""`hashlib.pbkdf2_hmac` and `hashlib.scrypt`: computed on the host, since the image has no OpenSSL."""

from . import host

_NAMES = {"blake2b": "blake2b512", "blake2s": "blake2s256"}


def pbkdf2_hmac(
    hash_name: str, password: bytes, salt: bytes, iterations: int, dklen: int | None = None
) -> bytes:
    """PKCS #5 key derivation. Raises ValueError for what OpenSSL refuses, and over the host's cap."""
    if iterations < 1:
        raise ValueError("iteration value must be greater than 0.")
    if dklen is not None and dklen < 1:
        raise ValueError("key length must be greater than 0.")
    name = hash_name.lower().replace("_", "-")
    name = _NAMES.get(name, name)
    length = len(host.data("digest", hash=name, data=b"")) if dklen is None else dklen
    return host.data(
        "pbkdf2",
        hash=name,
        password=bytes(password),
        salt=bytes(salt),
        iterations=iterations,
        length=length,
    )


def scrypt(
    password: bytes,
    *,
    salt: bytes,
    n: int,
    r: int,
    p: int,
    maxmem: int = 0,  # noqa: ARG001 - the host has a cap of its own
    dklen: int = 64,
) -> bytes:
    """RFC 7914. Raises ValueError for parameters that are none, and over the host's cap."""
    return host.data(
        "scrypt",
        password=bytes(password),
        salt=bytes(salt),
        cost=n,
        blockSize=r,
        parallelization=p,
        length=dklen,
    )
