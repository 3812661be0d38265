"""Lines, header fields and chunks, framed strictly, for requests and for responses
(RFC 9112 sections 2.2, 5 and 7.1).

Parsers forgive what peers once did: bare line feeds, blanks before a colon, folded headers. Two parsers that
forgive differently see different messages, so a subclass follows the bytes first, and nothing is forgiven.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sandbox.core.caps import KIB, MAX_FETCH_HEADER_BYTES, MIB

_MAX_LINE: Final = MAX_FETCH_HEADER_BYTES + KIB
"""Bytes of one line; the caps of the libraries on a header field are lower."""
_MAX_LINES: Final = 1 * MIB
"""Bytes of all lines of one message: a body in chunks of one byte each, or heads without end, would keep the
loop busy for as long as the exchange may take."""
_FIELD: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")


class FramingError(ValueError):
    """The bytes are no message that every parser reads alike.

    Attributes:
        at: offset of the bad line in the bytes that were fed last.
    """

    at = 0


class ContentTooLargeError(FramingError):
    """A chunk would take the content over its cap."""


class Lines:
    """Follows messages through their bytes. Feed it all of them, in pieces of any size.

    Args:
        expect: takes the first line, without its end.
        most_content: bytes that chunks may announce together.
    """

    def __init__(self, expect: Callable[[bytes], None], most_content: int) -> None:
        self._expect = expect
        self._most_content = most_content
        self._line = bytearray()
        self._content = 0
        self._over = False
        self._begin_message()

    def _begin_message(self) -> None:
        self._room = _MAX_LINES
        self._announced = 0

    def feed(self, data: bytes) -> None:
        """Look at further bytes. Raises `FramingError`."""
        at = 0
        while at < len(data) and not self._over:
            if self._content:
                step = min(self._content, len(data) - at)
                self._content -= step
                at += step
                continue
            end = data.find(b"\n", at) + 1 or len(data)
            try:
                self._add(data[at:end])
            except FramingError as error:
                error.at = at
                raise
            at = end

    def _add(self, part: bytes) -> None:
        self._line += part
        if len(self._line) > min(_MAX_LINE, self._room):
            raise FramingError("a line is too long, or there are too many")
        if not self._line.endswith(b"\n"):
            return
        line = bytes(self._line)
        self._line.clear()
        self._room -= len(line)
        if not line.endswith(b"\r\n"):
            raise FramingError("a line ends in a bare line feed")
        self._expect(line[:-2])

    def _after_chunks(self) -> None:
        """The message has ended with its last chunk."""
        raise NotImplementedError

    def _chunk_size(self, line: bytes) -> None:
        found = _CHUNK.fullmatch(line)
        if found is None:
            raise FramingError("a chunk's size is not valid")
        self._content = int(found[1], 16)
        self._announced += self._content
        if self._announced > self._most_content:
            raise ContentTooLargeError(f"The chunks announce more than {self._most_content} bytes.")
        self._expect = self._chunk_end if self._content else self._trailer

    def _chunk_end(self, line: bytes) -> None:
        if line != b"":
            raise FramingError("a chunk is longer than it says")
        self._expect = self._chunk_size

    def _trailer(self, line: bytes) -> None:
        if line == b"":
            self._after_chunks()
        else:
            read_field(line)


def read_field(line: bytes) -> tuple[bytes, bytes]:
    """Name, in lower case, and value of a header. Raises `FramingError`."""
    found = _FIELD.fullmatch(line)
    if found is None:
        raise FramingError("a header is not valid")
    return found[1].lower(), found[2].strip(b" \t")


def read_length(value: bytes) -> int:
    """A Content-Length. Raises `FramingError`."""
    if _LENGTH.fullmatch(value) is None:
        raise FramingError("the length is not a number")
    return int(value)
