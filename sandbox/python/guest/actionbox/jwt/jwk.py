"""JSON Web Keys and key sets (RFC 7517)."""

import json
from collections.abc import Iterator
from typing import Any

from .algorithms import ALGORITHMS, Algorithm
from .exceptions import InvalidKeyError, PyJWKError, PyJWKSetError, PyJWTError

_BY_TYPE = {"RSA": "RS256", "oct": "HS256"}
_BY_CURVE = {
    ("EC", None): "ES256",
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512",
    ("EC", "secp256k1"): "ES256K",
    ("OKP", "Ed25519"): "EdDSA",
}


class PyJWK:
    """A key that is bound to one algorithm.

    Attributes:
        key: for `jwt.encode` and `jwt.decode`.
        algorithm_name: given, else the key's `alg`, else the usual one of its type and curve.

    Raises:
        InvalidKeyError: it is no key of a known type.
        PyJWKError: its algorithm is unknown.
    """

    def __init__(self, jwk_data: dict[str, Any], algorithm: str | None = None) -> None:
        self._jwk_data = jwk_data
        if not jwk_data.get("kty"):
            raise InvalidKeyError("kty is not found")
        self.algorithm_name: str = algorithm or jwk_data.get("alg") or _usual(jwk_data)
        found = ALGORITHMS.get(self.algorithm_name)
        if found is None:
            raise PyJWKError(f"Unable to find an algorithm for key: {self.algorithm_name}")
        self.Algorithm: Algorithm = found
        try:
            self.key = found.from_jwk(jwk_data)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise InvalidKeyError(f"Unable to construct key from JWK: {error}") from None

    @staticmethod
    def from_dict(obj: dict[str, Any], algorithm: str | None = None) -> "PyJWK":
        return PyJWK(obj, algorithm)

    @staticmethod
    def from_json(data: str, algorithm: str | None = None) -> "PyJWK":
        return PyJWK(json.loads(data), algorithm)

    @property
    def key_type(self) -> str | None:
        return self._jwk_data.get("kty")

    @property
    def key_id(self) -> str | None:
        return self._jwk_data.get("kid")

    @property
    def public_key_use(self) -> str | None:
        return self._jwk_data.get("use")


def _usual(fields: dict[str, Any]) -> str:
    kind, curve = fields["kty"], fields.get("crv") or None
    found = _BY_TYPE.get(kind) or _BY_CURVE.get((kind, curve))
    if found is not None:
        return found
    if kind not in ("EC", "OKP"):
        raise InvalidKeyError(f"Unsupported kty: {kind}")
    raise InvalidKeyError("crv is not found" if curve is None else f"Unsupported crv: {curve}")


class PyJWKSet:
    """The usable keys of a set, in order; others are left out.

    Raises:
        PyJWKSetError: there is none.
    """

    def __init__(self, keys: list[dict[str, Any]]) -> None:
        if not keys:
            raise PyJWKSetError("The JWK Set did not contain any keys")
        if not isinstance(keys, list):
            raise PyJWKSetError("Invalid JWK Set value")
        self.keys: list[PyJWK] = []
        for fields in keys:
            if isinstance(fields, dict):
                try:
                    self.keys.append(PyJWK(fields))
                except PyJWTError:
                    continue
        if not self.keys:
            raise PyJWKSetError("The JWK Set did not contain any usable keys")

    @staticmethod
    def from_dict(obj: dict[str, Any]) -> "PyJWKSet":
        return PyJWKSet(obj.get("keys", []))

    @staticmethod
    def from_json(data: str) -> "PyJWKSet":
        return PyJWKSet.from_dict(json.loads(data))

    def __getitem__(self, kid: str) -> PyJWK:
        for key in self.keys:
            if key.key_id == kid:
                return key
        raise KeyError(f"keyset has no key for kid: {kid}")

    def __iter__(self) -> Iterator[PyJWK]:
        return iter(self.keys)
