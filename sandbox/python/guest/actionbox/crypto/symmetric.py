"""`AESGCM`, `ChaCha20Poly1305` and `Fernet`: encryption that also notices any change."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Iterable

from actionbox import host, wire

from .common import InvalidTag, InvalidToken, octets

_TAG = 16


class _Sealed:
    """Base of both AEAD ciphers."""

    _mode = ""
    _sizes: tuple[int, ...] = ()
    _sizes_text = ""

    def __init__(self, key: bytes) -> None:
        self._key = octets(key, "key")
        if len(self._key) not in self._sizes:
            raise ValueError(self._sizes_text)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The ciphertext with its tag. A nonce must never be used twice with one key."""
        answer = self._cipher(nonce, data, associated_data, encrypt=True, tag=None)
        return base64.b64decode(answer["data"]) + base64.b64decode(answer["tag"])

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The plaintext. Raises InvalidTag."""
        sealed = octets(data, "data")
        if len(sealed) < _TAG:
            raise InvalidTag
        try:
            answer = self._cipher(nonce, sealed[:-_TAG], associated_data, encrypt=False, tag=sealed[-_TAG:])
        except host.HostError as error:
            if "unable to authenticate" in str(error):
                raise InvalidTag from None
            raise
        return base64.b64decode(answer["data"])

    def _cipher(
        self, nonce: bytes, data: bytes, extra: bytes | None, *, encrypt: bool, tag: bytes | None
    ) -> dict[str, str]:
        iv = octets(nonce, "nonce")
        self._check_nonce(iv)
        answer: dict[str, str] = host.compute(
            "cipher",
            mode=self._mode,
            encrypt=encrypt,
            key=self._key,
            iv=iv,
            data=octets(data, "data"),
            aad=None if extra is None else octets(extra, "associated_data"),
            tag=tag,
            final=True,
        )
        return answer

    def _check_nonce(self, iv: bytes) -> None:
        raise NotImplementedError


class AESGCM(_Sealed):
    """AES in Galois/Counter mode, with a key of 16, 24 or 32 bytes."""

    _mode = "gcm"
    _sizes = (16, 24, 32)
    _sizes_text = "AESGCM key must be 128, 192, or 256 bits."

    @staticmethod
    def generate_key(bit_length: int) -> bytes:
        if bit_length not in (128, 192, 256):
            raise ValueError("bit_length must be 128, 192, or 256")
        return wire.urandom(bit_length // 8)

    def _check_nonce(self, iv: bytes) -> None:
        if not 8 <= len(iv) <= 128:
            raise ValueError("Nonce must be between 8 and 128 bytes")


class ChaCha20Poly1305(_Sealed):
    """RFC 8439, with a key of 32 bytes and a nonce of 12."""

    _mode = "chacha20-poly1305"
    _sizes = (32,)
    _sizes_text = "ChaCha20Poly1305 key must be 32 bytes."

    @staticmethod
    def generate_key() -> bytes:
        return wire.urandom(32)

    def _check_nonce(self, iv: bytes) -> None:
        if len(iv) != 12:
            raise ValueError("Nonce must be 12 bytes")


class Fernet:
    """Tokens with a time stamp: AES-128-CBC and HMAC-SHA256 (the Fernet specification, version 0x80)."""

    def __init__(self, key: bytes | str) -> None:
        try:
            raw = base64.urlsafe_b64decode(key)
        except binascii.Error:
            raw = b""
        if len(raw) != 32:
            raise ValueError("Fernet key must be 32 url-safe base64-encoded bytes.")
        self._signing, self._encryption = raw[:16], raw[16:]

    @staticmethod
    def generate_key() -> bytes:
        return base64.urlsafe_b64encode(wire.urandom(32))

    def encrypt(self, data: bytes) -> bytes:
        return self.encrypt_at_time(data, int(time.time()))

    def encrypt_at_time(self, data: bytes, current_time: int) -> bytes:
        iv = wire.urandom(16)
        body = b"\x80" + current_time.to_bytes(8) + iv + self._cbc(iv, octets(data, "data"), encrypt=True)
        return base64.urlsafe_b64encode(body + self._mac(body))

    def decrypt(self, token: bytes | str, ttl: int | None = None) -> bytes:
        """The data of a token that is no older than `ttl` seconds. Raises InvalidToken."""
        return self._opened(token, None if ttl is None else (ttl, int(time.time())))

    def decrypt_at_time(self, token: bytes | str, ttl: int, current_time: int) -> bytes:
        return self._opened(token, (ttl, current_time))

    def extract_timestamp(self, token: bytes | str) -> int:
        return self._verified(token)[0]

    def _opened(self, token: bytes | str, until: tuple[int, int] | None) -> bytes:
        made_at, raw = self._verified(token)
        if until is not None and (made_at + until[0] < until[1] or until[1] + 60 < made_at):
            raise InvalidToken
        try:
            return self._cbc(raw[9:25], raw[25:-32], encrypt=False)
        except host.HostError:
            raise InvalidToken from None

    def _verified(self, token: bytes | str) -> tuple[int, bytes]:
        """Its time, and its bytes."""
        if not isinstance(token, (bytes, str)):
            raise TypeError("token must be bytes or str")
        try:
            raw = base64.urlsafe_b64decode(token)
        except (TypeError, ValueError):
            raise InvalidToken from None
        if len(raw) < 57 or raw[0] != 0x80 or not hmac.compare_digest(raw[-32:], self._mac(raw[:-32])):
            raise InvalidToken
        return int.from_bytes(raw[1:9]), raw

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._signing, body, hashlib.sha256)

    def _cbc(self, iv: bytes, data: bytes, *, encrypt: bool) -> bytes:
        return host.data(
            "cipher", mode="cbc", encrypt=encrypt, key=self._encryption, iv=iv, data=data, final=True
        )


class MultiFernet:
    """Several keys: the first encrypts, any of them decrypts."""

    def __init__(self, fernets: Iterable[Fernet]) -> None:
        self._fernets = list(fernets)
        if not self._fernets:
            raise ValueError("MultiFernet requires at least one Fernet instance")

    def encrypt(self, msg: bytes) -> bytes:
        return self._fernets[0].encrypt(msg)

    def decrypt(self, msg: bytes | str, ttl: int | None = None) -> bytes:
        for fernet in self._fernets:
            try:
                return fernet.decrypt(msg, ttl)
            except InvalidToken:
                continue
        raise InvalidToken

    def rotate(self, msg: bytes | str) -> bytes:
        """The same data under the first key, with the time it had."""
        for fernet in self._fernets:
            try:
                return self._fernets[0].encrypt_at_time(fernet.decrypt(msg), fernet.extract_timestamp(msg))
            except InvalidToken:
                continue
        raise InvalidToken
