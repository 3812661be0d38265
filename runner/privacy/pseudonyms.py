"""Pseudonyms of tokens and numbers: keyed (HMAC-SHA256), of the same length and letter case, one for each
value and key. Nobody can compute them, or try out guesses, without the tenant's key."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection
from typing import Final

_LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
_TWO_BYTES: Final = "àáâãäåæçèéêëìíîïðñòóôõöøùúûü"
_HEX: Final = re.compile(r"(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,}", re.IGNORECASE)
_TRIES: Final = 8
_LONG_DIGITS: Final = 4


class Keyed:
    """Bytes that only the holder of `key` can draw. `key`: of the tenant, at least 16 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("a key of pseudonyms has at least 16 bytes")
        self._key = key

    def stream(self, purpose: str, text: str, length: int) -> bytes:
        """`length` bytes; the same ones for the same purpose and text."""
        message = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return hashlib.shake_256(hmac.digest(self._key, message, "sha256")).digest(length)


class Words:
    """Pseudonyms of tokens.

    Letter case is left out of what is keyed and put back afterwards, so that what an Action turns into lower
    case is the pseudonym in lower case.

    Args:
        taken: words in lower case that no pseudonym may be, because they mean something.
    """

    def __init__(self, keyed: Keyed, taken: Collection[str]) -> None:
        self._keyed = keyed
        self._taken = taken

    def word(self, token: str) -> str:
        """The pseudonym of a token: letters for letters, digits for digits, as many bytes in UTF-8."""
        return self._drawn(token, lambda stream, hexadecimal: _letters(token, stream, hexadecimal))

    def digits(self, token: str, *, whole: bool) -> str:
        """The pseudonym of a number of ASCII digits. Its first digit stays, and with it how large it is,
        unless `whole` is to be hidden. A last digit of 0 is nowhere new: fractions would lose it."""
        kept = "" if whole or len(token) < _LONG_DIGITS else token[0]

        def made(stream: bytes, _: bool) -> str:
            new = [kept or _digit(stream[0], not token.startswith("0"))]
            new += [_digit(byte, False) for byte in stream[1:]]
            if len(new) > 1 and token[-1] != "0":
                new[-1] = _digit(stream[-1], True)
            return "".join(new)

        return self._drawn(token, made)

    def _drawn(self, token: str, made: object) -> str:
        assert callable(made)
        lower = token.lower()
        hexadecimal = _HEX.fullmatch(token) is not None
        new = token
        for turn in range(_TRIES):
            stream = self._keyed.stream(f"token {turn}", lower, len(token) * 2)
            new = made(stream[: len(token)] if token.isascii() else stream, hexadecimal)
            if new.lower() != lower and new.lower() not in self._taken:
                break
        return new


def _digit(byte: int, positive: bool) -> str:
    return str(byte % 9 + 1 if positive else byte % 10)


def _letters(token: str, stream: bytes, hexadecimal: bool) -> str:
    if token.isascii():
        letters = _LOWER[:6] if hexadecimal else _LOWER
        count = len(letters)
        return "".join(
            str(byte % 10)
            if char.isdigit()
            else letters[byte % count].upper()
            if char.isupper()
            else letters[byte % count]
            for char, byte in zip(token, stream, strict=False)
        )
    return "".join(
        _letter(char, int.from_bytes(stream[2 * at : 2 * at + 2])) for at, char in enumerate(token)
    )


def _letter(char: str, draw: int) -> str:
    """A character that takes as many bytes in UTF-8 and as many units in UTF-16."""
    point = ord(char)
    if point < 0x80:
        if char.isdigit():
            return str(draw % 10)
        new = _LOWER[draw % len(_LOWER)]
    elif point < 0x800:
        new = _TWO_BYTES[draw % len(_TWO_BYTES)]
    else:
        return chr((0x4E00 if point < 0x10000 else 0x20000) + draw % 20_000)
    return new.upper() if char.isupper() else new
