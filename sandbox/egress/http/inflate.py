"""Content codings of responses: one layer, inflated piece by piece, and counted on what comes out."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, Protocol

from sandbox.core.caps import KIB
from sandbox.egress.model import EgressError

_PIECE: Final = 64 * KIB


class Inflater(Protocol):
    """Takes wire bytes, gives content in pieces of bounded size."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def finish(self) -> None:
        """The wire bytes are over. Raises `EgressError` when the coding is not."""
        ...


def make_inflater(codings: str) -> Inflater:
    """For the value of `Content-Encoding`. Raises `EgressError` for a coding that we do not ask for, and
    for more than one: what is coded twice is a bomb (threat-model M3)."""
    names = [name.strip().lower() for name in codings.split(",") if name.strip()]
    names = [name for name in names if name != "identity"]
    if not names:
        return _Identity()
    if len(names) > 1:
        raise EgressError("encoding", "The response is coded more than once.")
    if names[0] in ("gzip", "x-gzip"):
        return _Zlib(16 + zlib.MAX_WBITS)
    if names[0] == "deflate":
        return _Deflate()
    raise EgressError("encoding", f"The response has the coding {names[0][:32]!r}, which was not asked for.")


class _Identity:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None:
        return None


class _Zlib:
    """gzip (of any number of members), zlib or raw deflate. Bytes after the coded data are left out, as
    browsers do."""

    def __init__(self, window_bits: int) -> None:
        self._window_bits = window_bits
        self._engine = zlib.decompressobj(window_bits)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._begun = self._begun or bool(data)
        more = bool(data)
        while more:
            if self._engine.eof and not self._next_member(data):
                return
            try:
                piece = self._engine.decompress(data, _PIECE)
            except zlib.error as error:
                raise EgressError("encoding", "The response's compressed body is damaged.") from error
            data = self._engine.unused_data or self._engine.unconsumed_tail
            # A full piece may leave output behind even when all input was taken.
            more = bool(data) or (len(piece) == _PIECE and not self._engine.eof)
            if piece:
                yield piece

    def finish(self) -> None:
        if self._begun and not self._engine.eof:
            raise EgressError("encoding", "The response's compressed body ends too early.")

    def _next_member(self, data: bytes) -> bool:
        if self._window_bits <= zlib.MAX_WBITS or data[:1] != b"\x1f":
            return False
        self._engine = zlib.decompressobj(self._window_bits)
        return True


class _Deflate:
    """zlib as the standard says, or raw deflate as some servers send: the first byte tells."""

    def __init__(self) -> None:
        self._inner: _Zlib | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inner is None and data:
            is_zlib = data[0] & 0x0F == 8
            self._inner = _Zlib(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        return self._inner.feed(data) if self._inner is not None else iter(())

    def finish(self) -> None:
        if self._inner is not None:
            self._inner.finish()
