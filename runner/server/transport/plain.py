"""A request that asks nothing special of its connection, past the HTTP library.

Every request is framed strictly on the wire first (`runner.server.transport.framing`). That leaves nothing
for a library to find in a plain one: HTTP/1.1, one host, a body of a known length, a connection that is kept.
Its events and states, and a second write for each answer, cost more than all else between socket and app.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import unquote

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol, RequestResponseCycle

from runner.server.transport.framing import RequestHead

PREFIXES: Final = (b"POST /runtime/v1/", b"POST /hooks/v1/")
"""What the requests begin with: those that a login waits for."""
_CLOSE: Final = (b"connection", b"close")


class PlainExchange(RequestResponseCycle):
    """The app's end of one request and its answer, as uvicorn has it; head and body of an answer leave
    together. What comes without a length is the last on its connection.

    Args:
        head: of the request.
    """

    def __init__(self, connection: H11Protocol, head: RequestHead) -> None:
        super().__init__(
            scope=_scope(connection, head),
            conn=connection.conn,
            transport=connection.transport,
            flow=connection.flow,
            logger=connection.logger,
            access_logger=connection.access_logger,
            access_log=False,
            default_headers=connection.server_state.default_headers,
            message_event=asyncio.Event(),
            on_response=connection.on_response_complete,
        )
        self.left = head.length
        """Bytes of the body that have not come."""
        self._head = b""

    def begin(self, connection: H11Protocol) -> None:
        """Let the app answer."""
        task = connection.loop.create_task(self.run_asgi(connection.app))
        task.add_done_callback(connection.tasks.discard)
        connection.tasks.add(task)

    def take(self, data: bytes) -> bytes:
        """Take in what belongs to the body, for nobody once the answer is out; the rest of `data`."""
        part = data[: self.left]
        self.left -= len(part)
        if not self.response_complete:
            self.body += part
            if len(self.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            self.more_body = self.left > 0
            self.message_event.set()
        return data[len(part) :]

    async def send(self, message: Any) -> None:
        """See the ASGI specification."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if not self.response_started and kind == "http.response.start":
            self.response_started = True
            self._head = self._written(message["status"], [*self.default_headers, *message["headers"]])
        elif self.response_started and not self.response_complete and kind == "http.response.body":
            head, self._head = self._head, b""
            self.transport.write(head + message.get("body", b""))
            if not message.get("more_body", False):
                self._over()
        else:
            raise RuntimeError(f"the app sends {kind!r} out of turn")

    def _written(self, status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
        if not any(name == b"content-length" for name, _ in headers) and _CLOSE not in headers:
            headers.append(_CLOSE)
        if _CLOSE in headers:
            self.keep_alive = False
        lines = [b"HTTP/1.1 %d %s" % (status, STATUS_PHRASES[status])]
        lines += [b"%s: %s" % header for header in headers]
        text = b"\r\n".join(lines)
        if text.count(b"\n") != len(headers) or text.count(b"\r") != len(headers):
            raise RuntimeError("a header of the answer is more than one line")
        return text + b"\r\n\r\n"

    def _over(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


def _scope(connection: H11Protocol, head: RequestHead) -> Any:
    raw_path, _, query = head.target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": connection.asgi_version, "spec_version": "2.3"},
        "http_version": "1.1",
        "server": connection.server,
        "client": connection.client,
        "scheme": connection.scheme,
        "method": head.method.decode("ascii"),
        "root_path": "",
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "query_string": query,
        "headers": head.fields,
        "state": connection.app_state.copy(),
    }
