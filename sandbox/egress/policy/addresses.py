"""The addresses that a guest may reach, by our own table (threat-model N1).

`ipaddress.is_private` and `is_global` are not enough: they changed between releases (CVE-2024-4032) and
know nothing of carrier NAT, provider addresses or addresses that carry another one inside. The table
follows the IANA special-purpose registries for IPv4 and IPv6; of IPv6 only 2000::/3 is in use at all.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address

LOCAL: Final = frozenset({"loopback", "private", "carrier-nat", "unique-local"})
"""Classes that a local run may reach when its policy allows private addresses."""


def _table4() -> dict[IPv4Network, str]:
    rows = {
        "0.0.0.0/8": "unspecified",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "carrier-nat",
        "127.0.0.0/8": "loopback",
        "168.63.129.16/32": "cloud-provider",
        "169.254.0.0/16": "link-local",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "protocol-assignment",
        "192.0.2.0/24": "documentation",
        "192.88.99.0/24": "tunnel-relay",
        "192.168.0.0/16": "private",
        "198.18.0.0/15": "benchmark",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "255.255.255.255/32": "broadcast",
        "240.0.0.0/4": "reserved",
    }
    return {IPv4Network(network): name for network, name in rows.items()}


def _table6() -> dict[IPv6Network, str]:
    rows = {
        "::/128": "unspecified",
        "::1/128": "loopback",
        "64:ff9b:1::/48": "private",
        "100::/64": "discard",
        "100:0:0:1::/64": "discard",
        "2001:2::/48": "benchmark",
        "2001:db8::/32": "documentation",
        "3fff::/20": "documentation",
        "5f00::/16": "reserved",
        "fc00::/7": "unique-local",
        "fe80::/10": "link-local",
        "fec0::/10": "site-local",
        "ff00::/8": "multicast",
    }
    return {IPv6Network(network): name for network, name in rows.items()}


_V4: Final = _table4()
_V6: Final = _table6()
_IETF6: Final = IPv6Network("2001::/23")
_TEREDO: Final = IPv6Network("2001::/32")
_GLOBAL6: Final = IPv6Network("2000::/3")
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})

_LOW_32_CARRIERS: Final = (
    IPv6Network("::/96"),  # compatible
    IPv6Network("::ffff:0:0/96"),  # mapped
    IPv6Network("::ffff:0:0:0/96"),  # translated (SIIT)
    IPv6Network("64:ff9b::/96"),  # NAT64
)
_6TO4: Final = IPv6Network("2002::/16")


def refusal(address: Address, *, allow_local: bool) -> str | None:
    """The class of addresses that keeps `address` out of reach; None when it may be reached.

    `allow_local` opens the classes in `LOCAL`, for runs on a developer's machine.
    """
    name = classify(address)
    return None if name is None or (allow_local and name in LOCAL) else name


def classify(address: Address) -> str | None:
    """The class of a special address, or None for a public one. An address that carries an IPv4
    address is as special as that one."""
    if isinstance(address, IPv4Address):
        return next((name for network, name in _V4.items() if address in network), None)
    listed = next((name for network, name in _V6.items() if address in network), None)
    if listed is not None:
        return listed
    carried = [classify(inner) for inner in embedded(address)]
    special = next((name for name in carried if name is not None), None)
    if special is not None or _is_carrier(address):
        return special
    if address not in _GLOBAL6 or address in _IETF6:
        return "reserved"
    return None


def embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses inside an IPv6 one: mapped, compatible, translated, NAT64, 6to4, Teredo
    (server and client) and ISATAP."""
    bits = int(address)
    low = bits & 0xFFFFFFFF
    if any(address in network for network in _LOW_32_CARRIERS):
        yield IPv4Address(low)
    if address in _6TO4:
        yield IPv4Address(bits >> 80 & 0xFFFFFFFF)
    if address in _TEREDO:
        yield IPv4Address(bits >> 64 & 0xFFFFFFFF)
        yield IPv4Address(low ^ 0xFFFFFFFF)
    if bits >> 32 & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(low)


def parse_address(text: str) -> Address | None:
    """The address that `text` spells in canonical form; None for a name. Zone ids are no address."""
    try:
        return ipaddress.ip_address(text) if "%" not in text else None
    except ValueError:
        return None


def _is_carrier(address: IPv6Address) -> bool:
    """The address is only a wrapping, so that the inner one alone decides."""
    return address in _6TO4 or address in _TEREDO or any(address in network for network in _LOW_32_CARRIERS)
