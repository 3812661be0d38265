"""Strict framing of requests, checked on the wire before the HTTP library reads them (threat-model P6).

What stands between a client and the service may read a request another way than the service does, and hide a
second one in the first. So only what every parser reads alike passes: HTTP/1.0 and 1.1, lines that end in
CRLF, one length or one coding and never both (RFC 9112 sections 3, 5, 6 and 11.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from sandbox.egress.http.lines import FramingError, Lines, read_field, read_length

_REQUEST: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP/1\.([01])")
_KNOWN: Final = re.compile(rb"HTTP/1\.[01]")
_FRAMING_FIELDS: Final = frozenset({b"content-length", b"transfer-encoding"})
_SPECIAL: Final = frozenset({b"transfer-encoding", b"expect", b"upgrade"})


@dataclass(slots=True)
class RequestHead:
    """The head of a request. `fields`: its headers, with names in lower case; `length`: bytes of its body, if
    it says so; `version`: `1` of HTTP/1.1."""

    method: bytes
    target: bytes
    version: bytes
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    length: int = 0

    @property
    def is_plain(self) -> bool:
        """It asks nothing of its connection but an answer, and to be kept."""
        hosts = 0
        for name, value in self.fields:
            if name in _SPECIAL or (name == b"connection" and value.lower() != b"keep-alive"):
                return False
            hosts += name == b"host"
        return self.version == b"1" and hosts == 1


class RequestFraming(Lines):
    """Follows the requests of one connection through their bytes.

    Args:
        most_content: bytes that the chunks of one body may announce together.

    Attributes:
        head: of the request that came last, as far as it came.
    """

    def __init__(self, most_content: int) -> None:
        self.head = RequestHead(b"", b"", b"")
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
        self.head = RequestHead(found[1], found[2], found[3])
        self._chunkable = found[3] == b"1"
        self._length: int | None = None
        self._chunked = False
        self._expect = self._field_or_end

    def _field_or_end(self, line: bytes) -> None:
        if line == b"":
            self._end_of_head()
            return
        name, value = read_field(line)
        self.head.fields.append((name, value))
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
            self._content = self.head.length = self._length or 0
            self._after_chunks()

    def _after_chunks(self) -> None:
        self._begin_message()
        self._expect = self._request_line
