"""JSON that crosses the host port: bounded before it is parsed, and safe to encode afterwards.

Python's parser takes more than JSON (NaN, Infinity), overflows floats silently, raises `RecursionError` on
nesting and `ValueError` on long integers (threat-model M6). Here all of that is one typed refusal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, Never

from sandbox.core.caps import MAX_INTEGER_DIGITS, MAX_JSON_DEPTH
from sandbox.core.program import JsonValue

_PIECE: Final = 64 * 1024
_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
"""A string, whose brackets do not count, or a bracket."""
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class JsonRefusedError(ValueError):
    """Text from a guest is not JSON that the host takes.

    Attributes:
        reason: `size`, `depth`, `number` or `syntax`.
        message: a clause that reads after "the arguments ...".
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def parse(text: str, *, max_bytes: int, max_depth: int = MAX_JSON_DEPTH) -> JsonValue:
    """The value that `text` stands for. Lone surrogates become U+FFFD, in keys too; of equal keys
    the last one counts.

    Raises:
        JsonRefusedError: more than `max_bytes` of UTF-8, nested deeper than `max_depth`, a number
            that a double cannot hold, or no JSON.
    """
    if len(text) > max_bytes or utf8_length(text) > max_bytes:
        raise JsonRefusedError("size", f"take more than {max_bytes} bytes of JSON")
    if text.count("[") + text.count("{") > max_depth and depth(text, max_depth) > max_depth:
        raise JsonRefusedError("depth", f"are nested deeper than {max_depth} levels")
    try:
        value = _DECODER.decode(text)
    except JsonRefusedError:
        raise
    except (ValueError, RecursionError, MemoryError) as error:
        raise JsonRefusedError("syntax", "are not valid JSON") from error
    if not text.isascii() or _SURROGATE_ESCAPE.search(text):
        return _encodable(value)
    return value


def encode(value: JsonValue) -> str:
    """Compact ASCII JSON, so that no value can fail to encode further on.

    Raises:
        ValueError, TypeError, RecursionError: `value` is not JSON (NaN, sets, cycles).
    """
    return _ENCODER.encode(value)


def depth(text: str, stop_above: int) -> int:
    """Deepest nesting of brackets outside strings, counted up to one above `stop_above`."""
    level = deepest = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if first in "[{":
            level += 1
            deepest = max(deepest, level)
            if deepest > stop_above:
                break
        elif first != '"':
            level -= 1
    return deepest


def utf8_length(text: str) -> int:
    """Bytes of `text` in UTF-8; a lone surrogate counts as the three bytes of its replacement."""
    return len(text) if text.isascii() else sum(len(piece) for piece in utf8_pieces(text))


def utf8_pieces(text: str) -> Iterator[bytes]:
    """`text` in UTF-8, lone surrogates kept as they are, piece by piece: texts of a guest may be as
    large as its memory, and a copy on the host is not under the guest's limit (threat-model M2)."""
    for at in range(0, len(text), _PIECE):
        yield text[at : at + _PIECE].encode("utf-8", "surrogatepass")


def well_formed(text: str) -> str:
    """`text` with every lone surrogate replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def cut(text: str, max_bytes: int) -> tuple[str, int]:
    """The longest start of well-formed `text` within `max_bytes` of UTF-8, and the bytes left out."""
    if text.isascii():
        return text[:max_bytes], max(0, len(text) - max_bytes)
    raw = text.encode()
    if len(raw) <= max_bytes:
        return text, 0
    kept = raw[:max_bytes].decode("utf-8", "ignore")
    return kept, len(raw) - len(kept.encode())


def _encodable(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {well_formed(key): _encodable(item) for key, item in value.items()}
    return value


def _integer(digits: str) -> int:
    if len(digits) > MAX_INTEGER_DIGITS:
        raise JsonRefusedError("number", f"hold an integer of more than {MAX_INTEGER_DIGITS} digits")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise JsonRefusedError("number", "hold a number that is too large")
    return value


def _constant(name: str) -> Never:
    raise JsonRefusedError("number", f"hold {name}, which JSON does not have")


_DECODER: Final = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))
