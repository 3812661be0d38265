"""How parent and worker talk: a head of JSON and a body of bytes, with their lengths before them.

Never pickle: what a worker sends is read like network input (decision 20, threat-model B3).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final

from runner.caps import MAX_FRAME_BODY_BYTES, MAX_FRAME_HEAD_BYTES

_LENGTHS: Final = struct.Struct("<II")


class FrameError(Exception):
    """The other side breaks the protocol; nothing more of it is read."""


def encode(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """One frame. Characters that UTF-8 cannot hold travel as JSON escapes."""
    text = json.dumps(head, separators=(",", ":")).encode("ascii")
    return _LENGTHS.pack(len(text), len(body)) + text + body


class Decoder:
    """Cuts a stream of bytes into frames.

    Args:
        head_bytes, body_bytes: caps; a length above one is refused before anything is kept.
    """

    def __init__(
        self, head_bytes: int = MAX_FRAME_HEAD_BYTES, body_bytes: int = MAX_FRAME_BODY_BYTES
    ) -> None:
        self._head_bytes = head_bytes
        self._body_bytes = body_bytes
        self._kept = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Head and body of every frame that `data` completes. Raises `FrameError`."""
        kept = self._kept
        kept += data
        at = 0
        try:
            while len(kept) - at >= _LENGTHS.size:
                head, body = _LENGTHS.unpack_from(kept, at)
                if head > self._head_bytes or body > self._body_bytes:
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
