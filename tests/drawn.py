"""How many examples a generated test draws, and whether they are new ones (`make fuzz`)."""

from __future__ import annotations

import os
from typing import Any, Final

from hypothesis import settings

_UNTIL = os.environ.get("ACTIONBOX_FUZZ_UNTIL")
FUZZ_UNTIL: Final = float(_UNTIL) if _UNTIL else None
"""Seconds since 1970 at which fuzzing ends; None in `make test`, which draws the same for everybody."""
FACTOR: Final = 1 if FUZZ_UNTIL is None else 20
"""How many times more examples a round of fuzzing draws."""


def examples(count: int, **more: Any) -> settings:
    """Settings of a test that draws `count` examples, and more of them in `make fuzz`."""
    return settings(max_examples=count * FACTOR, **more)
