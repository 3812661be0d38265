"""Table of shadow runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from runner.store.tables.columns import ID_LENGTH, Base, Moment, Owned, Stamped
from runner.store.tables.runs import SHORT


class ShadowRow(Base, Owned, Stamped):
    """One shadow of an Action: a draft or a version on recorded executions.

    Attributes:
        candidate: `{"draft": revision}`, `{"version_id"}`, or `{"code"}` to run in place of the draft's.
        wanted: `{"last", "since"?, "live_until"?}`; times as ISO text.
        rules: its ignore rules, as `runner.shadow.rules.IgnoreRule`.
        state: `queued`, `running`, `done`, `failed` or `canceled`.
        done: legs that were looked at.
        seen_until: of a live one: when the newest execution that it saw was recorded.
        report: a `runner.shadow.report.ShadowReport` as JSON text.
        error: why it failed.
    """

    __tablename__ = "shadows"
    __table_args__ = (Index("shadows_by_action", "tenant_id", "action_id", "created_at"),)

    action_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    trigger_id: Mapped[str] = mapped_column(String(64))
    candidate: Mapped[dict[str, Any]]
    wanted: Mapped[dict[str, Any]]
    rules: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(SHORT)
    done: Mapped[int] = mapped_column(default=0)
    seen_until: Mapped[datetime | None] = mapped_column(Moment, default=None)
    report: Mapped[str | None] = mapped_column(Text, default=None)
    error: Mapped[str | None] = mapped_column(Text, default=None)
