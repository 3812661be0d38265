"""Plain requests pass by the HTTP library, and nobody can tell: each is answered as one that does not."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from runner.server.transport.framing import RequestFraming
from sandbox.core.caps import MIB
from tests.serving.server import Server, running, settings_for

CAP = 2_000
PATH = b"POST /runtime/v1/triggers/post-login/invoke HTTP/1.1\r\nHost: x\r\n"
JSON = b"Content-Type: application/json\r\n"
CLOSE = b"Connection: close\r\n"
REQUESTS = {
    "no token": (b"", b'{"event": {}}'),
    "no token and no body": (b"", b""),
    "a bad token": (b"Authorization: Bearer x\r\n", b'{"event": {}}'),
    "no event": (b"TOKEN", b"{}"),
    "no JSON": (b"TOKEN", b"{"),
    "not the trigger's event": (b"TOKEN", b'{"event": {"a": 1}}'),
    "a body up to the cap": (b"TOKEN", b"{" + b" " * (CAP - 2) + b"}"),
    "a body over the cap": (b"TOKEN", b"{" + b" " * CAP + b"}"),
    "an id of its own": (b"X-Request-Id: mine\r\n", b"{}"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("plain")
    with running(settings_for(folder, max_body_bytes=CAP), whole=True) as found:
        yield found


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=60)


def request(server: Server, name: str, more: bytes = b"") -> bytes:
    headers, body = REQUESTS[name]
    if headers == b"TOKEN":
        headers = b"Authorization: Bearer %s\r\n" % server.client().token.encode()
    return PATH + JSON + headers + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def answers(client: socket.socket, count: int) -> list[bytes]:
    """So many answers, or as many as come before the service closes; without what differs each time."""
    text, found = b"", list[bytes]()
    while len(found) < count:
        head, end, rest = text.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if end and length is not None and len(rest) >= int(length[1]):
            size = int(length[1])
            head = re.sub(
                rb"(?i)\r\n(date|x-ratelimit-[a-z]+|x-request-id: [0-9a-f]{24}|connection)[^\r]*", b"", head
            )
            found.append(b"\r\n".join(sorted(head.split(b"\r\n"))) + end + rest[:size])
            text = rest[size:]
            continue
        part = client.recv(65_536)
        if not part:
            break
        text += part
    return found


@pytest.mark.parametrize("name", REQUESTS)
def test_its_answer_is_the_library_s(server: Server, name: str) -> None:
    with connect(server) as plain, connect(server) as usual:
        plain.sendall(request(server, name))
        usual.sendall(request(server, name, CLOSE))
        assert answers(plain, 1) == answers(usual, 1) != []


@pytest.mark.parametrize("cut", [1, 60, 150, -1])
def test_wherever_it_is_cut(server: Server, cut: int) -> None:
    whole = request(server, "no event")
    with connect(server) as client:
        client.sendall(whole)
        expected = answers(client, 1)
        client.sendall(whole[:cut])
        client.sendall(whole[cut:])
        assert answers(client, 1) == expected


def test_requests_that_are_sent_at_once_are_answered_in_their_order(server: Server) -> None:
    health = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    names = ("no token", "no event", "no JSON")
    texts = [*(request(server, name) for name in names), health]
    texts.insert(1, health)
    with connect(server) as client:
        alone = []
        for text in texts:
            client.sendall(text)
            alone += answers(client, 1)
        client.sendall(b"".join(texts))
        assert answers(client, 5) == alone
        client.sendall(texts[2][:-1])
        client.sendall(texts[2][-1:] + b"".join(texts[3:]))
        assert answers(client, 3) == alone[2:]


def test_a_body_that_comes_after_its_answer_is_passed_over(server: Server) -> None:
    whole = request(server, "no token")
    with connect(server) as client:
        client.sendall(whole[:-5])
        refused = answers(client, 1)
        assert b"401" in refused[0]
        client.sendall(whole[-5:] + whole)
        assert answers(client, 1) == refused


def test_an_answer_without_a_length_is_the_last_of_its_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it ends is told by the end of the connection."""

    async def in_parts(_scope: Any, _receive: Any, send: Any) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
        )
        for part in (b"one ", b"two"):
            await send({"type": "http.response.body", "body": part, "more_body": part != b"two"})

    def takes(scope: Any) -> bool:
        return bool(scope["path"] == "/runtime/v1/in-parts")

    app: Any = server.app
    monkeypatch.setattr(app, "shortcuts", ((takes, in_parts), *app.shortcuts))
    with connect(server) as client:
        client.sendall(b"POST /runtime/v1/in-parts HTTP/1.1\r\nHost: x\r\n\r\n")
        text = b""
        while part := client.recv(65_536):
            text += part
    head, _, body = text.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    assert body == b"one two"


def test_what_follows_it_is_framed_as_strictly(server: Server) -> None:
    with connect(server) as client:
        client.sendall(request(server, "no token") + b"GET /health HTTP/1.1\nHost: x\r\n\r\n")
        found = answers(client, 3)
        assert [item.partition(b"HTTP/1.1 ")[2][:3] for item in found] == [b"401", b"400"]


@pytest.mark.parametrize(
    ("head", "plain"),
    [
        (b"Host: x", True),
        (b"host: x\r\nConnection: Keep-Alive", True),
        (b"Host: x\r\nConnection: close", False),
        (b"Host: x\r\nConnection: keep-alive, x", False),
        (b"Host: x\r\nExpect: 100-continue", False),
        (b"Host: x\r\nUpgrade: h2c", False),
        (b"Host: x\r\nTransfer-Encoding: chunked", False),
        (b"Host: x\r\nHost: x", False),
        (b"Accept: */*", False),
    ],
)
def test_which_are_plain(head: bytes, plain: bool) -> None:
    framing = RequestFraming(MIB)
    framing.feed(b"POST /x HTTP/1.1\r\n" + head + b"\r\n\r\n")
    assert framing.head.is_plain is plain
    framing = RequestFraming(MIB)
    framing.feed(b"POST /x HTTP/1.0\r\nHost: x\r\n\r\n")
    assert not framing.head.is_plain
