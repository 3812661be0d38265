"""Identity of this process, and the other living processes that share the database."""

from __future__ import annotations

import os
import secrets
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

CLASS: Final = 0x61627071
"""First half of the advisory locks of PostgreSQL that say that a process lives."""

_identity = ""


def process() -> str:
    """Tells this process from all others, and from an earlier one of the same number."""
    return _identity


def _become() -> None:
    global _identity
    _identity = secrets.token_hex(4)


_become()
if hasattr(
    os, "register_at_fork"
):  # a server that forks after it has imported us makes processes of their own
    os.register_at_fork(after_in_child=_become)


def lock_of(identity: str) -> int:
    """The second half of the lock of a process, as the signed number that it is in PostgreSQL."""
    number = int(identity, 16)
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
