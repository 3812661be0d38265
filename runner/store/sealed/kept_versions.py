"""Versions of deleted Actions that suspended flows need: they stay until no flow waits for them.

A deleted Action runs in no new flow. One that waits has the source in its own state, and finds here whose it
was and the secrets, those of modules too, so that these may be deleted as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Index, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from runner.store.sealed.secrets import SecretBox
from runner.store.sealed.suspensions import pinned_versions
from runner.store.tables.columns import ID_LENGTH, NAME_LENGTH, Base
from runner.store.tables.models import SecretRow

_KIND: Final = "kept"
_NAME: Final = "all"
_LONGER: Final = timedelta(hours=1)
"""Of what a flow still waits for when its time has come: a resume that runs now may suspend again."""


class KeptVersionRow(Base):
    """A version of a deleted Action.

    Attributes:
        id: of the version.
        expires_at: when it may go, unless a flow waits for it.
    """

    __tablename__ = "kept_versions"
    __table_args__ = (Index("kept_versions_by_end", "expires_at"),)

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    action_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    action_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    expires_at: Mapped[datetime]


def keep_version(session: Session, box: SecretBox, row: KeptVersionRow, secrets: Mapping[str, Any]) -> None:
    """Keep a version. `secrets`: as a resume takes them, those of modules under `actions:NAME`."""
    session.add(row)
    if secrets:
        box.replace(_KIND, row.id, {_NAME: json.dumps(secrets)})


def kept_secrets(box: SecretBox, version_id: str) -> dict[str, Any]:
    """Raises `SealError`."""
    text = box.values(_KIND, version_id).get(_NAME)
    found: dict[str, Any] = {} if text is None else json.loads(text)
    return found


def clean(session: Session, moment: datetime, most: int) -> int:
    """Delete what is due and nobody waits for, of up to `most` rows; how many were due."""
    due = session.scalars(
        select(KeptVersionRow).where(KeptVersionRow.expires_at < moment).limit(most).with_for_update()
    ).all()
    waiting = {tenant: pinned_versions(session, tenant) for tenant in {row.tenant_id for row in due}}
    for row in due:
        if row.id in waiting[row.tenant_id]:
            row.expires_at = moment + _LONGER
            continue
        session.execute(
            delete(SecretRow).where(
                SecretRow.tenant_id == row.tenant_id,
                SecretRow.owner_kind == _KIND,
                SecretRow.owner_id == row.id,
            )
        )
        session.delete(row)
    return len(due)
