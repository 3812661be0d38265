"""Looks into encrypted keys before they are decrypted: how much work they ask for is up to the guest."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from sandbox.core.caps import MAX_PBKDF2_WORK, MAX_SCRYPT_BYTES, MAX_SCRYPT_WORK
from sandbox.hostcrypto.errors import out_of_range, unreadable_key

_INTEGER, _SEQUENCE, _OID = 0x02, 0x30, 0x06
_SCRYPT: Final = bytes.fromhex("2b06010401da47040b")
"""1.3.6.1.4.1.11591.4.11"""
_DEEPEST: Final = 8
_BLOCK: Final = re.compile(
    r"-----BEGIN ENCRYPTED PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END ENCRYPTED PRIVATE KEY-----"
)


def check_work(data: bytes, *, pem: bool) -> None:
    """Refuse an encrypted key whose derivation costs more than the host takes.

    Raises:
        CryptoError: it asks for too many rounds or too much memory.
    """
    if not pem:
        _check(data)
        return
    for block in _BLOCK.finditer(data.decode("latin1")):
        try:
            content = base64.b64decode(re.sub(r"\s", "", block[1]))
        except (binascii.Error, ValueError):
            raise unreadable_key() from None
        _check(content)


def _check(data: bytes) -> None:
    """`data`: SEQUENCE { SEQUENCE { algorithm and its parameters }, OCTET STRING }."""
    outer = next(_elements(data), None)
    header = None if outer is None or outer[0] != _SEQUENCE else next(_elements(outer[1]), None)
    if header is None:
        raise unreadable_key()
    if header[0] != _SEQUENCE:
        return  # not encrypted
    oids: list[bytes] = []
    numbers: list[int] = []
    _collect(header[1], oids, numbers, 0)
    if _SCRYPT in oids:
        _check_scrypt(numbers)
    elif any(number > MAX_PBKDF2_WORK for number in numbers):
        raise out_of_range(f"The key asks for more than {MAX_PBKDF2_WORK} rounds of derivation")


def _check_scrypt(numbers: list[int]) -> None:
    cost, size, parallel = (*numbers, 1, 1, 1)[:3]
    if 128 * cost * size > MAX_SCRYPT_BYTES or cost * size * parallel > MAX_SCRYPT_WORK:
        raise out_of_range("The key asks for more scrypt memory or work than the host gives")


def _collect(data: bytes, oids: list[bytes], numbers: list[int], depth: int) -> None:
    for tag, content in _elements(data):
        if tag == _OID:
            oids.append(content)
        elif tag == _INTEGER:
            numbers.append(abs(int.from_bytes(content, "big", signed=True)))
        elif tag == _SEQUENCE and depth < _DEEPEST:
            _collect(content, oids, numbers, depth + 1)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of DER content. Raises `CryptoError` at the first that does not fit, BER's
    indefinite lengths included, so that nothing hides from the check."""
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise unreadable_key()
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            if not 0 < size <= 4:
                raise unreadable_key()
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise unreadable_key()
        yield tag, data[at : at + length]
        at += length
