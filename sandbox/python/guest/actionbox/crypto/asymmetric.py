"""RSA, EC, Ed25519 and Ed448 keys with the methods that `cryptography` gives them; the host holds nothing."""

import base64
from dataclasses import dataclass
from typing import Any

from actionbox import host, keys

from .common import InvalidSignature, UnsupportedAlgorithm, octets
from .schemes import CURVES, ECDSA, EllipticCurve, sealing, signing


class HostKey:
    """Base of all keys. `key`: as the rest of the guest knows it."""

    def __init__(self, key: keys.Key) -> None:
        self.key = key

    @property
    def key_size(self) -> int | None:
        return self.key.key_size

    def _numbers(self) -> dict[str, Any]:
        """The members of its JSON Web Key, numbers as such."""
        return {
            name: value if name in ("kty", "crv") else _number(value)
            for name, value in self.key.jwk().items()
        }

    def _bytes(self, encoding: str, form: str, passphrase: bytes | None = None) -> bytes:
        raw = encoding == "raw"
        written = host.compute(
            "key.export",
            key=self.key.source,
            format=encoding,
            type=None if raw else form,
            passphrase=passphrase,
        )["data"]
        return written.encode() if encoding == "pem" else base64.b64decode(written)


class _Private(HostKey):
    def public_key(self) -> Any:
        return wrapped(self.key.public_key())

    def private_bytes(self, encoding: str, format: str, encryption_algorithm: Any) -> bytes:  # noqa: A002
        form = {"traditional": "pkcs1" if self.key.type == "rsa" else "sec1"}.get(format, format)
        return self._bytes(encoding, form, encryption_algorithm.passphrase)


class _Public(HostKey):
    def public_bytes(self, encoding: str, format: str) -> bytes:  # noqa: A002
        return self._bytes(encoding, format)

    def _check(self, signature: bytes, data: bytes, how: dict[str, Any]) -> None:
        if not self.key.verify(octets(signature, "signature"), octets(data, "data"), **how):
            raise InvalidSignature


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _text(number: int, bits: int | None = None) -> str:
    data = number.to_bytes(((bits or number.bit_length()) + 7) // 8)
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class RSAPrivateKey(_Private):
    def private_numbers(self) -> "RSAPrivateNumbers":
        found = self._numbers()
        public = RSAPublicNumbers(found["e"], found["n"])
        p, q, d, dp, dq, qi = (found[name] for name in ("p", "q", "d", "dp", "dq", "qi"))
        return RSAPrivateNumbers(p, q, d, dp, dq, qi, public)

    def sign(self, data: bytes, padding: Any, algorithm: Any) -> bytes:
        return self.key.sign(octets(data, "data"), **signing(padding, algorithm))

    def decrypt(self, ciphertext: bytes, padding: Any) -> bytes:
        """Raises ValueError when it cannot be."""
        return host.data(
            "decrypt", key=self.key.source, data=octets(ciphertext, "ciphertext"), **sealing(padding)
        )


class RSAPublicKey(_Public):
    def public_numbers(self) -> "RSAPublicNumbers":
        found = self._numbers()
        return RSAPublicNumbers(found["e"], found["n"])

    def verify(self, signature: bytes, data: bytes, padding: Any, algorithm: Any) -> None:
        """Raises InvalidSignature."""
        self._check(signature, data, signing(padding, algorithm))

    def encrypt(self, plaintext: bytes, padding: Any) -> bytes:
        return host.data(
            "encrypt", key=self.key.source, data=octets(plaintext, "plaintext"), **sealing(padding)
        )


@dataclass(frozen=True)
class RSAPublicNumbers:
    e: int
    n: int

    def public_key(self, backend: object = None) -> RSAPublicKey:  # noqa: ARG002
        """Raises ValueError."""
        return wrapped(keys.load_jwk({"kty": "RSA", "n": _text(self.n), "e": _text(self.e)}))


@dataclass(frozen=True)
class RSAPrivateNumbers:
    p: int
    q: int
    d: int
    dmp1: int
    dmq1: int
    iqmp: int
    public_numbers: RSAPublicNumbers

    def private_key(self, backend: object = None) -> RSAPrivateKey:  # noqa: ARG002
        """Raises ValueError."""
        public = {"kty": "RSA", "n": self.public_numbers.n, "e": self.public_numbers.e}
        own = {"p": self.p, "q": self.q, "d": self.d, "dp": self.dmp1, "dq": self.dmq1, "qi": self.iqmp}
        return wrapped(
            keys.load_jwk({name: _text(n) if type(n) is int else n for name, n in (public | own).items()})
        )


class _OnCurve(HostKey):
    @property
    def curve(self) -> EllipticCurve:
        return next(kind for kind in CURVES.values() if kind.node == self.key.curve)()

    @property
    def key_size(self) -> int:
        return self.curve.key_size


class EllipticCurvePrivateKey(_OnCurve, _Private):
    def sign(self, data: bytes, signature_algorithm: ECDSA) -> bytes:
        return self.key.sign(octets(data, "data"), hash=signature_algorithm.hash)

    def exchange(self, _algorithm: object, peer_public_key: HostKey) -> bytes:
        """ECDH."""
        return host.data("agree", key=self.key.source, publicKey=peer_public_key.key.source)

    def private_numbers(self) -> "EllipticCurvePrivateNumbers":
        found = self._numbers()
        return EllipticCurvePrivateNumbers(
            found["d"], EllipticCurvePublicNumbers(found["x"], found["y"], self.curve)
        )


class EllipticCurvePublicKey(_OnCurve, _Public):
    def verify(self, signature: bytes, data: bytes, signature_algorithm: ECDSA) -> None:
        """Raises InvalidSignature."""
        self._check(signature, data, {"hash": signature_algorithm.hash})

    def public_numbers(self) -> "EllipticCurvePublicNumbers":
        found = self._numbers()
        return EllipticCurvePublicNumbers(found["x"], found["y"], self.curve)


@dataclass(frozen=True)
class EllipticCurvePublicNumbers:
    x: int
    y: int
    curve: EllipticCurve

    def fields(self) -> dict[str, str]:
        """The public members of its JSON Web Key."""
        size = self.curve.key_size
        return {"kty": "EC", "crv": self.curve.jwk, "x": _text(self.x, size), "y": _text(self.y, size)}

    def public_key(self, backend: object = None) -> EllipticCurvePublicKey:  # noqa: ARG002
        """Raises ValueError."""
        return wrapped(keys.load_jwk(self.fields()))


@dataclass(frozen=True)
class EllipticCurvePrivateNumbers:
    private_value: int
    public_numbers: EllipticCurvePublicNumbers

    def private_key(self, backend: object = None) -> EllipticCurvePrivateKey:  # noqa: ARG002
        """Raises ValueError."""
        own = _text(self.private_value, self.public_numbers.curve.key_size)
        return wrapped(keys.load_jwk(self.public_numbers.fields() | {"d": own}))


class _EdwardsPrivate(_Private):
    kind = ""

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(octets(data, "data"))

    @classmethod
    def generate(cls) -> Any:
        return wrapped(keys.Key(host.compute("key.generate", type=cls.kind)["private"]))

    @classmethod
    def from_private_bytes(cls, data: bytes) -> Any:
        return wrapped(_raw(cls.kind, data, private=True))


class _EdwardsPublic(_Public):
    kind = ""

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises InvalidSignature."""
        self._check(signature, data, {})

    @classmethod
    def from_public_bytes(cls, data: bytes) -> Any:
        return wrapped(_raw(cls.kind, data, private=False))


def _raw(kind: str, data: bytes, *, private: bool) -> keys.Key:
    text = base64.b64encode(octets(data, "data")).decode()
    return keys.load({"format": "raw", "type": kind, "data": text, "private": private})


class Ed25519PrivateKey(_EdwardsPrivate):
    kind = "ed25519"


class Ed25519PublicKey(_EdwardsPublic):
    kind = "ed25519"


class Ed448PrivateKey(_EdwardsPrivate):
    kind = "ed448"


class Ed448PublicKey(_EdwardsPublic):
    kind = "ed448"


_KINDS: dict[tuple[str, str], type[HostKey]] = {
    ("rsa", "private"): RSAPrivateKey,
    ("rsa", "public"): RSAPublicKey,
    ("ec", "private"): EllipticCurvePrivateKey,
    ("ec", "public"): EllipticCurvePublicKey,
    ("ed25519", "private"): Ed25519PrivateKey,
    ("ed25519", "public"): Ed25519PublicKey,
    ("ed448", "private"): Ed448PrivateKey,
    ("ed448", "public"): Ed448PublicKey,
}


def wrapped(key: keys.Key) -> Any:
    kind = _KINDS.get((key.type, key.kind))
    if kind is None:
        raise UnsupportedAlgorithm(f"Keys of type {key.type} are not supported here.")
    return kind(key)


def generate_rsa(public_exponent: int = 65537, key_size: int = 2048) -> RSAPrivateKey:
    made = host.compute("key.generate", type="rsa", modulusLength=key_size, publicExponent=public_exponent)
    return RSAPrivateKey(keys.Key(made["private"]))


def generate_ec(curve: Any) -> EllipticCurvePrivateKey:
    if not isinstance(curve, EllipticCurve):
        raise UnsupportedAlgorithm("This curve is not supported.")
    return EllipticCurvePrivateKey(
        keys.Key(host.compute("key.generate", type="ec", curve=curve.node)["private"])
    )


def rsa_crt_iqmp(p: int, q: int) -> int:
    return pow(q, -1, p)


def rsa_crt_dmp1(private_exponent: int, p: int) -> int:
    return private_exponent % (p - 1)


rsa_crt_dmq1 = rsa_crt_dmp1


def rsa_recover_prime_factors(*_numbers: int) -> tuple[int, int]:
    """Not here: it would take a second. Raises ValueError."""
    raise ValueError("An RSA private key is read here with all of p, q, dp, dq and qi")
