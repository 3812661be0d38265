"""Tables of the console: who is signed in, and links that sign somebody in once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from runner.store.tables.columns import ID_LENGTH, NAME_LENGTH, Base, Owned, now


class SessionRow(Base, Owned):
    """A session of the console, for one tenant. It ends when the row goes.

    Attributes:
        digest: SHA-256 of the cookie, which is kept nowhere.
        actor: who signed in, as audit rows name it.
        way: `link`, `client` or `oidc`.
        client_id: of a session that ends with its client, and has no scope that the client lost.
        scopes: what the session may do.
        grants: scopes by tenant, for each tenant that the session may change to.
        address, agent: where it was opened from, for its owner to know it by.
    """

    __tablename__ = "console_sessions"
    __table_args__ = (
        UniqueConstraint("digest", name="console_sessions_digest_unique"),
        Index("console_sessions_by_end", "expires_at"),
    )

    digest: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(ID_LENGTH))
    way: Mapped[str] = mapped_column(String(32))
    client_id: Mapped[str | None] = mapped_column(String(ID_LENGTH), default=None)
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    grants: Mapped[dict[str, Any]] = mapped_column(default=dict)
    address: Mapped[str] = mapped_column(String(64), default="")
    agent: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    created_at: Mapped[datetime] = mapped_column(default=lambda: now())
    seen_at: Mapped[datetime] = mapped_column(default=lambda: now())
    expires_at: Mapped[datetime]


class SignInLinkRow(Base):
    """A link that signs somebody in, once: the row goes with its use. `digest`: SHA-256 of its token."""

    __tablename__ = "console_links"
    __table_args__ = (Index("console_links_by_end", "expires_at"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    actor: Mapped[str] = mapped_column(String(ID_LENGTH))
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    expires_at: Mapped[datetime]
