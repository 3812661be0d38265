"""How much of a drill is done: a little in `make test`, much in `make drill`."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")
LONG = "ACTIONBOX_DRILL"
"""Environment variable: set by `make drill`."""


def rounds(quick: T, long: T) -> T:
    """`quick`, or `long` in `make drill`."""
    return long if os.environ.get(LONG) else quick
