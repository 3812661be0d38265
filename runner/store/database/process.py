"""Identity of this process, and the other living processes that share the database."""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

PROCESS: Final = secrets.token_hex(4)
"""Tells this process from all others, and from an earlier one of the same number."""
CLASS: Final = 0x61627071
"""First half of the advisory locks of PostgreSQL that say that a process lives."""


def lock_of(process: str) -> int:
    """The second half of the lock of a process, as the signed number that it is in PostgreSQL."""
    number = int(process, 16)
    return number - 2**32 if number >= 2**31 else number


def alive(session: Session) -> frozenset[int]:
    """Locks (`lock_of`) of the processes that listen now, on PostgreSQL."""
    held = text(
        "select objid::bigint from pg_locks where locktype = 'advisory' and granted"
        " and classid::bigint = :class"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    numbers = session.scalars(held, {"class": CLASS})
    return frozenset(number - 2**32 if number >= 2**31 else number for number in numbers)
