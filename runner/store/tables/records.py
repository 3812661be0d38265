"""Tables of records: what was kept of executions, to be run again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from runner.store.tables.columns import ID_LENGTH, Base, Owned, now

DIGEST = String(64)
POLICY = String(64)
SHORT = String(32)


class RecordRow(Base, Owned):
    """One leg of an execution, compressed and sealed under a key of its own.

    Attributes:
        leg: its number; attempts of a job have the same one.
        reason: the part of the policy that kept it; `waits` while the flow is suspended, and how it ends will
            say whether it stays.
        policy: that was in force, as text.
        flow: digest of the row in `record_flows` that has its Actions.
        words: digest of the dictionary that it is compressed with; None for none.
        key_id, key: which key of the ring sealed the row's own key, and that key; None once it was dropped.
        bytes: of `content`; 0 once it was dropped.
        gone: why there is no content any more: `erased` or `quota`.
        fidelity: whether its redacted form still does the same; None until somebody has looked.
    """

    __tablename__ = "execution_records"
    __table_args__ = (
        Index("execution_records_by_execution", "tenant_id", "execution_id", "created_at"),
        Index("execution_records_by_trigger", "tenant_id", "trigger_id", "created_at"),
        Index("execution_records_by_age", "tenant_id", "created_at"),
        Index("execution_records_by_end", "expires_at"),
        Index("execution_records_by_key", "key_id"),
        Index("execution_records_by_flow", "tenant_id", "flow"),
    )

    execution_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    trigger_id: Mapped[str] = mapped_column(String(64))
    leg: Mapped[int]
    decision: Mapped[str] = mapped_column(SHORT)
    reason: Mapped[str] = mapped_column(SHORT)
    policy: Mapped[str] = mapped_column(POLICY)
    flow: Mapped[str] = mapped_column(DIGEST)
    words: Mapped[str | None] = mapped_column(DIGEST, default=None)
    key_id: Mapped[str | None] = mapped_column(SHORT, default=None)
    key: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)
    content: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)
    bytes: Mapped[int]
    gone: Mapped[str | None] = mapped_column(SHORT, default=None)
    fidelity: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class RecordFlowRow(Base):
    """The Actions of a flow with their sources, once for all records of it.

    Attributes:
        content: JSON of `PinnedAction`s, compressed.
        used_at: when a record was last made of it, within an hour.
    """

    __tablename__ = "record_flows"
    __table_args__ = (Index("record_flows_by_use", "used_at"),)

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    digest: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    used_at: Mapped[datetime] = mapped_column(default=now)


class RecordSubjectRow(Base):
    """Whom a record is about. `subject`: a keyed hash of the user's id, in hex."""

    __tablename__ = "record_subjects"
    __table_args__ = (Index("record_subjects_by_end", "expires_at"),)

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    subject: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    execution_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    expires_at: Mapped[datetime]


class RecordWordsRow(Base):
    """A dictionary that records are compressed with. It is made of examples of ours, and holds nothing of a
    tenant's."""

    __tablename__ = "record_words"

    digest: Mapped[str] = mapped_column(DIGEST, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
