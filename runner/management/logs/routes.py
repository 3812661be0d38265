"""The tenant's log: pages of it, what came since a checkpoint, single entries
(reference/management-api.md section 8)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Query, Response
from fastapi.responses import JSONResponse

from runner.http.auth.caller import needs
from runner.http.cursor_pagination import DEFAULT_TAKE, From, Take
from runner.http.errors import ApiError, bad_request, not_found
from runner.http.queries import Absent
from runner.http.validation import shown
from runner.management.base.context import Caller, answer, management_router
from runner.management.base.paging import Page, PageNumber, PerPage
from runner.management.logs import responses
from runner.management.logs.entries import TYPES, Entries, LogPosition, Wanted
from runner.management.streams.deliveries import date_of
from runner.model.caps import MAX_LOG_PAGED, MAX_LOG_QUERY

router: Final = management_router("Logs")
_FIELDS: Final = frozenset({"date", "type", "description", "tenant_name", "details", "log_id", "_id"})
_DEFAULT_PER_PAGE: Final = 50
_TYPE: Final = re.compile(r'type: *(?:"?([\w-]+)"?|\(([^()]*)\))')
_DATE: Final = re.compile(r"date: *\[(\S+) TO (\S+)\]")
LogReader = Annotated[Caller, needs("read:logs")]


@router.get(
    "/logs",
    summary="List log entries",
    response_model=list[responses.Log] | responses.LogPage,
    response_description="Entries.",
)
def list_logs(
    caller: LogReader,
    page: PageNumber = 0,
    per_page: PerPage = _DEFAULT_PER_PAGE,
    sort: Annotated[str, Query(pattern="^date:(1|-1)$", description="By time only.")] = "date:-1",
    fields: Annotated[str | Absent, Query(max_length=200, description="Separated by commas.")] = None,
    include_fields: bool = True,
    include_totals: bool = False,
    q: Annotated[
        str | Absent,
        Query(
            max_length=MAX_LOG_QUERY, description="`type:…`, `type:(… OR …)`, `date:[… TO …]`, joined by AND."
        ),
    ] = None,
    search: Annotated[str | Absent, Query(max_length=0, description="Use `q`.")] = None,  # noqa: ARG001
    start: From = None,
    take: Take | Absent = None,
) -> Response:
    """Results of executions, the newest first. With `from` (an entry's `log_id`) or `take`: what was
    recorded after it, the oldest first, and all other parameters mean nothing."""
    with caller.service.store.read() as session:
        entries = Entries(session, caller.tenant)
        if start is not None or take is not None:
            return _checkpoint(caller, entries, start, take or DEFAULT_TAKE)
        wanted, shape, part = _wanted(q), _shape(fields, include=include_fields), Page(page, per_page)
        if part.offset + part.size > MAX_LOG_PAGED and page > 0:
            raise bad_request(
                f"You can only page through the first {MAX_LOG_PAGED} entries: narrow the search, or read on "
                "from a checkpoint.",
                "invalid_query_string",
            )
        found = entries.page(wanted, part.offset, part.size, oldest=sort == "date:1")
        items = [{name: item[name] for name in item if name in shape} for item in found]
        if not include_totals:
            return answer(items)
        return answer(
            {
                "start": part.offset,
                "limit": part.size,
                "length": len(items),
                "total": entries.total(wanted, MAX_LOG_PAGED),
                "logs": items,
            }
        )


@router.get("/logs/{log_id}", summary="Get a log entry", response_model=responses.Log)
def get_log(caller: LogReader, log_id: str) -> Response:
    place = LogPosition.of(log_id)
    with caller.service.store.read() as session:
        found = None if place is None else Entries(session, caller.tenant).get(place)
    if found is None:
        raise not_found("log")
    return answer(found)


def _checkpoint(caller: Caller, entries: Entries, start: str | None, take: int) -> Response:
    place = None if start is None else LogPosition.of(start)
    if start is not None and place is None:
        raise _bad("from", f"{shown(start)} is not the log_id of an entry")
    items = entries.after(place, take)
    headers: Mapping[str, str] = {}
    if items:
        query = urlencode({"from": items[-1]["log_id"], "take": take})
        headers = {"Link": f'<{caller.service.settings.url}/api/v2/logs?{query}>; rel="next"'}
    return JSONResponse(items, 200, dict(headers))


def _shape(fields: str | None, *, include: bool) -> Collection[str]:
    """Names of what is shown of an entry."""
    if not fields:
        return _FIELDS
    named = {name.strip() for name in fields.split(",")}
    return named & _FIELDS if include else _FIELDS - named


def _wanted(q: str | None) -> Wanted:
    """Raises `ApiError` 400 for what cannot be searched for."""
    types: set[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    for clause in q.strip().split(" AND ") if q and q.strip() else ():
        kind, dates = _TYPE.fullmatch(clause), _DATE.fullmatch(clause)
        if kind is not None:
            named = {name.strip(' "') for name in (kind[1] or kind[2]).split(" OR ")}
            types = named if types is None else types & named
        elif dates is not None:
            since, until = _moment(dates[1]), _moment(dates[2])
        else:
            raise _bad("q", "it takes type:…, type:(… OR …) and date:[… TO …], joined by AND")
    return Wanted(None if types is None else types & TYPES, since, until)


def _moment(text: str) -> datetime | None:
    if text == "*":
        return None
    try:
        return date_of(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise _bad("q", str(error)) from None


def _bad(name: str, why: str) -> ApiError:
    return bad_request(f"Query validation error: '{why}' in {name}.", "invalid_query_string")
