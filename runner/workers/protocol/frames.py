"""Frames between parent and worker: a head of JSON and a body of bytes, with their lengths before them.

Never pickle: what a worker sends is read like network input (decision 20, threat-model B3).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from runner.model.caps import MAX_CALL_BYTES, MAX_FRAME_BODY_BYTES, MAX_FRAME_HEAD_BYTES

_LENGTHS: Final = struct.Struct("<II")


class FrameError(Exception):
    """The other side breaks the protocol; nothing more of it is read."""


class UnsendableError(Exception):
    """A message that the other side would refuse. What it was about fails alone, here, where that is known;
    sent, it would cost everybody else this worker."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of one direction, for its reader and its writer. Bytes of either part."""

    head: int
    body: int


TO_PARENT: Final = Bounds(MAX_FRAME_HEAD_BYTES, MAX_FRAME_BODY_BYTES)
TO_WORKER: Final = Bounds(MAX_CALL_BYTES, MAX_CALL_BYTES)


def encode(head: Mapping[str, Any], body: bytes = b"", bounds: Bounds = TO_WORKER) -> bytes:
    """One frame. Characters that UTF-8 cannot hold travel as JSON escapes. Raises `UnsendableError`."""
    return framed(json.dumps(head, separators=(",", ":")).encode("ascii"), body, bounds)


def framed(head: bytes, body: bytes, bounds: Bounds) -> bytes:
    """The frame with this head. Raises `UnsendableError`."""
    for name, part, most in (("head", head, bounds.head), ("body", body, bounds.body)):
        if len(part) > most:
            raise UnsendableError(f"a {name} of {len(part)} bytes, where {most} are read")
    return _LENGTHS.pack(len(head), len(body)) + head + body


class Decoder:
    """Cuts a stream of bytes into frames; a length above one of `bounds` is refused before anything is
    kept."""

    def __init__(self, bounds: Bounds = TO_PARENT) -> None:
        self._bounds = bounds
        self._kept = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Head and body of every frame that `data` completes. Raises `FrameError`."""
        kept = self._kept
        kept += data
        at = 0
        try:
            while len(kept) - at >= _LENGTHS.size:
                head, body = _LENGTHS.unpack_from(kept, at)
                if head > self._bounds.head or body > self._bounds.body:
                    raise FrameError(f"a frame of {head} and {body} bytes is too large")
                begin = at + _LENGTHS.size
                end = begin + head + body
                if len(kept) < end:
                    break
                found = bytes(kept[begin : begin + head]), bytes(kept[begin + head : end])
                at = end
                yield found
        finally:
            del kept[:at]
