"""Tables of clients that log in with a key pair: their public keys, and the assertions they have used."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from runner.store.tables.columns import ID_LENGTH, Base, Owned, now


class ClientKeyRow(Base, Owned):
    """A public key of a client. `id`: its thumbprint (RFC 7638); `jwk`: the key (RFC 7517)."""

    __tablename__ = "client_keys"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["api_clients.tenant_id", "api_clients.id"], name="client_keys_client"
        ),
        Index("client_keys_by_client", "client_id"),
    )

    client_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    jwk: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=lambda: now())


class UsedAssertionRow(Base):
    """A client assertion that was taken, and is not taken again until it would have expired.

    Attributes:
        digest: SHA-256 of the assertion's `jti`.
    """

    __tablename__ = "used_assertions"
    __table_args__ = (Index("used_assertions_by_end", "expires_at"),)

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]
