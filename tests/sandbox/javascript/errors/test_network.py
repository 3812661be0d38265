"""What a broken request is to programs: Node's codes and facts, our rule beside them."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import Limits
from sandbox.core.failure import FailureCode
from sandbox.egress import EgressPolicy, HttpEgress
from tests.sandbox.egress.peers import certificate, redirect, serving
from tests.sandbox.javascript.conftest import Run

ACTION = """
const http = require('http'), https = require('https');
const told = ({ code, errno, syscall, hostname, address, rule }) =>
  [code, errno ?? '-', syscall ?? '-', hostname ?? address ?? '-', rule].join(' ');
const one = (url) => new Promise((done, fail) => {
  (url.startsWith('https:') ? https : http).get(url, done).on('error', fail);
});
exports.onExecutePostLogin = async (event) => {
  for (const url of event.urls) {
    try { await (await fetch(url)).text(); console.log('answered'); }
    catch (e) { console.log(told(e.cause)); }
    try { await one(url); console.log('answered'); } catch (e) { console.log(told(e)); }
  }
};
"""


Tell = Callable[..., list[str]]


def resets(connection: socket.socket, _request: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def lookup(host: str, port: int) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    if host == "gone.example":
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if host == "later.example":
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def told(run: Run) -> Tell:
    def tell(*urls: str, policy: EgressPolicy | None = None) -> list[str]:
        egress = HttpEgress(policy or EgressPolicy(allow_private=True), lookup=lookup)
        return run(ACTION, {"urls": urls}, egress=egress, limits=Limits(wall_ms=60_000)).log

    return tell


def test_a_closed_port(told: Tell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    line = "ECONNREFUSED -111 connect 127.0.0.1 connect"
    assert told(f"http://127.0.0.1:{port}/") == [line, line]


def test_names_without_an_address(told: Tell) -> None:
    assert told("http://gone.example/", "https://later.example/") == [
        "ENOTFOUND -3008 getaddrinfo gone.example dns",
        "ENOTFOUND -3008 getaddrinfo gone.example dns",
        "EAI_AGAIN -3001 getaddrinfo later.example dns",
        "EAI_AGAIN -3001 getaddrinfo later.example dns",
    ]


def test_connections_that_break(told: Tell) -> None:
    with serving(
        reset=resets,
        hang=b"",
        nonsense=b"SSH-2.0-x\r\n",
        cut=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
    ) as peer:
        reset, hang, nonsense, cut = (peer.url(f"/{name}") for name in ("reset", "hang", "nonsense", "cut"))
        assert told(reset, hang, nonsense, cut) == [
            "ECONNRESET -104 read - connect",
            "ECONNRESET -104 read - connect",
            "UND_ERR_SOCKET - - - connect",
            "ECONNRESET -104 read - connect",
            "HPE_INVALID_CONSTANT - - - protocol",
            "HPE_INVALID_CONSTANT - - - protocol",
            "UND_ERR_SOCKET - - - protocol",
            "ECONNRESET -104 read - protocol",
        ]


@contextlib.contextmanager
def without_tls() -> Iterator[int]:
    """The port of a server that answers a TLS greeting in plain text."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(4096)
                        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


def test_certificates(told: Tell, tmp_path: Path) -> None:
    context, _ = certificate(tmp_path, "self.example")
    with serving(context) as peer:
        lines = told(peer.url(host="self.example"))
    assert lines == ["DEPTH_ZERO_SELF_SIGNED_CERT - - - tls"] * 2
    with without_tls() as port:
        lines = told(f"https://plain.example:{port}/")
    assert lines == ["ERR_SSL_WRONG_VERSION_NUMBER - - - tls"] * 2


def test_expired_and_misnamed(told: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expired, expired_file = certificate(tmp_path, "expired.example", days=-1)
    named, named_file = certificate(tmp_path, "named.example")
    both = tmp_path / "both.pem"
    both.write_text(Path(expired_file).read_text() + Path(named_file).read_text())
    monkeypatch.setenv("SSL_CERT_FILE", str(both))
    with serving(expired) as old, serving(named) as other:
        lines = told(old.url(host="expired.example"), other.url(host="other.example"))
    assert lines == [
        "CERT_HAS_EXPIRED - - - tls",
        "CERT_HAS_EXPIRED - - - tls",
        "ERR_TLS_CERT_ALTNAME_INVALID - - - tls",
        "ERR_TLS_CERT_ALTNAME_INVALID - - - tls",
    ]


def test_what_takes_too_long(told: Tell) -> None:
    with serving(slow=lambda connection, _: connection.recv(1)) as peer:  # type: ignore[arg-type]
        policy = EgressPolicy(allow_private=True, timeout_ms=200)
        lines = told(peer.url("/slow"), policy=policy)
    assert lines == ["ETIMEDOUT -110 connect 127.0.0.1 timeout"] * 2


def test_what_is_too_large_or_goes_in_circles(told: Tell) -> None:
    big = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"
    with serving(big=big, round=redirect("/round")) as peer:
        lines = told(peer.url("/big"), peer.url("/round"))
    assert lines[0] == "UND_ERR_RES_EXCEEDED_MAX_SIZE - - - too-large"
    assert lines[1] == "ERR_OUT_OF_RANGE - - - too-large"
    assert lines[2] == " - - - redirects"


def test_what_the_policy_refuses_has_the_code_of_nodes_own_permissions(told: Tell) -> None:
    lines = told("http://10.0.0.1/", "ftp://a.example/", policy=EgressPolicy())
    assert lines[0] == lines[1] == "ERR_ACCESS_DENIED - - - private-address"
    assert lines[2] == "ERR_ACCESS_DENIED - - - scheme"


def test_uncaught_it_is_the_failure_of_the_request(run: Run) -> None:
    egress = HttpEgress(EgressPolicy(allow_private=True), lookup=lookup)
    failure = run(
        "exports.onExecutePostLogin = async () => {\n  await fetch('http://gone.example/');\n};",
        egress=egress,
    ).failure
    assert (failure.code, failure.error_name) == (FailureCode.EGRESS, "TypeError")
    assert failure.message == "fetch failed: The host name gone.example could not be resolved."
    assert failure.detail == {
        "rule": "dns",
        "cause": "The host name gone.example could not be resolved.",
        "cause_code": "ENOTFOUND",
    }
    assert failure.place is not None
    assert failure.place.line == 2
