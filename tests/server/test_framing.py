"""Requests that two parsers could read differently, byte by byte over a socket (threat-model P6): each is
refused and the connection closed, and no second request inside one is ever answered."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.server.transport.framing import RequestFraming
from sandbox.core.caps import MIB
from sandbox.egress.http.lines import ContentTooLargeError, FramingError
from tests.e2e.serving import serve
from tests.serving.server import Server, running, settings_for

GET = b"GET /health HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SECOND = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
CAP = 2_000

BAD = {
    "length and coding": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "a length of zero and a coding": POST
    + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "length and coding of a GET": GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "one length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a plus": POST + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "a hexadecimal length": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "a length with an underscore": POST + b"Content-Length: 1_0\r\n\r\n{}        ",
    "a length that is a fraction": POST + b"Content-Length: 2.0\r\n\r\n{}",
    "an empty length": POST + b"Content-Length:\r\n\r\n{}",
    "a length in other digits": POST + b"Content-Length: \xd9\xa2\r\n\r\n{}",
    "a length without end": POST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{}",
    "coding twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding twice in one": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "another coding": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "no coding": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "a coding of our own": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding with a control": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a coding with a comma": POST + b"Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n",
    "a coding in HTTP/1.0": POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bare line feeds": GET.replace(b"\r\n", b"\n") + b"\n",
    "one bare line feed": GET + b"X: 1\n\r\n",
    "a bare line feed at the end of the head": GET + b"\n",
    "bare carriage returns": GET.replace(b"\r\n", b"\r") + b"\r",
    "a carriage return in a value": GET + b"X: a\rTransfer-Encoding: chunked\r\n\r\n",
    "a folded header": GET + b"X: a\r\n b\r\n\r\n",
    "a header folded by a tab": GET + b"Content-Length: 1\r\n\t2\r\n\r\n",
    "a first header that is folded": b"GET /health HTTP/1.1\r\n Host: x\r\n\r\n",
    "a blank before the colon": GET + b"Content-Length : 2\r\n\r\n",
    "a tab before the colon": GET + b"Transfer-Encoding\t: chunked\r\n\r\n",
    "a header without a name": GET + b": 1\r\n\r\n",
    "a header without a colon": GET + b"X\r\n\r\n",
    "a name with a NUL": GET + b"X\0: 1\r\n\r\n",
    "a value with a NUL": GET + b"X: a\0b\r\n\r\n",
    "a value with a control": GET + b"X: a\x01b\r\n\r\n",
    "a value with a delete": GET + b"X: a\x7fb\r\n\r\n",
    "HTTP/1.2": b"GET /health HTTP/1.2\r\nHost: x\r\n\r\n",
    "HTTP/2.0": b"GET /health HTTP/2.0\r\nHost: x\r\n\r\n",
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /health\r\n\r\n",
    "HTTP/0.9 by number": b"GET /health HTTP/0.9\r\nHost: x\r\n\r\n",
    "HTTP/9.9": b"GET /health HTTP/9.9\r\n\r\n",
    "HTTP/1": b"GET /health HTTP/1\r\nHost: x\r\n\r\n",
    "HTTP/1.10": b"GET /health HTTP/1.10\r\nHost: x\r\n\r\n",
    "http in small letters": b"GET /health http/1.1\r\nHost: x\r\n\r\n",
    "another protocol": b"GET /health RTSP/1.0\r\nHost: x\r\n\r\n",
    "two blanks in the request line": b"GET  /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tab in the request line": b"GET\t/health\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "a blank at the request line's end": b"GET /health HTTP/1.1 \r\nHost: x\r\n\r\n",
    "a blank before the method": b" GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a blank in the target": b"GET /health x HTTP/1.1\r\nHost: x\r\n\r\n",
    "a NUL in the target": b"GET /health\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "another letter in the target": b"GET /h\xc3\xa4lth HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method that is no token": b"G(T /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "no method": b"/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a blank line before the request": b"\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "two hosts": GET + b"Host: y\r\n\r\n",
    "a long header": GET + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
    "chunk lines of line feeds": CHUNKED + b"2\n{}\n0\n\n",
    "a chunk that ends in a line feed": CHUNKED + b"2\r\n{}\n0\r\n\r\n",
    "a chunk of negative size": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk size with a plus": CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
    "a chunk size with 0x": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk size that wraps": CHUNKED + b"10000000000000002\r\n{}\r\n0\r\n\r\n",
    "a chunk size of blanks": CHUNKED + b" 2\r\n{}\r\n0\r\n\r\n",
    "an empty chunk size": CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    "a chunk that is longer than it says": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "a chunk extension with a line feed": CHUNKED + b"2;a\nb\r\n{}\r\n0\r\n\r\n",
    "a chunk extension with a NUL": CHUNKED + b"2;a\0\r\n{}\r\n0\r\n\r\n",
    "a folded trailer": CHUNKED + b"2\r\n{}\r\n0\r\nX: a\r\n b\r\n\r\n",
    "a trailer that is none": CHUNKED + b"2\r\n{}\r\n0\r\nX\r\n\r\n",
}

GOOD = {
    "a plain GET": (GET + b"\r\n", 200),
    "a GET with a body": (GET + b"Content-Length: 2\r\n\r\n{}", 200),
    "HTTP/1.0": (b"GET /health HTTP/1.0\r\n\r\n", 200),
    "blanks around a value": (GET + b"X: \t a \t\r\n\r\n", 200),
    "a value of other letters": (GET + b"X: \xc3\xa4\r\n\r\n", 200),
    "an empty value": (GET + b"X:\r\n\r\n", 200),
    "a length with zeros in front": (POST + b"Content-Length: 0002\r\n\r\n{}", 400),
    "chunks": (CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 400),
    "chunk extensions and trailers": (CHUNKED + b'02;a=b;c="d" \r\n{}\r\n0\r\nX: 1\r\n\r\n', 400),
    "a coding in capitals": (POST + b"Transfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400),
    "all of a server": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "the absolute form": (b"GET http://x/health HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "an authority": (b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", 404),
    "an upgrade": (GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("framing")
    with running(settings_for(folder, max_body_bytes=CAP, read_seconds=20)) as found:
        yield found


def conversation(server: Server, *parts: bytes, pause: float = 0.05) -> bytes:
    """Everything that is answered until the server closes. Fails when it keeps the connection."""
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=10) as client:
        return talk(client, *parts, pause=pause)


def talk(client: socket.socket, *parts: bytes, pause: float = 0.05) -> bytes:
    for number, part in enumerate(parts):
        if number:
            time.sleep(pause)
        client.sendall(part)
    answer = b""
    while part := client.recv(65_536):
        answer += part
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(part) for part in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answer)]


@pytest.mark.parametrize("name", BAD)
def test_what_is_ambiguous_is_refused_and_ends_the_connection(server: Server, name: str) -> None:
    answer = conversation(server, BAD[name] + SECOND)
    assert statuses(answer) == [400], answer
    assert b'"statusCode": 400' in answer
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("name", BAD)
def test_whatever_was_asked_before_is_answered(server: Server, name: str) -> None:
    assert statuses(conversation(server, SECOND + SECOND + BAD[name] + SECOND)) == [200, 200, 400]
    assert statuses(conversation(server, SECOND + BAD[name][:20], BAD[name][20:] + SECOND)) == [200, 400]


@pytest.mark.parametrize("name", GOOD)
def test_what_everybody_reads_alike_is_answered(server: Server, name: str) -> None:
    raw, status = GOOD[name]
    answer = conversation(server, raw.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
    assert statuses(answer) == [status], answer


def test_over_tls_too(tmp_path: Path) -> None:
    with serve(tmp_path, "--https") as served:
        context = ssl.create_default_context(cafile=served.ca_file)
        for raw in (BAD["length and coding"], BAD["one bare line feed"]):
            with (
                socket.create_connection(("127.0.0.1", urlsplit(served.url).port or 0), timeout=10) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as client,
            ):
                assert statuses(talk(client, raw + SECOND)) == [400]


@pytest.mark.parametrize("size", [b"7d1", b"FFFFFFFFFFFFFFFF", b"3B9ACA00"])
@pytest.mark.parametrize("before", [b"", b"2\r\n{}\r\n"])
def test_a_chunk_over_the_cap_is_refused_before_it_comes(server: Server, size: bytes, before: bytes) -> None:
    began = time.monotonic()
    answer = conversation(server, CHUNKED + before, size + b"\r\n")
    assert statuses(answer) == [413], answer
    assert b"larger than 2000 bytes" in answer
    assert time.monotonic() - began < 10, "and not after the 20 s that a body may take"


def test_chunks_up_to_the_cap_are_taken(server: Server) -> None:
    body = b"{" + b" " * (CAP - 2) + b"}"
    chunks = b"3e8\r\n" + body[:1000] + b"\r\n3e8\r\n" + body[1000:] + b"\r\n0\r\n\r\n"
    raw = CHUNKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + chunks
    answer = conversation(server, raw)
    assert statuses(answer) == [400]
    assert b"grant_type is missing" in answer


def test_a_client_that_goes_on_sending_sees_the_refusal(server: Server) -> None:
    more = b"x" * 1_000_000
    answer = conversation(server, POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", more)
    assert statuses(answer) == [400]


@given(
    st.sampled_from([*BAD.values(), *(raw for raw, _ in GOOD.values())]),
    st.lists(st.integers(0, 200), max_size=6),
)
def test_where_the_bytes_are_cut_makes_no_difference(raw: bytes, cuts: list[int]) -> None:
    def verdict(pieces: list[bytes]) -> bool:
        framing = RequestFraming(MIB)
        try:
            for piece in pieces:
                framing.feed(piece)
        except FramingError:
            return False
        return True

    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    assert verdict([raw]) == verdict([raw[a:b] for a, b in itertools.pairwise(edges)])


@given(st.binary(max_size=200))
def test_any_bytes_are_framed_or_refused(raw: bytes) -> None:
    for before in (b"", GET, CHUNKED):
        with contextlib.suppress(FramingError):
            RequestFraming(MIB).feed(before + raw)


_PIECES = [GET, POST, b"\r\n", b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n", b"{}", b"2\r\n",
           b"0\r\n\r\n", b"X: 1\r\n", b" ", b"\n", b"A"]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=12).map(b"".join))
def test_what_passes_is_read_alike_by_the_parser_behind(raw: bytes) -> None:
    """As many requests end where both look, and none is read out of the content of another."""
    framing = _Counting(MIB)
    try:
        framing.feed(raw)
    except FramingError:
        return
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(raw)
    ended = 0
    with contextlib.suppress(h11.RemoteProtocolError):
        while (event := connection.next_event()) is not h11.NEED_DATA:
            ended += isinstance(event, h11.EndOfMessage)
            if event is h11.PAUSED:
                _answer(connection)
    if connection.their_state is not h11.ERROR:
        assert ended == framing.ended


class _Counting(RequestFraming):
    ended = 0

    def _after_chunks(self) -> None:
        super()._after_chunks()
        self.ended += 1


def _answer(connection: h11.Connection) -> None:
    connection.send(h11.Response(status_code=200, headers=[(b"content-length", b"0")]))
    connection.send(h11.EndOfMessage())
    connection.start_next_cycle()


def test_chunks_count_together() -> None:
    RequestFraming(10).feed(CHUNKED + b"5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n" + CHUNKED + b"A\r\n")
    with pytest.raises(ContentTooLargeError):
        RequestFraming(10).feed(CHUNKED + b"5\r\nhello\r\n6\r\n")
