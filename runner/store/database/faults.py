"""Errors which mean that a database cannot be used now, and not that a statement was wrong."""

from __future__ import annotations

from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_KINDS = (OperationalError, InterfaceError, InternalError, PoolTimeoutError)
"""Gone, full, locked, read-only, shutting down, out of connections, too slow. PostgreSQL tells with an
internal error that it takes no writes (SQLSTATE 25006)."""


def is_unavailable(error: BaseException) -> bool:
    """Whether the same request may succeed later, unchanged. SQLite reports a damaged file, or one that is no
    database, with the base class of these errors."""
    if isinstance(error, _KINDS) or type(error) is DatabaseError:
        return True
    return bool(getattr(error, "connection_invalidated", False))
