"""Reads the arguments of one operation: every value is checked for kind and size when it is taken."""

from __future__ import annotations

import binascii
from collections.abc import Container
from typing import Any

from sandbox.hostcrypto.errors import invalid_argument, out_of_range


class Arguments:
    """A JSON object from a guest. Each method raises `CryptoError` when its value does not fit."""

    def __init__(self, values: Any) -> None:
        if not isinstance(values, dict):
            raise invalid_argument("the arguments must be an object")
        self._values: dict[str, Any] = values

    def has(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str, max_length: int = 64) -> str:
        value = self._values.get(name)
        if not isinstance(value, str):
            raise invalid_argument(f"'{name}' must be a string")
        if len(value) > max_length:
            raise out_of_range(f"'{name}' is longer than {max_length} characters")
        return value

    def choice(self, name: str, allowed: Container[str]) -> str:
        value = self.text(name)
        if value not in allowed:
            raise invalid_argument(f"'{name}' cannot be {value!r}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise invalid_argument(f"'{name}' must be true or false")
        return value

    def whole(self, name: str, low: int, high: int) -> int:
        value = self._values.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise invalid_argument(f"'{name}' must be a whole number")
        if not low <= value <= high:
            raise out_of_range(f"'{name}' must be from {low} to {high}, not {value}")
        return value

    def octets(self, name: str, max_bytes: int | None = None) -> bytes:
        """Bytes that cross as base64; the size of all arguments bounds them when nothing else does."""
        value = self._values.get(name)
        if not isinstance(value, str):
            raise invalid_argument(f"'{name}' must be bytes")
        try:
            decoded = binascii.a2b_base64(value, strict_mode=True)
        except (binascii.Error, ValueError):
            raise invalid_argument(f"'{name}' must be bytes") from None
        if max_bytes is not None and len(decoded) > max_bytes:
            raise out_of_range(f"'{name}' is longer than {max_bytes} bytes")
        return decoded

    def optional_octets(self, name: str, max_bytes: int | None = None) -> bytes | None:
        return self.octets(name, max_bytes) if self.has(name) else None

    def inner(self, name: str) -> Arguments:
        """A nested object."""
        value = self._values.get(name)
        if not isinstance(value, dict):
            raise invalid_argument(f"'{name}' must be an object")
        return Arguments(value)


def base64_text(data: bytes) -> str:
    """Bytes as they cross to the guest."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")
