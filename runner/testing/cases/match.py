"""Partial matching of an expectation against an outcome, with every difference named by its path."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the outcome is not what was expected. `path` as in `$.effects.claims`."""

    path: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}, found {self.found}"


def differences(expected: Any, found: Any, path: str = "$") -> list[Difference]:
    """Differences between `found` and `expected`; an empty list is a match. Rules: docs/testing.md."""
    matcher = _matcher(expected)
    if matcher is not None:
        name, argument = matcher
        return MATCHERS[name](argument, found, path)
    if expected is None:
        return [] if found is None or found is _ABSENT else [_difference(path, None, found)]
    if isinstance(expected, dict):
        return _mapping(expected, found, path)
    if isinstance(expected, list):
        return _list(expected, found, path)
    return [] if _equal(expected, found) else [_difference(path, expected, found)]


def check_expectation(expected: Any, path: str = "$") -> list[str]:
    """Mistakes in the expectation itself: unknown matchers and bad patterns, as sentences."""
    if isinstance(expected, list):
        return [text for i, item in enumerate(expected) for text in check_expectation(item, f"{path}[{i}]")]
    if not isinstance(expected, dict):
        return []
    dollars = [key for key in expected if isinstance(key, str) and key.startswith("$")]
    if not dollars:
        return [text for key, item in expected.items() for text in check_expectation(item, f"{path}.{key}")]
    if len(expected) > 1:
        return [f"{path}: a matcher stands alone in its mapping, but {dollars[0]} has neighbours"]
    name = dollars[0]
    if name not in MATCHERS:
        return [f"{path}: there is no matcher {name}; there are {', '.join(sorted(MATCHERS))}"]
    return _check_argument(name, expected[name], path)


def _check_argument(name: str, argument: Any, path: str) -> list[str]:
    if name == "$regex":
        try:
            re.compile(argument)
        except (re.error, TypeError) as error:
            return [f"{path}: {argument!r} is not a pattern: {error}"]
    if name == "$length" and (not isinstance(argument, int) or isinstance(argument, bool)):
        return [f"{path}: $length takes a whole number"]
    if name in {"$any", "$absent"} and argument is not True:
        return [f"{path}: {name} takes true"]
    if name == "$unordered" and not isinstance(argument, list):
        return [f"{path}: $unordered takes a list"]
    return [] if name == "$exactly" else check_expectation(argument, f"{path}.{name}")


def _matcher(expected: Any) -> tuple[str, Any] | None:
    if isinstance(expected, dict) and len(expected) == 1:
        ((key, argument),) = expected.items()
        if isinstance(key, str) and key in MATCHERS:
            return key, argument
    return None


def _mapping(expected: dict[Any, Any], found: Any, path: str) -> list[Difference]:
    if not isinstance(found, dict):
        return [_difference(path, expected, found)]
    return [
        difference
        for key, item in expected.items()
        for difference in differences(item, found.get(key, _ABSENT), _join(path, key))
    ]


def _list(expected: list[Any], found: Any, path: str) -> list[Difference]:
    if not isinstance(found, list):
        return [_difference(path, expected, found)]
    if len(expected) != len(found):
        text = f"{_items(len(expected))} {_show(expected)}"
        return [Difference(path, text, f"{_items(len(found))} {_show(found)}")]
    return [
        difference
        for index, (item, value) in enumerate(zip(expected, found, strict=True))
        for difference in differences(item, value, f"{path}[{index}]")
    ]


def _equal(expected: Any, found: Any) -> bool:
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    return bool(expected == found)


def _any(_: Any, found: Any, path: str) -> list[Difference]:
    return [] if found is not None and found is not _ABSENT else [Difference(path, "any value", _show(found))]


def _absent(_: Any, found: Any, path: str) -> list[Difference]:
    return [] if found is None or found is _ABSENT else [Difference(path, "nothing", _show(found))]


def _contains(argument: Any, found: Any, path: str) -> list[Difference]:
    if isinstance(found, str) and isinstance(argument, str):
        hit = argument in found
    else:
        hit = isinstance(found, list) and any(not differences(argument, item) for item in found)
    return [] if hit else [Difference(path, f"something that contains {_show(argument)}", _show(found))]


def _regex(argument: Any, found: Any, path: str) -> list[Difference]:
    hit = isinstance(found, str) and re.search(argument, found) is not None
    return [] if hit else [Difference(path, f"text that matches /{argument}/", _show(found))]


def _length(argument: Any, found: Any, path: str) -> list[Difference]:
    hit = isinstance(found, (str, list, dict)) and len(found) == argument
    size = f"length {len(found)}: {_show(found)}" if isinstance(found, (str, list, dict)) else _show(found)
    return [] if hit else [Difference(path, f"length {argument}", size)]


def _exactly(argument: Any, found: Any, path: str) -> list[Difference]:
    hit = _same(argument, found)
    return [] if hit else [Difference(path, f"exactly {_show(argument)}", _show(found))]


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(_same(expected[key], found[key]) for key in expected)
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(_same, expected, found))
    return _equal(expected, found)


def _unordered(argument: Any, found: Any, path: str) -> list[Difference]:
    if not isinstance(found, list) or len(found) != len(argument):
        return [Difference(path, f"{_items(len(argument))} in any order {_show(argument)}", _show(found))]
    fits = [[j for j, value in enumerate(found) if not differences(item, value)] for item in argument]
    assigned: dict[int, int] = {}
    missing = [i for i in range(len(argument)) if not _assign(i, fits, assigned, set())]
    return [Difference(path, f"an item that matches {_show(argument[i])}", _show(found)) for i in missing]


def _assign(item: int, fits: list[list[int]], assigned: dict[int, int], seen: set[int]) -> bool:
    """One step of bipartite matching: find a free value for `item`, moving others if need be."""
    for value in fits[item]:
        if value in seen:
            continue
        seen.add(value)
        if value not in assigned or _assign(assigned[value], fits, assigned, seen):
            assigned[value] = item
            return True
    return False


def _not(argument: Any, found: Any, path: str) -> list[Difference]:
    hit = bool(differences(argument, found, path))
    return [] if hit else [Difference(path, f"anything but {_show(argument)}", _show(found))]


MATCHERS: Final[dict[str, Callable[[Any, Any, str], list[Difference]]]] = {
    "$any": _any,
    "$absent": _absent,
    "$contains": _contains,
    "$regex": _regex,
    "$length": _length,
    "$exactly": _exactly,
    "$unordered": _unordered,
    "$not": _not,
}


def _difference(path: str, expected: Any, found: Any) -> Difference:
    return Difference(path, _show(expected), _show(found))


def _join(path: str, key: Any) -> str:
    plain = isinstance(key, str) and re.fullmatch(r"[A-Za-z_][\w-]*", key) is not None
    return f"{path}.{key}" if plain else f"{path}[{key!r}]"


def _items(count: int) -> str:
    return f"{count} item" if count == 1 else f"{count} items"


def _show(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:299]}…"
