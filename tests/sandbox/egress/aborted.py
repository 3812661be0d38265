"""A server that never answers, and Actions that give up on it: the same for in-process runs and workers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from tests.sandbox.egress.peers import RawPeer, response, serving

PARALLEL = 6
"""Requests of one execution at a time (`MAX_FETCH_PARALLEL`): so many hang before one that is answered."""

JAVASCRIPT = {
    "AbortSignal.timeout": "fetch(SLOW, { signal: AbortSignal.timeout(30) })",
    "AbortSignal.any": "fetch(SLOW, { signal: AbortSignal.any([new AbortController().signal, "
    "AbortSignal.timeout(30)]) })",
    "Request": "fetch(new Request(SLOW, { signal: AbortSignal.timeout(30) }))",
    "AbortController": "(() => { const c = new AbortController(); setTimeout(() => c.abort(), 30); "
    "return fetch(SLOW, { signal: c.signal }); })()",
    "https timeout": "new Promise((done, fail) => { const r = require('http').get(SLOW, { timeout: 30 }); "
    "r.on('timeout', () => r.destroy()); r.on('error', fail); })",
    "https setTimeout": "new Promise((done, fail) => { const r = require('http').get(SLOW); "
    "r.setTimeout(30, () => r.destroy(new Error('slow'))); r.on('error', fail); })",
    "https signal": "new Promise((done, fail) => { "
    "require('http').get(SLOW, { signal: AbortSignal.timeout(30) }).on('error', fail); })",
    "https abort": "new Promise((done, fail) => { const r = require('http').get(SLOW); "
    "setTimeout(() => r.abort(), 30); r.on('error', fail); })",
}
"""Expressions of one request that is given up."""

PYTHON = {
    "wait_for": "await asyncio.wait_for(fetch(SLOW), 0.03)",
    "timeout": "async with asyncio.timeout(0.03):\n    await fetch(SLOW)",
    "cancelled task": "task = asyncio.create_task(asyncio.wait_for(fetch(SLOW), 5))\n"
    "await asyncio.sleep(0.03)\ntask.cancel()\nawait task",
    "cancelled future": "asked = fetch(SLOW)\nawait asyncio.sleep(0.03)\nasked.cancel()\nawait asked",
    "task group": "async with asyncio.TaskGroup() as group:\n"
    "    group.create_task(asyncio.wait_for(fetch(SLOW), 5))\n"
    "    await asyncio.sleep(0.03)\n    raise ValueError",
    "wait": "_, pending = await asyncio.wait([fetch(SLOW)], timeout=0.03)\nfor one in pending: one.cancel()\n"
    "raise ValueError",
}
"""Statements of the same."""


def javascript_body(expression: str, peer: RawPeer) -> str:
    """Gives up so many requests as there are places, then prints what the next is answered."""
    return f"""const SLOW = '{peer.url("/slow")}';
      for (let n = 0; n < {PARALLEL}; n += 1) {{
        try {{ await {expression}; console.log('answered'); }} catch {{ /* given up */ }}
      }}
      console.log(await (await fetch('{peer.url("/quick")}')).text());
      try {{ await {expression}; }} catch {{ /* the last thing that the handler does */ }}"""


def python_body(statements: str, peer: RawPeer) -> str:
    attempt = "\n    ".join(["try:", *(f"    {line}" for line in statements.split("\n"))])
    return f"""import asyncio
SLOW = '{peer.url("/slow")}'
async def attempt():
    {attempt}
        print('answered')
    except (Exception, asyncio.CancelledError, ExceptionGroup):
        pass
for _ in range({PARALLEL}):
    await attempt()
print((await fetch('{peer.url("/quick")}')).text)
await attempt()"""


class Hanging:
    """Connections that wait for the client to end them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open = 0

    def answer(self, connection: socket.socket, _: bytes) -> None:
        self._count(1)
        with contextlib.suppress(OSError):
            connection.settimeout(30)
            connection.recv(1)
        self._count(-1)

    def _count(self, by: int) -> None:
        with self._changed:
            self._open += by
            self._changed.notify_all()

    def given_up(self) -> bool:
        """Whether the client soon has ended all of them."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, 10)


@contextlib.contextmanager
def hanging() -> Iterator[RawPeer]:
    """A peer whose `/slow` never answers, and whose `/quick` does once everything before was given up."""
    waiting = Hanging()

    def quick(connection: socket.socket, _: bytes) -> None:
        connection.sendall(response(b"at once" if waiting.given_up() else b"they hang"))

    with serving(slow=waiting.answer, quick=quick) as peer:
        yield peer
        assert waiting.given_up()
