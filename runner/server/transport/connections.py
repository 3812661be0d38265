"""Clients that are slow, silent or too many: none of them holds what others need (threat-model P4); and those
whose requests could be read in two ways (`runner.server.transport.framing`).

uvicorn ends idle kept-alive connections only. Here a request's head has a deadline too, and so has an answer
that its client does not read; and when connections run out, those that wait give way to the next ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Protocol

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

from runner.config.settings import ServiceSettings
from runner.http.errors import error_body
from runner.model.caps import MAX_BODY_BYTES
from runner.server.transport.framing import RequestFraming
from runner.server.transport.plain import PREFIXES, PlainExchange
from sandbox.egress.http.lines import ContentTooLargeError, FramingError

_log: Final = structlog.get_logger("actionbox.connections")
_LOOK_SECONDS: Final = 1.0
_LINGER_SECONDS: Final = 2.0
"""How long a client that still sends may take to see why it was refused."""
_OTHER_FILES: Final = 512
"""Open files beside those of clients: database, workers, requests of Actions, handshakes on their way."""
_END_OF_HEAD: Final = b"\r\n\r\n"
_EARLY_BODY: Final = 64 * 1024
"""Bytes of a body that is passed over before its request is answered early."""
_NOT_PLAIN: Final = re.compile(
    rb"\r\n(?:connection:(?![ \t]*keep-alive[ \t]*\r)|expect:|upgrade:|transfer-encoding:)", re.IGNORECASE
)
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r", re.IGNORECASE)
_HOST: Final = re.compile(rb"\r\nhost:", re.IGNORECASE)
_GIVES_WAY: Final = 32
"""Of the connections at the cap, one in so many makes room at a time."""


class _Phase(IntEnum):
    """In the order in which connections give way."""

    HEAD = 0
    IDLE = 1
    BODY = 2
    ANSWER = 3


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Attributes:
    most: connections of one process.
    head_seconds: from a connection's start, or a request's first byte, to the end of the request's head.
    write_seconds: how long a client may take nothing of an answer that waits for it.
    """

    most: int
    head_seconds: float
    write_seconds: float
    most_body: int = MAX_BODY_BYTES


class Early(Protocol):
    """Answers some requests by their bytes, before HTTP's library and the app see them.

    Attributes:
        prefix: what the requests begin with.
    """

    prefix: bytes

    def __call__(self, head: bytes, body: bytes | None) -> tuple[bytes, bytes] | None:
        """Head and body of the answer, the head without a date and without its end. None: the app answers.
        `head`: of the request, with the end of its last header; `body`: None when not all of it is there."""
        ...


def protocol(limits: ConnectionLimits, early: Early | None = None) -> type[Connection]:
    """The protocol class for uvicorn, under `limits`. `early`: is asked first."""
    return type("Connection", (Connection,), {"limits": limits, "early": early})


class Connection(H11Protocol):
    """One connection of a client."""

    limits = ConnectionLimits(most=1_000, head_seconds=10.0, write_seconds=30.0)
    early: Early | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._framing = RequestFraming(self.limits.most_body)
        self._bad: FramingError | None = None
        self._answer: tuple[bytes, bytes] = b"", b""
        self._passed_over = 0
        self._plain: PlainExchange | None = None
        self._held = b""
        self._seen: tuple[object, _Phase] = (None, _Phase.HEAD)
        self._since = time.monotonic()
        self._unread = 0
        self._stalls_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.most and not _make_room(self.connections, self):
            self._refuse(503, "The service has too many connections. Try again.", "too_many_connections")

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._bad is not None or self.conn.our_state is h11.ERROR or self.transport.is_closing():
            return
        between = self._framing.between
        try:
            self._framing.feed(data)
        except FramingError as error:
            self._bad, data = error, data[: error.at]
        if self._plain is not None:
            data = self._go_on(self._plain, data)
        elif self._passed_over or (between and self._is_early(data)):
            data = self._pass_over(data)
        elif between and self._begin_plain(data):
            data = b""
        if data:
            super().data_received(data)
        self._refuse_bad()

    def _begin_plain(self, data: bytes) -> bool:
        """Whether `data` is one request, or the begin of one with its whole head, that the app answers
        without h11: then all of it is taken."""
        if not data.startswith(PREFIXES) or self._bad is not None or not self._is_idle():
            return False
        end, head = data.find(_END_OF_HEAD), self._framing.head
        body = len(data) - end - len(_END_OF_HEAD)
        if not 0 < end <= _EARLY_BODY or body > head.length or not head.is_plain:
            return False
        self._unset_keepalive_if_required()
        self.cycle = self._plain = PlainExchange(self, head)
        self._plain.take(data[len(data) - body :])
        self._plain.begin(self)
        return True

    def _go_on(self, plain: PlainExchange, data: bytes) -> bytes:
        """More of a plain request; what follows it waits until it is answered."""
        self._unset_keepalive_if_required()
        data = plain.take(data)
        if not plain.response_complete:
            if data:
                self._held += data
                self.flow.pause_reading()
            return b""
        if not plain.left:
            self._plain = None
        return data

    def _is_idle(self) -> bool:
        """Nothing is under way, and nothing of a next request has come."""
        conn = self.conn
        idle = conn.our_state is h11.IDLE and conn.their_state is h11.IDLE and not conn.trailing_data[0]
        return idle and self._plain is None

    def _is_early(self, data: bytes) -> bool:
        """Whether `data` begins with a request that is answered early: then all of it is to be passed over.
        Not while an answer waits to be taken: such clients are the app's to hold up."""
        if self.early is None or not data.startswith(self.early.prefix):
            return False
        end = data.find(_END_OF_HEAD)
        head = data[: end + 2]
        length = None if end < 0 else _plain_length(head)
        if length is None or not self._is_idle() or self.transport.get_write_buffer_size():
            return False
        begin = end + len(_END_OF_HEAD)
        found = self.early(head, data[begin : begin + length] if len(data) >= begin + length else None)
        if found is None:
            return False
        self._unset_keepalive_if_required()
        self._answer, self._passed_over = found, begin + length
        return True

    def _pass_over(self, data: bytes) -> bytes:
        """Answer once the whole request has come; what follows it is left."""
        left = data[self._passed_over :]
        self._passed_over -= len(data) - len(left)
        if not self._passed_over:
            head, body = self._answer
            dated = b"".join(b"\r\n%s: %s" % header for header in self.server_state.default_headers)
            self.transport.write(head + dated + _END_OF_HEAD + body)
            self.server_state.total_requests += 1
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        return left

    def on_response_complete(self) -> None:
        """Called by uvicorn; whatever came after the request that was answered has its turn now."""
        super().on_response_complete()
        if self._plain is not None and not self._plain.left:
            self._plain = None
            held, self._held = self._held, b""
            if held and not self.transport.is_closing():
                super().data_received(held)
        self._refuse_bad()

    def _refuse_bad(self) -> None:
        """Answer what came in a bad form, once the requests before it are answered."""
        if self._bad is None or self.transport.is_closing() or self.phase is _Phase.ANSWER:
            return
        if isinstance(self._bad, ContentTooLargeError):
            self._refuse_and_linger(413, f"The body is larger than {self.limits.most_body} bytes.")
        else:
            self._refuse_and_linger(400, f"This is not a valid HTTP request: {self._bad}.")

    def send_400_response(self, msg: str) -> None:
        """End a connection that does not speak HTTP, with an answer where none was begun."""
        self._refuse_and_linger(400, msg)

    def _refuse_and_linger(self, status: int, message: str) -> None:
        """Answer where no answer was begun, and close when the client has seen it: an end with bytes that
        nobody has read would take the answer with it."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # for the app; there is nothing more that it could say
            self.cycle.message_event.set()
        self._refuse(status, message, linger=True)

    @property
    def phase(self) -> _Phase:
        """The phase of the connection: between two requests, or in one."""
        if self.cycle is not None and not self.cycle.response_complete:
            return _Phase.BODY if self.cycle.more_body and not self.cycle.response_started else _Phase.ANSWER
        # While uvicorn's own timer for idle connections runs, no byte of a next request has come.
        return _Phase.HEAD if self.timeout_keep_alive_task is None else _Phase.IDLE

    def seconds(self, now: float) -> float:
        """Seconds for which it has been seen in its phase."""
        seen = (self.cycle, self.phase)
        if seen != self._seen:
            self._seen, self._since = seen, now
        return now - self._since

    def look(self, now: float) -> None:
        """End the connection when it has passed a limit. Called every second or so."""
        if self._stalls(now):
            _log.info("answer not read", seconds=self.limits.write_seconds)
            self.transport.abort()
        elif self._is_late(now):
            _log.info("request not sent", seconds=self.limits.head_seconds)
            self._late()

    def _is_late(self, now: float) -> bool:
        late = self.seconds(now) >= self.limits.head_seconds
        return late and self.phase is _Phase.HEAD and not self.transport.is_closing()

    def _late(self) -> None:
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            self._refuse(408, f"The request's head did not come within {self.limits.head_seconds:g} s.")
        else:
            self.transport.close()

    def _stalls(self, now: float) -> bool:
        """Whether what was written waits, and nothing of it was taken for too long."""
        unread = self.transport.get_write_buffer_size()
        if unread == 0 or unread < self._unread or self._unread == 0:
            self._stalls_since = now
        self._unread = unread
        return unread > 0 and now - self._stalls_since >= self.limits.write_seconds

    def _refuse(self, status: int, message: str, error_code: str = "", *, linger: bool = False) -> None:
        """Answer without the app and close; with `linger` when the client has, or after two seconds."""
        body = json.dumps(error_body(status, message, error_code)).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *([(b"retry-after", b"1")] if status == 503 else []),
        ]
        with contextlib.suppress(h11.LocalProtocolError):
            for event in (
                h11.Response(status_code=status, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        if linger and self.transport.can_write_eof():
            self.transport.write_eof()
            self.loop.call_later(_LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()


def _plain_length(head: bytes) -> int | None:
    """Bytes of the body of a request that asks nothing special of its connection; None for any other."""
    if len(head) > _EARLY_BODY or _NOT_PLAIN.search(head) or len(_HOST.findall(head)) != 1:
        return None
    found = _LENGTH.search(head)
    length = 0 if found is None else int(found[1])
    return length if length <= _EARLY_BODY else None


async def watch(connections: Collection[Any]) -> None:
    """Look after `connections`, a changing collection, until cancelled."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        now = time.monotonic()
        for connection in list(connections):
            if isinstance(connection, Connection):
                connection.look(now)


def _make_room(connections: Collection[Any], newcomer: Connection) -> bool:
    """End some that have not sent a whole request; False when all have. Those without a head go first, then
    idle ones, then those without a body, and of each kind the oldest."""
    now = time.monotonic()
    waiting = sorted(
        (
            item
            for item in connections
            if item is not newcomer and item.phase is not _Phase.ANSWER and not item.transport.is_closing()
        ),
        key=lambda item: (item.phase, -item.seconds(now)),
    )
    for item in waiting[: max(1, len(connections) // _GIVES_WAY)]:
        item.transport.abort()
    return bool(waiting)


def limits_of(settings: ServiceSettings) -> ConnectionLimits:
    """The limits that `settings` ask for. As many connections as the process may have files open, less what
    it needs for itself; the system's soft limit is raised for them."""
    most = min(
        settings.max_connections, max(_allow_files(settings.max_connections + _OTHER_FILES) - _OTHER_FILES, 1)
    )
    if most < settings.max_connections:
        _log.warning("fewer connections: the system allows too few open files", max_connections=most)
    return ConnectionLimits(most, settings.head_seconds, settings.write_seconds, settings.max_body_bytes)


def _allow_files(wanted: int) -> int:
    """The number of files that this process may have open, once it has asked for `wanted`."""
    if os.name != "posix":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted if soft == resource.RLIM_INFINITY else soft
