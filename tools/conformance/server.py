"""The HTTP server that probes speak to, on loopback, as long as they run."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_SLOW_SECONDS: Final = 0.6
_ANSWERS: Final[dict[str, tuple[int, list[tuple[str, str]], bytes]]] = {
    "/": (200, [], b""),
    "/text": (200, [("Content-Type", "text/plain")], b"hello"),
    "/json": (200, [("Content-Type", "application/json")], b'{"a": [1, 2]}'),
    "/redirect": (302, [("Location", "/text")], b""),
    "/see-other": (303, [("Location", "/echo")], b""),
    "/cookies": (200, [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/")], b""),
    "/gzip": (200, [("Content-Encoding", "gzip")], gzip.compress(b"inflated", mtime=0)),
    "/slow": (200, [], b"late"),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle_one_request()

    def _answer(self) -> None:
        body = self._read()
        if self.path == "/echo":
            told = {
                "method": self.command,
                "type": self.headers.get("Content-Type", ""),
                "body": body.decode("latin-1"),
            }
            self._send(200, [("Content-Type", "application/json")], json.dumps(told).encode())
            return
        if self.path == "/slow":
            time.sleep(_SLOW_SECONDS)
        self._send(*_ANSWERS.get(self.path, (404, [], b"nothing here")))

    do_GET = do_POST = do_HEAD = do_PUT = _answer  # noqa: N815 - names of the base class

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - name of the base class
        del format, args


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """The server's address, `http://127.0.0.1:PORT`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
