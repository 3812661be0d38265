"""How many examples a generated test draws, and whether they are new ones (`make fuzz`)."""

from __future__ import annotations

import os
from typing import Any, Final

from hypothesis import settings

_UNTIL = os.environ.get("ACTIONBOX_FUZZ_UNTIL")
FUZZ_UNTIL: Final = float(_UNTIL) if _UNTIL else None
"""Seconds since 1970 at which fuzzing ends; None in `make test`, which draws the same for everybody."""
_FACTOR: Final = 0.4 if FUZZ_UNTIL is None else 20
"""`make test` draws the same each time, so that many tell little; `make fuzz` goes on from there."""
_LEAST: Final = 4


def examples(count: int, **more: Any) -> settings:
    """Settings of a test that draws some `count` examples: fewer in `make test`, more in `make fuzz`."""
    return settings(max_examples=max(min(count, _LEAST), round(count * _FACTOR)), **more)
