"""Tables of the entities that Actions are attached to, for triggers that nothing is bound to directly."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from runner.store.tables.columns import ID_LENGTH, NAME_LENGTH, Base, Owned, Stamped, now

SHORT: Final = String(32)


class TokenExchangeProfileRow(Base, Owned, Stamped):
    """A token exchange profile: its Action validates subject tokens of a type and cannot be deleted."""

    __tablename__ = "token_exchange_profiles"
    __table_args__ = (
        UniqueConstraint("tenant_id", "subject_token_type", name="token_exchange_profiles_type_unique"),
        ForeignKeyConstraint(
            ["tenant_id", "action_id"],
            ["actions.tenant_id", "actions.id"],
            name="token_exchange_profiles_action",
        ),
    )

    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    subject_token_type: Mapped[str] = mapped_column(String(NAME_LENGTH))
    type: Mapped[str] = mapped_column(SHORT)
    action_id: Mapped[str] = mapped_column(String(ID_LENGTH))


class EventStreamRow(Base, Owned, Stamped):
    """An event stream: its Action gets events of some types and cannot be deleted.

    Attributes:
        name: None for a stream that has none.
        subscriptions: types of events.
        status: `enabled` or `disabled`.
        failures: deliveries that failed for good since it was enabled.
        failures_in_a_row: those of them since the last one that arrived.
    """

    __tablename__ = "event_streams"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "action_id"], ["actions.tenant_id", "actions.id"], name="event_streams_action"
        ),
    )

    name: Mapped[str | None] = mapped_column(String(NAME_LENGTH), default=None)
    subscriptions: Mapped[list[Any]] = mapped_column(default=list)
    action_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    status: Mapped[str] = mapped_column(SHORT, default="enabled")
    failures: Mapped[int] = mapped_column(default=0)
    failures_in_a_row: Mapped[int] = mapped_column(default=0)


class EventDeliveryRow(Base):
    """An event on its way to a stream, once for each stream: its job says how far it is, its execution what
    became of each attempt."""

    __tablename__ = "event_deliveries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "stream_id"],
            ["event_streams.tenant_id", "event_streams.id"],
            name="event_deliveries_stream",
            ondelete="CASCADE",
        ),
        Index("event_deliveries_by_execution", "tenant_id", "execution_id"),
        Index("event_deliveries_by_time", "tenant_id", "stream_id", "created_at"),
    )

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    stream_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(NAME_LENGTH), primary_key=True)
    event_type: Mapped[str] = mapped_column(String(NAME_LENGTH))
    execution_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    job_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    created_at: Mapped[datetime] = mapped_column(default=now)


class MessageProviderRow(Base, Owned, Stamped):
    """A tenant's own provider Action for its messages: one row for each channel at most.

    Attributes:
        channel: `email` or `phone`.
        enabled: a disabled one refuses to run.
        fields: what else was configured, as it was sent; the platform's to honour.
    """

    __tablename__ = "message_providers"
    __table_args__ = (
        UniqueConstraint("tenant_id", "channel", name="message_providers_channel_unique"),
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="message_providers_tenant"),
    )

    channel: Mapped[str] = mapped_column(SHORT)
    enabled: Mapped[bool] = mapped_column(default=True)
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)


class HookRow(Base, Owned, Stamped):
    """A hook of an identity provider that calls the tenant's Actions (`runner.hooks`). Its secrets are in
    `SecretRow`.

    Attributes:
        provider, hook: as the path has them; one row for each pair at most.
        enabled: a disabled one refuses every request.
        on_uncarried: `deny` or `allow`: what becomes of an outcome that the hook cannot carry whole.
        budget_ms: time for an answer; None for the hook's own default.
        defaults: what events need and the provider does not send.
        settings: of the provider, such as the address of its keys.
    """

    __tablename__ = "identity_provider_hooks"
    __table_args__ = (
        UniqueConstraint("tenant_id", "provider", "hook", name="identity_provider_hooks_unique"),
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="identity_provider_hooks_tenant"),
        Index("identity_provider_hooks_by_change", "updated_at"),
    )

    provider: Mapped[str] = mapped_column(SHORT)
    hook: Mapped[str] = mapped_column(String(ID_LENGTH))
    enabled: Mapped[bool] = mapped_column(default=True)
    on_uncarried: Mapped[str] = mapped_column(SHORT, default="deny")
    budget_ms: Mapped[int | None] = mapped_column(default=None)
    defaults: Mapped[dict[str, Any]] = mapped_column(default=dict)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
