"""Clients that are slow, silent or too many, against a real process: others are served meanwhile (P4, P7)."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.e2e.serving import Served, serve
from triggers import get_trigger

HEAD_SECONDS = 2
READ_SECONDS = 2
CONNECTIONS = 200
FLOOD = 500
LIMITS: dict[str, Any] = {
    "ACTIONBOX_HEAD_SECONDS": str(HEAD_SECONDS),
    "ACTIONBOX_READ_SECONDS": str(READ_SECONDS),
    "ACTIONBOX_WRITE_SECONDS": "2",
    "ACTIONBOX_MAX_CONNECTIONS": str(CONNECTIONS),
    "ACTIONBOX_LOG_LEVEL": "info",
}
NO_BODY = b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
PARTIAL = b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("slow"), **LIMITS) as served:
        yield served


@contextlib.contextmanager
def connected(served: Served, data: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", urlsplit(served.url).port or 0), timeout=20) as client:
        client.sendall(data)
        yield client


def everything(client: socket.socket) -> bytes:
    """What comes until the other side closes, however it does."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while chunk := client.recv(65_536):
            found += chunk
    return found


def dribbled(served: Served, first: bytes) -> bytes:
    """The answer to a client that sends `first` and then a blank now and again."""
    answer = b""
    with connected(served, first) as client:
        client.settimeout(0.3)
        for _ in range(40):
            with contextlib.suppress(TimeoutError):
                answer += client.recv(4096)
                break
            client.sendall(b" ")
        client.settimeout(5)
        return answer + everything(client)


def body_of(answer: bytes) -> dict[str, object]:
    """The JSON of an answer."""
    found: dict[str, object] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def request(served: Served, body: bytes, length: int | None = None) -> bytes:
    """An invocation, as it goes over the wire."""
    return (
        b"POST /runtime/v1/triggers/post-login/invoke HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\n"
        + f"Authorization: Bearer {served.token}\r\n".encode()
        + f"Content-Length: {len(body) if length is None else length}\r\n\r\n".encode()
        + body
    )


def event() -> bytes:
    return json.dumps({"event": get_trigger("post-login").example_event}).encode()


def healthy(served: Served) -> None:
    """Answers somebody new with a whole flow, at once."""
    with connected(served, request(served, event())) as client:
        assert client.recv(12) == b"HTTP/1.1 200"


def test_a_head_that_is_dribbled_has_a_deadline(served: Served) -> None:
    answer = dribbled(served, PARTIAL)
    assert answer.startswith(b"HTTP/1.1 408")
    assert body_of(answer)["statusCode"] == 408


@pytest.mark.parametrize("first", [b"", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_a_connection_that_sends_nothing_or_half_of_its_second_request_is_closed(
    served: Served, first: bytes
) -> None:
    with connected(served, first) as client:
        if first:
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")
            client.sendall(PARTIAL)
        assert (b"HTTP/1.1 408" in everything(client)) is bool(first)


@pytest.mark.parametrize("first", [PARTIAL, NO_BODY])
def test_more_half_requests_than_there_may_be_connections_stop_nobody(served: Served, first: bytes) -> None:
    with contextlib.ExitStack() as held:
        clients = [held.enter_context(connected(served, first)) for _ in range(FLOOD)]
        for _ in range(3):
            healthy(served)
        for client in clients:
            client.settimeout(0)
        ended = 0
        for client in clients:
            with contextlib.suppress(BlockingIOError):
                everything(client)
                ended += 1
        assert ended >= FLOOD - CONNECTIONS


def test_a_body_that_is_dribbled_has_a_deadline(served: Served) -> None:
    answer = dribbled(served, request(served, b'{"ev', length=10_000))
    assert answer.startswith(b"HTTP/1.1 408")
    assert body_of(answer)["statusCode"] == 408


def test_a_body_that_nobody_wants_is_not_waited_for_either(served: Served) -> None:
    head = b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    with connected(served, head) as client:
        assert client.recv(65_536).startswith(b"HTTP/1.1 404")
        client.settimeout(0.3)
        with contextlib.suppress(ConnectionError):
            for _ in range(40):
                client.sendall(b"x")
                with contextlib.suppress(TimeoutError):
                    if not client.recv(100):
                        break
            else:
                raise AssertionError("the connection was held")


def test_pipelined_requests_are_answered_in_order(served: Served) -> None:
    some = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connected(served, some * 50 + last) as client:
        answers = everything(client).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"404"] * 50 + [b"200"]


def test_what_is_not_http_is_refused_in_the_documented_shape(served: Served) -> None:
    for text in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\nHost\n\n",
        b"\0" * 100_000,
    ):
        with connected(served) as client:
            with contextlib.suppress(ConnectionError):
                client.sendall(text)
            answer = everything(client)
        if answer:
            assert answer.startswith(b"HTTP/1.1 400")
            assert body_of(answer)["error"] == "Bad Request"
    chunked = request(served, b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    with connected(served, chunked + b"zz\r\n") as client:
        answer = everything(client)
    assert answer.startswith(b"HTTP/1.1 400")
    assert "Traceback" not in served.output


def test_a_stream_that_nobody_reads_is_dropped_and_others_go_on(served: Served) -> None:
    head = f"GET /runtime/v1/logs/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.token}\r\n\r\n"
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", urlsplit(served.url).port))
        client.sendall(head.encode())
        assert b"200 OK" in client.recv(200)
        bind(served, 'for (const c of "abc") console.log(c.repeat(60000));')
        for _ in range(40):
            healthy(served)
        deadline = time.monotonic() + 20
        while not any(line["event"] == "answer not read" for line in served.log):
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_clients_that_go_away_in_the_middle_leave_records_and_free_places(served: Served) -> None:
    """More of them than the tenant has places: none is held, and what was run is on record."""
    bind(served, "await new Promise((done) => setTimeout(done, 300));")
    before = {item["id"] for item in served.runtime().executions(per_page=100)}
    for _ in range(2):
        for _ in range(90):
            with connected(served, request(served, event())) as client:
                time.sleep(0.01)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # RST
        time.sleep(1)
    deadline = time.monotonic() + 30
    while {item["id"] for item in served.runtime().executions(per_page=100)} <= before:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    healthy(served)
    assert not [*served.runtime().executions(status="pending")]


def bind(served: Served, work: str, trigger: str = "post-login", version: str = "v3") -> None:
    """Exactly one Action at a trigger, which does `work`."""
    code = f"exports.{get_trigger(trigger).handlers[0]} = async () => {{ {work} }};"
    api = served.api()
    body = {"name": work, "code": code, "supported_triggers": [{"id": trigger, "version": version}]}
    action = api.send("POST", "/api/v2/actions/actions", body=body).value
    api.send("POST", f"/api/v2/actions/actions/{action['id']}/deploy", query={"wait": True})
    bindings = [{"ref": {"type": "action_id", "value": action["id"]}, "display_name": "only"}]
    api.send("PATCH", f"/api/v2/actions/triggers/{trigger}/bindings", body={"bindings": bindings})


def test_handshakes_that_never_end_stop_nobody(tmp_path: Path) -> None:
    with serve(tmp_path, "--https", **LIMITS) as served, contextlib.ExitStack() as held:
        for index in range(300):
            held.enter_context(connected(served, b"\x16\x03\x01" if index % 2 else b""))
        context = ssl.create_default_context(cafile=served.ca_file)
        with urllib3.PoolManager(ssl_context=context) as pool:
            assert pool.request("GET", f"{served.url}/health").status == 200
        assert served.runtime().invoke("post-login", get_trigger("post-login").example_event) is not None
