"""Strict framing of requests, checked on the wire before the HTTP library reads them (threat-model P6).

What stands between a client and the service may read a request another way than the service does, and hide a
second one in the first. So only what every parser reads alike passes: HTTP/1.0 and 1.1, lines that end in
CRLF, one length or one coding and never both (RFC 9112 sections 3, 5, 6 and 11.2).
"""

from __future__ import annotations

import re
from typing import Final

from sandbox.egress.http.lines import FramingError, Lines, read_field, read_length

_REQUEST: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e]+ HTTP/1\.([01])")
_KNOWN: Final = re.compile(rb"HTTP/1\.[01]")
_FRAMING_FIELDS: Final = frozenset({b"content-length", b"transfer-encoding"})


class RequestFraming(Lines):
    """Follows the requests of one connection through their bytes.

    Args:
        most_content: bytes that the chunks of one body may announce together.
    """

    def __init__(self, most_content: int) -> None:
        super().__init__(self._request_line, most_content)

    @property
    def between(self) -> bool:
        """Whether the next byte begins a request."""
        return self._expect == self._request_line and not self._content and not self._line

    def _request_line(self, line: bytes) -> None:
        found = _REQUEST.fullmatch(line)
        if found is None:
            version = line.rpartition(b" ")[2]
            if version.startswith(b"HTTP/") and _KNOWN.fullmatch(version) is None:
                raise FramingError("only HTTP/1.0 and HTTP/1.1 are spoken here")
            raise FramingError("the request line is not valid")
        self._chunkable = found[1] == b"1"
        self._length: int | None = None
        self._chunked = False
        self._expect = self._field_or_end

    def _field_or_end(self, line: bytes) -> None:
        if line == b"":
            self._end_of_head()
            return
        name, value = read_field(line)
        if name not in _FRAMING_FIELDS:
            return
        if self._chunked or self._length is not None:
            raise FramingError("Content-Length and Transfer-Encoding may be there once, and not both")
        if name == b"content-length":
            self._length = read_length(value)
        elif value.lower() != b"chunked" or not self._chunkable:
            raise FramingError("the transfer coding is not known, or not of this version of HTTP")
        else:
            self._chunked = True

    def _end_of_head(self) -> None:
        if self._chunked:
            self._expect = self._chunk_size
        else:
            self._content = self._length or 0
            self._after_chunks()

    def _after_chunks(self) -> None:
        self._begin_message()
        self._expect = self._request_line
