"""The worker's end of the socket: messages out from any thread, answers back to the thread that asked."""

from __future__ import annotations

import itertools
import json
import queue
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final

from runner.workers.protocol.frames import TO_WORKER, Decoder
from runner.workers.protocol.messages import encode
from sandbox.core.pace import away

_CHUNK: Final = 256 * 1024
_ANSWER_SECONDS: Final = 60.0
"""The parent bounds every answer itself; a worker that it forgot must not wait for ever."""

Frame = tuple[dict[str, Any], bytes]


class LinkError(Exception):
    """The parent refused an ask, or does not answer; the text is for the host's log."""


class Link:
    """Safe to use from several threads, except `frames`, which one thread reads."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._writing = threading.Lock()
        self._asks = itertools.count(1)
        self._waiting: dict[int, queue.SimpleQueue[Frame]] = {}

    def send(self, head: Mapping[str, Any], body: bytes = b"") -> None:
        """Raises `OSError` when the parent is gone, and then this process has nothing left to do; and
        `UnsendableError` when the parent would not read it, and then nothing was sent."""
        frame = encode(head, body)
        with self._writing:
            self._socket.sendall(frame)

    def ask(self, head: Mapping[str, Any], body: bytes = b"") -> Frame:
        """Send a question and wait for its answer. Raises `LinkError`, `UnsendableError`."""
        number = next(self._asks)
        answers: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._waiting[number] = answers
        try:
            self.send({**head, "ask": number}, body)
            with away():
                answer, content = answers.get(timeout=_ANSWER_SECONDS)
        except queue.Empty:
            raise LinkError("the parent does not answer") from None
        finally:
            del self._waiting[number]
        if "error" in answer:
            raise LinkError(answer["error"])
        return answer, content

    def answered(self, head: dict[str, Any], body: bytes) -> None:
        """Hand an answer to whoever asked; a late one is dropped."""
        waiting = self._waiting.get(head["ask"])
        if waiting is not None:
            waiting.put((head, body))

    def frames(self) -> Iterator[Frame]:
        """Everything the parent sends, until it closes the socket."""
        decoder = Decoder(TO_WORKER)
        while data := self._socket.recv(_CHUNK):
            for head, body in decoder.feed(data):
                yield json.loads(head), body
