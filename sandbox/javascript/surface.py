"""The api surface as the JavaScript guest takes it: only what it needs to build `api`."""

from __future__ import annotations

import functools
import json
from typing import Any, Final

_RETURNS: Final = {"api": 0, "void": 1, "value": 2, "promise": 3}
"""Numbers as guest/api.js spells them."""


@functools.lru_cache(maxsize=64)
def compact_surface(surface: str) -> str:
    """JSON of the same tree with a number for each method, saying what it returns; or, where errors stand for
    their messages, `[number, positions, place of the options, keys of the options]`.

    Args:
        surface: JSON as docs/decisions/0002-surface-wire-format.md has it.
    """
    return json.dumps(_compact(json.loads(surface)), separators=(",", ":"))


def _compact(member: Any) -> Any:
    if isinstance(member, list):
        returns = _RETURNS[member[0]]
        return returns if len(member) < 4 else [returns, *_places(*member[1:])]
    return {name: _compact(inner) for name, inner in member.items()}


def _places(parameters: list[str], options: list[str] | None, messages: list[str]) -> list[Any]:
    positions = [parameters.index(name) for name in messages if name in parameters]
    return [positions, len(parameters), [name for name in messages if name in (options or ())]]
