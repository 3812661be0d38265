"""Deleting what records no longer refer to."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from runner.records.writing import FLOW_TOUCHED
from runner.store.tables.records import RecordFlowRow, RecordRow

_UNUSED: Final = 24 * FLOW_TOUCHED
"""How long a flow stays that no record refers to: processes that record take for an hour that it is there,
and what they have taken up may wait for the database."""


def clean_flows(session: Session, most: int, *, moment: datetime) -> int:
    """Delete up to `most` flows of which no record is left; how many."""
    used = (
        select(RecordRow.id)
        .where(RecordRow.tenant_id == RecordFlowRow.tenant_id, RecordRow.flow == RecordFlowRow.digest)
        .exists()
    )
    rows = session.execute(
        select(RecordFlowRow.tenant_id, RecordFlowRow.digest)
        .where(RecordFlowRow.used_at < moment - _UNUSED, ~used)
        .limit(most)
    ).all()
    for tenant, digest in rows:
        session.execute(
            delete(RecordFlowRow).where(RecordFlowRow.tenant_id == tenant, RecordFlowRow.digest == digest)
        )
    return len(rows)
