"""Tables of the entities that Actions are attached to, for triggers that nothing is bound to directly."""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from runner.store.columns import ID_LENGTH, NAME_LENGTH, Base, Owned, Stamped


class TokenExchangeProfileRow(Base, Owned, Stamped):
    """Which Action validates subject tokens of a type. Its Action cannot be deleted meanwhile."""

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
    type: Mapped[str] = mapped_column(String(32))
    action_id: Mapped[str] = mapped_column(String(ID_LENGTH))
