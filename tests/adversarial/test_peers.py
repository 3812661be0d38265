"""Hostile HTTP peers, byte by byte (threat-model N5, N6): a response that two parsers could read differently
is refused, and one that never ends ends by a cap."""

from __future__ import annotations

import contextlib
import itertools
import socket
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.caps import MIB
from sandbox.egress import EgressPolicy, HttpEgress
from sandbox.egress.http import lines as egress_lines
from sandbox.egress.http.framing import Framing
from sandbox.egress.http.lines import FramingError
from tests.sandbox.egress.fetching import fetch, local, rule
from tests.sandbox.egress.peers import serving
from tests.sandbox.ports import live

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

AMBIGUOUS = {
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "one bare line feed": OK + b"Content-Length: 5\nX: 1\r\n\r\nhello",
    "bare line feed at the end": OK + b"Content-Length: 5\r\n\nhello",
    "bare carriage returns": b"HTTP/1.1 200 OK\rContent-Length: 5\r\rhello",
    "carriage return in a value": OK + b"X: a\rContent-Length: 9\r\nContent-Length: 5\r\n\r\nhello",
    "blank before the colon": OK + b"Content-Length : 5\r\n\r\nhello",
    "folded length": OK + b"Content-Length:\r\n 5\r\n\r\nhello",
    "folded header": OK + b"X: a\r\n b\r\nContent-Length: 5\r\n\r\nhello",
    "blank before a name": OK + b" Content-Length: 5\r\n\r\nhello",
    "empty name": OK + b": x\r\nContent-Length: 5\r\n\r\nhello",
    "no colon": OK + b"foo\r\nContent-Length: 5\r\n\r\nhello",
    "NUL in a value": OK + b"X: a\0b\r\nContent-Length: 5\r\n\r\nhello",
    "escape in a value": OK + b"X: \x1b[2J\r\nContent-Length: 5\r\n\r\nhello",
    "escape in the reason": b"HTTP/1.1 200 \x1b[31mX\r\nContent-Length: 5\r\n\r\nhello",
    "lines before the status": b"\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "the same length twice": OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "length as a list": OK + b"Content-Length: 5, 5\r\n\r\nhello",
    "length with a sign": OK + b"Content-Length: +5\r\n\r\nhello",
    "length in hex": OK + b"Content-Length: 0x5\r\n\r\nhello",
    "length with a fraction": OK + b"Content-Length: 5.0\r\n\r\nhello",
    "length in other digits": OK + "Content-Length: ٥\r\n\r\nhello".encode(),
    "length without end": OK + b"Content-Length: " + b"9" * 40 + b"\r\n\r\nhello",
    "empty length": OK + b"Content-Length: \r\n\r\nhello",
    "length and coding": OK
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "coding and length": OK
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "coding twice": OK + b"Transfer-Encoding: chunked\r\n" + CHUNKED[17:] + b"5\r\nhello\r\n0\r\n\r\n",
    "coding of two": OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "coding gzip, chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "coding unknown": OK + b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello",
    "coding with a control": OK + b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\nhello",
    "coding identity": OK + b"Transfer-Encoding: identity\r\n\r\nhello",
    "chunked in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunk lines of line feeds": CHUNKED + b"5\nhello\n0\n\n",
    "chunk ends in a line feed": CHUNKED + b"5\r\nhello\n0\r\n\r\n",
    "chunk of negative size": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "chunk size with 0x": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "chunk size that wraps": CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "chunk longer than it says": CHUNKED + b"2\r\nhello\r\n0\r\n\r\n",
    "chunk that is none": CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n",
    "chunk extension with a line feed": CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "trailer without a colon": CHUNKED + b"5\r\nhello\r\n0\r\nX\r\n\r\n",
    "unfinished chunks": CHUNKED + b"5\r\nhello\r\n",
    "unfinished body": OK + b"Content-Length: 50\r\n\r\nhello",
    "upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/0.9": b"hello",
    "another protocol": b"ICY 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "status of two digits": b"HTTP/1.1 99 OK\r\nContent-Length: 5\r\n\r\nhello",
    "status of four digits": b"HTTP/1.1 1000 OK\r\nContent-Length: 5\r\n\r\nhello",
    "binary": b"\x00\x01\x02",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_an_ambiguous_response_is_refused(name: str) -> None:
    with serving(x=AMBIGUOUS[name]) as peer:
        assert rule(fetch(local(), peer.url("/x"), timeoutMs=5_000)) in ("protocol", "connect")


PLAIN = {
    "length": OK + b"Content-Length: 5\r\n\r\nhello",
    "chunks": CHUNKED + b"2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\nX-T: 1\r\n\r\n",
    "to the end": OK + b"Connection: close\r\n\r\nhello",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "after interim ones": b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    + OK
    + b"Content-Length: 5\r\n\r\nhello",
    "no reason": b"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello",
    "odd but valid values": OK + "X: \t é\t\r\nContent-Length: 5\r\n\r\nhello".encode("latin-1"),
    "line feeds in the body": OK + b"Content-Length: 5\r\n\r\n\n\r\n\n\r",
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_response_is_read(name: str) -> None:
    with serving(x=PLAIN[name]) as peer:
        answer = fetch(local(), peer.url("/x"), timeoutMs=5_000)["ok"]
    assert answer["status"] == 200
    assert answer["body"] == (b"\n\r\n\n\r" if name == "line feeds in the body" else b"hello")


def test_two_plain_responses_on_one_connection_are_both_read() -> None:
    """The check begins anew with each request, also where the connection is kept."""

    def twice(connection: socket.socket, _: bytes) -> None:
        for body in (b"first", b"other"):
            connection.sendall(CHUNKED + b"5\r\n" + body + b"\r\n0\r\n\r\n")
            if body == b"first":
                connection.recv(65536)

    with serving(x=twice) as peer:
        port = local()
        bodies = [fetch(port, peer.url("/x"))["ok"]["body"] for _ in range(2)]
    assert bodies == [b"first", b"other"]
    assert peer.connections == 1


def test_the_second_response_of_a_connection_is_checked_too() -> None:
    def twice(connection: socket.socket, _: bytes) -> None:
        connection.sendall(OK + b"Content-Length: 5\r\n\r\nhello")
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello")

    with serving(x=twice) as peer:
        port = local()
        assert fetch(port, peer.url("/x"))["ok"]["body"] == b"hello"
        assert rule(fetch(port, peer.url("/x"))) == "protocol"
    assert peer.connections == 1


@given(st.sampled_from([*AMBIGUOUS.values(), *PLAIN.values()]), st.lists(st.integers(0, 120), max_size=6))
def test_where_the_bytes_are_cut_makes_no_difference(raw: bytes, cuts: list[int]) -> None:
    def verdict(pieces: list[bytes]) -> bool:
        checked = Framing(bodiless=False, most_content=MIB)
        try:
            for piece in pieces:
                checked.feed(piece)
        except FramingError:
            return False
        return True

    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    assert verdict([raw]) == verdict([raw[a:b] for a, b in itertools.pairwise(edges)])


@given(st.binary(max_size=200))
def test_any_bytes_are_framed_or_refused(raw: bytes) -> None:
    with contextlib.suppress(FramingError):
        Framing(bodiless=False, most_content=MIB).feed(OK + raw)


def endless(before: bytes, unit: bytes, seconds: float = 2.0) -> Callable[[socket.socket, bytes], None]:
    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(before)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            connection.sendall(unit)

    return answer


ENDLESS = {
    "interim responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000),
    "headers": (OK, b"X: a\r\n" * 2_000),
    "one header": (OK + b"X: ", b"a" * 60_000),
    "status line": (b"HTTP/1.1 200 ", b"O" * 60_000),
    "chunk size": (CHUNKED, b"0" * 60_000),
    "chunk extension": (CHUNKED, b"1;" + b"a" * 60_000),
    "chunks of one byte": (CHUNKED, b"1\r\nx\r\n" * 5_000),
    "chunks with long extensions": (CHUNKED, b"1;" + b"a" * 60_000 + b"\r\nx\r\n"),
    "trailers": (CHUNKED + b"1\r\nx\r\n0\r\n", b"X-A: bbbbbbbb\r\n" * 2_000),
    "blank lines": (b"", b"\r\n" * 30_000),
    "body": (OK + b"\r\n", b"x" * 100_000),
}


def test_framing_has_a_cap() -> None:
    """At its value and one byte above: lines count, the content between them does not."""

    def lines(size: int) -> bytes:
        """Heads of interim responses of `size` bytes together."""
        unit = b"HTTP/1.1 103 \r\nX: " + b"a" * 60_000 + b"\r\n\r\n"
        whole, rest = divmod(size, len(unit))
        last = b"HTTP/1.1 103 \r\nX: " + b"a" * (rest - len(unit) + 60_000) + b"\r\n\r\n"
        return unit * whole + last

    Framing(bodiless=False, most_content=MIB).feed(lines(egress_lines._MAX_LINES))
    with pytest.raises(FramingError, match="too many"):
        Framing(bodiless=False, most_content=MIB).feed(lines(egress_lines._MAX_LINES + 1))


@pytest.mark.parametrize("name", ENDLESS)
def test_a_response_without_end_ends_by_a_cap(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a cap and not by time: an execution would allow ten seconds."""
    monkeypatch.setattr(egress_lines, "_MAX_LINES", 100_000)
    before, unit = ENDLESS[name]
    with serving(x=endless(before, unit)) as peer:
        port = live(egress=HttpEgress(EgressPolicy(allow_private=True)), seconds=20)
        assert rule(fetch(port, peer.url("/x"), timeoutMs=15_000)) in ("protocol", "too-large", "connect")
