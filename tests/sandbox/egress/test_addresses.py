"""Which addresses may be reached: by our own table, in every spelling, and at the moment of connecting."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core import caps
from sandbox.egress import EgressPolicy, HttpEgress
from sandbox.egress.http.connect import RefusedAddressError, checked_socket
from sandbox.egress.http.lookup import AddressInfo
from sandbox.egress.policy import addresses
from sandbox.egress.policy.addresses import classify, parse_address, refusal
from tests.sandbox.egress.fetching import begin, fetch, rule, settled
from tests.sandbox.egress.peers import response, serving
from tests.sandbox.ports import live

SPECIAL = {
    "0.0.0.0": "unspecified", "0.1.2.3": "unspecified", "10.0.0.1": "private", "10.255.255.255": "private",
    "100.64.0.1": "carrier-nat", "100.100.100.200": "carrier-nat", "100.127.255.255": "carrier-nat",
    "127.0.0.1": "loopback", "127.255.255.254": "loopback", "168.63.129.16": "cloud-provider",
    "169.254.0.1": "link-local", "169.254.169.254": "link-local", "172.16.0.1": "private",
    "172.31.255.255": "private", "192.0.0.1": "protocol-assignment", "192.0.0.192": "protocol-assignment",
    "192.0.2.1": "documentation", "192.88.99.1": "tunnel-relay", "192.168.0.1": "private",
    "192.168.255.255": "private", "198.18.0.1": "benchmark", "198.19.255.255": "benchmark",
    "198.51.100.1": "documentation", "203.0.113.1": "documentation", "224.0.0.1": "multicast",
    "239.255.255.255": "multicast", "240.0.0.1": "reserved", "255.255.255.254": "reserved",
    "255.255.255.255": "broadcast",
    "::": "unspecified", "::1": "loopback", "::2": "unspecified", "::127.0.0.1": "loopback",
    "::ffff:127.0.0.1": "loopback", "::ffff:10.0.0.1": "private", "::ffff:169.254.169.254": "link-local",
    "::ffff:0:192.168.1.1": "private", "64:ff9b::127.0.0.1": "loopback", "64:ff9b::a9fe:a9fe": "link-local",
    "64:ff9b:1::1": "private", "2002:7f00:1::": "loopback", "2002:c0a8:101::1": "private",
    "2001:0:7f00:1::": "loopback", "2001:0:808:808::80ff:fffe": "loopback",
    "2001:470::5efe:10.0.0.1": "private", "100::1": "discard", "100:0:0:1::1": "discard",
    "2001:2::1": "benchmark", "2001:10::1": "reserved", "2001:20::1": "reserved",
    "2001:db8::1": "documentation",
    "3fff::1": "documentation", "4000::1": "reserved", "5f00::1": "reserved", "fc00::1": "unique-local",
    "fd00:ec2::254": "unique-local", "fe80::1": "link-local", "febf::1": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast", "ffff:ffff::": "multicast", "1::1": "reserved", "9000::": "reserved",
}  # fmt: skip

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
    "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "168.63.129.17", "198.17.255.255",
    "198.20.0.0", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001::200e", "::ffff:8.8.8.8",
    "64:ff9b::808:808", "2002:808:808::1", "::8.8.8.8", "2001:200::1", "2001:4860:4860::8888",
]  # fmt: skip


@pytest.mark.parametrize("text", SPECIAL)
def test_a_special_address_has_its_class(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert classify(address) == SPECIAL[text]
    assert refusal(address, allow_local=False) == SPECIAL[text]


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_has_none(text: str) -> None:
    assert classify(ipaddress.ip_address(text)) is None


@pytest.mark.parametrize("text", SPECIAL)
def test_a_local_run_opens_loopback_and_private_addresses_and_no_others(text: str) -> None:
    opened = refusal(ipaddress.ip_address(text), allow_local=True) is None
    assert opened is (SPECIAL[text] in {"loopback", "private", "carrier-nat", "unique-local"})


@given(st.ip_addresses(v=4))
def test_a_wrapped_address_is_as_special_as_the_one_inside(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    wrapped = (
        0xFFFF << 32 | number,
        0xFFFF << 48 | number,
        0x64FF9B << 96 | number,
        0x2002 << 112 | number << 80,
    )
    for value in wrapped:
        assert classify(ipaddress.IPv6Address(value)) == classify(inner)


@given(st.ip_addresses())
def test_nothing_that_the_standard_library_calls_local_is_public(address: Any) -> None:
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        assert classify(address) is not None


@pytest.mark.parametrize("text", ["fe80::1%eth0", "", "x", "127.1", "0x7f000001", "1.2.3.4/32", " 1.2.3.4"])
def test_only_canonical_text_is_an_address(text: str) -> None:
    assert parse_address(text) is None


LITERALS = [
    "127.0.0.1", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0x7f.0.0.1", "0X7F.1",
    "017700000001", "0177.0.0.1", "127.0.0.1.", "0x7f.1.", "127.00.0.01", "127%2e0%2e0%2e1", "%31%32%37.1",
    "１２７.0.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1", "10.1", "0xa9fea9fe", "169.254.169.254",
    "0251.0376.0251.0376",
    "2852039166", "192.168.0.1", "192.168.1", "3232235521", "100.64.0.1", "168.63.129.16", "198.18.0.1",
    "255.255.255.255", "224.0.0.1", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]",
    "[fd00:ec2::254]",
    "[::ffff:0:127.0.0.1]", "[fec0::1]", "[ff02::1]", "[2001:0:7f00:1::]", "[2001:470::5efe:7f00:1]",
]  # fmt: skip


@pytest.mark.parametrize("host", LITERALS)
def test_no_spelling_of_a_local_address_gets_through(host: str) -> None:
    answer = fetch(live(egress=HttpEgress()), f"http://{host}/")
    assert rule(answer) == "private-address"


@pytest.mark.parametrize(
    "host",
    ["256.1.1.1", "1.2.3.4.5", "0x100000000", "4294967296", "1.2.3.08", "a.0x1", "1..2", "[::1%25lo]", "[::1",
     "[]",
     "[127.0.0.1]", "a b", "a%00b", "a%2fb", ".", "", "a" * 300, "%ff", "🙂.example"],
)  # fmt: skip
def test_a_host_that_is_none_is_refused(host: str) -> None:
    assert rule(fetch(live(egress=HttpEgress()), f"http://{host}/")) == "url"


# --- at connect time ---


def resolved(address: str, port: int) -> AddressInfo:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.SOCK_STREAM, 6, "", (address, port)


@pytest.mark.parametrize(
    "answer", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::1"], ["fe80::1%eth0"], ["::ffff:127.0.0.1"]]
)
def test_a_name_with_any_local_address_is_refused(answer: list[str]) -> None:
    with serving(x=response(b"")) as peer:

        def lookup(host: str, port: int) -> Sequence[AddressInfo]:
            return [resolved(address, port) for address in answer]

        port = live(egress=HttpEgress(lookup=lookup))
        got = fetch(port, f"http://innocent.example:{peer.port}/x")
        assert rule(got) == "private-address"
        assert "innocent.example" in got["error"]["message"]
        assert peer.connections == 0


def test_a_name_that_changes_its_answer_is_judged_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 plays a public address here, and 127.0.0.2 a private one."""
    monkeypatch.setattr(addresses, "_V4", {ipaddress.IPv4Network("127.0.0.2/32"): "private"})
    answers = iter(["127.0.0.1", "127.0.0.2", "127.0.0.1"])
    asked: list[str] = []

    def lookup(host: str, port: int) -> Sequence[AddressInfo]:
        asked.append(host)
        return [resolved(next(answers), port)]

    with serving(x=response(b"public")) as peer:
        port = live(egress=HttpEgress(lookup=lookup))
        url = f"http://rebind.example:{peer.port}/x"
        got = [fetch(port, url) for _ in range(3)]
        assert got[0]["ok"]["body"] == b"public"
        assert rule(got[1]) == "private-address"
        assert "ok" in got[2]
        assert peer.connections == 2
    # One lookup per connection: what was judged is what was connected to.
    assert asked == ["rebind.example"] * 3


def test_a_redirect_to_a_name_with_a_local_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_V4", {ipaddress.IPv4Network("127.0.0.2/32"): "private"})

    def lookup(host: str, port: int) -> Sequence[AddressInfo]:
        return [resolved("127.0.0.2" if host == "inner.example" else "127.0.0.1", port)]

    with serving() as peer:
        target = f"http://inner.example:{peer.port}/secret"
        peer.routes["/x"] = response(b"", "302 Found", Location=target)
        port = live(egress=HttpEgress(lookup=lookup))
        assert rule(fetch(port, f"http://outer.example:{peer.port}/x")) == "private-address"
        assert len(peer.requests) == 1


def test_the_socket_itself_is_refused() -> None:
    """The last check stands alone, should a lookup be passed by."""
    with pytest.raises(RefusedAddressError) as caught:
        checked_socket(EgressPolicy(), resolved("10.0.0.1", 80))
    assert caught.value.reason.rule == "private-address"
    checked_socket(EgressPolicy(), resolved("8.8.8.8", 80)).close()


@pytest.mark.parametrize("answer", [OSError("no such host"), UnicodeError("label too long"), None])
def test_a_name_without_addresses_is_a_dns_error(answer: Exception | None) -> None:
    def lookup(host: str, port: int) -> Sequence[AddressInfo]:
        if answer is not None:
            raise answer
        return []

    assert rule(fetch(live(egress=HttpEgress(lookup=lookup)), "http://x.example/")) == "dns"


def test_a_slow_lookup_is_given_up_at_the_timeout() -> None:
    done = threading.Event()

    def lookup(host: str, port: int) -> Sequence[AddressInfo]:
        done.wait(20)
        return []

    begun = time.monotonic()
    answer = fetch(live(egress=HttpEgress(lookup=lookup)), "http://slow.example/", timeoutMs=100)
    done.set()
    assert rule(answer) == "timeout"
    assert time.monotonic() - begun < 3


def test_lookups_are_bounded_over_all_executions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "MAX_LOOKUPS", 2)
    done = threading.Event()

    def lookup(host: str, port: int) -> Sequence[AddressInfo]:
        done.wait(20)
        return []

    egress = HttpEgress(lookup=lookup)
    ports = [live(egress=egress) for _ in range(caps.MAX_LOOKUPS + 1)]
    handles = [begin(port, "http://slow.example/") for port in ports]
    crowded = settled(ports[-1], handles[-1])
    assert rule(crowded) == "dns"
    assert "Too many" in crowded["error"]["message"]
    done.set()
    assert rule(settled(ports[0], handles[0])) == "dns"
