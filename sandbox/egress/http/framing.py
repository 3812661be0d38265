"""Strict framing of responses, checked on the wire before the HTTP library reads them (threat-model N5)."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

import aiohttp
from aiohttp import http_exceptions
from aiohttp.client_proto import ResponseHandler

from sandbox.egress.http.lines import ContentTooLargeError, FramingError, Lines, read_field, read_length
from sandbox.egress.model import EgressError

_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?")
_BODILESS: Final = frozenset({204, 304})


class Framing(Lines):
    """Follows one response through its bytes.

    Args:
        bodiless: the request was a HEAD.
        most_content: bytes that the chunks of a body may announce together.
    """

    def __init__(self, *, bodiless: bool, most_content: int) -> None:
        super().__init__(self._status_line, most_content)
        self._bodiless = bodiless
        self._status = 0
        self._chunkable = False
        self._chunked = False

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
        name, value = read_field(line)
        if name == b"content-length":
            read_length(value)
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

    def _after_chunks(self) -> None:
        self._over = True


class _StrictParser:
    """The library's parser, fed only what `Framing` lets pass."""

    def __init__(self, parser: Any, framing: Framing) -> None:
        self._parser = parser
        self._framing = framing
        self._refused: Exception | None = None

    def feed_data(self, data: bytes) -> Any:
        try:
            self._framing.feed(data)
        except FramingError as error:
            self._refused = http_exceptions.BadHttpMessage(str(error))
            raise self._refused from _reason(error)
        return self._parser.feed_data(data)

    def feed_eof(self) -> Any:
        """Called by the library when the connection is gone; who reads the body is told what this raises."""
        if self._refused is not None:
            raise self._refused
        return self._parser.feed_eof()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)


def _reason(error: FramingError) -> Exception:
    return EgressError("too-large", str(error)) if isinstance(error, ContentTooLargeError) else error


class _StrictHandler(ResponseHandler):
    """A connection of the client whose responses are framed strictly."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most_content: int) -> None:
        super().__init__(loop=loop)
        self._most_content = most_content

    def set_response_params(self, *, skip_payload: bool = False, **options: Any) -> None:
        """Called by the library before each request; early bytes wait until the check is in place."""
        early, self._tail = self._tail, b""
        super().set_response_params(skip_payload=skip_payload, **options)
        framing = Framing(bodiless=skip_payload, most_content=self._most_content)
        self._parser = _StrictParser(self._parser, framing)  # type: ignore[assignment]
        if early:
            self.data_received(early)


class StrictConnector(aiohttp.TCPConnector):
    """Makes connections whose responses are framed strictly.

    Args:
        most_content: bytes that the chunks of a body may announce together.
    """

    def __init__(self, *, most_content: int, **options: Any) -> None:
        super().__init__(**options)
        loop = asyncio.get_running_loop()
        # The library has no public place for this; a test of bare line feeds would notice its loss.
        self._factory = lambda: _StrictHandler(loop, most_content)  # type: ignore[assignment]
