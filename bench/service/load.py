"""HTTP load from one process that costs next to nothing: requests are made once, answers hardly read.

A client library would take as much of the two cores as the service (aiohttp: 0.5 ms a request, this: 0.05).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import psutil

from bench.measure import Spread, spread

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "


@dataclass(frozen=True)
class Load:
    """The view of `clients` that invoked one after another.

    Attributes:
        rate: answers a second.
        front_ms, workers_ms: processor time of an answer: of the service's own process, of its children.
    """

    latency: Spread
    rate: float
    front_ms: float
    workers_ms: float


def request(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST as bytes."""
    parts = urlsplit(url)
    named = {"Host": parts.netloc, "Content-Length": str(len(body)), **headers}
    lines = [f"POST {parts.path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode() + _END + body


async def load(url: str, text: bytes, clients: int, seconds: float, pid: int) -> Load:
    """Send `text` from `clients` connections for `seconds`. `pid`: of the service."""
    loop, samples = asyncio.get_running_loop(), list[float]()
    parts = urlsplit(url)
    before = processor_seconds(pid)
    began = time.perf_counter()
    made = [_Client(text, began + seconds, samples) for _ in range(clients)]
    for client in made:
        await loop.create_connection(partial(_same, client), parts.hostname or "", parts.port or 80)
    await asyncio.gather(*(client.done for client in made))
    took = time.perf_counter() - began
    front, workers = (
        (after - earlier) / len(samples) * 1000
        for earlier, after in zip(before, processor_seconds(pid), strict=True)
    )
    return Load(spread(samples), len(samples) / took, front, workers)


def _same(client: _Client) -> _Client:
    return client


class _Client(asyncio.Protocol):
    """Raises `AssertionError` for an answer that is not 200."""

    def __init__(self, text: bytes, until: float, samples: list[float]) -> None:
        self._text = text
        self._until = until
        self._samples = samples
        self._kept = b""
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the service closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._kept += data
        end = self._kept.find(_END)
        if end < 0:
            return
        head = self._kept[:end].lower()
        length = int(head[head.index(_LENGTH) + len(_LENGTH) :].split(b"\r\n")[0])
        if len(self._kept) < end + len(_END) + length:
            return
        if not head.startswith(b"http/1.1 200"):
            self.done.set_exception(AssertionError(self._kept.decode()))
            self._transport.close()
            return
        self._kept = b""
        now = time.perf_counter()
        self._samples.append((now - self._sent) * 1000)
        if now < self._until:
            self._next()
        else:
            self.done.set_result(None)
            self._transport.close()

    def _next(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._text)


def processor_seconds(pid: int) -> tuple[float, float]:
    """Of the process, and of those it started that still run."""
    process = psutil.Process(pid)
    children = 0.0
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            children += _of(child)
    return _of(process), children


def _of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
