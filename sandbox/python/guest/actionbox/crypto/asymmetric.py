"""RSA, EC, Ed25519 and Ed448 keys with the methods that `cryptography` gives them; the host holds nothing."""

import base64
from typing import Any

from actionbox import host, keys

from .common import HashAlgorithm, InvalidSignature, UnsupportedAlgorithm, node_name, octets

CURVES = {
    "secp256r1": "prime256v1",
    "secp384r1": "secp384r1",
    "secp521r1": "secp521r1",
    "secp256k1": "secp256k1",
}


class PKCS1v15:
    """RSA padding of old."""


class MGF1:
    def __init__(self, algorithm: HashAlgorithm) -> None:
        self.hash = node_name(algorithm)


class PSS:
    """RSA-PSS. `salt_length`: bytes, or one of the constants."""

    MAX_LENGTH, DIGEST_LENGTH, AUTO = "max", "digest", "auto"

    def __init__(self, mgf: MGF1, salt_length: int | str) -> None:
        self.mgf = mgf
        self.salt_length = salt_length


class OAEP:
    def __init__(self, mgf: MGF1, algorithm: HashAlgorithm, label: bytes | None) -> None:
        self.mgf = mgf
        self.hash = node_name(algorithm)
        self.label = label


class ECDSA:
    def __init__(self, algorithm: HashAlgorithm) -> None:
        self.hash = node_name(algorithm)


def _curve(kind: str, name: str, size: int) -> type:
    return type(kind, (), {"name": name, "key_size": size})


CURVE_KINDS = {
    kind: _curve(kind, kind.lower(), size)
    for kind, size in (("SECP256R1", 256), ("SECP384R1", 384), ("SECP521R1", 521), ("SECP256K1", 256))
}


def _rsa_how(padding: Any, algorithm: Any) -> dict[str, Any]:
    how: dict[str, Any] = {"hash": node_name(algorithm)}
    if isinstance(padding, PKCS1v15):
        return how
    if not isinstance(padding, PSS):
        raise TypeError("Expected PKCS1v15 or PSS padding.")
    how |= {"padding": "pss", "mgfHash": padding.mgf.hash}
    if isinstance(padding.salt_length, int):
        return how | {"salt": "length", "saltLength": padding.salt_length}
    return how | {"salt": padding.salt_length}


class HostKey:
    """Base of all keys. `key`: as the rest of the guest knows it."""

    def __init__(self, key: keys.Key) -> None:
        self.key = key

    @property
    def key_size(self) -> int | None:
        return self.key.key_size

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


class RSAPrivateKey(_Private):
    def sign(self, data: bytes, padding: Any, algorithm: Any) -> bytes:
        return self.key.sign(octets(data, "data"), **_rsa_how(padding, algorithm))

    def decrypt(self, ciphertext: bytes, padding: Any) -> bytes:
        """Raises ValueError when it cannot be."""
        return host.data(
            "decrypt", key=self.key.source, data=octets(ciphertext, "ciphertext"), **_sealing(padding)
        )


class RSAPublicKey(_Public):
    def verify(self, signature: bytes, data: bytes, padding: Any, algorithm: Any) -> None:
        """Raises InvalidSignature."""
        self._check(signature, data, _rsa_how(padding, algorithm))

    def encrypt(self, plaintext: bytes, padding: Any) -> bytes:
        return host.data(
            "encrypt", key=self.key.source, data=octets(plaintext, "plaintext"), **_sealing(padding)
        )


def _sealing(padding: Any) -> dict[str, Any]:
    if isinstance(padding, PKCS1v15):
        return {"padding": "pkcs1"}
    if not isinstance(padding, OAEP):
        raise TypeError("Expected OAEP or PKCS1v15 padding.")
    return {"padding": "oaep", "hash": padding.hash, "mgfHash": padding.mgf.hash, "label": padding.label}


class EllipticCurvePrivateKey(_Private):
    def sign(self, data: bytes, signature_algorithm: ECDSA) -> bytes:
        return self.key.sign(octets(data, "data"), hash=signature_algorithm.hash)

    def exchange(self, _algorithm: object, peer_public_key: HostKey) -> bytes:
        """ECDH."""
        return host.data("agree", key=self.key.source, publicKey=peer_public_key.key.source)


class EllipticCurvePublicKey(_Public):
    def verify(self, signature: bytes, data: bytes, signature_algorithm: ECDSA) -> None:
        """Raises InvalidSignature."""
        self._check(signature, data, {"hash": signature_algorithm.hash})


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
    name = CURVES.get(getattr(curve, "name", ""))
    if name is None:
        raise UnsupportedAlgorithm("This curve is not supported.")
    return EllipticCurvePrivateKey(keys.Key(host.compute("key.generate", type="ec", curve=name)["private"]))


class NoEncryption:
    passphrase = None


class BestAvailableEncryption:
    def __init__(self, password: bytes) -> None:
        self.passphrase = octets(password, "password")


class Encoding:
    PEM, DER, Raw = "pem", "der", "raw"


class PrivateFormat:
    PKCS8, TraditionalOpenSSL, Raw = "pkcs8", "traditional", "raw"


class PublicFormat:
    SubjectPublicKeyInfo, PKCS1, Raw = "spki", "pkcs1", "raw"


def load_pem_private_key(data: bytes, password: bytes | None, backend: object = None) -> Any:  # noqa: ARG001
    """Raises ValueError, TypeError for a password that is missing."""
    return _loaded(
        {"format": "pem", "data": octets(data, "data").decode("utf-8", "replace")}, password, private=True
    )


def load_der_private_key(data: bytes, password: bytes | None, backend: object = None) -> Any:  # noqa: ARG001
    text = base64.b64encode(octets(data, "data")).decode()
    return _loaded({"format": "der", "type": "pkcs8", "data": text}, password, private=True)


def load_pem_public_key(data: bytes, backend: object = None) -> Any:  # noqa: ARG001
    return _loaded(
        {"format": "pem", "data": octets(data, "data").decode("utf-8", "replace")}, None, private=False
    )


def load_der_public_key(data: bytes, backend: object = None) -> Any:  # noqa: ARG001
    text = base64.b64encode(octets(data, "data")).decode()
    return _loaded({"format": "der", "type": "spki", "data": text}, None, private=False)


def _loaded(source: dict[str, Any], password: bytes | None, *, private: bool) -> Any:
    if password is not None:
        source["passphrase"] = base64.b64encode(octets(password, "password")).decode()
    try:
        return wrapped(keys.load(source, private=private))
    except host.HostError as error:
        if error.code == "ERR_MISSING_PASSPHRASE":
            raise TypeError("Password was not given but private key is encrypted") from None
        raise ValueError(f"Could not deserialize key data: {error}") from None
