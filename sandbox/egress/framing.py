"""Strict framing of responses, checked on the wire before the HTTP library reads them (threat-model N5).

The library's parser forgives what servers once did: bare line feeds, blanks before a colon, folded headers.
Two parsers that forgive differently see different messages, so here all of that ends the connection
(RFC 9112 sections 2.2, 5 and 7.1).
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

import aiohttp
from aiohttp import http_exceptions
from aiohttp.client_proto import ResponseHandler

from sandbox.caps import KIB, MAX_FETCH_HEADER_BYTES, MIB

_MAX_LINE: Final = MAX_FETCH_HEADER_BYTES + KIB
"""Bytes of one line; the library's own cap on a header field is lower."""
_MAX_LINES: Final = 1 * MIB
"""Bytes of all lines of one response: a body in chunks of one byte each, or heads without end, would keep
the loop busy for as long as the request may take."""
_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?")
_FIELD: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_BODILESS: Final = frozenset({204, 304})


class FramingError(ValueError):
    """The bytes are no response that every parser reads alike."""


class Framing:
    """Follows one response through its bytes. Feed it all of them, in pieces of any size.

    Args:
        bodiless: the request was a HEAD.
    """

    def __init__(self, *, bodiless: bool) -> None:
        self._bodiless = bodiless
        self._expect = self._status_line
        self._line = bytearray()
        self._content = 0
        self._over = False
        self._room = _MAX_LINES
        self._status = 0
        self._chunkable = False
        self._chunked = False

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
            self._line += data[at:end]
            at = end
            if len(self._line) > min(_MAX_LINE, self._room):
                raise FramingError("a line is too long, or there are too many")
            if self._line.endswith(b"\n"):
                self._take(bytes(self._line))
                self._line.clear()

    def _take(self, line: bytes) -> None:
        self._room -= len(line)
        if not line.endswith(b"\r\n"):
            raise FramingError("a line ends in a bare line feed")
        self._expect(line[:-2])

    def _status_line(self, line: bytes) -> None:
        found = _STATUS.fullmatch(line)
        if found is None:
            raise FramingError("the status line is not valid")
        self._chunkable, self._status, self._chunked = found[1] == b"1", int(found[2]), False
        self._expect = self._field_or_end

    def _field_or_end(self, line: bytes) -> None:
        if line == b"":
            self._end_of_head()
            return
        name, value = _field(line)
        if name == b"content-length":
            if _LENGTH.fullmatch(value) is None:
                raise FramingError("the length is not a number")
        elif name == b"transfer-encoding":
            if value.lower() != b"chunked" or not self._chunkable:
                raise FramingError("the transfer coding is not known, or not of this version of HTTP")
            self._chunked = True

    def _end_of_head(self) -> None:
        if 100 <= self._status < 200 and self._status != 101:
            self._expect = self._status_line
        elif self._chunked and not self._bodiless and self._status not in _BODILESS:
            self._expect = self._chunk_size
        else:
            # The rest has no lines: it is counted by the library, or ends with the connection.
            self._over = True

    def _chunk_size(self, line: bytes) -> None:
        found = _CHUNK.fullmatch(line)
        if found is None:
            raise FramingError("a chunk's size is not valid")
        self._content = int(found[1], 16)
        self._expect = self._chunk_end if self._content else self._trailer

    def _chunk_end(self, line: bytes) -> None:
        if line != b"":
            raise FramingError("a chunk is longer than it says")
        self._expect = self._chunk_size

    def _trailer(self, line: bytes) -> None:
        if line == b"":
            self._over = True
        else:
            _field(line)


def _field(line: bytes) -> tuple[bytes, bytes]:
    found = _FIELD.fullmatch(line)
    if found is None:
        raise FramingError("a header is not valid")
    return found[1].lower(), found[2].strip(b" \t")


class _StrictParser:
    """The library's parser, fed only what `Framing` lets pass."""

    def __init__(self, parser: Any, framing: Framing) -> None:
        self._parser = parser
        self._framing = framing

    def feed_data(self, data: bytes) -> Any:
        try:
            self._framing.feed(data)
        except FramingError as error:
            raise http_exceptions.BadHttpMessage(str(error)) from error
        return self._parser.feed_data(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)


class _StrictHandler(ResponseHandler):
    """A connection of the client whose responses are framed strictly."""

    def set_response_params(self, *, skip_payload: bool = False, **options: Any) -> None:
        """Called by the library before each request; early bytes wait until the check is in place."""
        early, self._tail = self._tail, b""
        super().set_response_params(skip_payload=skip_payload, **options)
        self._parser = _StrictParser(self._parser, Framing(bodiless=skip_payload))  # type: ignore[assignment]
        if early:
            self.data_received(early)


class StrictConnector(aiohttp.TCPConnector):
    """Makes connections whose responses are framed strictly."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        loop = asyncio.get_running_loop()
        # The library has no public place for this; a test of bare line feeds would notice its loss.
        self._factory = lambda: _StrictHandler(loop=loop)  # type: ignore[assignment]
