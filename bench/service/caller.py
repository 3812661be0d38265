"""One connection to the service that is kept, for callers that look at what is answered."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """`head`: its status line and headers, in lower case."""

    status: int
    head: str
    body: bytes

    def json(self) -> Any:
        """The value of the body. Raises `AssertionError` for an answer that is no success."""
        assert self.status < 300, f"{self.status} {self.body[:500].decode()}"
        return json.loads(self.body)


class Caller:
    """Requests one after another, by one token."""

    def __init__(self, url: str, token: str) -> None:
        self._parts = urlsplit(url)
        self._token = token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, path: str, body: bytes = b"", method: str = "POST", more: str = "") -> Answer:
        """The answer. `more`: header lines, each with its end."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        reader, writer = self._streams
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._parts.netloc}\r\nContent-Length: {len(body)}\r\n"
            f"Authorization: Bearer {self._token}\r\nContent-Type: application/json\r\n{more}\r\n"
        )
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        text = await reader.readexactly(length)
        if b"connection: close" in answer:
            writer.close()
            self._streams = None
        return Answer(int(answer.split()[1]), answer.decode("latin-1"), text)
