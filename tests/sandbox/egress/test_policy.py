"""What an operator can set: hosts, methods, paths, ports, schemes, certificate authorities."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from sandbox.egress import AllowRule, EgressError, EgressPolicy
from sandbox.egress.policy.url import parse_url
from tests.sandbox.egress.fetching import fetch, local, rule
from tests.sandbox.egress.peers import certificate, response, serving


def judged(policy: EgressPolicy, url: str, method: str = "GET") -> str:
    """The rule that refuses, or `ok`."""
    try:
        policy.check(method, parse_url(url))
    except EgressError as error:
        return error.rule
    return "ok"


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("https://api.example/", "ok"),
        ("http://api.example/", "ok"),
        ("https://api.example:8443/", "ok"),
        ("https://api.example:3000/", "ok"),
        ("https://api.example:0/", "port"),
        ("http://api.example:22/", "port"),
        ("http://api.example:25/", "port"),
        ("http://api.example:5432/", "port"),
        ("http://api.example:6379/", "port"),
        ("http://api.example:11211/", "port"),
        ("http://10.0.0.1/", "private-address"),
    ],
)
def test_the_usual_policy(url: str, verdict: str) -> None:
    assert judged(EgressPolicy(), url) == verdict


def test_a_local_run_may_use_any_port_but_zero() -> None:
    policy = EgressPolicy(allow_private=True)
    assert judged(policy, "http://localhost:5432/") == "ok"
    assert judged(policy, "http://127.0.0.1:1/") == "ok"
    assert judged(policy, "http://127.0.0.1:0/") == "port"


def test_a_policy_may_insist_on_https() -> None:
    policy = EgressPolicy(schemes=frozenset({"https"}))
    assert judged(policy, "http://api.example/") == "scheme"
    assert judged(policy, "https://api.example/") == "ok"


@pytest.mark.parametrize(
    ("allowed", "method", "url", "verdict"),
    [
        (AllowRule("api.example"), "GET", "https://api.example/x", "ok"),
        (AllowRule("API.example."), "GET", "https://api.EXAMPLE/x", "ok"),
        (AllowRule("api.example"), "GET", "https://api.example./x", "ok"),
        (AllowRule("api.example"), "GET", "https://evil.example/x", "allow-list"),
        (AllowRule("api.example"), "GET", "https://xapi.example/", "allow-list"),
        (AllowRule("api.example"), "GET", "https://api.example.evil/", "allow-list"),
        (AllowRule("*.example"), "GET", "https://a.b.example/", "ok"),
        (AllowRule("*.example"), "GET", "https://example/", "allow-list"),
        (AllowRule("*.example"), "GET", "https://notexample/", "allow-list"),
        (AllowRule("a.example", frozenset({"POST"})), "POST", "https://a.example/", "ok"),
        (AllowRule("a.example", frozenset({"POST"})), "GET", "https://a.example/", "allow-list"),
        (AllowRule("a.example", ports=frozenset({443})), "GET", "https://a.example:8443/", "allow-list"),
        (AllowRule("a.example", ports=frozenset({443})), "GET", "https://a.example/", "ok"),
        (AllowRule("a.example", paths=("/v1",)), "GET", "https://a.example/v1", "ok"),
        (AllowRule("a.example", paths=("/v1",)), "GET", "https://a.example/v1/x?y", "ok"),
        (AllowRule("a.example", paths=("/v1",)), "GET", "https://a.example/v10", "allow-list"),
        (AllowRule("a.example", paths=("/v1/",)), "GET", "https://a.example/v1", "allow-list"),
        (AllowRule("a.example", paths=("/v1",)), "GET", "https://a.example/v1/../admin", "allow-list"),
        (AllowRule("a.example", paths=("/v1",)), "GET", "https://a.example/v1/%2e%2E/admin", "allow-list"),
        (AllowRule("a.example", paths=("/v1",)), "GET", "https://a.example/v1\\..\\admin", "allow-list"),
        (AllowRule("a.example", paths=("/v1",)), "GET", "https://a.example/v1/..%2fadmin", "allow-list"),
        (AllowRule("a.example", paths=("/v1",)), "GET", "https://a.example/v1/%5c..%5cadmin", "allow-list"),
        (AllowRule("a.example", paths=("/",)), "GET", "https://a.example/any", "ok"),
    ],
)
def test_an_allow_list(allowed: AllowRule, method: str, url: str, verdict: str) -> None:
    assert judged(EgressPolicy(allow=(allowed,)), url, method) == verdict


@pytest.mark.parametrize(
    "options",
    [
        {"host": ""},
        {"host": "*"},
        {"host": "*."},
        {"host": "a.*.example"},
        {"host": "a.example", "paths": ("v1",)},
        {"host": "a.example", "methods": frozenset({"get"})},
    ],
)
def test_an_allow_rule_that_would_match_nothing_or_all_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="allow-list"):
        AllowRule(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"schemes": frozenset()},
        {"schemes": frozenset({"ftp"})},
        {"timeout_ms": 0},
        {"response_bytes": -1},
        {"total_bytes": 0},
        {"parallel": 0},
        {"ca_file": "/nowhere/ca.pem"},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="egress"):
        EgressPolicy(**options)


def test_an_empty_allow_list_allows_nothing() -> None:
    assert judged(EgressPolicy(allow=()), "https://api.example/") == "allow-list"


def test_an_allow_list_does_not_open_private_addresses() -> None:
    policy = EgressPolicy(allow=(AllowRule("10.0.0.1"),))
    assert judged(policy, "http://10.0.0.1/") == "private-address"


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("file:///etc/passwd", "scheme"),
        ("ftp://a.example/", "scheme"),
        ("gopher://a.example/", "scheme"),
        ("http+unix://%2Ftmp%2Fx/", "scheme"),
        ("data:text/plain,x", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("ws://a.example/", "scheme"),
        ("//a.example/", "url"),
        ("/x", "url"),
        ("", "url"),
        ("http:a.example", "url"),
        ("http:/a.example", "url"),
        ("http:\\\\a.example", "url"),
        ("http:///x", "url"),
        ("http://user@a.example/", "url"),
        ("http://a.example@b.example/", "url"),
        ("http://a.example:99999/", "url"),
        ("http://a.example:8x/", "url"),
        ("http://a.exa\nmple/", "url"),
        ("http://a.example/\r\nX: y", "url"),
        ("http://a.example/\0x", "url"),
    ],
)
def test_a_url_that_no_policy_takes(url: str, verdict: str) -> None:
    assert rule(fetch(local(), url)) == verdict


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://A.Example", "https://a.example/"),
        ("https://bücher.example/ü?ü=%20 +", "https://xn--bcher-kva.example/%C3%BC?%C3%BC=%20%20+"),
        ("http://a.example:80/", "http://a.example/"),
        ("https://a.example:80/", "https://a.example:80/"),
        (" https://a.example/a/./b/../c#frag\n", "https://a.example/a/c"),
        ("https://a.example/%7Euser/%zz?a=b%2Bc&d", "https://a.example/%7Euser/%zz?a=b%2Bc&d"),
        ("http://good.example\\@evil.example/", "http://good.example/@evil.example/"),
        ("https://a.example?x", "https://a.example/?x"),
        ("https://a.example/..", "https://a.example/"),
        ("https://[2606:4700:0::1111]:8443/", "https://[2606:4700::1111]:8443/"),
    ],
)
def test_a_url_is_read_as_browsers_do_and_otherwise_sent_as_written(written: str, sent: str) -> None:
    assert str(parse_url(written)) == sent


# --- TLS ---


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    server, _ = certificate(tmp_path, "localhost")
    with serving(server, x=response(b"")) as peer:
        assert rule(fetch(local(), peer.url("/x", host="localhost"))) == "tls"
        assert peer.requests == []


def test_an_operator_may_trust_a_further_authority(tmp_path: Path) -> None:
    server, pem = certificate(tmp_path, "localhost")
    with serving(server, x=response(b"ok")) as peer:
        policy = EgressPolicy(allow_private=True, ca_file=pem)
        assert fetch(local(policy), peer.url("/x", host="localhost"))["ok"]["body"] == b"ok"
        assert rule(fetch(local(policy), peer.url("/x"))) == "tls"


def test_a_certificate_that_has_expired_is_refused(tmp_path: Path) -> None:
    server, pem = certificate(tmp_path, "localhost", days=-1)
    with serving(server, x=response(b"")) as peer:
        policy = EgressPolicy(allow_private=True, ca_file=pem)
        assert rule(fetch(local(policy), peer.url("/x", host="localhost"))) == "tls"


def test_a_server_that_speaks_no_tls_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

        threading.Thread(target=greet, daemon=True).start()
        assert rule(fetch(local(), f"https://127.0.0.1:{listener.getsockname()[1]}/")) == "tls"
