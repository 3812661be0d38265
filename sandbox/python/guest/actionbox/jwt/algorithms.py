"""The algorithms of RFC 7518 and RFC 8037: which keys they take, how they sign and verify."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Any

from actionbox.crypto.asymmetric import HostKey
from actionbox.host import HostError
from actionbox.keys import Key, load_jwk, load_pem

from .encoding import encoded, lenient, octets
from .exceptions import InvalidKeyError

_PEM = re.compile(rb"----[- ]BEGIN [A-Z0-9 ]+[- ]----")
_SSH = (b"ssh-", b"ecdsa-sha2-")
_CURVES = {"P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1", "secp256k1": "secp256k1"}
_MIN_RSA_BITS = 2048


class Algorithm:
    """One algorithm of the header's `alg`."""

    def prepare_key(self, key: Any) -> Any:
        """The key in the form that `sign` and `verify` take. Raises InvalidKeyError, TypeError."""
        raise NotImplementedError

    def sign(self, msg: bytes, key: Any) -> bytes:
        raise NotImplementedError

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        raise NotImplementedError

    def check_key_length(self, key: Any) -> str | None:
        """A warning about a short key, or None."""
        del key


class NoneAlgorithm(Algorithm):
    """No signature at all; nothing verifies under it."""

    def prepare_key(self, key: Any) -> None:
        if key not in ("", None):
            raise InvalidKeyError('When alg = "none", key value must be None.')

    def sign(self, msg: bytes, key: None) -> bytes:  # noqa: ARG002
        return b""

    def verify(self, msg: bytes, key: None, sig: bytes) -> bool:  # noqa: ARG002
        return False


class HMACAlgorithm(Algorithm):
    """HS256, HS384, HS512: computed in the sandbox itself, which holds the key anyway."""

    SHA256 = staticmethod(hashlib.sha256)
    SHA384 = staticmethod(hashlib.sha384)
    SHA512 = staticmethod(hashlib.sha512)

    def __init__(self, hash_alg: Callable[..., Any]) -> None:
        self.hash_alg = hash_alg

    def prepare_key(self, key: Any) -> bytes:
        """Refuses what is a public key or a JWK: whoever knows it could sign (RFC 8725, 2.1)."""
        given = octets(key)
        if not given:
            raise InvalidKeyError("HMAC key must not be empty.")
        if _PEM.search(given) or given.startswith(_SSH) or _is_der(given):
            raise InvalidKeyError(
                "The specified key is an asymmetric key or x509 certificate and should not be used as an "
                "HMAC secret."
            )
        if _is_jwk(given):
            raise InvalidKeyError(
                "The specified key looks like a JWK and should not be used directly as an HMAC secret. "
                "Load it via PyJWK / HMACAlgorithm.from_jwk first."
            )
        return given

    def sign(self, msg: bytes, key: bytes) -> bytes:
        return hmac.new(key, msg, self.hash_alg).digest()

    def verify(self, msg: bytes, key: bytes, sig: bytes) -> bool:
        return hmac.compare_digest(sig, self.sign(msg, key))

    def check_key_length(self, key: bytes) -> str | None:
        plain = self.hash_alg()
        if len(key) >= plain.digest_size:
            return None
        return (
            f"The HMAC key is {len(key)} bytes long, which is below the minimum recommended length of "
            f"{plain.digest_size} bytes for {plain.name.upper()}. See RFC 7518 Section 3.2."
        )

    @staticmethod
    def from_jwk(jwk: Any) -> bytes:
        fields = _fields(jwk)
        if fields.get("kty") != "oct":
            raise InvalidKeyError("Not an HMAC key")
        key = lenient(fields["k"])
        if not key:
            raise InvalidKeyError("HMAC key must not be empty.")
        return key

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> Any:
        return _written({"k": encoded(octets(key_obj)).decode(), "kty": "oct"}, as_dict)


def _is_der(given: bytes) -> bool:
    """A DER key or certificate begins as a long SEQUENCE that fills all of the text."""
    if given[:1] != b"\x30" or len(given) < 40:
        return False
    short = given[1] < 0x80
    size = given[1] if short else int.from_bytes(given[2 : 2 + (given[1] & 0x7F)])
    return len(given) == size + (2 if short else 2 + (given[1] & 0x7F))


def _is_jwk(given: bytes) -> bool:
    if given.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        waiting = [json.loads(given)]
    except RecursionError:
        return True
    except ValueError:
        return False
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "kty" in value:
                return True
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return False


def _fields(jwk: Any) -> dict[str, Any]:
    try:
        fields = json.loads(jwk) if isinstance(jwk, str) else jwk
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise InvalidKeyError("Key is not valid JSON")
    return fields


def _written(fields: dict[str, Any], as_dict: bool) -> Any:
    return fields if as_dict else json.dumps(fields)


class _Asymmetric(Algorithm):
    """What RSA, EC and EdDSA share."""

    _kinds: tuple[str, ...] = ()
    _kty = ""
    _what = ""
    _unreadable = ""

    def prepare_key(self, key: Any) -> Key:
        if isinstance(key, HostKey):
            key = key.key
        if isinstance(key, Key):
            return self._fitting(key)
        if not isinstance(key, (str, bytes)):
            raise TypeError("Expecting a PEM-formatted key.")
        given = octets(key)
        if given.startswith(_SSH):
            raise InvalidKeyError("Keys in OpenSSH's form cannot be read here; give the key as PEM.")
        try:
            return self._fitting(load_pem(given.decode("utf-8", "replace")))
        except HostError as error:
            raise InvalidKeyError(f"{self._unreadable} ({error})") from None

    def _fitting(self, key: Key) -> Key:
        if key.type not in self._kinds:
            raise InvalidKeyError(f"A key of type {key.type} is no key for {type(self).__name__}.")
        return key

    def _how(self) -> dict[str, Any]:
        """Options of the host's `sign` and `verify`."""
        return {}

    def sign(self, msg: bytes, key: Key) -> bytes:
        if key.kind != "private":
            raise InvalidKeyError("Signing takes a private key; this one is public.")
        try:
            return key.sign(msg, **self._how())
        except HostError as error:
            raise InvalidKeyError(str(error)) from None

    def verify(self, msg: bytes, key: Key, sig: bytes) -> bool:
        try:
            return key.verify(sig, msg, **self._how())
        except HostError as error:
            raise InvalidKeyError(str(error)) from None

    @classmethod
    def from_jwk(cls, jwk: Any) -> Key:
        fields = _fields(jwk)
        if fields.get("kty") != cls._kty:
            raise InvalidKeyError(f"Not {cls._what}")
        cls._check(fields)
        try:
            return load_jwk(_essential(fields))
        except HostError as error:
            raise InvalidKeyError(str(error)) from None

    @classmethod
    def _check(cls, fields: dict[str, Any]) -> None:
        """Raise InvalidKeyError when members are missing."""

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> Any:
        if not isinstance(key_obj, Key):
            raise InvalidKeyError("Not a public or private key")
        return _written(key_obj.jwk(), as_dict)


def _essential(fields: dict[str, Any]) -> dict[str, Any]:
    names = "kty crv n e d p q dp dq qi x y".split()
    return {name: fields[name] for name in names if name in fields}


class RSAAlgorithm(_Asymmetric):
    """RS256, RS384, RS512."""

    SHA256, SHA384, SHA512 = "sha256", "sha384", "sha512"
    _kinds, _kty, _what = ("rsa",), "RSA", "an RSA key"
    _unreadable = "Could not parse the provided public key."

    def __init__(self, hash_alg: str) -> None:
        self.hash_alg = hash_alg

    def _how(self) -> dict[str, Any]:
        return {"hash": self.hash_alg}

    def check_key_length(self, key: Key) -> str | None:
        if key.key_size is None or key.key_size >= _MIN_RSA_BITS:
            return None
        return (
            f"The RSA key is {key.key_size} bits long, which is below the minimum recommended size of "
            f"{_MIN_RSA_BITS} bits. See NIST SP 800-131A."
        )

    @classmethod
    def _check(cls, fields: dict[str, Any]) -> None:
        if "n" not in fields or "e" not in fields:
            raise InvalidKeyError("Not a public or private key")
        if "d" in fields and not all(name in fields for name in ("p", "q", "dp", "dq", "qi")):
            raise InvalidKeyError("An RSA private key is read here with all of p, q, dp, dq and qi")


class RSAPSSAlgorithm(RSAAlgorithm):
    """PS256, PS384, PS512."""

    def _how(self) -> dict[str, Any]:
        return {"hash": self.hash_alg, "padding": "pss", "salt": "digest"}


class ECAlgorithm(_Asymmetric):
    """ES256, ES256K, ES384, ES512."""

    SHA256, SHA384, SHA512 = "sha256", "sha384", "sha512"
    _kinds, _kty, _what = ("ec",), "EC", "an Elliptic curve key"
    _unreadable = "Could not parse the provided key."

    def __init__(self, hash_alg: str, expected_curve: str | None = None) -> None:
        self.hash_alg = hash_alg
        self.expected_curve = expected_curve

    def _fitting(self, key: Key) -> Key:
        key = super()._fitting(key)
        if self.expected_curve is not None and key.curve != self.expected_curve:
            raise InvalidKeyError(
                f"The key's curve '{key.curve}' does not match the expected curve '{self.expected_curve}' "
                "for this algorithm"
            )
        return key

    def _how(self) -> dict[str, Any]:
        return {"hash": self.hash_alg, "encoding": "ieee-p1363"}

    @classmethod
    def _check(cls, fields: dict[str, Any]) -> None:
        if "x" not in fields or "y" not in fields:
            raise InvalidKeyError("Not an Elliptic curve key")
        if fields.get("crv") not in _CURVES:
            raise InvalidKeyError(f"Invalid curve: {fields.get('crv')}")


class OKPAlgorithm(_Asymmetric):
    """EdDSA, with Ed25519 and Ed448 keys."""

    _kinds, _kty, _what = ("ed25519", "ed448"), "OKP", "an Octet Key Pair"
    _unreadable = "Not a public or private key"

    @classmethod
    def _check(cls, fields: dict[str, Any]) -> None:
        if fields.get("crv") not in ("Ed25519", "Ed448"):
            raise InvalidKeyError(f"Invalid curve: {fields.get('crv')}")
        if "x" not in fields:
            raise InvalidKeyError('OKP should have "x" parameter')


ALGORITHMS: dict[str, Algorithm] = {
    "none": NoneAlgorithm(),
    "HS256": HMACAlgorithm(hashlib.sha256),
    "HS384": HMACAlgorithm(hashlib.sha384),
    "HS512": HMACAlgorithm(hashlib.sha512),
    "RS256": RSAAlgorithm("sha256"),
    "RS384": RSAAlgorithm("sha384"),
    "RS512": RSAAlgorithm("sha512"),
    "PS256": RSAPSSAlgorithm("sha256"),
    "PS384": RSAPSSAlgorithm("sha384"),
    "PS512": RSAPSSAlgorithm("sha512"),
    "ES256": ECAlgorithm("sha256", "prime256v1"),
    "ES256K": ECAlgorithm("sha256", "secp256k1"),
    "ES384": ECAlgorithm("sha384", "secp384r1"),
    "ES512": ECAlgorithm("sha512", "secp521r1"),
    "ES521": ECAlgorithm("sha512", "secp521r1"),
    "EdDSA": OKPAlgorithm(),
}


def get_default_algorithms() -> dict[str, Algorithm]:
    """Every algorithm by its name."""
    return dict(ALGORITHMS)


def get_algorithm_by_name(alg_name: str) -> Algorithm:
    """Raises NotImplementedError for a name that is none."""
    found = ALGORITHMS.get(alg_name) if isinstance(alg_name, str) else None
    if found is None:
        raise NotImplementedError("Algorithm not supported")
    return found
