"""Builds of drafts as jobs: a restart, or another process, goes on with them.

A draft has at most one job. A change of the draft puts it anew; what is built for an older revision is
dropped.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from runner.jobs.policy import BUILD, PACKAGE_BUILD
from runner.jobs.queue import JobQueue
from runner.store.tables.models import ActionRow


class BuildQueue:
    """Orders builds, in the transactions that change drafts."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    def enqueue(self, session: Session, row: ActionRow, *, deploy_as: str | None = None) -> None:
        """Have the draft built, and deployed for the client `deploy_as` if there is one."""
        payload = {"action_id": row.id, "deploy_as": deploy_as}
        kind = PACKAGE_BUILD if row.dependencies or row.modules else BUILD
        self._queue.put(session, row.tenant_id, kind, payload, job_id=_job_id(row))

    def cancel(self, session: Session, row: ActionRow) -> None:
        """The draft is being deleted, or replaced by what is built already."""
        self._queue.cancel(session, row.tenant_id, _job_id(row))


def _job_id(row: ActionRow) -> str:
    return f"build-{row.id}"
