"""Text from tenants, made safe to show: no control sequences, no marks that reorder a line."""

from __future__ import annotations

import re
from typing import Any, Final

_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for tab and line feed
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # bidi marks, invisible
    "\ud800-\udfff"  # lone surrogates, which no terminal encoding has
    "\U000e0000-\U000e007f]"  # tags
)
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    """`text` with every character that could steer a terminal written as an escape (threat-model K6)."""
    return _UNSAFE.sub(_escape, text)


def one_line(text: str, limit: int = 0) -> str:
    """`printable` on one line; cut after `limit` characters with an ellipsis when a limit is given."""
    line = printable(text).replace("\n", "\\n").replace("\t", " ")
    return line if not limit or len(line) <= limit else line[: limit - 1] + "…"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def without_surrogates(value: Any) -> Any:
    """A JSON value with each lone surrogate replaced by U+FFFD: such text has no UTF-8 form."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_surrogates(item) for item in value]
    return value
