"""Versions and ranges as npm understands them (semver.org 2.0.0, and the range grammar of node-semver)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_NUMBER: Final = r"(?:0|[1-9]\d{0,15})"
_PRE: Final = r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
_BUILD: Final = r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_VERSION: Final = re.compile(rf"v?(?P<a>{_NUMBER})\.(?P<b>{_NUMBER})\.(?P<c>{_NUMBER}){_PRE}{_BUILD}")
_X: Final = r"(?:[xX*]|0|[1-9]\d{0,15})"
_PARTIAL: Final = rf"[v=\s]*(?P<a>{_X})(?:\.(?P<b>{_X})(?:\.(?P<c>{_X}){_PRE}{_BUILD})?)?"
_COMPARATOR: Final = re.compile(rf"(?P<op>[<>]=?|=|\^|~>?)?\s*{_PARTIAL}")
_HYPHEN: Final = re.compile(r"\s+-\s+")
_OPERATOR_GAP: Final = re.compile(r"([<>]=?|=|\^|~>?)\s+")
_MAX_PARTS: Final = 100

Identifier = tuple[int, int, str]
_RELEASE: Final[tuple[Identifier, ...]] = ((2, 0, ""),)
"""Sorts after every pre-release, whose identifiers begin with 0 (numbers) or 1 (text)."""


class InvalidVersionError(ValueError):
    """The text is no version, or no range."""


@functools.total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """One version. `pre` holds the pre-release identifiers in sortable form; empty for a release."""

    major: int
    minor: int
    patch: int
    pre: tuple[Identifier, ...] = ()

    @property
    def core(self) -> tuple[int, int, int]:
        return self.major, self.minor, self.patch

    def __lt__(self, other: Version) -> bool:
        return (self.core, self.pre or _RELEASE) < (other.core, other.pre or _RELEASE)


def parse_version(text: str) -> Version:
    """Raises `InvalidVersionError`."""
    found = _VERSION.fullmatch(text.strip()) if len(text) <= 256 else None
    if found is None:
        raise InvalidVersionError(text)
    return Version(int(found["a"]), int(found["b"]), int(found["c"]), _identifiers(found["pre"]))


def _identifiers(text: str | None) -> tuple[Identifier, ...]:
    parts = text.split(".") if text else ()
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


@dataclass(frozen=True, slots=True)
class _Bound:
    """One comparison: `operator` is `<`, `<=`, `>`, `>=` or `=`."""

    operator: str
    version: Version

    def holds(self, version: Version) -> bool:
        if self.operator == "<":
            return version < self.version
        if self.operator == "<=":
            return version <= self.version
        if self.operator == ">":
            return version > self.version
        if self.operator == ">=":
            return version >= self.version
        return version == self.version


@dataclass(frozen=True, slots=True)
class Range:
    """Alternatives, each a list of bounds that all hold."""

    alternatives: tuple[tuple[_Bound, ...], ...]

    def admits(self, version: Version) -> bool:
        """Whether `version` is in the range. A pre-release is so only where a bound of the same
        alternative names a pre-release of the same version."""
        return any(_holds(bounds, version) for bounds in self.alternatives)


def _holds(bounds: tuple[_Bound, ...], version: Version) -> bool:
    if not all(bound.holds(version) for bound in bounds):
        return False
    return not version.pre or any(
        bound.version.pre and bound.version.core == version.core for bound in bounds
    )


@functools.lru_cache(maxsize=4096)
def parse_range(text: str) -> Range:
    """Raises `InvalidVersionError`."""
    parts = text.split("||")
    if len(parts) > _MAX_PARTS:
        raise InvalidVersionError(text)
    return Range(tuple(_alternative(part.strip()) for part in parts))


def best(text: str, versions: Iterable[str]) -> str | None:
    """The highest of `versions` in the range `text`. Raises `InvalidVersionError` for the range; texts that
    are no versions are passed over."""
    wanted = parse_range(text)
    found: tuple[Version, str] | None = None
    for candidate in versions:
        try:
            version = parse_version(candidate)
        except InvalidVersionError:
            continue
        if wanted.admits(version) and (found is None or version > found[0]):
            found = version, candidate
    return found[1] if found else None


def _alternative(text: str) -> tuple[_Bound, ...]:
    ends = _HYPHEN.split(text)
    if len(ends) == 2:
        return (*_comparator(">=" + ends[0]), *_upper_end(ends[1]))
    words = _OPERATOR_GAP.sub(r"\1", text).split()
    if len(words) > _MAX_PARTS:
        raise InvalidVersionError(text)
    return tuple(bound for word in words for bound in _comparator(word))


def _partial(text: str) -> tuple[str, list[int], tuple[Identifier, ...]]:
    """Operator, the numbers before the first wildcard, and the pre-release of a full version."""
    found = _COMPARATOR.fullmatch(text)
    if found is None:
        raise InvalidVersionError(text)
    numbers: list[int] = []
    for name in "abc":
        part = found[name]
        if part is None or part in "xX*":
            break
        numbers.append(int(part))
    pre = _identifiers(found["pre"]) if len(numbers) == 3 else ()
    return found["op"] or "=", numbers, pre


def _version(numbers: list[int], pre: tuple[Identifier, ...] = ()) -> Version:
    a, b, c = (*numbers, 0, 0, 0)[:3]
    return Version(a, b, c, pre)


_LOWEST: Final[tuple[Identifier, ...]] = ((0, 0, ""),)
"""Before every other pre-release: an upper end excludes the pre-releases of the version it names."""


def _below(numbers: list[int], place: int) -> _Bound:
    """Less than the next version at `place`, its pre-releases excluded."""
    up = [*numbers[:place], numbers[place] + 1]
    return _Bound("<", _version(up, _LOWEST))


def _upper_end(text: str) -> tuple[_Bound, ...]:
    operator, numbers, pre = _partial(text)
    if operator != "=":
        raise InvalidVersionError(text)
    if not numbers:
        return ()
    if len(numbers) < 3:
        return (_below(numbers, len(numbers) - 1),)
    return (_Bound("<=", _version(numbers, pre)),)


def _comparator(word: str) -> tuple[_Bound, ...]:
    operator, numbers, pre = _partial(word)
    if not numbers:
        # `*` is anything; `<*` and `>*` are nothing.
        return (_Bound("<", _version([0], _LOWEST)),) if operator in ("<", ">") else ()
    lowest = _Bound(">=", _version(numbers, pre))
    full = len(numbers) == 3
    if operator == "^":
        place = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
        return lowest, _below(numbers, place)
    if operator in ("~", "~>"):
        return lowest, _below(numbers, min(1, len(numbers) - 1))
    if operator == "=":
        return (_Bound("=", _version(numbers, pre)),) if full else (lowest, _below(numbers, len(numbers) - 1))
    if operator == ">" and not full:
        return (_Bound(">=", _version([*numbers[:-1], numbers[-1] + 1])),)
    if operator == "<=" and not full:
        return (_below(numbers, len(numbers) - 1),)
    if operator == "<" and not full:
        return (_Bound("<", _version(numbers, _LOWEST)),)
    return (_Bound(operator, _version(numbers, pre)),)
