"""Reading rows by their size: some hold megabytes of console output or of an event, and a list of them is not
to hold up memory that others need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, LargeBinary, Text, cast, func, select
from sqlalchemy.orm import Session

_CHUNK: Final = 20
"""Rows whose sizes are asked for at a time: measuring a value means reading it."""


def bytes_of(session: Session, *columns: Any) -> ColumnElement[int]:
    """Bytes that the columns of a row take as text."""
    if session.get_bind().dialect.name == "sqlite":
        sizes = [func.length(cast(cast(column, Text), LargeBinary)) for column in columns]
    else:
        sizes = [func.octet_length(cast(column, Text)) for column in columns]
    total: ColumnElement[int] = func.coalesce(sizes[0], 0)
    for size in sizes[1:]:
        total = total + func.coalesce(size, 0)
    return total


def portions(
    session: Session, key: Any, of: ColumnElement[bool], ids: Sequence[str], columns: Sequence[Any], most: int
) -> Iterator[list[str]]:
    """`ids` in their order, as many at a time as take `most` bytes together; one that takes more is alone.

    Args:
        key: column of the ids.
        of: which rows, beside their ids.
        columns: whose bytes count.
    """
    portion: list[str] = []
    left = most
    for begin in range(0, len(ids), _CHUNK):
        chunk = ids[begin : begin + _CHUNK]
        sizes = session.execute(select(key, bytes_of(session, *columns)).where(of, key.in_(chunk))).all()
        found = {row[0]: row[1] for row in sizes}
        for item in chunk:
            size = found.get(item, 0)
            if portion and size > left:
                yield portion
                portion, left = [], most
            portion.append(item)
            left -= size
    if portion:
        yield portion
