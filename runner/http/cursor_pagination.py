"""Lists that go on from a checkpoint: `from` and `take`, answered with `next` while there is more.

The checkpoint holds the place of the last item, not the item, so that deleting it loses nothing.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Query
from pydantic import Field
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import Session

from runner.http.errors import bad_request
from runner.http.queries import Absent
from runner.model.caps import MAX_CURSOR, MAX_PER_PAGE

DEFAULT_TAKE: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FARTHEST: Final = 2**53
Row = TypeVar("Row")
From = Annotated[
    str | Absent,
    Query(alias="from", min_length=1, max_length=MAX_CURSOR, description="`next` of the page before."),
]
Next = Annotated[str, Field(description="Where the next page begins (`from`); absent on the last one.")]
Take = Annotated[int, Query(ge=1, le=MAX_PER_PAGE, description="Results per page.")]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Position of an item in a list that is ordered by a moment and an id."""

    at: datetime
    id: str

    def __str__(self) -> str:
        text = f"{(self.at - _EPOCH) // timedelta(microseconds=1)}:{self.id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, text: str, parameter: str = "from") -> Cursor:
        """Raises `ApiError` 400, which names the `parameter`, for what no answer gave."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
        except (ValueError, binascii.Error):
            raise _unknown(parameter) from None
        number, _, item = raw.partition(":")
        if (
            not (number.isascii() and number.isdecimal())
            or int(number) > _FARTHEST
            or not item
            or "\0" in item
        ):
            raise _unknown(parameter)
        return cls(_EPOCH + timedelta(microseconds=int(number)), item)


@dataclass(frozen=True, slots=True)
class CursorPage:
    """The part of a list that is wanted: `take` items after the place `start`."""

    start: str | None
    take: int

    def fetch(
        self, session: Session, query: Select[Row], at: Any, key: Any, *, newest: bool = False
    ) -> tuple[list[Row], str | None]:
        """The rows of `query`, and where the next ones begin, if there are any.

        Args:
            at, key: columns of `Row`: the moment and the id that it is ordered by.
            newest: the newest first.

        Raises:
            ApiError: 400: `start` is no place.
        """
        if self.start is not None:
            place = Cursor.of(self.start)
            here, there = tuple_(at, key), tuple_(place.at, place.id)
            query = query.where(here < there if newest else here > there)
        order = (at.desc(), key.desc()) if newest else (at, key)
        rows = session.scalars(query.order_by(*order).limit(self.take + 1)).all()
        if len(rows) <= self.take:
            return list(rows), None
        last = rows[self.take - 1]
        return list(rows[: self.take]), str(Cursor(getattr(last, at.key), getattr(last, key.key)))


async def _cursor_page(start: From = None, take: Take = DEFAULT_TAKE) -> CursorPage:
    return CursorPage(start, take)


WantedCursorPage = Annotated[CursorPage, Depends(_cursor_page)]
"""The parameters of a list that goes on from a checkpoint."""


def _unknown(parameter: str) -> Exception:
    return bad_request(
        f"Query validation error: '{parameter}' is not a checkpoint of this list.", "invalid_query_string"
    )
