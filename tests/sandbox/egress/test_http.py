"""The real HTTP client against real peers: what goes out, what comes back, and every way to break."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.core import caps
from sandbox.core.caps import KIB, MIB
from sandbox.egress import EgressPolicy, HttpEgress
from sandbox.egress.http.errors import translate
from tests.sandbox.egress.fetching import begin, fetch, local, rule, settled
from tests.sandbox.egress.peers import RawPeer, redirect, response, serving
from tests.sandbox.ports import live


def header_lines(request: bytes) -> list[str]:
    return request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")


def test_a_request_and_its_answer() -> None:
    with serving(echo=response(b"\x00\xff", "201 Created", X_A="1", Set_Cookie="a=b")) as peer:
        url = peer.url("/echo?q=%20x")
        answer = fetch(local(), url + "#f", method="post", headers=[["X-B", " 2 "]], body=b"\x01\n")["ok"]
    assert (answer["status"], answer["statusText"], answer["url"]) == (201, "Created", url)
    assert (answer["redirected"], answer["body"]) == (False, b"\x00\xff")
    assert ["x-a", "1"] in answer["headers"]
    [request] = peer.requests
    assert header_lines(request)[0] == "POST /echo?q=%20x HTTP/1.1"
    assert "X-B: 2" in header_lines(request)
    assert request.endswith(b"\r\n\r\n\x01\n")


def test_only_the_host_sets_framing_routing_and_hop_by_hop_headers() -> None:
    forbidden = [
        ["Host", "evil.example"],
        ["Content-Length", "0"],
        ["Transfer-Encoding", "chunked"],
        ["Connection", "upgrade"],
        ["Proxy-Authorization", "x"],
        ["Keep-Alive", "x"],
        ["TE", "trailers"],
        ["Trailer", "x"],
        ["Upgrade", "h2c"],
        ["Expect", "100-continue"],
        ["Via", "x"],
        ["Accept-Encoding", "br"],
    ]
    with serving(x=response(b"")) as peer:
        fetch(local(), peer.url("/x"), method="PUT", headers=forbidden, body="hi")
    lines = [line.lower() for line in header_lines(peer.requests[0])[1:]]
    assert sorted(line.partition(":")[0] for line in lines) == [
        "accept", "accept-encoding", "content-length", "host", "user-agent",
    ]  # fmt: skip
    assert f"host: 127.0.0.1:{peer.port}" in lines
    assert "content-length: 2" in lines
    assert "accept-encoding: gzip, deflate" in lines


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X\r\nA", "1"),
        ("X", "a\r\nInjected: 1"),
        ("X", "a\nb"),
        ("X", "\0"),
        ("X Y", "1"),
        ("", "1"),
        ("X:", "1"),
        ("X", "smile 😀"),
        ("Ä", "1"),
    ],
)
def test_a_header_cannot_carry_another_one(name: str, value: str) -> None:
    with serving(x=response(b"")) as peer:
        assert rule(fetch(local(), peer.url("/x"), headers=[[name, value]])) == "headers"
    assert peer.requests == []


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "track", "GET /x HTTP/1.1\r\nA:", "", "GÉT", "A B"])
def test_a_method_that_is_no_plain_token_is_refused(method: str) -> None:
    assert rule(fetch(local(), "http://127.0.0.1:1024/", method=method)) == "method"


def test_nothing_ambient_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with serving(x=response(b"", Set_Cookie="sid=1; Path=/")) as peer, serving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url())
        port = local()
        for _ in range(2):
            assert "ok" in fetch(port, peer.url("/x"))
    assert proxy.connections == 0
    assert len(peer.requests) == 2
    for request in peer.requests:
        assert b"authorization" not in request.lower()
        assert b"cookie" not in request.lower()


def test_a_body_may_be_as_large_as_its_cap_and_no_larger() -> None:
    with serving(x=response(b"")) as peer:
        port = local()
        body = b"x" * caps.MAX_FETCH_REQUEST_BODY_BYTES
        assert "ok" in fetch(port, peer.url("/x"), method="POST", body=body)
        assert rule(fetch(port, peer.url("/x"), method="POST", body=body + b"x")) == "too-large"
    assert len(peer.requests) == 1


# --- slow, endless and large ---


def test_a_slow_peer_is_given_up_at_the_timeout() -> None:
    with serving(x=lambda *_: time.sleep(10)) as peer:
        begun = time.monotonic()
        answer = fetch(local(), peer.url("/x"), timeoutMs=150)
    assert rule(answer) == "timeout"
    assert "150 ms" in answer["error"]["message"]
    assert time.monotonic() - begun < 3


def test_a_peer_that_drips_is_given_up_at_the_timeout() -> None:
    def drip(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)

    with serving(x=drip) as peer:
        assert rule(fetch(local(), peer.url("/x"), timeoutMs=300)) == "timeout"


def test_the_execution_ends_with_requests_in_flight() -> None:
    with serving(x=lambda *_: time.sleep(10)) as peer:
        port = local(seconds=0.3)
        handle = begin(port, peer.url("/x"))
        begun = time.monotonic()
        answer = port.wait_any([handle], None)
        port.end()
        assert time.monotonic() - begun < 3
    assert answer == "" or '"timeout"' in answer


def test_ending_closes_the_connection() -> None:
    def until_closed(connection: socket.socket, _: bytes) -> None:
        connection.recv(1)

    with serving(x=until_closed) as peer:
        port = local()
        begin(port, peer.url("/x"))
        while not peer.requests:
            time.sleep(0.01)
        port.end()
        assert peer.closed.wait(5)


def test_cancelling_closes_the_connection_and_leaves_others_alone() -> None:
    def until_closed(connection: socket.socket, _: bytes) -> None:
        connection.recv(1)

    with serving(x=until_closed, y=response(b"y")) as peer:
        port = local()
        handle = begin(port, peer.url("/x"))
        while not peer.requests:
            time.sleep(0.01)
        port.cancel(handle)
        assert peer.closed.wait(5)
        assert fetch(port, peer.url("/y"))["ok"]["body"] == b"y"
        assert port.wait_any([handle], 20) == ""


def endless(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def test_an_endless_body_stops_at_the_cap() -> None:
    with serving(x=endless) as peer:
        policy = EgressPolicy(allow_private=True, response_bytes=1 * MIB)
        assert rule(fetch(local(policy), peer.url("/x"))) == "too-large"
        assert peer.closed.wait(5)


def test_endless_headers_are_refused() -> None:
    def flood(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-A: " + b"x" * 4000 + b"\r\n")

    with serving(x=flood) as peer:
        assert rule(fetch(local(), peer.url("/x"))) in ("protocol", "too-large")


def test_a_response_may_be_as_large_as_its_cap_and_no_larger() -> None:
    policy = EgressPolicy(allow_private=True, response_bytes=100 * KIB)
    with serving(fits=response(b"x" * 100 * KIB), over=response(b"x" * (100 * KIB + 1))) as peer:
        port = local(policy)
        assert len(fetch(port, peer.url("/fits"))["ok"]["body"]) == 100 * KIB
        assert rule(fetch(port, peer.url("/over"))) == "too-large"


def test_the_responses_of_an_execution_are_counted_together() -> None:
    policy = EgressPolicy(allow_private=True, total_bytes=250)
    with serving(x=response(b"x" * 100)) as peer:
        port = local(policy)
        assert ["ok" in fetch(port, peer.url("/x")) for _ in range(3)] == [True, True, False]
        assert "ok" in fetch(local(policy), peer.url("/x"))


def test_requests_of_an_execution_are_counted_and_queue_beyond_the_parallel_ones() -> None:
    lock, running, most = threading.Lock(), [0], [0]

    def count(connection: socket.socket, _: bytes) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.05)
        with lock:
            running[0] -= 1
        connection.sendall(response(b""))

    with serving(x=count) as peer:
        port = local()
        handles = [begin(port, peer.url("/x")) for _ in range(caps.MAX_FETCHES + 1)]
        answers = [settled(port, handle) for handle in handles]
    assert all("ok" in answer for answer in answers[:-1])
    assert rule(answers[-1]) == "limit"
    assert 1 < most[0] <= caps.MAX_FETCH_PARALLEL


# --- content codings ---


def test_codings_are_inflated() -> None:
    text = b"hello " * 100
    raw = zlib.compressobj(wbits=-15)
    with serving(
        gzip=response(gzip.compress(text), Content_Encoding="gzip"),
        members=response(gzip.compress(text[:9]) + gzip.compress(text[9:]), Content_Encoding="x-gzip"),
        zlib=response(zlib.compress(text), Content_Encoding="deflate"),
        raw=response(raw.compress(text) + raw.flush(), Content_Encoding="deflate"),
        identity=response(text, Content_Encoding="identity"),
        empty=response(b"", Content_Encoding="gzip"),
    ) as peer:
        port = local()
        for name in ("gzip", "members", "zlib", "raw", "identity"):
            assert fetch(port, peer.url(f"/{name}"))["ok"]["body"] == text, name
        assert fetch(port, peer.url("/empty"))["ok"]["body"] == b""


def test_a_bomb_stops_at_the_cap_and_a_bomb_of_bombs_is_not_opened() -> None:
    bomb = gzip.compress(bytes(64 * MIB))
    with serving(
        one=response(bomb, Content_Encoding="gzip"),
        two=response(gzip.compress(bomb), Content_Encoding="gzip, gzip"),
    ) as peer:
        port = local()
        assert rule(fetch(port, peer.url("/one"))) == "too-large"
        assert rule(fetch(port, peer.url("/two"))) == "encoding"


def test_broken_codings_are_refused() -> None:
    whole = gzip.compress(b"hello " * 1000)
    with serving(
        short=response(whole[:-9], Content_Encoding="gzip"),
        noise=response(b"not gzip at all", Content_Encoding="gzip"),
        other=response(b"x", Content_Encoding="br"),
    ) as peer:
        port = local()
        assert [rule(fetch(port, peer.url(f"/{name}"))) for name in ("short", "noise", "other")] == [
            "encoding"
        ] * 3


def test_the_body_of_a_redirect_is_never_inflated() -> None:
    with serving(
        x=response(gzip.compress(bytes(MIB)), "302 Found", Location="/y", Content_Encoding="gzip"),
        y=response(b"there"),
    ) as peer:
        policy = EgressPolicy(allow_private=True, total_bytes=10)
        assert fetch(local(policy), peer.url("/x"))["ok"]["body"] == b"there"


# --- framing ---


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX\x00Y: 1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00\x01\x02",
    ],
)
def test_ambiguous_or_broken_framing_is_refused(raw: bytes) -> None:
    with serving(x=raw) as peer:
        assert rule(fetch(local(), peer.url("/x"), timeoutMs=3000)) in ("protocol", "connect")


def test_a_peer_that_hangs_up_is_a_broken_connection() -> None:
    with serving(x=b"") as peer:
        assert rule(fetch(local(), peer.url("/x"))) == "connect"


def test_nobody_listening_is_a_failed_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert rule(fetch(local(), f"http://127.0.0.1:{port}/")) == "connect"


def test_a_second_response_nobody_asked_for_reaches_no_other_execution() -> None:
    def twice(connection: socket.socket, _: bytes) -> None:
        poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + poison)
        time.sleep(0.3)

    with serving(x=twice) as peer:
        egress = HttpEgress(EgressPolicy(allow_private=True))
        for _ in range(3):
            port = live(egress=egress)
            assert fetch(port, peer.url("/x"))["ok"]["body"] == b"ok"
            port.end()
        assert peer.connections == 3


def test_answers_without_a_body() -> None:
    with serving(
        none=b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        head=response(b"", Content_Length="77"),
        close=b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    ) as peer:
        port = local()
        assert fetch(port, peer.url("/none"))["ok"]["status"] == 204
        assert fetch(port, peer.url("/head"), method="HEAD")["ok"]["body"] == b""
        assert fetch(port, peer.url("/close"))["ok"]["body"] == b"until the end"


# --- redirects ---


def test_a_redirect_loop_ends() -> None:
    with serving(x=redirect("/x")) as peer:
        assert rule(fetch(local(), peer.url("/x"))) == "redirects"
    assert len(peer.requests) == caps.MAX_FETCH_REDIRECTS + 1


def chain(length: int) -> dict[str, Any]:
    hops = {f"h{number}": redirect(f"/h{number + 1}") for number in range(length)}
    return {**hops, f"h{length}": response(b"end")}


def test_as_many_redirects_as_the_cap_are_followed() -> None:
    with serving(**chain(caps.MAX_FETCH_REDIRECTS)) as peer:
        answer = fetch(local(), peer.url("/h0"))["ok"]
    assert (answer["body"], answer["redirected"]) == (b"end", True)
    assert answer["url"] == peer.url(f"/h{caps.MAX_FETCH_REDIRECTS}")


@pytest.mark.parametrize(
    ("status", "method", "then", "body"),
    [
        ("301 Moved", "POST", "GET", b""),
        ("302 Found", "POST", "GET", b""),
        ("302 Found", "PUT", "PUT", b"hi"),
        ("303 See Other", "PUT", "GET", b""),
        ("303 See Other", "HEAD", "HEAD", b""),
        ("307 Temporary Redirect", "POST", "POST", b"hi"),
        ("308 Permanent Redirect", "PUT", "PUT", b"hi"),
    ],
)
def test_a_redirect_rewrites_the_method_as_fetch_does(
    status: str, method: str, then: str, body: bytes
) -> None:
    with serving(x=redirect("y", status), y=response(b"")) as peer:
        headers = [["Content-Type", "text/plain"]]
        sent = None if method == "HEAD" else "hi"
        fetch(local(), peer.url("/x"), method=method, headers=headers, body=sent)
    assert peer.requests[1].startswith(f"{then} /y ".encode())
    assert peer.requests[1].endswith(b"\r\n\r\n" + body)
    assert (b"Content-Type" in peer.requests[1]) is (body != b"" or method == "HEAD")


def test_credentials_stay_with_their_origin() -> None:
    secrets = [["Authorization", "Bearer x"], ["Cookie", "a=b"], ["X-Other", "kept"]]
    with serving(here=response(b""), there=response(b"")) as other, serving() as peer:
        peer.routes["/same"] = redirect("/here")
        peer.routes["/here"] = response(b"")
        peer.routes["/cross"] = redirect(other.url("/there"))
        for path in ("/same", "/cross"):
            fetch(local(), peer.url(path), headers=secrets)
    assert b"Bearer x" in peer.requests[1]
    [crossed] = other.requests
    assert b"Bearer" not in crossed
    assert b"Cookie" not in crossed
    assert b"X-Other: kept" in crossed


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("file:///etc/passwd", "scheme"),
        ("http://169.254.169.254/latest/meta-data", "private-address"),
        ("http://[::ffff:169.254.169.254]/", "private-address"),
        ("http://user:pass@127.0.0.1/", "url"),
        ("http://[::1", "url"),
        ("ftp://127.0.0.1/", "scheme"),
        ("http://127.0.0.1:0/", "port"),
    ],
)
def test_each_hop_is_judged(location: str, why: str) -> None:
    with serving(x=redirect(location)) as peer:
        assert rule(fetch(local(), peer.url("/x"))) == why


def test_redirects_may_be_handed_over_or_refused() -> None:
    with serving(x=redirect("/y")) as peer:
        answer = fetch(local(), peer.url("/x"), redirect="manual")["ok"]
        assert rule(fetch(local(), peer.url("/x"), redirect="error")) == "redirects"
    assert (answer["status"], answer["redirected"]) == (302, False)
    assert ["location", "/y"] in answer["headers"]


# --- errors of the library ---


def test_every_error_of_the_http_library_has_a_rule() -> None:
    kinds = [
        kind
        for kind in vars(aiohttp).values()
        if isinstance(kind, type) and issubclass(kind, aiohttp.ClientError)
    ]
    assert len(kinds) > 20
    for kind in kinds:
        error = kind.__new__(kind)
        assert translate(error, "h") is not None, kind


def test_an_unforeseen_error_is_settled_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    def broken(host: str, port: int) -> list[object]:
        raise RuntimeError("host secret")

    answer = fetch(local(lookup=broken), "http://x.example/")  # type: ignore[arg-type]
    assert rule(answer) == "protocol"
    assert "host secret" not in str(answer)
    assert "host secret" in caplog.text


def test_keeping_a_connection_within_an_execution_is_allowed() -> None:
    def twice(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb")

    with serving(x=twice) as peer:
        port = local()
        assert [fetch(port, peer.url("/x"))["ok"]["body"] for _ in range(2)] == [b"a", b"b"]
        assert peer.connections == 1


def test_peers_are_really_separate() -> None:
    """Guards the harness: a route that does not exist is a 404 and not a refusal."""
    peer = RawPeer({})
    try:
        assert fetch(local(), peer.url("/x"))["ok"]["status"] == 404
    finally:
        peer.close()
