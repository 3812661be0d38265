"""Which process this is, for others that share the database."""

from __future__ import annotations

import secrets
from typing import Final

PROCESS: Final = secrets.token_hex(4)
"""Tells this process from all others, and from an earlier one of the same number."""
CLASS: Final = 0x61627071
"""First half of the advisory locks of PostgreSQL that say that a process lives."""


def lock_of(process: str) -> int:
    """The second half of the lock of a process, as the signed number that it is in PostgreSQL."""
    number = int(process, 16)
    return number - 2**32 if number >= 2**31 else number
