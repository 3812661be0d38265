"""Reads a response within its caps, and refuses one whose framing two parsers could read differently."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from sandbox.core.caps import MAX_FETCH_HEADER_BYTES
from sandbox.egress.http.inflate import make_inflater
from sandbox.egress.model import EgressError, Headers


@dataclass(slots=True)
class Budget:
    """Bytes that responses may still take: each one alone, and those of an execution together."""

    response_bytes: int
    total_bytes: int
    received: int = 0

    def check(self, size: int) -> None:
        """One response has `size` bytes so far. Raises `EgressError`."""
        if size > self.response_bytes:
            raise EgressError("too-large", f"The response is larger than {self.response_bytes} bytes.")

    def spend(self, size: int) -> None:
        """`size` more bytes arrived, of any response. Raises `EgressError`."""
        self.received += size
        if self.received > self.total_bytes:
            message = f"The responses of this execution are larger than {self.total_bytes} bytes together."
            raise EgressError("too-large", message)


def checked_headers(response: aiohttp.ClientResponse) -> Headers:
    """The headers, names in lower case. Raises `EgressError` for ambiguous framing and past the cap."""
    headers = tuple((_text(name).lower(), _text(value)) for name, value in response.raw_headers)
    if sum(len(name) + len(value) for name, value in headers) > MAX_FETCH_HEADER_BYTES:
        limit = MAX_FETCH_HEADER_BYTES
        raise EgressError("too-large", f"The response's headers are larger than {limit} bytes.")
    lengths = [value for name, value in headers if name == "content-length"]
    codings = [value.lower() for name, value in headers if name == "transfer-encoding"]
    odd_coding = codings not in ([], ["chunked"])
    if response.status == 101 or len(lengths) > 1 or (lengths and codings) or odd_coding:
        raise EgressError("protocol", "The response's framing is ambiguous.")
    return headers


async def read_body(response: aiohttp.ClientResponse, budget: Budget) -> bytes:
    """The inflated body. Raises `EgressError` as soon as a cap is passed, on the wire or inflated."""
    inflater = make_inflater(",".join(response.headers.getall("Content-Encoding", ())))
    budget.check(response.content_length or 0)
    pieces: list[bytes] = []
    size = wire = 0
    async for chunk in response.content.iter_any():
        wire += len(chunk)
        budget.check(wire)
        for piece in inflater.feed(chunk):
            size += len(piece)
            budget.check(size)
            budget.spend(len(piece))
            pieces.append(piece)
    inflater.finish()
    return b"".join(pieces)


def status_text(response: aiohttp.ClientResponse) -> str:
    """The reason phrase, without what a terminal or a header could take for more than text."""
    return "".join(character for character in (response.reason or "")[:256] if character.isprintable())


def _text(raw: bytes) -> str:
    return raw.decode("latin-1").strip(" \t")
