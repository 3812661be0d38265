"""Computations that the guest leaves to the host because they are slow in an interpreter.

Each is a function of its arguments alone, so none appears in the journal.
"""

from __future__ import annotations

import codecs
from typing import Final

from sandbox.hostcrypto.digests import pure_digest as digest

__all__ = ["decode", "digest"]

_HOLES: Final = b"\x81\x8d\x8f\x90\x9d"
_WINDOWS_1252: Final = {n: bytes([n]).decode("cp1252") for n in range(0x80, 0xA0) if n not in _HOLES}
"""Where windows-1252 differs from latin1; the standard leaves its five holes as they are in latin1."""


def decode(encoding: str, data: bytes, *, fatal: bool) -> str | None:
    """`data` as text; None when it is malformed and `fatal`, or the encoding is not offered.

    Malformed sequences become U+FFFD in the way of the Encoding Standard, which is CPython's.
    """
    if encoding not in ("utf-8", "utf-16le", "utf-16be", "latin1", "windows-1252"):
        return None
    if encoding == "windows-1252":
        return data.decode("latin1").translate(_WINDOWS_1252)
    try:
        return codecs.decode(data, encoding, "strict" if fatal else "replace")
    except UnicodeDecodeError:
        return None
