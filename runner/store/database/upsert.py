"""Inserts that two transactions may make at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from runner.store.tables.columns import Base


def insert_or_keep(
    session: Session, kind: type[Base], values: Mapping[str, Any], *, refresh: Sequence[str] = ()
) -> None:
    """Make sure that there is a row with the key that `values` hold. One that is there stays as it is, but
    for the columns in `refresh`; no caller fails because another was first."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(kind).values(**values)
    if refresh:
        key = [column.name for column in kind.__table__.primary_key]
        changed = {name: values[name] for name in refresh}
        session.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))
    else:
        session.execute(statement.on_conflict_do_nothing())


def insert_or_keep_all(
    session: Session, kind: type[Base], rows: Sequence[Mapping[str, Any]], *, refresh: Sequence[str]
) -> None:
    """The same for many rows with keys of their own, in one go."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(kind)
    key = [column.name for column in kind.__table__.primary_key]
    changed = {name: statement.excluded[name] for name in refresh}
    session.connection().execute(
        statement.on_conflict_do_update(index_elements=key, set_=changed), list(rows)
    )
