"""Errors and hash algorithms (`cryptography.exceptions`, `hazmat.primitives.hashes`)."""

import hashlib


class InvalidSignature(Exception):  # noqa: N818 - cryptography's name
    """A signature is not of this key over these data."""


class InvalidTag(Exception):  # noqa: N818
    """Data were not encrypted with this key, nonce and associated data."""


class InvalidKey(Exception):  # noqa: N818
    """A derived key is another one."""


class InvalidToken(Exception):  # noqa: N818
    """A Fernet token is forged, of another key, or too old."""


class UnsupportedAlgorithm(Exception):  # noqa: N818
    """The host does not offer this."""


class HashAlgorithm:
    """A hash by its class, e.g. `hashes.SHA256()`."""

    name = ""
    digest_size = 0
    node = ""
    """What the host calls it."""


def _hash(kind: str, name: str, size: int, node: str) -> type[HashAlgorithm]:
    return type(kind, (HashAlgorithm,), {"name": name, "digest_size": size, "node": node})


_ALL = [(f"SHA{bits}", f"sha{bits}", bits // 8, f"sha{bits}") for bits in (224, 256, 384, 512)]
_ALL += [(f"SHA3_{bits}", f"sha3-{bits}", bits // 8, f"sha3-{bits}") for bits in (224, 256, 384, 512)]
_ALL += [("SHA1", "sha1", 20, "sha1"), ("MD5", "md5", 16, "md5")]
HASHES = {kind: _hash(kind, name, size, node) for kind, name, size, node in _ALL}


def node_name(algorithm: object) -> str:
    """The host's name of a hash algorithm. Raises TypeError for anything else."""
    if not isinstance(algorithm, HashAlgorithm):
        raise TypeError("Expected instance of hashes.HashAlgorithm.")
    return algorithm.node


def octets(value: object, name: str) -> bytes:
    """Bytes-like data as bytes. Raises TypeError."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{name} must be bytes")
    return bytes(value)


class Hash:
    """A digest in parts (`hashes.Hash`)."""

    def __init__(self, algorithm: HashAlgorithm, backend: object = None) -> None:  # noqa: ARG002
        node_name(algorithm)
        self.algorithm = algorithm
        self._digest = hashlib.new(algorithm.name.replace("-", "_"))

    def update(self, data: bytes) -> None:
        self._digest.update(octets(data, "data"))

    def finalize(self) -> bytes:
        return self._digest.digest()
