"""`/console/api/tenants`: the tenants of the installation, for its operators."""

from __future__ import annotations

from typing import Annotated, Any, Final, NotRequired

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from typing_extensions import TypedDict

from runner.admin.first_client import new_tenant
from runner.console.base import Caller, console_router
from runner.console.clients import NewCredentials, new_credentials
from runner.http.answer_types import Instant, closed, moment
from runner.http.auth.caller import needs
from runner.http.auth.scopes import OPERATE
from runner.http.cursor_pagination import Next, WantedCursorPage
from runner.http.described import refusals
from runner.http.errors import ApiError, invalid_body
from runner.management.base.context import answer
from runner.model.errors import InputError
from runner.store import audit
from runner.store.tables.models import Tenant

router: Final = console_router("Console: tenants")
Operator = Annotated[Caller, needs(OPERATE)]


class NewTenant(BaseModel):
    """`id`: 1 to 63 lower-case letters, digits and dashes within; `name`: for people."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: Annotated[str, Field(min_length=1, max_length=63)]
    name: Annotated[str, Field(max_length=255)] = ""


@closed
class ListedTenant(TypedDict):
    """A tenant. `name`: for people."""

    id: str
    name: str
    created_at: Instant


@closed
class TenantList(TypedDict):
    """Tenants in the order of their creation."""

    tenants: list[ListedTenant]
    next: NotRequired[Next]


@router.get("/tenants", summary="List tenants", response_model=TenantList)
def list_tenants(caller: Operator, wanted: WantedCursorPage) -> Response:
    """All of the installation."""
    with caller.service.store.read() as session:
        rows, following = wanted.fetch(session, select(Tenant), Tenant.created_at, Tenant.id)
    listed = [{"id": row.id, "name": row.name, "created_at": moment(row.created_at)} for row in rows]
    found: dict[str, Any] = {"tenants": listed}
    return answer(found if following is None else {**found, "next": following})


@router.post(
    "/tenants",
    summary="Add a tenant",
    status_code=201,
    response_model=NewCredentials,
    responses=refusals(409),
)
def add_tenant(caller: Operator, body: NewTenant) -> Response:
    """With a first client that has all scopes."""
    if "\0" in body.name:
        raise invalid_body("'a NUL character' at $.name.")
    service = caller.service
    try:
        with service.store.begin() as session:
            made = new_tenant(session, service.settings, service.keys, body.id, body.name).credentials
            for tenant in (caller.tenant, body.id):
                audit.note(session, tenant, caller.principal.client_id, "tenant.create", body.id)
    except InputError as error:
        if error.code == "tenant_exists":
            raise ApiError(409, f"There is a tenant {body.id} already.", error.code) from None
        raise invalid_body(f"'{error.message}' at $.id.") from None
    return answer(new_credentials(made), 201)
