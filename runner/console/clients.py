"""`/console/api/clients`: the API clients of the tenant, which ask for tokens and sign in to the console."""

from __future__ import annotations

from typing import Annotated, Any, Final, NotRequired

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from typing_extensions import TypedDict

from runner.admin.tenants import Credentials, create_client, revoke_client
from runner.console.base import Caller, console_router
from runner.http.answer_types import Instant, closed, moment
from runner.http.auth.caller import needs
from runner.http.auth.scopes import ALL_SCOPES
from runner.http.cursor_pagination import Next, WantedCursorPage
from runner.http.errors import ApiError, invalid_body, not_found
from runner.http.validation import shown
from runner.management.base.context import answer, check_room, no_content, note
from runner.store.tables.models import ApiClient

router: Final = console_router("Console: clients")
_MOST: Final = 1_000
"""Clients of a tenant that sessions may add."""


class NewClient(BaseModel):
    """`name`: for people. `scopes`: at most those of whoever adds it; left out: all of them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=255)]
    scopes: Annotated[list[str], Field(min_length=1, max_length=100)] | None = None


@closed
class ListedClient(TypedDict):
    """An API client. `login`: `secret` or `public key`."""

    id: str
    name: str
    login: str
    scopes: list[str]
    created_at: Instant
    revoked_at: NotRequired[Instant]


@closed
class ClientList(TypedDict):
    """Clients, the newest first."""

    clients: list[ListedClient]
    next: NotRequired[Next]


@closed
class NewCredentials(TypedDict):
    """Credentials of a new client. The secret is shown once and kept nowhere."""

    tenant: str
    client_id: str
    client_secret: str
    scopes: list[str]


@router.get("/clients", summary="List API clients", response_model=ClientList)
def list_api_clients(caller: Annotated[Caller, needs("read:clients")], wanted: WantedCursorPage) -> Response:
    """Also those that were revoked; without secrets, which are not kept."""
    query = select(ApiClient).where(ApiClient.tenant_id == caller.tenant)
    with caller.service.store.read() as session:
        rows, following = wanted.fetch(session, query, ApiClient.created_at, ApiClient.id, newest=True)
    found: dict[str, Any] = {"clients": [_view(row) for row in rows]}
    return answer(found if following is None else {**found, "next": following})


@router.post("/clients", summary="Add an API client", status_code=201, response_model=NewCredentials)
def add_api_client(caller: Annotated[Caller, needs("create:clients")], body: NewClient) -> Response:
    """With no scope that its maker lacks."""
    mine = sorted(caller.principal.scopes & frozenset(ALL_SCOPES))
    beyond = [scope for scope in body.scopes or () if scope not in mine]
    if beyond:
        raise ApiError(
            403,
            f"You cannot give the scope {shown(beyond[0])}, which you do not have.",
            "insufficient_scope",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if "\0" in body.name:
        raise invalid_body("'a NUL character' at $.name.")
    with caller.service.store.begin() as session:
        check_room(session, ApiClient, caller.tenant, _MOST, "clients")
        made = create_client(session, caller.tenant, body.name, body.scopes or mine)
        note(caller, session, "client.create", made.client_id)
    return answer(new_credentials(made), 201)


@router.delete("/clients/{client_id}", summary="Revoke an API client", status_code=204)
def revoke_api_client(caller: Annotated[Caller, needs("delete:clients")], client_id: str) -> Response:
    """Its sessions end at once, its tokens within seconds."""
    with caller.service.store.begin() as session:
        mine = (ApiClient.tenant_id == caller.tenant, ApiClient.id == client_id)
        if session.scalar(select(ApiClient.id).where(*mine)) is None:
            raise not_found("client")
        revoke_client(session, client_id)
        note(caller, session, "client.revoke", client_id)
    return no_content()


def new_credentials(made: Credentials) -> NewCredentials:
    """As they are answered."""
    return {
        "tenant": made.tenant,
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "scopes": list(made.scopes),
    }


def _view(row: ApiClient) -> dict[str, Any]:
    found = {
        "id": row.id,
        "name": row.name,
        "login": "secret" if row.secret_digest else "public key",
        "scopes": row.scopes,
        "created_at": moment(row.created_at),
    }
    return found if row.revoked_at is None else {**found, "revoked_at": moment(row.revoked_at)}
