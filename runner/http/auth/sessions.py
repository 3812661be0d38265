"""Sessions of the console: rows in the database, named by a cookie, in the place of a bearer token.

Each request reads its row, so a session that was ended anywhere is ended everywhere with the next request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import Request
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from runner.http.auth.client_secrets import new_secret, secret_digest
from runner.http.auth.scopes import ALL_SCOPES
from runner.http.auth.tokens import GRANTED, PLANES, Principal, TokenError
from runner.store.database.engine import Store
from runner.store.tables.columns import ID_LENGTH, NAME_LENGTH, named_id, now
from runner.store.tables.console import SessionRow
from runner.store.tables.models import ApiClient, Tenant

_SEEN_EVERY: Final = timedelta(minutes=5)
"""How exactly it is known when a session was last used."""
_MAX_COOKIE: Final = 128
"""Characters of a value that is looked for; ours have 43."""
_ENDED: Final = "The session has ended: sign in again"
_MOST: Final = 50
"""Sessions of one actor in a tenant; the oldest gives way."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and how.

    Attributes:
        actor: for audit rows; see `actor_of`.
        way: `link`, `client` or `oidc`.
        scopes: in `tenant`; `GRANTED` for all that its client, or a client, can have.
        grants: scopes by tenant, where there are several to change between.
    """

    tenant: str
    actor: str
    way: str
    scopes: Sequence[str]
    client_id: str | None = None
    grants: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Sessions:
    """Opens, reads and ends sessions; safe between threads."""

    def __init__(
        self, store: Store, *, secure: bool, hours: float, clock: Callable[[], datetime] = now
    ) -> None:
        """`secure`: browsers reach the service by https; `hours`: life of a session."""
        self._store = store
        self._clock = clock
        self.secure: Final = secure
        self.lasts: Final = timedelta(hours=hours)
        self.cookie: Final = "__Host-actionbox" if secure else "actionbox_session"

    def cookie_of(self, request: Request) -> str | None:
        """The cookie that names a session; None without one."""
        return request.cookies.get(self.cookie)

    def open(self, session: Session, who: SignedIn, request: Request) -> str:
        """A new session; its cookie's value."""
        value = new_secret()
        moment = self._clock()
        mine = (SessionRow.tenant_id == who.tenant, SessionRow.actor == who.actor)
        newest = select(SessionRow.id).where(*mine).order_by(SessionRow.created_at.desc())
        surplus = session.scalars(newest.offset(_MOST - 1)).all()
        session.execute(delete(SessionRow).where(*mine, SessionRow.id.in_(surplus)))
        session.add(
            SessionRow(
                tenant_id=who.tenant,
                id=named_id("ses"),
                digest=secret_digest(value),
                actor=who.actor,
                way=who.way,
                client_id=who.client_id,
                scopes=list(who.scopes),
                grants={tenant: list(scopes) for tenant, scopes in who.grants.items()},
                address=_harmless(request.client.host if request.client else "", 64),
                agent=_harmless(request.headers.get("user-agent", ""), NAME_LENGTH),
                created_at=moment,
                seen_at=moment,
                expires_at=moment + self.lasts,
            )
        )
        return value

    def authenticate(self, value: str) -> Principal:
        """The principal of a cookie. Raises `TokenError`. Uses the database: call it in a thread."""
        digest, moment = secret_digest(value[:_MAX_COOKIE]), self._clock()
        with self._store.read() as session:
            found = _of(session, moment, SessionRow.digest == digest)
        if found is None:
            raise TokenError(_ENDED)
        row, scopes = found
        if moment - row.seen_at >= _SEEN_EVERY:
            with self._store.begin() as session:
                session.execute(
                    update(SessionRow)
                    .where(SessionRow.tenant_id == row.tenant_id, SessionRow.id == row.id)
                    .values(seen_at=moment)
                )
        return Principal(
            tenant=row.tenant_id,
            client_id=row.actor,
            scopes=scopes,
            planes=frozenset(PLANES),
            expires_at=row.expires_at.timestamp(),
            session_id=row.id,
        )

    def is_open(self, principal: Principal) -> bool:
        """Whether the session of a principal has not ended; True of a token's. Reads the database."""
        if not principal.session_id:
            return True
        with self._store.read() as session:
            named = (SessionRow.tenant_id == principal.tenant, SessionRow.id == principal.session_id)
            return _of(session, self._clock(), *named) is not None

    def end(self, session: Session, tenant: str, session_id: str) -> bool:
        """End a session; whether there was one."""
        done: Any = session.execute(
            delete(SessionRow).where(SessionRow.tenant_id == tenant, SessionRow.id == session_id)
        )
        return bool(done.rowcount)


def _of(
    session: Session, moment: datetime, *named: ColumnElement[bool]
) -> tuple[SessionRow, frozenset[str]] | None:
    """The session that is `named` so and has not ended at a moment, and what it may do now."""
    query = (
        select(SessionRow, ApiClient)
        .join(Tenant, Tenant.id == SessionRow.tenant_id)
        .outerjoin(
            ApiClient,
            (ApiClient.tenant_id == SessionRow.tenant_id) & (ApiClient.id == SessionRow.client_id),
        )
        .where(*named, SessionRow.expires_at > moment)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    row, client = found
    scopes = expanded(row.scopes)
    if row.client_id is not None:
        if client is None or client.revoked_at is not None:
            return None
        scopes &= frozenset(client.scopes)
    return row, scopes


def expanded(scopes: Sequence[str]) -> frozenset[str]:
    """`scopes` with every scope of a client in the place of `GRANTED`."""
    named = frozenset(scopes)
    return named - set(GRANTED) | frozenset(ALL_SCOPES) if named & set(GRANTED) else named


def actor_of(name: str) -> str:
    """`name` as audit rows have it: short enough for them, and still one person's alone."""
    clean = _harmless(name, len(name))
    if clean == name and len(name) <= ID_LENGTH:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{clean[: ID_LENGTH - len(digest) - 1]}~{digest}"


def _harmless(text: str, most: int) -> str:
    """What databases keep and logs show on one line."""
    return "".join(char if char.isprintable() else "?" for char in text)[:most]
