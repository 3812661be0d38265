"""Requests without a proof, over sockets: refused before the app sees them, and nobody can tell."""

from __future__ import annotations

import json
import re
import socket
import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.hooks.providers import PROVIDERS
from tests.drawn import examples
from tests.hooks.sending import Line, line, setup
from tests.serving.server import Server

ALL = [f"{provider.name}/{name}" for provider in PROVIDERS.values() for name in provider.hooks]
PLACE = "zitadel/preaccesstoken"
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
_ANSWER = re.compile(rb"HTTP/1\.1 (\d+) [^\r]*\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n")


def request(place: str = PLACE, body: bytes = b"{}", more: str = "", tenant: str = "harbor") -> bytes:
    head = f"POST /hooks/v1/{tenant}/{place} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode("latin-1") + body


class Wire:
    """One connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kept = b""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next one: status, headers, body."""
        while b"\r\n\r\n" not in self.kept:
            self._more()
        head, _, self.kept = self.kept.partition(b"\r\n\r\n")
        status, length = _ANSWER.match(head), _LENGTH.search(head + b"\r\n")
        assert status is not None, head
        assert length is not None, head
        while len(self.kept) < int(length[1]):
            self._more()
        body, self.kept = self.kept[: int(length[1])], self.kept[int(length[1]) :]
        fields = (text.split(": ", 1) for text in head.decode().split("\r\n")[1:])
        return int(status[1]), {name.lower(): value for name, value in fields}, body

    def _more(self) -> None:
        data = self.socket.recv(65_536)
        assert data, "the service closed the connection"
        self.kept += data


@pytest.fixture
def wire(whole: Server) -> Wire:
    return Wire(whole.url)


@pytest.mark.parametrize("place", ALL)
def test_it_is_refused_as_the_app_refuses(whole: Server, place: str) -> None:
    """A connection that is to be closed is left to the app."""
    with Wire(whole.url) as early, Wire(whole.url) as late:
        early.socket.sendall(request(place))
        late.socket.sendall(request(place, more="Connection: close\r\n"))
        (status, headers, body), (other_status, other, other_body) = early.answer(), late.answer()
    assert (status, body) == (other_status, other_body)
    assert headers.pop("x-request-id") != other.pop("x-request-id")
    assert (other.pop("connection"), headers.pop("date")[-3:], other.pop("date")[-3:]) == (
        "close",
        "GMT",
        "GMT",
    )
    assert headers == other


def test_the_app_does_not_see_it(wire: Wire, whole: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("the app was asked")

    monkeypatch.setattr(type(whole.app.state.plane.hooks), "answer", fail)
    with wire:
        for _ in range(3):
            wire.socket.sendall(request(more="X-Request-Id: from-the-proxy\r\nconnection:  Keep-Alive\r\n"))
            status, headers, _body = wire.answer()
            assert (status, headers["x-request-id"]) == (401, "from-the-proxy")
        wire.socket.sendall(request(more='X-Request-Id: "not an id"\r\n'))
        assert re.fullmatch("[0-9a-f]{24}", wire.answer()[1]["x-request-id"])


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(more="ZITADEL-Signature: t=1,v1=00\r\n"), 401),
        (request("zitadel/no-such-hook"), 404),
        (request("nobody/token"), 404),
        (request().replace(b"POST", b"PUT", 1), 405),
        (request("kratos/login/template.jsonnet"), 405),
        (request().replace(b"Host: x\r\n", b""), 400),
        (request().replace(b"Host: x\r\n", b"Host: x\r\nHost: y\r\n"), 400),
        (request(more="Transfer-Encoding: chunked\r\n"), 400),
        (request(more="Content-Length: 2\r\n"), 400),
        (request(more="X : y\r\n"), 400),
        (request().replace(b"HTTP/1.1", b"HTTP/1.0"), 401),
        (request(more="Expect: 100-continue\r\n", body=b""), 401),
        (request(body=b"x" * 70_000), 401),
        (request("firebase/beforeSignIn", b'{"data":{"jwt":"a.b.c"}}'), 401),
    ],
)
def test_what_is_not_plain_is_for_the_app(wire: Wire, sent: bytes, status: int) -> None:
    with wire:
        wire.socket.sendall(sent)
        assert wire.answer()[0] == status


@pytest.fixture(scope="module")
def hooked(whole: Server) -> Line:
    found = line(whole, "zitadel", "preaccesstoken")
    found.bind("console.log(1);")
    return found


def signed(hooked: Line) -> bytes:
    raw = json.dumps(hooked.example()).encode()
    headers, body = hooked.provider.sign(hooked.hook, raw, setup("zitadel").secret, time.time())
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return request(body=body, more=more, tenant=hooked.client.tenant)


KINDS = st.sampled_from(["unsigned", "empty", "signed", "health", "large", "wrong"])


@examples(20)
@given(kinds=st.lists(KINDS, min_size=1, max_size=6), data=st.data())
def test_every_request_of_a_connection_has_its_own_answer(
    whole: Server, hooked: Line, kinds: list[str], data: st.DataObject
) -> None:
    """Whatever pieces they come in."""
    tenant = hooked.client.tenant
    made = {
        "unsigned": (request(body=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", tenant=tenant), 401),
        "empty": (request(body=b"", tenant=tenant), 401),
        "signed": (signed(hooked), 200),
        "health": (HEALTH, 200),
        "large": (request(body=b"{" * 70_000, tenant=tenant), 401),
        "wrong": (request(more="ZITADEL-Signature: t=1,v1=00\r\n", tenant=tenant), 401),
    }
    text = b"".join(made[kind][0] for kind in kinds)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text)), max_size=6)))
    with Wire(whole.url) as wire:
        for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            wire.socket.sendall(text[begin:end])
            time.sleep(0.002)
        assert [wire.answer()[0] for _ in kinds] == [made[kind][1] for kind in kinds]
        assert wire.kept == b""


def test_what_follows_in_a_bad_form_is_refused(wire: Wire) -> None:
    with wire:
        wire.socket.sendall(request() + b"GET / HTTP/1.1\nHost: x\n\n")
        assert [wire.answer()[0], wire.answer()[0]] == [401, 400]
        assert wire.socket.recv(10) == b""


def test_an_idle_connection_that_was_refused_is_not_late(whole: Server, wire: Wire) -> None:
    """It is between two requests, and not in the head of one."""
    with wire:
        wire.socket.sendall(request())
        assert wire.answer()[0] == 401
        time.sleep(1.2)  # connections are looked at every second
        wire.socket.sendall(HEALTH)
        assert wire.answer()[0] == 200


def test_a_flood_is_counted_whole(whole: Server, wire: Wire) -> None:
    def counted() -> float:
        labels = {"provider": "okta", "hook": "saml", "result": "refused"}
        registry = whole.app.state.plane.metrics.registry
        return registry.get_sample_value("actionbox_hook_requests_total", labels) or 0.0

    before = counted()
    with wire:
        for _ in range(50):
            wire.socket.sendall(request("okta/saml"))
            assert wire.answer()[0] == 200
    assert counted() == before + 50
