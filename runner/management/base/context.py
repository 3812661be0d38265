"""Helpers of the routes: the router's form, ids, entity tags, locked rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from runner.http.auth.caller import Caller as AnyCaller
from runner.http.auth.caller import needs
from runner.http.described import operation_id
from runner.http.errors import ApiError, bad_request, not_found
from runner.http.queries import Absent
from runner.http.routing import ManagementRoute
from runner.management.base.service import Service
from runner.store import audit
from runner.store.sealed.secrets import SecretBox
from runner.store.tables.columns import Owned

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAMED: Final = re.compile(r"[a-z]{2,4}_[A-Za-z0-9]{1,60}")
Row = TypeVar("Row", bound=Owned)
Caller: TypeAlias = AnyCaller[Service]
"""Who calls a route of this API."""
ActionReader = Annotated[Caller, needs("read:actions")]
ActionCreator = Annotated[Caller, needs("create:actions")]
ActionUpdater = Annotated[Caller, needs("update:actions")]
ActionDeleter = Annotated[Caller, needs("delete:actions")]
"""Who calls a route of Actions, modules or bindings."""
IfMatch = Annotated[
    str | Absent, Header(alias="If-Match", description="Change it only if this is still its `ETag`.")
]
LOCK: Final = {"key_share": True}
"""`FOR NO KEY UPDATE`: one writer at a time, and bindings may still refer to the row meanwhile; whoever binds
holds the trigger's row and would otherwise wait for the one who deploys, who waits for the trigger's row."""


def management_router(tag: str) -> APIRouter:
    """A router for paths below `/api/v2`."""
    return APIRouter(
        prefix="/api/v2", tags=[tag], route_class=ManagementRoute, generate_unique_id_function=operation_id
    )


def find(
    session: Session, kind: type[Row], tenant: str, row_id: str, what: str, *, lock: bool = False
) -> Row:
    """The tenant's row of this id. `lock`: until the transaction ends.

    Raises:
        ApiError: 404, the same for another tenant's id as for one that nobody has.
    """
    if not _UUID.fullmatch(row_id):
        raise not_found(what)
    return _get(session, kind, (tenant, row_id.lower()), what, lock)


def find_named(
    session: Session, kind: type[Row], tenant: str, row_id: str, what: str, *, lock: bool = False
) -> Row:
    """As `find`, for ids that say what they are of (`tep_…`)."""
    if not _NAMED.fullmatch(row_id):
        raise not_found(what)
    return _get(session, kind, (tenant, row_id), what, lock)


def _get(session: Session, kind: type[Row], key: tuple[str, str], what: str, lock: bool) -> Row:
    row = session.get(kind, key, with_for_update=LOCK if lock else None)
    if row is None:
        raise not_found(what)
    return row


def box(caller: Caller, session: Session) -> SecretBox:
    """The caller's secrets."""
    return SecretBox(session, caller.service.keys.ring, caller.tenant)


def note(
    caller: Caller,
    session: Session,
    operation: str,
    object_id: str,
    code: str | None = None,
    reason: str | None = None,
) -> None:
    """An audit row for a write of the caller."""
    audit.note(session, caller.tenant, caller.principal.client_id, operation, object_id, code, reason=reason)


def check_room(session: Session, table: type[Owned], tenant: str, most: int, what: str) -> None:
    """Raises `ApiError` 400 when the tenant has `most` rows of the table already."""
    mine = select(func.count()).select_from(table).where(table.tenant_id == tenant)
    count = session.scalar(mine) or 0
    if count >= most:
        raise bad_request(f"The tenant has {count} {what}; it may have {most}.", "too_many_entities")


def etag(*parts: object) -> str:
    """A strong entity tag of harmless parts."""
    return '"' + "-".join(str(part) for part in parts) + '"'


def check_match(
    given: str | None, current: str, stored: Callable[[], Mapping[str, Any]] | None = None
) -> None:
    """Raises `ApiError` 412 when `If-Match` is given and nothing of it matches `current`; with what is
    `stored`, so that nobody's change need be lost."""
    if given is None:
        return
    tags = [tag.strip() for tag in given.split(",")]
    if "*" not in tags and current not in tags:
        raise ApiError(
            412,
            "Somebody changed this since you read it: get it again and repeat your change.",
            "precondition_failed",
            headers={"ETag": current},
            stored=None if stored is None else stored(),
        )


def answer(value: Any, status: int = 200, tag: str = "") -> Response:
    """JSON, with an entity tag when there is one."""
    return JSONResponse(value, status, {"ETag": tag} if tag else None)


def no_content() -> Response:
    return Response(status_code=204)
