"""Indexes of large tables on PostgreSQL, made before their migration runs.

Migrations run in a transaction, in which PostgreSQL makes an index only while nobody writes to its table:
logins would wait for minutes. A migration with a function `ahead` is therefore run in two parts. `ahead` runs
first, outside any transaction, and makes its indexes with `concurrently`; `upgrade` then finds them there.
`ahead` must bear to be run again, because it may have been interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

_BROKEN = text(
    "select 1 from pg_index where indexrelid = to_regclass(:name) and not indisvalid"  # of an interrupted run
)


def ahead_of(
    connection: Connection, name: str, table: str, columns: Sequence[str], where: str | None = None
) -> None:
    """Make an index while others write. `where`: the rows that it holds; all when None."""
    if connection.scalar(_BROKEN, {"name": name}):
        connection.execute(text(f"drop index concurrently {name}"))
    only = "" if where is None else f" where {where}"
    connection.execute(
        text(f"create index concurrently if not exists {name} on {table} ({', '.join(columns)}){only}")
    )
