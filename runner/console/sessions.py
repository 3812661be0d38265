"""`/console/api/sessions`: who is signed in to the tenant, and an end to it."""

from __future__ import annotations

from typing import Annotated, Any, Final, NotRequired

from fastapi import Response
from sqlalchemy import select
from typing_extensions import TypedDict

from runner.console.base import Caller, console_router
from runner.http.answer_types import Instant, closed, moment
from runner.http.auth.caller import needs
from runner.http.cursor_pagination import Next, WantedCursorPage
from runner.http.errors import not_found
from runner.management.base.context import answer, no_content, note
from runner.store.tables.columns import now
from runner.store.tables.console import SessionRow

router: Final = console_router("Console: sessions")


@closed
class ListedSession(TypedDict):
    """A session. `current`: it asks; `seen_at`: within five minutes; `way`: `link`, `client` or `oidc`;
    `agent`: what the browser calls itself."""

    id: str
    actor: str
    way: str
    address: str
    agent: str
    created_at: Instant
    seen_at: Instant
    expires_at: Instant
    current: bool


@closed
class SessionList(TypedDict):
    """Sessions, the newest first."""

    sessions: list[ListedSession]
    next: NotRequired[Next]


@router.get("/sessions", summary="List sessions", response_model=SessionList)
def list_sessions(caller: Annotated[Caller, needs("read:sessions")], wanted: WantedCursorPage) -> Response:
    """Those of the tenant that have not ended."""
    query = select(SessionRow).where(SessionRow.tenant_id == caller.tenant, SessionRow.expires_at > now())
    with caller.service.store.read() as session:
        rows, following = wanted.fetch(session, query, SessionRow.created_at, SessionRow.id, newest=True)
    found: dict[str, Any] = {"sessions": [_view(caller, row) for row in rows]}
    return answer(found if following is None else {**found, "next": following})


@router.delete("/sessions/{session_id}", summary="End a session", status_code=204)
def end_session(caller: Annotated[Caller, needs("delete:sessions")], session_id: str) -> Response:
    """At once, on every replica: its next request is refused, and its streams end."""
    with caller.service.store.begin() as session:
        if not caller.service.sessions.end(session, caller.tenant, session_id):
            raise not_found("session")
        note(caller, session, "session.end", session_id)
    return no_content()


def _view(caller: Caller, row: SessionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "actor": row.actor,
        "way": row.way,
        "address": row.address,
        "agent": row.agent,
        "created_at": moment(row.created_at),
        "seen_at": moment(row.seen_at),
        "expires_at": moment(row.expires_at),
        "current": row.id == caller.principal.session_id,
    }
