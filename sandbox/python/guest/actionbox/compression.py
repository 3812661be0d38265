"""`zlib` and `gzip` in one call each: the image has no zlib, the host does it."""

import base64
import binascii
from typing import Any

from . import host

DEFLATED = 8
MAX_WBITS = 15
Z_NO_COMPRESSION, Z_BEST_SPEED, Z_BEST_COMPRESSION, Z_DEFAULT_COMPRESSION = 0, 1, 9, -1


class error(Exception):  # noqa: N801, N818 - zlib's name
    """Data cannot be inflated."""


class BadGzipFile(OSError):  # noqa: N818 - gzip's name
    """Data are no gzip file."""


def compress(data: bytes, /, level: int = -1, wbits: int = MAX_WBITS) -> bytes:
    """`zlib.compress`."""
    return _deflated(bytes(data), _form(wbits), level)


def decompress(data: bytes, /, wbits: int = MAX_WBITS, bufsize: int = 0) -> bytes:  # noqa: ARG001
    """`zlib.decompress`. Raises `zlib.error`; ValueError over the host's cap."""
    given = bytes(data)
    form = _form(wbits)
    if wbits >= 32:
        form = "gzip" if given[:2] == b"\x1f\x8b" else "zlib"
    return _inflated(given, form)[0]


def gzip_compress(data: bytes, compresslevel: int = 9, *, mtime: float | None = None) -> bytes:  # noqa: ARG001
    """`gzip.compress`; the time in the header is left out, so that equal data give equal bytes."""
    return _deflated(bytes(data), "gzip", compresslevel)


def gzip_decompress(data: bytes) -> bytes:
    """`gzip.decompress`, of all members. Raises BadGzipFile, EOFError."""
    rest, made = bytes(data), []
    while rest := rest.lstrip(b"\x00"):
        if rest[:2] != b"\x1f\x8b":
            raise BadGzipFile(f"Not a gzipped file ({rest[:2]!r})")
        try:
            part, rest = _inflated(rest, "gzip")
        except error as problem:
            if "incomplete" in str(problem):
                raise EOFError("Compressed file ended before the end-of-stream marker was reached") from None
            raise BadGzipFile(str(problem)) from None
        made.append(part)
    return b"".join(made)


def adler32(data: bytes, value: int = 1, /) -> int:
    """`zlib.adler32`."""
    low, high = value & 0xFFFF, value >> 16 & 0xFFFF
    for byte in bytes(data):
        low = (low + byte) % 65521
        high = (high + low) % 65521
    return high << 16 | low


crc32 = binascii.crc32


def _form(wbits: int) -> str:
    if wbits < 0:
        return "raw"
    return "gzip" if 16 < wbits < 32 else "zlib"


def _deflated(data: bytes, form: str, level: int) -> bytes:
    if not -1 <= level <= 9:
        raise error("Bad compression level")
    return host.data("deflate", data=data, form=form, level=None if level < 0 else level)


def _inflated(data: bytes, form: str) -> tuple[bytes, bytes]:
    try:
        answer: dict[str, Any] = host.compute("inflate", data=data, form=form)
    except host.HostError as problem:
        if problem.code in ("Z_DATA_ERROR", "Z_BUF_ERROR"):
            raise error(str(problem)) from None
        raise
    return base64.b64decode(answer["data"]), base64.b64decode(answer["rest"])
