"""Column types and mixins that the tables share."""

from __future__ import annotations

import secrets
import string
import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import JSON, DateTime, String
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

ID_LENGTH: Final = 64
NAME_LENGTH: Final = 255
_ALPHABET: Final = string.ascii_letters + string.digits
_NAMED_CHARACTERS: Final = 22


class Moment(TypeDecorator[datetime]):
    """An instant in UTC; SQLite keeps no zone, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table of the store."""

    type_annotation_map: ClassVar = {datetime: Moment, dict[str, Any]: JSON, list[Any]: JSON}


class Stamped:
    """Columns that say when a row was made and last changed."""

    created_at: Mapped[datetime] = mapped_column(default=lambda: now())
    updated_at: Mapped[datetime] = mapped_column(default=lambda: now())


class Owned:
    """A row of one tenant: the tenant is the first part of its key, so that no id alone finds it."""

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=lambda: new_id())


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A random id in the form that clients of the Management API expect (reference/management-api.md 4)."""
    return str(uuid.uuid4())


def named_id(kind: str) -> str:
    """A random id that says what it is of, such as `est_6LpW3yB9kD5sH2vN8cTf4a`: 131 random bits."""
    return f"{kind}_{''.join(secrets.choice(_ALPHABET) for _ in range(_NAMED_CHARACTERS))}"
