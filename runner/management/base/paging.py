"""Pages of lists, as the reference has them (reference/management-api.md section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from runner.model.caps import MAX_PAGE, MAX_PER_PAGE

DEFAULT_PER_PAGE = 20
Row = TypeVar("Row")
PageNumber = Annotated[int, Query(ge=0, le=MAX_PAGE, description="Page index of the results, from 0.")]
PerPage = Annotated[int, Query(ge=1, le=MAX_PER_PAGE, description="Results per page.")]


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a list that is asked for."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        return self.number * self.size

    def fetch(self, session: Session, query: Select[Row], *order: Any) -> tuple[list[Row], int]:
        """The page's rows of `query` in `order`, and how many rows there are in all."""
        total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        return list(session.scalars(query.order_by(*order).offset(self.offset).limit(self.size))), total

    def part(self, items: Sequence[Any]) -> Sequence[Any]:
        """The page's part of a whole list."""
        return items[self.offset : self.offset + self.size]

    def render(self, key: str, items: Sequence[Any], total: int, *, zeros: bool = False) -> dict[str, Any]:
        """The answer.

        A page past the end has no `total` (or 0): one that tells the true number there sends an older SDK
        into an endless loop (reference/clients.md section 4).

        Args:
            zeros: write numbers that are 0, as the lists of versions do; the others leave them out.
        """
        numbers = {"total": total if items else 0, "page": self.number, "per_page": self.size}
        return {key: list(items), **{name: value for name, value in numbers.items() if value or zeros}}


async def _page(page: PageNumber = 0, per_page: PerPage = DEFAULT_PER_PAGE) -> Page:
    return Page(page, per_page)


WantedPage = Annotated[Page, Depends(_page)]
"""The parameters of a list that is answered page by page."""
