"""`GET /clients`: an official deploy tool asks for it before it compares (reference/clients.md section 3)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query, Response

from runner.http.queries import Absent
from runner.management.base import responses
from runner.management.base.context import ActionReader, answer, management_router
from runner.management.base.paging import PageNumber, PerPage

router: Final = management_router("Clients")


@router.get(
    "/clients",
    summary="List applications (there are none)",
    response_model=responses.Clients,
    response_description="Nothing.",
)
def list_clients(
    caller: ActionReader,  # noqa: ARG001
    page: PageNumber = 0,
    per_page: PerPage = 50,
    include_totals: Annotated[bool, Query()] = False,
    is_global: Annotated[bool | Absent, Query()] = None,  # noqa: ARG001
) -> Response:
    """Applications belong to the platform, so the list is always empty."""
    if not include_totals:
        return answer([])
    return answer({"clients": [], "total": 0, "start": page * per_page, "limit": per_page, "length": 0})
