"""Pseudonyms of what has a shape: addresses of the network, phone numbers, times."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from zoneinfo import available_timezones

from runner.privacy.pseudonyms import Keyed

# --- addresses ---

_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "192.0.2.0/24",
        "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
        "192.0.0.0/16", "198.51.0.0/16", "203.0.0.0/16",
    )
)  # fmt: skip
_V6: Final = tuple(
    IPv6Network(network) for network in ("fe80::/10", "fc00::/7", "2001:db8::/32", "2001::/16", "ff00::/8")
)
"""Networks that an address stays in: those with a meaning of their own, and beside a reserved one."""
_MIXED: Final = frozenset({100, 169, 172, 192, 198, 203})
"""First octets with public and reserved networks: the second one stays as well."""
ADDRESS: Final = re.compile(r"(?P<address>[0-9A-Fa-f:.]+)(?:/(?P<prefix>[0-9]{1,3}))?")


def is_address(text: str) -> bool:
    """Whether a text is an address of the network, or a network in CIDR notation."""
    try:
        ip_address(text.partition("/")[0])
    except ValueError:
        return False
    return True


def address(keyed: Keyed, text: str) -> str | None:
    """Another address of the same class: its version, the reserved network that it is in, or the first octet
    (IPv6: two) of a public one; None when `text` is none. Two addresses begin with as many equal bits as
    before (the prefix-preserving scheme of Xu, Fan, Ammar and Moon, Crypto-PAn), and of a network in CIDR
    notation only the prefix is replaced: what is in it stays in it. Addresses of this machine stay."""
    parts = ADDRESS.fullmatch(text)
    try:
        found = ip_address(parts["address"] if parts is not None else text)
    except ValueError:
        return None
    if parts is None or found.is_loopback or found.is_unspecified:
        return text
    length = int(parts["prefix"]) if parts["prefix"] else found.max_prefixlen
    made: IPv4Address | IPv6Address
    if isinstance(found, IPv4Address):
        made = _v4(keyed, found, length)
        return text.replace(parts["address"], str(made), 1)
    mapped = found.ipv4_mapped
    if mapped is not None:
        new = f"::ffff:{_v4(keyed, mapped, length - 96 if parts['prefix'] else 32)}"
    else:
        new = str(_v6(keyed, found, length))
    return text.replace(parts["address"], new, 1)


def _v4(keyed: Keyed, found: IPv4Address, length: int) -> IPv4Address:
    first = int(found) >> 24
    inside = next((network.prefixlen for network in _V4 if found in network), 16 if first in _MIXED else 8)
    return IPv4Address(_flipped(keyed, int(found), 32, inside, length))


def _v6(keyed: Keyed, found: IPv6Address, length: int) -> IPv6Address:
    inside = next((network.prefixlen for network in _V6 if found in network), 16)
    return IPv6Address(_flipped(keyed, int(found), 128, inside, length))


def _flipped(keyed: Keyed, address: int, bits: int, kept: int, length: int) -> int:
    """Each bit from `kept` to `length` flipped or not, as the key and the bits before it say; the very last
    one always, so that nothing stands for itself."""
    made = address
    for at in range(kept, min(length, bits)):
        before = address >> (bits - at)
        if at == bits - 1 or keyed.stream("address", f"{bits}/{at} {before}", 1)[0] & 1:
            made ^= 1 << (bits - 1 - at)
    return made


# --- phone numbers ---

_TWO_DIGITS: Final = re.compile("20|27|3[0123469]|4[013456789]|5[1-8]|6[0-6]|8[1246]|9[0-58]")
"""Country calling codes of two digits (ITU-T E.164); 1 and 7 have one, all others three."""
_PHONE: Final = re.compile(r"\+[0-9][0-9 ().\-/]{5,40}")
_LEAST_DIGITS, _MOST_DIGITS = 7, 15


def is_phone(text: str) -> bool:
    """Whether a text is a phone number with its country code."""
    return _PHONE.fullmatch(text) is not None and _LEAST_DIGITS <= len(_digits(text)) <= _MOST_DIGITS


def phone(keyed: Keyed, text: str) -> str:
    """Another number of the same country, length and spelling."""
    digits = _digits(text)
    kept = 1 if digits[0] in "17" else 2 if _TWO_DIGITS.match(digits) else 3
    stream = keyed.stream("phone", digits, len(digits))
    new = [char if at < kept else str(stream[at] % 10) for at, char in enumerate(digits)]
    new[kept] = str(stream[kept] % 8 + 2)  # where numbers of a country begin with neither 0 nor 1
    new[-1] = str(stream[-1] % 9 + (stream[-1] % 9 >= int(digits[-1])))  # never the same number
    drawn = iter(new)
    return "".join(next(drawn) if char.isdigit() else char for char in text)


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


# --- time zones ---

ZONE: Final = r"[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?"
"""Of a regular expression: what is spelt like the IANA name of a time zone."""


@cache
def zones() -> frozenset[str]:
    """IANA names of time zones. They stay: a clock set to the wrong one shows another day."""
    return frozenset(available_timezones())


# --- times ---

_MINUTE: Final = 60_000
_DAY: Final = 1440 * _MINUTE
_EDGES: Final = tuple(
    sorted(
        [
            minutes * _MINUTE
            for minutes in (1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720)
        ]
        + [days * _DAY for days in (1, 2, 3, 5, 7, 10, 14, 21, 28, 30, 45, 60, 90, 120, 180, 270)]
        + [days * _DAY for days in (365, 366, 547, 730, 731)]
        + [
            round(years * 365.2425 * _DAY)
            for years in (3, 4, 5, 7, 10, 13, 14, 15, 16, 18, 20, 21, 25, 30, 40, 65)
        ]
        + [round(years * 365.2425 * _DAY) for years in (100, 200, 10_000)]
    )
)
"""Milliseconds from the clock of a record at which logic is likely to decide: they stay where they are."""
_ISO: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:(?P<between>[Tt ])(?P<hour>\d\d:\d\d)(?P<second>:\d\d)?"
    r"(?P<fraction>\.\d{1,9})?(?P<zone>Z|z|[+-]\d\d:?\d\d)?)?"
)
ISO: Final = re.sub(r"\?P<\w+>", "?:", _ISO.pattern)
"""Of a regular expression: a date, or a date and a time, in ISO 8601."""
_NEAR: Final = 20 * 366 * _DAY
"""Numbers that are this near to the clock, read as times, are taken for times."""


class Times:
    """Moves times without changing their order, or on which side of a usual distance from the clock they are
    (an hour, 30 days, 18 years). Less than a minute from the clock nothing moves: it says nothing but that
    something has just happened.

    Args:
        now: what the clock read first in this record, in milliseconds since 1970.
        of: names the execution; times of another one move in another way, so that a known pair gives away
            nothing.
    """

    def __init__(self, keyed: Keyed, now: int, of: str) -> None:
        self._now = now
        draws = keyed.stream("times", of, 2 * len(_EDGES))
        self._knees = [0.3 + 0.4 * byte / 255 for byte in draws]

    def moved(self, milliseconds: int) -> int:
        """A time in place of another; both in milliseconds since 1970."""
        distance = milliseconds - self._now
        far = abs(distance)
        at = bisect_right(_EDGES, far)
        if at == 0 or at == len(_EDGES):
            return milliseconds
        low, high = _EDGES[at - 1], _EDGES[at]
        knee = self._knees[at + (len(_EDGES) if distance > 0 else 0)]
        half = (high - low) / 2
        way = far - low
        new = way / half * knee if way <= half else knee + (way - half) / half * (1 - knee)
        new_far = min(low + int(new * (high - low)), high - 1)
        return self._now + (new_far if distance > 0 else -new_far)

    def iso(self, text: str) -> str | None:
        """A time in ISO 8601 in place of another, spelt alike; None when `text` is none."""
        found = _ISO.fullmatch(text)
        if found is None:
            return None
        try:
            moment = _moment(found)
            old = int(moment.timestamp() * 1000)
            new = self.moved(old)
            if new == old or (found["hour"] is None and abs(old - self._now) < _DAY):
                return text
            made = datetime.fromtimestamp(new / 1000, UTC).astimezone(moment.tzinfo)
        except (ValueError, OverflowError, OSError):
            return None
        return _spelt(found, made)

    def number(self, digits: str) -> str | None:
        """Seconds or milliseconds since 1970 in place of others; None when the number is not likely to be
        such."""
        unit = {10: 1000, 13: 1}.get(len(digits))
        if unit is None or abs(int(digits) * unit - self._now) > _NEAR:
            return None
        return str(self.moved(int(digits) * unit) // unit)


def _moment(found: re.Match[str]) -> datetime:
    zone = found["zone"]
    text = found["date"]
    if found["hour"] is not None:
        text += f"T{found['hour']}{found['second'] or ''}"
        text += (found["fraction"] or "").ljust(4, "0")[:7] if found["fraction"] else ""
    moment = datetime.fromisoformat(text)
    if zone is None or zone in "Zz":
        return moment.replace(tzinfo=UTC)
    sign = -1 if zone[0] == "-" else 1
    return moment.replace(tzinfo=timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))))


def _spelt(found: re.Match[str], made: datetime) -> str:
    text = f"{made.year:04}-{made.month:02}-{made.day:02}"
    if found["hour"] is None:
        return text
    text += f"{found['between']}{made.hour:02}:{made.minute:02}"
    if found["second"] is not None:
        text += f":{made.second:02}"
    if found["fraction"] is not None:
        fraction = f"{made.microsecond // 1000:03}000000"
        text += "." + fraction[: len(found["fraction"]) - 1]
    return text + (found["zone"] or "")
