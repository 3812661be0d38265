"""The api surface as the JavaScript guest takes it: only what it needs to build `api`."""

from __future__ import annotations

import functools
import json
from typing import Any, Final

_RETURNS: Final = {"api": 0, "void": 1, "value": 2, "promise": 3}
"""Numbers as guest/api.js spells them."""


@functools.lru_cache(maxsize=64)
def compact_surface(surface: str) -> str:
    """JSON of the same tree with a number for each method, saying what it returns.

    Args:
        surface: JSON as docs/decisions/0002-surface-wire-format.md has it.
    """
    return json.dumps(_compact(json.loads(surface)), separators=(",", ":"))


def _compact(member: Any) -> Any:
    if isinstance(member, list):
        return _RETURNS[member[0]]
    return {name: _compact(inner) for name, inner in member.items()}
