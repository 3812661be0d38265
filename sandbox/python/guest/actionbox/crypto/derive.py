"""Key derivation (`hazmat.primitives.kdf`), on the host."""

import hmac

from actionbox import host

from .common import HashAlgorithm, InvalidKey, node_name, octets


class _Derivation:
    """One use derives one key, as in `cryptography`."""

    def derive(self, key_material: bytes) -> bytes:
        raise NotImplementedError

    def verify(self, key_material: bytes, expected_key: bytes) -> None:
        """Raises InvalidKey."""
        if not hmac.compare_digest(self.derive(key_material), expected_key):
            raise InvalidKey("Keys do not match.")


class HKDF(_Derivation):
    """RFC 5869."""

    def __init__(
        self,
        algorithm: HashAlgorithm,
        length: int,
        salt: bytes | None,
        info: bytes | None,
        backend: object = None,  # noqa: ARG002
    ) -> None:
        self._given = {
            "hash": node_name(algorithm),
            "length": length,
            "salt": salt or b"",
            "info": info or b"",
        }

    def derive(self, key_material: bytes) -> bytes:
        return host.data("hkdf", key=octets(key_material, "key_material"), **self._given)


class PBKDF2HMAC(_Derivation):
    """PKCS #5; the host has a cap on iterations."""

    def __init__(
        self,
        algorithm: HashAlgorithm,
        length: int,
        salt: bytes,
        iterations: int,
        backend: object = None,  # noqa: ARG002
    ) -> None:
        self._given = {
            "hash": node_name(algorithm),
            "length": length,
            "salt": octets(salt, "salt"),
            "iterations": iterations,
        }

    def derive(self, key_material: bytes) -> bytes:
        return host.data("pbkdf2", password=octets(key_material, "key_material"), **self._given)


class Scrypt(_Derivation):
    """RFC 7914; the host has a cap on its work."""

    def __init__(self, salt: bytes, length: int, n: int, r: int, p: int, backend: object = None) -> None:  # noqa: ARG002
        self._given = {
            "salt": octets(salt, "salt"),
            "length": length,
            "cost": n,
            "blockSize": r,
            "parallelization": p,
        }

    def derive(self, key_material: bytes) -> bytes:
        return host.data("scrypt", password=octets(key_material, "key_material"), **self._given)
